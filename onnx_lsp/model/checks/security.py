"""What a model may do to the machine that loads it, and what it tells about the machine that made it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.calls import MAX_EXPANSION, expanded
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.provenance import LOCAL_PATH
from onnx_lsp.model.signatures import domains
from onnx_lsp.model.sizes import byte_size

PYTHON_OPS = frozenset({"PyOp", "PythonOp", "PyCustomOp", "PythonOpGrad"})
# Domains whose operators ship with onnxruntime (or that every runtime is told of by the model itself).
SHIPPED = frozenset(
    {"com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc", "com.microsoft.experimental", "ai.onnx.contrib",
     "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training", "org.pytorch.aten", "pkg.onnxscript.torch_lib"}
)  # fmt: skip
ABSURD = 1 << 40  # bytes: no machine allocates this for one tensor


@check("SEC010", op=tuple(sorted(PYTHON_OPS)))
def python_op(node: Node, model: Model, report: Report) -> None:
    if (node.domain, node.op) not in model.function_ops:
        report("python", node, node=node.title(), op=node.op)


@check("SEC011")
def custom_library(model: Model, report: Report) -> None:
    known = domains()
    own = {domain for domain, _ in model.function_ops}
    for domain in model.opsets:
        if domain in known or domain in SHIPPED or domain in own:
            continue
        nodes = [node for node in model.nodes() if node.domain == domain and (domain, node.op) not in model.function_ops]
        nodes = [node for node in nodes if node.op not in PYTHON_OPS]
        if nodes:
            related = tuple(report.related(node, node.op) for node in nodes[1 : MAX_RELATED + 1])
            ops = ", ".join(f"`{op}`" for op in list(dict.fromkeys(node.op for node in nodes))[:4])
            report("domain", nodes[0], node=nodes[0].title(), domain=domain, ops=ops, count=len(nodes), related=related)


@check("SEC020")
def absurd_allocation(model: Model, constants: Constants, report: Report) -> None:
    for node in model.by_op.get("ConstantOfShape", ()):
        shape = constants.ints(node, 0)
        if shape and min(shape) >= 0 and math.prod(shape) > ABSURD // 4:
            report("node", node, node=node.title(), dims=_dims(shape))
    for op, number in (("Expand", 1), ("Tile", 1)):
        for node in model.by_op.get(op, ()):
            values = constants.ints(node, number)
            if values and min(values) > 0 and math.prod(values) > ABSURD // 4:
                report("node", node, node=node.title(), dims=_dims(values))
    for place, name, dims, element in _declared(model):
        if math.prod(max(dim, 0) for dim in dims) >= 1 << 63 or byte_size(element, dims) > ABSURD:
            report("declared", place, name=name, dims=_dims(dims))


def _dims(dims) -> str:
    return f"[{', '.join(map(str, dims))}]"


def _declared(model: Model) -> Iterator[tuple[str, str, tuple[int, ...], int]]:
    """Everything with a shape of numbers: initializers, inputs, outputs, inner values."""
    for scope in model.scopes:
        for name, tensor in scope.initializers.items():
            if len(tensor.dims) > 0:
                yield scope.place("initializer", name), name, tuple(tensor.dims), tensor.data_type
        if scope.is_function:
            continue
        for kind, values in (("input", scope.proto.input), ("output", scope.proto.output)):
            for value in values:
                dims = tuple(dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim)
                if dims and min(dims) >= 0:
                    yield scope.place(kind, value.name), value.name, dims, value.type.tensor_type.elem_type


@check("SEC030")
def local_traces(model: Model, report: Report) -> None:
    found: list[tuple[object, str, str]] = []
    for place, key, value in _texts(model):
        match = LOCAL_PATH.search(value)
        if match:
            found.append((place, key, match[0]))
    if found:
        place, key, text = found[0]
        edit = ModelEdit("SEC030", "strip", "", (), model.skeleton.digest)
        related = tuple(report.related(other, f"`{key}`") for other, key, _ in found[1 : MAX_RELATED + 1] if other)
        report("path", place or None, key=key, text=text[:80], count=len(found), related=related, fixes={"strip": edit})


def _texts(model: Model) -> Iterator[tuple[str, str, str]]:
    """(place, key, text) of every piece of metadata and documentation."""
    proto = model.proto
    if proto.doc_string:
        yield "", "doc_string", _text(proto.doc_string)
    for entry in proto.metadata_props:
        yield "", entry.key, entry.value
    for scope in model.scopes:
        yield from _of(scope.path, scope.proto)
        for node in scope.nodes:
            if node.proto.doc_string or node.proto.metadata_props:
                yield from _of(node.path, node.proto)


def _of(place: str, proto) -> Iterator[tuple[str, str, str]]:
    if proto.doc_string:
        yield place, "doc_string", _text(proto.doc_string)
    for entry in proto.metadata_props:
        yield place, _text(entry.key), _text(entry.value)


def _text(value: str | bytes) -> str:
    """Protobuf gives bytes for a string that is not UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


@check("SEC040")
def expansion(model: Model, report: Report) -> None:
    sizes = expanded(model)
    if sizes["graph"] > MAX_EXPANSION:
        worst = max(model.functions, key=lambda scope: sizes[scope.path])
        report("bomb", worst.path, name=worst.proto.name, total=sizes["graph"], nodes=sum(1 for _ in model.nodes()))
