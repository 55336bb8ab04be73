"""Repairs of names."""

from __future__ import annotations

from onnx_lsp.model import proto
from onnx_lsp.model.fixes.draft import Draft, fix
from onnx_lsp.model.graph import bodies


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


@fix("ONX018", "drop")
def drop_optional_inputs(draft: Draft, at: str, *, names: tuple[str, ...]) -> None:
    """Removes inputs that initializers give a value: they become constants."""
    inputs = draft.container(at).input
    for number in reversed([number for number, item in enumerate(inputs) if item.name in names]):
        del inputs[number]


@fix("ONX040", "rename")
def rename_repeated_nodes(draft: Draft, at: str, *, name: str) -> None:
    """Gives every node of that name but the first another one."""
    nodes = draft.container(at).node
    taken = {node.name for node in nodes}
    repeated = [node for node in nodes if node.name == name and node.op_type != "Constant"]
    for node in repeated[1:]:
        node.name = _fresh(name, taken)


@fix("ONX041", "name")
def name_nodes(draft: Draft, at: str) -> None:
    """Names unnamed nodes after their operator."""
    for scope in draft.scopes.values():
        taken = {node.name for node in scope.proto.node}
        for node in scope.nodes:
            if not node.proto.name:
                node.proto.name = _fresh(node.op, taken)


def _fresh(base: str, taken: set[str]) -> str:
    number = 1
    while (name := f"{base}_{number}") in taken:
        number += 1
    taken.add(name)
    return name
