"""Constant indices and shapes against what they index: Gather, Scatter, Slice, Pad, Reshape, Transpose."""

from __future__ import annotations

import math
from collections import Counter

from onnx_lsp.checks import Report, check
from onnx_lsp.model.checks.dims import Dims, attribute, axis_of, clash, dims, known
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Node
from onnx_lsp.model.shapes import Shapes

FAR = 1 << 30  # a bound beyond this means "to the end"


@check("SHP020", op="Reshape")
def reshape_count(node: Node, shapes: Shapes, constants: Constants, report: Report) -> None:
    source = dims(node, 0, shapes)
    if node.domain or source is None or not node.outputs:
        return
    target = _target(node, source, shapes, constants)
    if target is None:
        return
    left, right = Counter(source), Counter(target)
    common = left & right
    before, after = list((left - common).elements()), list((right - common).elements())
    if 0 in source or 0 in target or not all(isinstance(dim, int) for dim in (*before, *after)):
        return
    given, wanted = math.prod(before), math.prod(after)
    if -1 in after:
        fits = given % -wanted == 0
    else:
        fits = given == wanted
    if not fits:
        total = math.prod(source) if all(isinstance(dim, int) for dim in source) else "other"
        report("count", node, node=node.title(), source=known(source), target=known(target), count=total)


def _target(node: Node, source: Dims, shapes: Shapes, constants: Constants) -> Dims | None:
    """The dims that a Reshape asks for, zeros replaced by what they copy; -1 stays."""
    asked = constants.ints(node, 1)
    if asked is None:
        found = shapes.type(node.scope, node.outputs[0])
        return found.dims if found else None
    if attribute(node, "allowzero", 0) != 0:
        return asked
    if any(value == 0 and number >= len(source) for number, value in enumerate(asked)):
        return None
    return tuple(source[number] if value == 0 else value for number, value in enumerate(asked))


@check("SHP021", op=("Gather", "GatherElements", "ScatterElements", "Scatter", "GatherND", "ScatterND"))
def index_out_of_range(node: Node, shapes: Shapes, constants: Constants, report: Report) -> None:
    data, found = dims(node, 0, shapes), constants.of(node, 1)
    if node.domain or not data or found is None or found.element not in (6, 7) or not found.values:
        return
    if node.op in ("GatherND", "ScatterND"):
        batch = attribute(node, "batch_dims", 0) if node.op == "GatherND" else 0
        width = found.dims[-1] if found.dims else 0
        columns = [(batch + column, found.values[column::width]) for column in range(width)] if width and isinstance(batch, int) else []
    else:
        axis = axis_of(node, len(data))
        columns = [] if axis is None else [(axis, found.values)]
    for axis, values in columns:
        size = data[axis] if axis < len(data) else None
        if isinstance(size, int):
            bad = next((value for value in values if not -size <= value < size), None)
            if bad is not None:
                report("range", node, node=node.title(), index=bad, axis=axis, size=size, name=node.inputs[1], data=node.inputs[0])
                return


@check("SHP021", op="CumSum")
def axis_out_of_range(node: Node, shapes: Shapes, constants: Constants, report: Report) -> None:
    data, axis = dims(node, 0, shapes), constants.ints(node, 1)
    if not node.domain and data and axis and len(axis) == 1 and not -len(data) <= axis[0] < len(data):
        report("axis", node, node=node.title(), axis=axis[0], name=node.inputs[1], data=node.inputs[0], rank=len(data))


@check("SHP027", op=("TopK", "Expand", "Range"))
def impossible_count(node: Node, constants: Constants, report: Report) -> None:
    number = {"TopK": 1, "Expand": 1, "Range": 2}[node.op]
    values = constants.ints(node, number) if not node.domain else None
    if not values:
        return
    if node.op == "Range":
        case, bad = "step", 0 if 0 in values else None
    else:  # Expand takes -1 in some runtimes, as "keep"
        case, bad = "negative", min(values) if min(values) < (0 if node.op == "TopK" else -1) else None
    if bad is not None:
        report(case, node, node=node.title(), name=node.inputs[number], value=bad)


