"""What was left in the model from training, or from the framework that trained it."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.graph import Model, Node


@check("TRN003", op=("ATen", "PythonOp"))
def aten_node(node: Node, model: Model, report: Report) -> None:
    if (node.domain, node.op) in model.function_ops:
        return
    what = node.attr("operator") or node.attr("name") or node.op.encode()
    report("fallback", node, node=node.title(), what=what.decode("utf-8", "replace"))
