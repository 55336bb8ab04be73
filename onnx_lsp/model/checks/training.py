"""What was left in the model from training, or from the framework that trained it."""

from __future__ import annotations

import re

from onnx_lsp.checks import Report, check
from onnx_lsp.model.checks.initializers import readable
from onnx_lsp.model.checks.noops import bypass_fix, edit
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.sizes import byte_size

MODE_INPUT = 12  # the opset from which Dropout takes training_mode as an input
MODE_ATTRIBUTE = 14  # the opset from which BatchNormalization has it as an attribute
LOSSES = ("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
TRAINING = frozenset({"ai.onnx.training", "ai.onnx.preview.training"})
STATE = re.compile(
    r"(?i)(?:^|[./_])(?:exp_avg(?:_sq)?|momentum_buffer|max_exp_avg_sq|adam_[mv]|optimizer_state|Moment_[12]|Momentum_1|Update_Count)(?:$|[./_])"
)


@check("TRN001", op=("BatchNormalization", "Dropout"))
def training_mode(node: Node, model: Model, constants: Constants, report: Report) -> None:
    if node.domain:
        return
    opset = model.imports(node.scope).get("", 0)
    if node.op == "Dropout":
        found = constants.of(node, 2) if opset >= MODE_INPUT else None
        ratio = constants.of(node, 1)
        if found is None or found.values != (True,) and found.values != (1,) or ratio is not None and ratio.values in ((0,), (0.0,)):
            return
    elif opset < MODE_ATTRIBUTE or node.attr("training_mode", 0) != 1:
        return
    used = {name for name in node.outputs[1:] if name} & {*node.scope.consumers, *node.scope.outputs}
    fixes = {} if used else {"infer": edit("TRN001", "infer", node, model)}
    report("batch-norm" if node.op == "BatchNormalization" else "dropout", node, node=node.title(), fixes=fixes)


@check("TRN002", op="Dropout")
def idle_dropout(node: Node, model: Model, constants: Constants, report: Report) -> None:
    opset = model.imports(node.scope).get("", 0)
    if node.domain or not node.inputs or not node.outputs or {name for name in node.outputs[1:] if name} & {*node.scope.consumers, *node.scope.outputs}:
        return
    if opset >= MODE_INPUT and len(node.inputs) > 2 and node.inputs[2]:
        found = constants.of(node, 2)
        if found is None or len(found.values) != 1 or found.values[0]:
            return
    elif opset < 7 and not node.attr("is_test", 0):
        return
    report("idle", node, node=node.title(), fixes=bypass_fix("TRN002", [node], model))


@check("TRN003", op=("ATen", "PythonOp"))
def aten_node(node: Node, model: Model, report: Report) -> None:
    if (node.domain, node.op) in model.function_ops:
        return
    what = node.attr("operator") or node.attr("name") or node.op.encode()
    report("fallback", node, node=node.title(), what=what.decode("utf-8", "replace"))


@check("TRN004")
def gradient_node(model: Model, report: Report) -> None:
    for node in model.nodes():
        if (node.domain, node.op) in model.function_ops:
            continue
        if node.domain in TRAINING or node.domain == "com.microsoft" and node.op.endswith(("Grad", "Gradient", "Optimizer")):
            report("gradient", node, node=node.title())


@check("TRN005", op=LOSSES)
def loss_output(node: Node, report: Report) -> None:
    scope = node.scope
    if node.domain or scope.root.is_function:
        return
    output = next((name for name in node.outputs if name in scope.outputs), None)
    if output is not None and scope.owner is None:
        report("loss", node, node=node.title(), output=output)


@check("TRN006")
def optimizer_state(model: Model, report: Report) -> None:
    for scope in model.scopes:
        for name, tensor in scope.initializers.items():
            if STATE.search(name):
                size = readable(byte_size(tensor.data_type, tensor.dims))
                report("state", scope.place("initializer", name), name=name, size=size)


@check("TRN007")
def training_info(model: Model, report: Report) -> None:
    if model.proto.training_info:
        report("info", count=len(model.proto.training_info))
