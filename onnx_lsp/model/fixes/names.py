"""Repairs of names."""

from __future__ import annotations

from onnx_lsp.model import proto
from onnx_lsp.model.fixes.draft import Draft, fix
from onnx_lsp.model.native import bodies


@fix("ONX010", "rename")
def rename_input(draft: Draft, at: str, *, from_: str, to: str) -> None:
    """Makes every reader of an undefined value in this scope, and below, read another one."""
    _rename_reads(draft.container(at).node, from_, to)


def _rename_reads(nodes, old: str, new: str) -> None:
    for node in nodes:
        for number, name in enumerate(node.input):
            if name == old:
                node.input[number] = new
        for body, _ in bodies(node):
            if not _defines(body, old):
                _rename_reads(body.node, old, new)


def _defines(graph: proto.GraphProto, name: str) -> bool:
    declared = [item.name for item in (*graph.input, *graph.initializer)]
    return name in declared or any(name in node.output for node in graph.node)
