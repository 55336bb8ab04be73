"""Arithmetic that goes wrong whatever the input is, or loses precision."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.shapes import Shapes

DOUBLE = 11
FLOATS = {1: "float", 10: "float16", 11: "double", 16: "bfloat16"}
DIGITS = {16: 8, 10: 11, 1: 24, 11: 53}  # significant bits of a float type
HALF_TINY = 2.0**-24  # the smallest positive float16
NORMALISATIONS = ("LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization")
LAST_AXIS = 13  # the opset from which Softmax looks at one axis


@check("NUM010")
def double_graph(model: Model, report: Report) -> None:
    graph = model.graph
    if any(node.domain == "ai.onnx.ml" for node in model.nodes()):
        return  # trees compare with thresholds that float32 would move
    typed = [(value, value.type.tensor_type.elem_type) for value in graph.proto.input if value.type.HasField("tensor_type")]
    weights = [tensor.data_type for tensor in graph.initializers.values() if tensor.data_type in FLOATS and len(tensor.dims) > 1]
    doubles = [value.name for value, element in typed if element == DOUBLE and value.name not in graph.initializers]
    doubles = [name for name in doubles if any(node.op != "Cast" for node in graph.consumers.get(name, ()))]  # some only take float64
    if doubles and not any(element in FLOATS and element != DOUBLE for _, element in typed) and set(weights) <= {DOUBLE}:
        report("double", graph.place("input", doubles[0]), name=doubles[0])
    elif weights and set(weights) == {DOUBLE}:
        name = next(name for name, tensor in graph.initializers.items() if tensor.data_type == DOUBLE and len(tensor.dims) > 1)
        report("weights", graph.place("initializer", name), name=name, count=len(weights))


@check("NUM011", op="Cast")
def cast_chain(node: Node, shapes: Shapes, report: Report) -> None:
    before = node.scope.producers.get(node.inputs[0]) if node.inputs and not node.domain else None
    if before is None or before.domain or before.op != "Cast" or not before.inputs:
        return
    given = shapes.type(node.scope, before.inputs[0])
    first, last = before.attr("to"), node.attr("to")
    if given is None or not all(isinstance(element, int) and element in DIGITS for element in (given.element, first, last)):
        return
    if DIGITS[first] < min(DIGITS[given.element], DIGITS[last]):
        report("loses", node, node=node.title(), before=before.title(), given=FLOATS[given.element], middle=FLOATS[first], last=FLOATS[last])


@check("NUM012", op=("Div", "Mod", "Reciprocal"))
def division_by_zero(node: Node, constants: Constants, report: Report) -> None:
    found = constants.of(node, 0 if node.op == "Reciprocal" else 1) if not node.domain else None
    if found is not None and any(value == 0 for value in found.values):
        report("zero", node, node=node.title(), name=node.inputs[0 if node.op == "Reciprocal" else 1])


@check("NUM013", op="Clip")
def empty_clip(node: Node, constants: Constants, report: Report) -> None:
    if node.domain:
        return
    low, high = node.attr("min"), node.attr("max")
    for number, default in ((1, low), (2, high)):
        found = constants.of(node, number)
        value = found.values[0] if found is not None and len(found.values) == 1 else default
        low, high = (value, high) if number == 1 else (low, value)
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        report("empty", node, node=node.title(), low=f"{low:g}", high=f"{high:g}")


@check("NUM014", op=("Sqrt", "Log", "Acosh", "Asin", "Acos", "Atanh"))
def outside_domain(node: Node, constants: Constants, report: Report) -> None:
    found = constants.of(node, 0) if not node.domain else None
    for value in found.values if found is not None else ():
        bad = value <= 0 if node.op == "Log" else value < 0 if node.op == "Sqrt" else value < 1 if node.op == "Acosh" else abs(value) > 1
        if bad:
            report("outside", node, node=node.title(), name=node.inputs[0], value=f"{value:g}")
            return


@check("NUM015", op=("Softmax", "LogSoftmax", "Hardmax"))
def flattening_softmax(node: Node, model: Model, shapes: Shapes, report: Report) -> None:
    opset = model.imports(node.scope).get("", LAST_AXIS)
    if node.domain or opset >= LAST_AXIS or not node.inputs:
        return
    given = shapes.type(node.scope, node.inputs[0])
    rank, axis = given.rank if given is not None else None, node.integer("axis", 1)
    if rank and axis % rank != rank - 1:
        rest = given.dims[axis % rank + 1 :]
        if not all(dim == 1 for dim in rest):
            report("flattens", node, node=node.title(), axis=axis, opset=opset, rank=rank)


@check("NUM016", op=NORMALISATIONS)
def bad_epsilon(node: Node, shapes: Shapes, report: Report) -> None:
    epsilon = node.attr("epsilon")
    if node.domain or not isinstance(epsilon, float) or not node.inputs:
        return
    given = shapes.type(node.scope, node.inputs[0])
    if epsilon < 0:
        report("negative", node, node=node.title(), epsilon=f"{epsilon:g}")
    elif epsilon == 0:
        report("zero", node, node=node.title())
    elif given is not None and given.element == 10 and epsilon < HALF_TINY:
        report("vanishes", node, node=node.title(), epsilon=f"{epsilon:g}")
