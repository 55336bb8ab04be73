"""Taking nodes out of a graph so that everything else stays as it is: the one place where readers are rewired."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp.model import proto
from onnx_lsp.model.fixes.draft import Draft, FixRefused
from onnx_lsp.model.graph import bodies


def bypass(draft: Draft, at: str, source: str, target: str) -> None:
    """Makes everything that reads `target` read `source`; where `target` is an output, `source` gets its name."""
    container = draft.container(at)
    if target in output_names(container):
        for node in container.node:
            for number, name in enumerate(node.output):
                if name == source:
                    node.output[number] = target
        source, target = target, source
    replace_reads(container.node, target, source)
    forget(container, {target})


def replace_reads(nodes, old: str, new: str) -> None:
    """Renames what nodes read, in their bodies too.

    Raises:
        FixRefused: a body gives the new name another meaning.
    """
    for node in nodes:
        for number, name in enumerate(node.input):
            if name == old:
                node.input[number] = new
        for body, _ in bodies(node):
            defined = set(_defined(body))
            if old in defined:
                continue
            if new in defined:
                raise FixRefused(f"`{new}` means something else in a branch")
            replace_reads(body.node, old, new)
            for output in body.output:
                if output.name == old:
                    raise FixRefused(f"a branch hands out `{old}`")


def _defined(graph: proto.GraphProto) -> Iterator[str]:
    yield from (item.name for item in (*graph.input, *graph.initializer))
    for node in graph.node:
        yield from node.output


def output_names(container) -> set[str]:
    """The outputs of a GraphProto or FunctionProto."""
    return {getattr(item, "name", item) for item in container.output}


def forget(container, names: set[str]) -> None:
    """Removes what is declared about values that are gone."""
    for number in reversed([number for number, item in enumerate(container.value_info) if item.name in names]):
        del container.value_info[number]


def remove(container, node: proto.NodeProto) -> None:
    """Takes one node out of its graph."""
    for number, item in enumerate(container.node):
        if item is node or item == node:
            del container.node[number]
            return


def sweep(draft: Draft, at: str, names: set[str]) -> None:
    """Removes the producers of values that nothing reads any more, then theirs, and initializers left unread."""
    container = draft.container(at)
    initializers = getattr(container, "initializer", ())
    todo = set(names)
    while todo:
        read = {name for name in reads(container)}
        idle = [node for node in container.node if todo & set(node.output) and not read & set(node.output)]
        gone = todo - read
        for number in reversed([number for number, item in enumerate(initializers) if item.name in gone and item.name not in inputs(container)]):
            del initializers[number]
        todo = set()
        for node in idle:
            todo |= {name for name in reads_of(node) if name}
            forget(container, set(node.output))
            remove(container, node)


def inputs(container) -> set[str]:
    """The inputs of a GraphProto or FunctionProto."""
    return {getattr(item, "name", item) for item in container.input}


def reads(container) -> Iterator[str]:
    """Every name that a graph reads or hands out, bodies included."""
    yield from output_names(container)
    for node in container.node:
        yield from reads_of(node)


def reads_of(node: proto.NodeProto) -> Iterator[str]:
    """Every name that a node reads, in its bodies too."""
    yield from node.input
    for body, _ in bodies(node):
        yield from reads(body)