@check("SHP026", op="Split")
def split_outputs(node: Node, report: Report) -> None:
    count = attribute(node, "num_outputs", None)
    if not node.domain and isinstance(count, int) and count != len(node.outputs):
        report("outputs", node, node=node.title(), count=count, outputs=len(node.outputs))


@check("SHP022", op="Slice")
def empty_slice(node: Node, shapes: Shapes, constants: Constants, report: Report) -> None:
    data, starts, ends = dims(node, 0, shapes), constants.ints(node, 1), constants.ints(node, 2)
    if starts is None and node.ints("starts"):  # up to opset 9
        starts, ends = tuple(node.ints("starts")), tuple(node.ints("ends"))
    axes = constants.ints(node, 3) or node.ints("axes") or None
    steps = constants.ints(node, 4)
    unknown = len(node.inputs) > 3 and node.inputs[3] and axes is None or len(node.inputs) > 4 and node.inputs[4] and steps is None
    if node.domain or not data or starts is None or ends is None or unknown:
        return
    axes = list(axes) if axes else list(range(len(starts)))
    steps = steps or (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        return
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = data[axis] if -len(data) <= axis < len(data) else None
        if not isinstance(size, int) or step < 1 or abs(start) > FAR:
            continue
        first = start + size if start < 0 else start
        last = end + size if end < 0 else end
        if start > size or (size and first >= size):
            report("beyond", node, node=node.title(), start=start, axis=axis, size=size)
            return
        if max(first, 0) >= max(last, 0) and size:
            report("empty", node, node=node.title(), start=start, end=end, axis=axis, size=size)
            return


@check("SHP023", op="Pad")
def pad_too_large(node: Node, shapes: Shapes, constants: Constants, report: Report) -> None:
    data = dims(node, 0, shapes)
    pads = constants.ints(node, 1) or node.ints("pads")
    if node.domain or not data or not pads or (len(node.inputs) > 3 and node.inputs[3]) or len(pads) != 2 * len(data):
        return
    mirrored = attribute(node, "mode", b"constant") == b"reflect"
    for axis, size in enumerate(data):
        before, after = pads[axis], pads[axis + len(data)]
        if not isinstance(size, int):
            continue
        if size + before + after < 0:
            report("negative", node, node=node.title(), axis=axis, size=size, before=before, after=after)
            return
        if mirrored and size and max(before, after) >= size:
            report("reflect", node, node=node.title(), axis=axis, size=size, pad=max(before, after))
            return


@check("SHP024", op="Transpose")
def transpose_rank(node: Node, shapes: Shapes, report: Report) -> None:
    data, perm = dims(node, 0, shapes), attribute(node, "perm", None)
    if node.domain or data is None or not perm:
        return
    if len(perm) != len(data):
        report("rank", node, node=node.title(), perm=known(perm), count=len(perm), rank=len(data), shape=known(data))
    elif sorted(perm) != list(range(len(data))):
        report("values", node, node=node.title(), perm=known(perm), rank=len(data))


@check("SHP025", op=("ScatterND", "ScatterElements", "GatherElements", "GatherND"))
def scatter_shapes(node: Node, shapes: Shapes, report: Report) -> None:
    data, indices = dims(node, 0, shapes), dims(node, 1, shapes)
    updates = dims(node, 2, shapes)
    if node.domain or not data or not indices:
        return
    said = {"node": node.title(), "data": known(data), "indices": known(indices)}
    if node.op in ("GatherElements", "ScatterElements"):
        if len(data) != len(indices):
            report("rank", node, **said)
        elif updates is not None and (len(updates) != len(indices) or any(map(clash, updates, indices))):
            report("updates", node, updates=known(updates), wanted=known(indices), **said)
        return
    depth, batch = indices[-1], attribute(node, "batch_dims", 0) if node.op == "GatherND" else 0
    if not isinstance(depth, int) or not isinstance(batch, int):
        return
    if depth + batch > len(data):
        report("depth", node, depth=depth, rank=len(data), **said)
    elif node.op == "ScatterND" and updates is not None:
        wanted = (*indices[:-1], *data[depth:])
        if len(updates) != len(wanted) or any(map(clash, updates, wanted)):
            report("updates", node, updates=known(updates), wanted=known(wanted), **said)
