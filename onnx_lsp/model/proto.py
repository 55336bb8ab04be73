"""The `onnx` protobuf classes and native functions, loaded without the Python package around them.

`import onnx` reads numpy and thirty modules; linting needs two files of it. A bare package module with only `__path__`
lets them be imported alone, in a third of the time. `full()` puts the ordinary package in its place for code that
needs it (the parser, numpy helpers).
"""

from __future__ import annotations

import sys
from types import ModuleType


def _load() -> tuple[ModuleType, ModuleType]:
    if "onnx" not in sys.modules:
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec("onnx")
        if spec is not None and spec.submodule_search_locations:
            bare = ModuleType("onnx")
            bare.__path__ = list(spec.submodule_search_locations)
            bare.__spec__ = spec
            sys.modules["onnx"] = bare
            try:
                return _modules()
            except ImportError:
                full()
    return _modules()


def _modules() -> tuple[ModuleType, ModuleType]:
    import onnx.onnx_cpp2py_export as native
    import onnx.onnx_ml_pb2 as pb

    return native, pb


def full() -> ModuleType:
    """The ordinary `onnx` package (numpy included). The classes stay the same ones."""
    loaded = sys.modules.get("onnx")
    if loaded is not None and not hasattr(loaded, "load"):
        del sys.modules["onnx"]
    import onnx

    return onnx


native, pb = _load()

ModelProto = pb.ModelProto
GraphProto = pb.GraphProto
NodeProto = pb.NodeProto
AttributeProto = pb.AttributeProto
TensorProto = pb.TensorProto
ValueInfoProto = pb.ValueInfoProto
FunctionProto = pb.FunctionProto


def decode_error() -> type[Exception]:
    """The exception with which protobuf refuses malformed bytes."""
    from google.protobuf.message import DecodeError

    return DecodeError
