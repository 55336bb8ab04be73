"""The optimiser stages: each reads a model file and writes another, in a child of its own.

A stage may crash, loop, eat memory or write nonsense: nothing it does is believed before `verify` has seen it.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from onnx_lsp.actions.crew import MISSING_EXTRA

PROTOBUF_LIMIT = 2**31 - 1  # bytes; protobuf serialises no more
STANDARD_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training")

MAX_FIX_PASSES = 10

PORTABLE = (
    ("fixes",),
    ("onnxoptimizer",),
    ("onnxscript",),
    ("onnxslim",),
    ("onnxscript", "onnxslim"),
    ("onnxscript", "onnxslim", "onnxoptimizer"),
)
RUNTIME_ONLY = (("onnxruntime",), ("onnxscript", "onnxslim", "onnxruntime"), ("transformers",))


@dataclass(frozen=True, slots=True)
class Unable:
    """A stage that does not apply; the message says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model file holds. `ops` counts nodes by op type, in subgraphs and local functions too."""

    nodes: int
    ops: tuple[tuple[str, int], ...]
    size: int
    digest: str
    portable: bool
    external: bool


def run_stage(name: str, source: str, target: str, passes: tuple[str, ...] = ()) -> Iterator[Facts | Unable]:
    """Runs one stage: a name of `STAGES`, or `module:function` taking the two paths.

    Args:
        passes: for `onnxoptimizer`: run these and no others.
    """
    try:
        if name == "onnxoptimizer":
            _onnxoptimizer(source, target, passes)
        else:
            _find(name)(source, target)
    except ImportError as error:
        yield Unable(f"`{error.name or name}` is not installed; run `{MISSING_EXTRA}`")
    except _Unable as unable:
        yield Unable(str(unable))
    else:
        yield facts_of(target)


class _Unable(Exception):
    pass


def _find(name: str) -> Callable[[str, str], None]:
    if name in STAGES:
        return STAGES[name]
    from importlib import import_module

    module, colon, function = name.partition(":")
    if not colon:
        raise _Unable(f"there is no stage `{name}`; there are {', '.join(STAGES)} and `module:function`")
    return getattr(import_module(module), function)


def describe(path: str) -> Iterator[Facts]:
    """Looks at a model file."""
    yield facts_of(path)


def facts_of(path: str) -> Facts:
    """Counts nodes and bytes, and digests everything but names of producers."""
    import hashlib

    import onnx

    model = onnx.load(path, load_external_data=False)
    ops: Counter = Counter()
    domains: set[str] = set()
    local = {function.domain for function in model.functions}
    for node in _nodes(model):
        ops[node.op_type] += 1
        domains.add(node.domain)
    files = _external_files(model)
    folder = os.path.dirname(os.path.abspath(path))
    size = os.path.getsize(path) + sum(_size(os.path.join(folder, name)) for name in files)
    model.producer_name = model.producer_version = ""
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    portable = domains <= {*STANDARD_DOMAINS, *local}
    return Facts(sum(ops.values()), tuple(sorted(ops.items())), size, digest, portable, bool(files))


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _nodes(model) -> Iterator:
    import onnx

    queue = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    while queue:
        node = queue.pop()
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                queue.extend(attribute.g.node)
            elif attribute.type == onnx.AttributeProto.GRAPHS:
                queue.extend(inner for graph in attribute.graphs for inner in graph.node)


def _external_files(model) -> set[str]:
    tensors = model.graph.initializer
    return {
        entry.value
        for tensor in tensors
        if tensor.data_location == tensor.EXTERNAL
        for entry in tensor.external_data
        if entry.key == "location"
    }


def save(model, target: str, external: bool) -> None:
    """Writes a model; beside it the weights, in one file, when they were external before or are too large."""
    import onnx
    from google.protobuf.message import EncodeError

    if not external:
        try:
            onnx.save(model, target)
            return
        except (EncodeError, ValueError):  # over 2 GB: protobuf says so only by failing
            pass
    location = os.path.basename(target) + ".data"
    onnx.save(model, target, save_as_external_data=True, location=location, size_threshold=1024)


def is_external(source: str) -> bool:
    import onnx

    return bool(_external_files(onnx.load(source, load_external_data=False)))


def _fixes(source: str, target: str) -> None:
    """The safe fixes of the linter, applied until none is left."""
    import onnx

    from onnx_lsp import engine
    from onnx_lsp.diagnostics import Applicability
    from onnx_lsp.model import proto
    from onnx_lsp.model.fixes import apply_fixes
    from onnx_lsp.settings import Settings
    from onnx_lsp.workspace import Workspace

    proto.full()
    if is_external(source):
        save(onnx.load(source), target, True)
    else:
        shutil.copyfile(source, target)
    for number in range(MAX_FIX_PASSES):
        *_, last = engine.lint_model(target, Settings(), Workspace())
        fixes = [fix for item in last.findings for fix in item.fixes if fix.applicability is Applicability.SAFE]
        edits = [fix.model for fix in fixes if fix.model]
        if not edits:
            if number:
                return
            raise _Unable("there is nothing to fix")
        apply_fixes(target, edits, write=True)


def _onnxoptimizer(source: str, target: str, passes: tuple[str, ...] = ()) -> None:
    import onnx
    import onnxoptimizer

    if unknown := sorted(set(passes) - set(onnxoptimizer.get_available_passes())):
        raise _Unable(f"onnxoptimizer has no pass `{unknown[0]}`{_close(unknown[0], onnxoptimizer)}")
    if facts_of(source).size > PROTOBUF_LIMIT:
        raise _Unable("onnxoptimizer takes no model of over 2 GB")
    save(onnxoptimizer.optimize(onnx.load(source), list(passes) or None), target, is_external(source))


def _close(name: str, onnxoptimizer) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, onnxoptimizer.get_available_passes(), 1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _onnxscript(source: str, target: str) -> None:
    import onnx_ir
    import onnxscript.optimizer

    model = onnx_ir.load(source)
    onnxscript.optimizer.optimize(model)
    weights = sum(
        value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None
    )
    external = is_external(source) or weights > PROTOBUF_LIMIT // 2
    onnx_ir.save(model, target, external_data=os.path.basename(target) + ".data" if external else None)


def _onnxslim(source: str, target: str) -> None:
    import onnxslim

    save(onnxslim.slim(source), target, is_external(source))


def _onnxruntime(source: str, target: str) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = target
    if is_external(source):
        location = os.path.basename(target) + ".data"
        options.add_session_config_entry("session.optimized_model_external_initializers_file_name", location)
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _transformers(source: str, target: str) -> None:
    from onnxruntime.transformers.optimizer import optimize_model

    optimized = optimize_model(source, model_type="bert", opt_level=0)
    if not any(optimized.get_fused_operator_statistics().values()):
        raise _Unable("no transformer pattern was found")
    if not any(opset.domain == "com.microsoft" for opset in optimized.model.opset_import):
        optimized.model.opset_import.add(domain="com.microsoft", version=1)
    optimized.topological_sort()
    save(optimized.model, target, is_external(source))


STAGES: dict[str, Callable[[str, str], None]] = {
    "fixes": _fixes,
    "onnxoptimizer": _onnxoptimizer,
    "onnxscript": _onnxscript,
    "onnxslim": _onnxslim,
    "onnxruntime": _onnxruntime,
    "transformers": _transformers,
}
