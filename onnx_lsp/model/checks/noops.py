"""Nodes that hand on what they get: alone, or together with the node before them."""

from __future__ import annotations

import math

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model.checks.several import by_scope, report_nodes
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.shapes import Shapes, TensorType
from onnx_lsp.model.told import Told

FAR = (1 << 31) - 1  # ends of Slice from here on mean "to the end"
VARIADIC = ("Concat", "Sum", "Max", "Min", "Mean")
NO_OPS = ("Cast", "Pad", "Slice", "Transpose", "Reshape", "Expand", "Tile", "Resize", *VARIADIC)
SELF_INVERSE = ("Neg", "Not")
# Casts that lose nothing: element type -> those that hold each of its values (TensorProto.DataType).
WIDER = {
    2: {4, 5, 6, 12, 7, 13, 10, 1, 11}, 3: {5, 6, 7, 10, 1, 11}, 4: {6, 12, 7, 13, 1, 11}, 5: {6, 7, 1, 11},
    6: {7, 11}, 9: {2, 3, 4, 5, 6, 7, 10, 1, 11, 12, 13}, 10: {1, 11}, 12: {7, 13, 11}, 16: {1, 11}, 1: {11},
}  # fmt: skip


def edit(code: str, key: str, node: Node, model: Model, **arguments: object) -> ModelEdit:
    """An edit of the node's scope; fixes find the node by `index`."""
    items = (("index", node.index), *arguments.items())
    return ModelEdit(code, key, node.scope.path, items, model.skeleton.digest)


def bypass_fix(code: str, nodes: list[Node], model: Model, source: str = "") -> dict[str, ModelEdit]:
    """The fix that makes the readers of nodes of one graph read `source`, or else the first input of the node.

    There is none for nodes without which the interface would be another.
    """
    pairs = [(node, source or node.inputs[0]) for node in nodes]
    free = tuple((node.index, given) for node, given in pairs if node.outputs and node.scope.can_bypass(given, node.outputs[0]))
    return {"remove": ModelEdit(code, "remove", nodes[0].scope.path, (("nodes", free),), model.skeleton.digest)} if free else {}


def alone(node: Node) -> bool:
    """Whether the node is a standard op of which only the first output is used."""
    if node.domain or not node.inputs or not node.outputs or not node.outputs[0]:
        return False
    return not any(name in node.scope.consumers or name in node.scope.outputs for name in node.outputs[1:])


@check("OPT002")
def identity(model: Model, report: Report) -> None:
    free = (node for node in model.by_op.get("Identity", ()) if alone(node) and node.scope.can_bypass(node.inputs[0], node.outputs[0]))
    for nodes in by_scope((node, None) for node in free).values():
        report_nodes(report, nodes, bypass_fix("OPT002", nodes, model), source=nodes[0].inputs[0])


@check("OPT003")
def no_op(model: Model, constants: Constants, shapes: Shapes, told: Told, report: Report) -> None:
    nodes = (node for op in NO_OPS for node in model.by_op.get(op, ()) if alone(node))
    nodes = (node for node in nodes if node.path not in told.places and node.path not in model.generic)
    reasons = ((node, reason(node, shapes.type(node.scope, node.inputs[0]), constants)) for node in nodes)
    for (_, why), idle in by_scope((node, why) for node, why in reasons if why).items():
        report_nodes(report, idle, bypass_fix("OPT003", idle, model), why=why)


def reason(node: Node, given: TensorType | None, constants: Constants) -> str | None:
    """Why a node changes nothing; None where it does, or may."""
    if node.op in VARIADIC:
        return "it has one input" if len(node.inputs) == 1 else None
    if node.op == "Cast":
        same = given is not None and given.element and node.attr("to") == given.element
        return "its input has that type already" if same else None
    if node.op == "Transpose":
        order = node.ints("perm")
        return "its order is that of the input" if order and order == list(range(len(order))) else None
    if node.op in ("Reshape", "Expand"):
        return _same_shape(node, given, constants)
    if node.op == "Slice":
        return _whole(node, given, constants)
    if node.op == "Pad":
        pads = node.ints("pads") or constants.ints(node, 1)
        return "it pads by 0 everywhere" if pads and not any(pads) else None
    found = constants.of(node, 1 if node.op == "Tile" else 2)
    if found is None or not found.values or set(found.values) != {1} or len(node.inputs) > 3:
        return None
    return "it repeats once" if node.op == "Tile" else "its scales are 1"


def _same_shape(node: Node, given: TensorType | None, constants: Constants) -> str | None:
    wanted = constants.ints(node, 1)
    if not wanted or given is None or given.dims is None:
        return None
    if node.op == "Expand":
        same = set(wanted) == {1} and len(wanted) <= len(given.dims) or _static(given) == wanted
        return "its input has that shape already" if same else None
    free = [number for number, value in enumerate(wanted) if value == -1]
    if len(wanted) != len(given.dims) or len(free) > 1 or node.attr("allowzero", 0):
        return None
    same = all(value in (0, dim) or number in free for number, (value, dim) in enumerate(zip(wanted, given.dims, strict=True)))
    if free and not all(isinstance(dim, int) and dim > 0 for n, dim in enumerate(given.dims) if n not in free):
        return None
    return "its input has that shape already" if same else None


