"""Repairs of the order of nodes."""

from __future__ import annotations

from onnx_lsp.model.dataflow import sorted_nodes
from onnx_lsp.model.fixes.draft import Draft, FixRefused, fix


@fix("ONX011", "sort")
def sort_nodes(draft: Draft, at: str) -> None:
    """Puts every producer before its readers and otherwise keeps the order."""
    scope = draft.scope(at)
    ordered, stuck = sorted_nodes(scope)
    if stuck:
        raise FixRefused("nodes that feed each other cannot be sorted")
    place = {id(node.proto): number for number, node in enumerate(ordered)}
    scope.proto.node.sort(key=lambda node: place[id(node)])
