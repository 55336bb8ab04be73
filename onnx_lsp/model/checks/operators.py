"""Nodes that their operators do not allow: op, attributes, numbers of inputs and outputs."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.operators import Operators

REPLACED = {
    "Upsample": "use Resize", "Scatter": "use ScatterElements or ScatterND",
    "GroupNormalization": "the one of opset 21 has scale and bias per channel",
    "TreeEnsembleClassifier": "use TreeEnsemble", "TreeEnsembleRegressor": "use TreeEnsemble",
}  # fmt: skip
# What older exporters and frameworks call an operator -> what to write.
ALIASES = {
    "Gelu": "opset 20 has Gelu", "SiLU": "write Mul(x, Sigmoid(x))", "Swish": "opset 24 has Swish", "Affine": "write Mul and Add",
    "Crop": "use Slice", "ParametricSoftplus": "use Softplus", "ImageScaler": "write Mul and Add", "GivenTensorFill": "use Constant",
    "ReLU6": "use Clip with 0 and 6", "Relu6": "use Clip with 0 and 6", "BatchMatMul": "use MatMul", "Linear": "use Gemm",
    "Conv2d": "use Conv", "Permute": "use Transpose", "View": "use Reshape", "Dense": "use Gemm",
    "FusedMatMul": "that is of domain com.microsoft", "FusedConv": "that is of domain com.microsoft",
}  # fmt: skip


@check("ONX057")
def opset_too_low(operators: Operators, report: Report) -> None:
    for item in operators.outdated:
        first, *others = item.nodes
        related = tuple(report.related(node, f"{node.title()} does not fit either") for node in others[:MAX_RELATED])
        report("low", first, node=first.title(), domain=item.domain or "ai.onnx", version=item.version, wanted=item.wanted,
               count=len(item.nodes), related=related)  # fmt: skip


@check("ONX030")
def unknown_op(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX030"):
        case = "alias" if item.case == "unknown" and item.node.op in ALIASES else item.case
        advice = ALIASES.get(item.node.op, "")
        report(case, item.node, node=item.node.title(), op=item.node.op, advice=advice, **item.fields)


@check("ONX031")
def deprecated_op(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX031"):
        advice = REPLACED.get(item.node.op, "see its page")
        report("deprecated", item.node, node=item.node.title(), op=item.node.op, advice=advice, **item.fields)


@check("ONX033")
def unknown_attribute(model: Model, operators: Operators, report: Report) -> None:
    for item in operators.of("ONX033"):
        name = item.fields["name"]
        arguments = (("index", item.node.index), ("name", name))
        edit = ModelEdit("ONX033", "drop", item.node.scope.path, arguments, model.skeleton.digest)
        report(item.case, item.node, node=item.node.title(), op=item.node.op, fixes={"drop": edit}, **item.fields)


@check("ONX034")
def missing_attribute(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX034"):
        report(item.case, item.node, node=item.node.title(), op=item.node.op, **item.fields)


@check("ONX035")
def attribute_type(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX035"):
        report(item.case, item.node, node=item.node.title(), **item.fields)


@check("ONX036")
def attribute_values(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX036"):
        report(item.case, item.node, node=item.node.title(), **item.fields)


@check("ONX037")
def number_of_inputs(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX037"):
        report(item.case, item.node, node=item.node.title(), op=item.node.op, **item.fields)


@check("ONX038")
def number_of_outputs(operators: Operators, report: Report) -> None:
    for item in operators.of("ONX038"):
        report(item.case, item.node, node=item.node.title(), op=item.node.op, **item.fields)


# Operators that were experimental before opset 7 and then went; the checker still lets them pass.
WITHDRAWN = (
    "ATen", "Affine", "ConstantFill", "Crop", "DynamicSlice", "GRUUnit", "GivenTensorFill", "ImageScaler", "ParametricSoftplus",
    "Scale", "ScaledTanh",
)  # fmt: skip


@check("ONX032", op=("FlexAttention", *WITHDRAWN))
def experimental_op(node: Node, model: Model, report: Report) -> None:
    if node.domain == "ai.onnx.preview":
        report("experimental", node, node=node.title(), op=node.op)
    elif not node.domain and node.op in WITHDRAWN and ("", node.op) not in model.function_ops:
        report("withdrawn", node, node=node.title(), op=node.op)
