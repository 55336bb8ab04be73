"""Repairs of what training left behind."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, fix
from onnx_lsp.model.fixes.noops import remove_no_ops
from onnx_lsp.model.fixes.rewire import sweep

fix("TRN002", "remove")(remove_no_ops)


@fix("TRN001", "infer")
def to_inference(draft: Draft, at: str, *, index: int) -> None:
    """Gives a BatchNormalization or Dropout its form for inference; what it computes changes on purpose."""
    node = draft.scope(at).nodes[index].proto
    given = set(node.input)
    for number in reversed([number for number, item in enumerate(node.attribute) if item.name == "training_mode"]):
        del node.attribute[number]
    if node.op_type == "Dropout":
        del node.input[1:]
    del node.output[1:]
    sweep(draft, at, given - set(node.input))