def _static(given: TensorType) -> tuple | None:
    return given.dims if all(isinstance(dim, int) for dim in given.dims) else None


def _whole(node: Node, given: TensorType | None, constants: Constants) -> str | None:
    starts = node.ints("starts") or constants.ints(node, 1)
    ends = node.ints("ends") or constants.ints(node, 2)
    axes = node.ints("axes") or constants.ints(node, 3) or (tuple(range(len(starts))) if starts and len(node.inputs) < 4 else None)
    steps = constants.ints(node, 4) if len(node.inputs) > 4 else (1,)
    if not starts or not ends or axes is None or steps is None or set(steps) != {1} or any(starts) or len(axes) != len(ends):
        return None
    dims = given.dims if given is not None else None
    for axis, end in zip(axes, ends, strict=True):
        dim = dims[axis] if dims is not None and -len(dims) <= axis < len(dims) else None
        if end < FAR and not (isinstance(dim, int) and end >= dim):
            return None
    return "it takes everything"


NEUTRAL = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1, "Pow": 1}
NAMES = {"Add": "adds 0", "Sub": "subtracts 0", "Mul": "multiplies by 1", "Div": "divides by 1", "Pow": "raises to the power 1"}


@check("OPT004", op=tuple(NEUTRAL))
def neutral(node: Node, model: Model, constants: Constants, shapes: Shapes, report: Report) -> None:
    if node.domain or len(node.inputs) != 2 or not node.outputs or constants.of(node, 0) and constants.of(node, 1):
        return
    for place in (1, 0) if node.op in ("Add", "Mul") else (1,):
        found, source = constants.of(node, place), node.inputs[1 - place]
        if found is None or not found.values or set(found.values) != {NEUTRAL[node.op]}:
            continue
        given = shapes.type(node.scope, source)
        if given is None or not _kept(found.dims, given) or node.op != "Pow" and given.element != found.element:
            continue
        fixes = bypass_fix("OPT004", [node], model, source)
        report("neutral", node, node=node.title(), what=NAMES[node.op], source=source, fixes=fixes)
        return


def _kept(dims: tuple[int, ...], given: TensorType) -> bool:
    """Whether broadcasting with a tensor of these dims leaves the shape."""
    if not dims:
        return True
    if given.dims is None or len(dims) > len(given.dims):
        return False
    return all(dim in (1, other) for dim, other in zip(reversed(dims), reversed(given.dims), strict=False))


@check("OPT005", op=("Transpose", "Cast", "Reshape", "Squeeze", "Unsqueeze", *SELF_INVERSE))
def cancelling(node: Node, model: Model, constants: Constants, shapes: Shapes, report: Report) -> None:
    before = node.scope.producers.get(node.inputs[0]) if alone(node) else None
    if before is None or before.domain or not before.inputs or before.index >= node.index:
        return
    if not undone(before, node, constants, shapes):
        return
    source = before.inputs[0]
    report("pair", node, node=node.title(), before=before.title(), source=source, fixes=bypass_fix("OPT005", [node], model, source),
           related=(report.related(before, "the first of the two"),))  # fmt: skip


def undone(before: Node, node: Node, constants: Constants, shapes: Shapes) -> bool:
    """Whether a node takes back exactly what the one before it did."""
    if node.op in ("Squeeze", "Unsqueeze"):
        pair = {"Squeeze": "Unsqueeze", "Unsqueeze": "Squeeze"}[node.op]
        axes = _axes(node, constants)
        return before.op == pair and axes is not None and axes == _axes(before, constants)
    if before.op != node.op:
        return False
    if node.op in SELF_INVERSE:
        return True
    given = shapes.type(node.scope, before.inputs[0])
    if node.op == "Transpose":
        return _inverse(before.ints("perm"), node.ints("perm"), given)
    if given is None:
        return False
    if node.op == "Cast":
        return node.integer("to", 0) == given.element and before.integer("to", 0) in WIDER.get(given.element, ())
    result = shapes.type(node.scope, node.outputs[0])
    dims = _static(given) if given.dims is not None else None
    return dims is not None and result is not None and result.dims == dims and math.prod(dims) > 0


def _axes(node: Node, constants: Constants) -> tuple[int, ...] | None:
    axes = node.ints("axes") or constants.ints(node, 1)
    return tuple(axes) if axes and min(axes) >= 0 else None


def _inverse(first: list[int], second: list[int], given: TensorType | None) -> bool:
    rank = len(first or second or ()) or (given.rank if given and given.rank else 0)
    backwards = list(range(rank))[::-1]
    first, second = first or backwards, second or backwards
    if not rank or len(first) != len(second) or first == list(range(rank)):
        return False
    return sorted(first) == sorted(second) == list(range(rank)) and [first[place] for place in second] == list(range(rank))
