"""Exports without any dynamic axis: the model takes the batch size of its example, and no other."""

from __future__ import annotations

import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.sessions import fed_sizes
from onnx_lsp.script.values import Made, Tensor, Value

# Runtimes and compilers that take fixed shapes: an export for them is meant to be static.
FIXED_SHAPE = tuple(
    "rknn hailo axera axengine pulsar2 ncnn edgetpu vitis sophgo kneron bmodel tpu-mlir tpu_mlir nncase kmodel hobot "
    "ascend hisilicon dx_com dxnn deepx coral stm32 cubeai maixpy sigmastar coremltools openvx ethos myriad".split()
)
# The script opens the shape of the written model by itself.
MADE_DYNAMIC = ("dim_param", "update_inputs_outputs_dims", "make_dynamic", "dynamize")
SHORT = re.compile(r"\b(?:snpe|qnn[ _-]|vela\b|npu\b|atc\b|tnn\b|esp-?dl\b|horizon.?(?:x3|j5|plugin|robot))")
DYNAMIC = ("axes", "axis", "shape", "shapes")  # how arguments end that make dims dynamic, or were meant to
# What a recurrent state is called.
STATE = re.compile(r"^[hc](?:x|_?n|_?[0t]|_?in|_?out)?$|hidden|state|cell", re.IGNORECASE)


@check("EXP206")
def missing_dynamic_axes(call: ExportCall, report: Report) -> None:
    """No dynamic axes, and every example input is a tensor with a known first dim."""
    if any(name.endswith(DYNAMIC) for name in call.arguments) or meant_static(call):
        return  # misspelt ones have a finding of their own
    shapes = example_shapes(call)
    if not shapes or any(not shape or type(shape[0]) is not int for shape in shapes):
        return
    names = _input_names(call, len(shapes))
    axes = batch_axes(shapes, names or [""] * len(shapes))
    first = next((number for number, axis in enumerate(axes) if axis is not None), 0)
    shape = shapes[first]
    batch = shape[axes[first] or 0]
    fed = next(fed_sizes(call, first, axes[first] or 0, batch), None)
    report(
        "static" if fed is None else "fed",
        call.node.child_by_field_name("function"),
        fixes=_fixes(call, axes, names),
        related=() if fed is None else (report.related(fed[1], "here"),),
        input=names[first] if names else f"input {first}",
        shape="×".join("?" if dim is None else str(dim) for dim in shape) + ("×…" if len(shape) == 1 else ""),
        batch=batch,
        fed=fed[0] if fed is not None else None,
    )


def meant_static(call: ExportCall) -> bool:
    """Something says that the fixed shape is what is wanted, or that it is opened in another way."""
    model = call.get("model")
    atom = model.only if model else None
    if isinstance(atom, Made) and atom.callee.startswith("torch.export."):
        return True
    return call.under_dynamic_flag or mentions(call.path.lower()) or call.script.remember(mentions)


def mentions(lowered: str) -> bool:
    """A text names a fixed-shape runtime, or opens the shape of the written model by itself."""
    return any(word in lowered for word in (*FIXED_SHAPE, *MADE_DYNAMIC)) or SHORT.search(lowered) is not None


def example_shapes(call: ExportCall) -> list[tuple[int | None, ...] | None] | None:
    """The dims of every example input, None for a dim that is not known; None when some input is no known tensor."""
    inputs = call.inputs
    if inputs is None:
        return None
    found = [_dims(value) for value in inputs]
    return None if None in found else found


def _dims(value: Value) -> tuple[int | None, ...] | None:
    shapes = []
    for atom in value.atoms:
        if not isinstance(atom, Tensor) or atom.library != "torch" or not atom.shape:
            return None
        shapes.append(tuple(dim.constant if type(dim.constant) is int else None for dim in atom.shape))
    if value.partial or not shapes or any(len(shape) != len(shapes[0]) for shape in shapes):
        return None
    return tuple(dims[0] if len(set(dims)) == 1 else None for dims in zip(*shapes, strict=True))


def _input_names(call: ExportCall, count: int) -> list[str] | None:
    """The names that the inputs have or shall get: given, else those of `forward`, of the variables, or `input`."""
    given = call.input_names
    if given is None or (given and len(given) < count):
        return None
    if given:
        return given[:count]
    parameters = call.forward_parameters
    if parameters is not None and len(parameters) >= count:
        return parameters[:count]
    if count == 1:
        return ["input"]
    written = call.input_labels
    if written is not None and len(set(written)) == count:
        return written
    return [f"input_{number}" for number in range(count)]


def batch_axes(shapes: list[tuple[int | None, ...]], names: list[str]) -> list[int | None]:
    """Which dim of each input is the batch, or None where it has none.

    The batch is the size that most inputs have in dim 0: 1, or that of the first input, where there is a tie. A
    recurrent state is (layers, batch, features): its batch is dim 1, and so is that of a sequence (steps, batch,
    features) beside it.
    """
    states = [len(shape) == 3 and STATE.search(name) is not None for shape, name in zip(shapes, names, strict=True)]
    sizes = [shape[0] for shape, is_state in zip(shapes, states, strict=True) if not is_state] or [shapes[0][1]]
    batch, first = max(sizes, key=lambda size: (sizes.count(size), size == 1)), 0
    inner = {shape[1] for shape, is_state in zip(shapes, states, strict=True) if is_state}
    if len(inner) == 1 and not states[0] and batch not in inner and len(shapes[0]) > 1 and shapes[0][1] in inner:
        batch, first = shapes[0][1], 1
    axes: list[int | None] = []
    for shape, is_state in zip(shapes, states, strict=True):
        axis = 1 if is_state else first
        axes.append(axis if len(shape) > axis and shape[axis] == batch else None)
    return axes


def _fixes(call: ExportCall, axes: list[int | None], names: list[str] | None) -> dict:
    superfluous = len(call.input_names or ()) > len(axes)  # with dynamic axes, names without an input are refused
    if names is None or superfluous or not any(axis is not None for axis in axes):
        return {}
    fixes = {"axes": edits.insert_arguments(call.source, call.node, _axes_arguments(call, names, axes))}
    if call.exporter == "new" and not call.keyword_inputs:
        entries = tuple({axis: "batch"} if axis is not None else None for axis in axes)
        fixes["shapes"] = edits.insert_arguments(call.source, call.node, {"dynamic_shapes": entries})
    return fixes


def _axes_arguments(call: ExportCall, names: list[str], axes: list[int | None]) -> dict[str, object]:
    """The arguments that declare the batch: names where there are none, and `dynamic_axes`.

    The new exporter lays the entries over the inputs by position, so that a gap is filled with an empty entry.
    """
    added: dict[str, object] = {}
    if not call.input_names:
        added["input_names"] = names
    outputs = call.output_names
    if outputs is not None and not outputs:
        outputs = ["output" if "output" not in names else "result"]
        added["output_names"] = outputs
    last = max(number for number, axis in enumerate(axes) if axis is not None)
    outer = next(axis for axis in axes if axis is not None)
    entries: dict[str, dict[int, str]] = {}
    for name, axis in zip(names[: last + 1], axes, strict=False):
        if axis is not None or call.exporter != "legacy":
            entries[name] = {axis: "batch"} if axis is not None else {}
    for name in outputs or ():
        entries[name] = {1 if STATE.search(name) and 1 in axes else outer: "batch"}
    added["dynamic_axes"] = entries
    return {name: value for name, value in added.items() if name not in call.arguments}
