"""Quantised models: scales, zero points and axes, and what keeps a runtime from using integer kernels."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model import proto
from onnx_lsp.model.checks.dims import type_of
from onnx_lsp.model.checks.noops import bypass_fix
from onnx_lsp.model.checks.weights import SCALES, tensor_of
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.payload import Weights
from onnx_lsp.model.shapes import Shapes
from onnx_lsp.model.usage import element_name
from onnx_lsp.targets import Target

INT8 = 3
OUTPUT_AXIS = {"Conv": 0, "ConvTranspose": 1}
# Operators with integer kernels, which therefore want a pair of their own behind them.
FLOAT_ISLANDS = frozenset({"Relu", "LeakyRelu", "Sigmoid", "Tanh", "Clip", "MaxPool", "AveragePool", "Gelu", "HardSwish", "HardSigmoid"})
WEIGHTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


@check("QNT001")
def bad_scale(model: Model, weights: Weights, report: Report) -> None:
    for name, tensor, nodes in _scales(model):
        found = weights.numbers(tensor)
        if found is None or not found.count:
            continue
        what = "NaN" if found.nans else "infinite" if found.infinite else "0" if found.zeros else "negative" if found.least < 0 else ""
        if what:
            first, *others = nodes
            related = tuple(report.related(node, f"{node.title()} takes it too") for node in others[:MAX_RELATED])
            report("scale", first, node=first.title(), name=name, what=what, related=related)


def _scales(model: Model) -> list[tuple[str, proto.TensorProto, list[Node]]]:
    """Every constant scale: its name, its numbers, and the nodes that take it."""
    found: dict[tuple[str, str], tuple[str, proto.TensorProto, list[Node]]] = {}
    for op, numbers in SCALES.items():
        for node in model.by_op.get(op, ()):
            for name in (node.inputs[number] for number in numbers if number < len(node.inputs)):
                tensor, home = tensor_of(node.scope, name)
                if tensor is not None and home is not None:
                    found.setdefault((home.path, name), (name, tensor, []))[2].append(node)
    return list(found.values())


# Tensors and their zero points, as numbers of inputs.
POINTS = {
    "DequantizeLinear": ((0, 2),), "QLinearConv": ((0, 2), (3, 5)), "QLinearMatMul": ((0, 2), (3, 5)),
    "ConvInteger": ((0, 2), (1, 3)), "MatMulInteger": ((0, 2), (1, 3)),
}  # fmt: skip


@check("QNT002", op=tuple(POINTS))
def zero_point_type(node: Node, shapes: Shapes, report: Report) -> None:
    for pair in POINTS[node.op] if not node.domain else ():
        given, point = (type_of(node, number, shapes) for number in pair)
        if given and point and given.element and point.element and given.element != point.element:
            name, zero = (node.inputs[number] for number in pair)
            report("differs", node, node=node.title(), zero=zero, type=element_name(point.element), name=name, wanted=element_name(given.element))
            return


# Element types -> since which opset ai.onnx has operators for them (onnx/onnx.proto, TensorProto.DataType).
NARROW = {17: 19, 18: 19, 19: 19, 20: 19, 21: 21, 22: 21, 23: 23, 24: 24, 25: 25, 26: 25}


@check("QNT008")
def narrow_type(model: Model, shapes: Shapes, report: Report) -> None:
    for scope in model.scopes:
        opset = model.imports(scope).get("")
        declared = {} if scope.is_function else {item.name: item.type.tensor_type.elem_type for item in scope.proto.input}
        given = [(name, declared.get(name) or shapes.element(scope, name)) for name in scope.inputs]
        for name, element in (*given, *((name, tensor.data_type) for name, tensor in scope.initializers.items())):
            since = NARROW.get(element, 0)
            reader = next((node for node in scope.consumers.get(name, ()) if not node.domain), None)
            if opset is not None and opset < since and reader is not None:
                report("newer", reader, node=reader.title(), name=name, type=element_name(element), since=since, opset=opset)


@check("QNT003", op="DequantizeLinear")
def quantization_axis(node: Node, model: Model, shapes: Shapes, report: Report) -> None:
    scale = shapes.type(node.scope, node.inputs[1]) if len(node.inputs) > 1 and not node.attr("block_size", 0) else None
    weight, _ = tensor_of(node.scope, node.inputs[0])
    if scale is None or weight is None or scale.dims is None or len(scale.dims) != 1 or scale.dims[0] in (0, 1):
        return
    axis = node.integer("axis", 1) % max(len(weight.dims), 1)
    for reader in node.scope.consumers.get(node.outputs[0], ()):
        wanted = OUTPUT_AXIS.get(reader.op)
        if wanted is not None and reader.inputs[1:2] == (node.outputs[0],) and axis != wanted:
            report("axis", node, node=node.title(), axis=axis, reader=reader.title(), wanted=wanted)
            return


@check("QNT004", op=WEIGHTED)
def float_weight(node: Node, report: Report) -> None:
    scope = node.scope
    before = scope.producers.get(node.inputs[0]) if len(node.inputs) > 1 and not node.domain else None
    if before is None or before.op != "DequantizeLinear":
        return
    tensor, _ = tensor_of(scope, node.inputs[1])
    if tensor is not None and tensor.data_type in (1, 10) and len(tensor.dims) > 1:
        report("float", node, node=node.title(), name=node.inputs[1])


@check("QNT005", op="QuantizeLinear")
def repeated_quantization(node: Node, model: Model, constants: Constants, report: Report) -> None:
    before = node.scope.producers.get(node.inputs[0]) if node.inputs else None
    if before is None or before.op != "DequantizeLinear" or before.domain != node.domain or before.index >= node.index or not before.inputs:
        return
    first = node.scope.producers.get(before.inputs[0])
    same = _same(before, node, constants)
    if not same and (first is None or first.op != "QuantizeLinear"):
        return
    fixes = bypass_fix("QNT005", [node], model, before.inputs[0]) if same else {}
    report("same" if same else "twice", node, node=node.title(), before=before.title(), fixes=fixes)


def _same(before: Node, node: Node, constants: Constants) -> bool:
    """Whether quantising with these parameters gives the very numbers that were dequantised."""
    if len(before.inputs) != len(node.inputs) or len(node.inputs) < 3 or before.attr("axis", 1) != node.attr("axis", 1):
        return False
    if before.attr("block_size", 0) or node.attr("block_size", 0):
        return False
    pairs = [(constants.of(before, number), constants.of(node, number)) for number in (1, 2)]
    return all(one is not None and one == other for one, other in pairs) and all(value > 0 for value in pairs[0][0].values)


@check("QNT006", op="DequantizeLinear")
def asymmetric_weight(node: Node, model: Model, weights: Weights, targets: tuple[Target, ...], report: Report) -> None:
    weight, _ = tensor_of(node.scope, node.inputs[0]) if node.inputs else (None, None)
    point, _ = tensor_of(node.scope, node.inputs[2]) if len(node.inputs) > 2 else (None, None)
    if weight is None or point is None or weight.data_type != INT8 or len(weight.dims) < 2:
        return
    found = weights.numbers(point)
    if found and found.zeros < found.count:
        refusing = next((target for target in targets if "tensorrt" in str(target).lower()), None)
        report("refused" if refusing else "asymmetric", node, node=node.title(), name=node.inputs[0], point=node.inputs[2])


@check("QNT007")
def mixed_island(model: Model, report: Report) -> None:
    for scope in model.scopes:
        producers = scope.producers
        for node in scope.nodes:
            if node.op not in FLOAT_ISLANDS or node.domain or not node.inputs or len(node.outputs) != 1:
                continue
            before, after = producers.get(node.inputs[0]), scope.consumers.get(node.outputs[0], ())
            if before is None or len(after) != 1 or before.op not in WEIGHTED or after[0].op not in WEIGHTED:
                continue
            around = producers.get(before.inputs[0]), producers.get(after[0].inputs[1]) if len(after[0].inputs) > 1 else None
            if all(item is not None and item.op == "DequantizeLinear" for item in around):
                report("float", node, node=node.title(), before=before.title(), after=after[0].title())
