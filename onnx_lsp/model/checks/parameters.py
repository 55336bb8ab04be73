"""Per-channel parameters, recurrent weights, Einsum and Gemm: lengths that do not fit. Inference lets them pass."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.model.checks.dims import Dims, attribute, axis_of, broadcasts, clash, dims, known
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.shapes import Shapes

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@check("SHP030", op=("QuantizeLinear", "DequantizeLinear"))
def scale_length(node: Node, shapes: Shapes, report: Report) -> None:
    data, scale, zero = (dims(node, number, shapes) for number in range(3))
    if node.domain or scale is None:
        return
    said = {"node": node.title(), "scale": node.inputs[1], "scales": known(scale)}
    if zero is not None and (len(zero) != len(scale) or any(map(clash, zero, scale))) and not _single(zero, scale):
        report("zero-point", node, zero=node.inputs[2], zeros=known(zero), **said)
        return
    block = attribute(node, "block_size", 0)
    if data is None or block != 0:
        if data is not None and isinstance(block, int) and block > 0 and not _blocked(node, data, scale, block):
            report("blocks", node, block=block, data=known(data), **said)
        return
    if len(scale) == 1 and scale != (1,):
        axis = axis_of(node, len(data), 1)
        if axis is None:
            report("axis", node, axis=attribute(node, "axis", 1), rank=len(data), **said)
        elif clash(scale[0], data[axis]):
            report("length", node, axis=axis, length=scale[0], size=data[axis], **said)


def _blocked(node: Node, data: Dims, scale: Dims, block: int) -> bool:
    """Whether there is one scale for every block of the axis."""
    axis = axis_of(node, len(data), 1)
    if axis is None or len(scale) != len(data):
        return False
    size = data[axis]
    blocks = -(-size // block) if isinstance(size, int) else None
    return not any(map(clash, scale, (*data[:axis], blocks, *data[axis + 1 :])))


def _single(zero: Dims, scale: Dims) -> bool:
    """Whether both are one number, as a scalar or as a list of one."""
    return all(dim == 1 for dim in (*zero, *scale))


@check("SHP031", op=("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"))
def integer_parameters(node: Node, shapes: Shapes, report: Report) -> None:
    if node.domain:
        return
    for what, number, weight, axis in PARAMETERS[node.op]:
        found, data = dims(node, number, shapes), dims(node, weight, shapes)
        if found is None or not data or len(found) != 1 or found == (1,):
            continue
        size = data[axis] if -len(data) <= axis < len(data) else None
        if clash(found[0], size):
            report("length", node, node=node.title(), what=what, name=node.inputs[number], length=found[0], size=size,
                   weight=node.inputs[weight])  # fmt: skip
            return


# Operator -> (what, its input, the tensor that it belongs to, the axis that it runs along)
PARAMETERS = {
    "QLinearConv": (("w_scale", 4, 3, 0), ("w_zero_point", 5, 3, 0)),
    "QLinearMatMul": (("b_scale", 4, 3, -1), ("b_zero_point", 5, 3, -1)),
    "ConvInteger": (("w_zero_point", 3, 1, 0),),
    "MatMulInteger": (("b_zero_point", 3, 1, -1),),
}


@check("SHP032", op=("LayerNormalization", "RMSNormalization", "InstanceNormalization", "GroupNormalization", "BatchNormalization", "PRelu"))
def normalization_length(node: Node, model: Model, shapes: Shapes, report: Report) -> None:
    data = dims(node, 0, shapes)
    if node.domain or not data:
        return
    for number in range(1, len(node.inputs)):
        found = dims(node, number, shapes)
        if found is None:
            continue
        wanted = _wanted(node, data, model)
        fits = broadcasts(found, wanted) if node.op in ("LayerNormalization", "RMSNormalization", "PRelu") else _same(found, wanted)
        if node.op == "PRelu" and len(data) > 1 and found == data[1:2]:
            continue  # one slope per channel, as up to opset 8; runtimes still take it
        if wanted and not fits:
            report("length", node, node=node.title(), name=node.inputs[number], shape=known(found), wanted=known(wanted), data=known(data))
            return


def _wanted(node: Node, data: Dims, model: Model) -> Dims:
    """The shape that a parameter must have, or must broadcast to; empty where unknown."""
    if node.op == "PRelu":
        return data
    if node.op in ("LayerNormalization", "RMSNormalization"):
        axis = axis_of(node, len(data), -1)
        return () if axis is None else data[axis:]
    if len(data) < 2:
        return ()
    if node.op == "GroupNormalization" and model.imports(node.scope).get("", 0) < 21:
        groups = attribute(node, "num_groups", None)
        return (groups,) if isinstance(groups, int) else ()
    return (data[1],)


def _same(found: Dims, wanted: Dims) -> bool:
    return len(found) == 1 and not clash(found[0], wanted[0]) if wanted else True


@check("SHP036", op="Gemm")
def gemm_inner(node: Node, shapes: Shapes, report: Report) -> None:
    one, other = dims(node, 0, shapes), dims(node, 1, shapes)
    across, down = attribute(node, "transA", 0), attribute(node, "transB", 0)
    if node.domain or None in (one, other, across, down) or len(one) != 2 or len(other) != 2:
        return
    if clash(one[0 if across else 1], other[1 if down else 0]):
        report("inner", node, node=node.title(), one=node.inputs[0], first=known(one), other=node.inputs[1], second=known(other),
               columns=one[0 if across else 1], rows=other[1 if down else 0])  # fmt: skip


@check("SHP033", op="Gemm")
def gemm_bias(node: Node, shapes: Shapes, report: Report) -> None:
    one, other, bias = (dims(node, number, shapes) for number in range(3))
    if node.domain or not one or not other or bias is None or len(one) != 2 or len(other) != 2:
        return
    rows = one[1 if attribute(node, "transA", 0) else 0]
    columns = other[0 if attribute(node, "transB", 0) else 1]
    if not broadcasts(bias, (rows, columns)):
        report("bias", node, node=node.title(), name=node.inputs[2], shape=known(bias), wanted=known((rows, columns)))


@check("SHP034", op=tuple(GATES))
def recurrent_weights(node: Node, shapes: Shapes, report: Report) -> None:
    hidden = attribute(node, "hidden_size", None)
    direction = attribute(node, "direction", b"forward")
    if node.domain or direction is None:
        return
    directions = 2 if direction == b"bidirectional" else 1
    for number, found, wanted in _recurrent(node, shapes, hidden if isinstance(hidden, int) else None, directions):
        if found is not None and (len(found) != len(wanted) or any(map(clash, found, wanted))):
            report("shape", node, node=node.title(), parameter=NAMES[number], name=node.inputs[number], shape=known(found), wanted=known(wanted))
            return


NAMES = {1: "W", 2: "R", 3: "B", 5: "initial_h", 6: "initial_c"}


def _recurrent(node: Node, shapes: Shapes, hidden: int | None, directions: int) -> Iterator[tuple[int, Dims | None, Dims]]:
    """(number of the input, its dims, what they must be)."""
    data, gates = dims(node, 0, shapes), GATES[node.op]
    recurrence = dims(node, 2, shapes)
    if hidden is None and recurrence and len(recurrence) == 3 and isinstance(recurrence[2], int):
        hidden = recurrence[2]
    rows = gates * hidden if hidden else None
    features = data[2] if data and len(data) == 3 else None
    yield 1, dims(node, 1, shapes), (directions, rows, features)
    yield 2, recurrence, (directions, rows, hidden)
    yield 3, dims(node, 3, shapes), (directions, 2 * rows if rows else None)
    batch = (data[1] if data and len(data) == 3 else None) if attribute(node, "layout", 0) == 0 else None
    if attribute(node, "layout", 0) == 0:
        for number in (5, 6) if node.op == "LSTM" else (5,):
            yield number, dims(node, number, shapes), (directions, batch, hidden)


@check("SHP035", op="Einsum")
def einsum_dims(node: Node, shapes: Shapes, report: Report) -> None:
    equation = attribute(node, "equation", b"")
    if node.domain or not isinstance(equation, bytes) or b"..." in equation:
        return
    terms = equation.decode("utf-8", "replace").replace(" ", "").partition("->")[0].split(",")
    sizes: dict[str, tuple[int, str]] = {}
    for number, term in enumerate(terms):
        found = dims(node, number, shapes)
        if found is None or len(found) != len(term):
            continue
        for letter, dim in zip(term, found, strict=True):
            if not isinstance(dim, int) or dim == 1:
                continue
            size, name = sizes.setdefault(letter, (dim, node.inputs[number]))
            if size != dim:
                report("letter", node, node=node.title(), letter=letter, one=size, first=name, other=dim, second=node.inputs[number])
                return


MEETING = ("MatMul", "Gemm", "Add", "Mul", "Sub", "Div", "Concat")


@check("SHP040")
def named_differently(model: Model, shapes: Shapes, report: Report) -> None:
    declared = {
        dim.dim_param for value in model.proto.graph.input for dim in value.type.tensor_type.shape.dim if dim.dim_param
    }
    for node in (node for op in MEETING for node in model.by_op.get(op, ())) if len(declared) > 1 else ():
        found = [dims(node, number, shapes) for number in range(len(node.inputs))]
        if node.domain or len(found) < 2 or any(item is None for item in found):
            continue
        for one, other in _equal(node, found):
            if isinstance(one, str) and isinstance(other, str) and one != other and one in declared and other in declared:
                report("names", node, node=node.title(), one=one, other=other)
                break


def _equal(node: Node, found: list[Dims]) -> Iterator[tuple[object, object]]:
    """Pairs of dims that must be equal (or broadcast)."""
    one, other = found[0], found[1]
    if node.op == "MatMul":
        if one and other:
            yield one[-1], other[-2] if len(other) > 1 else other[0]
        yield from zip(one[-3::-1], other[-3::-1], strict=False)
    elif node.op == "Gemm":
        if len(one) == len(other) == 2:
            yield one[0 if attribute(node, "transA", 0) else 1], other[1 if attribute(node, "transB", 0) else 0]
    elif node.op == "Concat":
        axis = axis_of(node, len(one))
        for item in found[1:]:
            if axis is not None and len(item) == len(one):
                yield from ((a, b) for number, (a, b) in enumerate(zip(one, item, strict=True)) if number != axis)
    else:
        yield from zip(one[::-1], other[::-1], strict=False)
