"""Repairs of nodes that change nothing."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, FixRefused, fix
from onnx_lsp.model.fixes.rewire import bypass, output_names, reads, remove, sweep


@fix("OPT002", "remove")
@fix("OPT003", "remove")
@fix("OPT004", "remove")
@fix("OPT005", "remove")
@fix("QNT005", "remove")
def remove_no_ops(draft: Draft, at: str, *, nodes: tuple[tuple[int, str], ...]) -> None:
    """Makes the readers of nodes read what these hand on, and removes what then nothing reads.

    Args:
        nodes: (index, the value to read instead) of each.
    """
    for index, source in nodes:
        _remove(draft, at, index, source)


def _remove(draft: Draft, at: str, index: int, source: str) -> None:
    node = draft.scope(at).nodes[index].proto
    container = draft.container(at)
    if not any(item is node or item == node for item in container.node):
        return  # another repair of the same run took it
    source = _now(draft, at, index, source, node)
    target, given = node.output[0], {name for name in node.input if name}
    if target in output_names(container) and (source in output_names(container) or not _produced(container, source)):
        raise FixRefused(f"`{target}` is an output of the model")
    remove(container, node)
    bypass(draft, at, source, target)
    sweep(draft, at, given - {source, target} - ({source} & set(reads(container))))


def _now(draft: Draft, at: str, index: int, source: str, node) -> str:
    """The source under its present name: earlier repairs may have renamed what the node reads."""
    before = draft.scope(at).nodes[index]
    places = [number for number, name in enumerate(before.inputs) if name == source]
    if places:
        return node.input[places[0]]
    pair = before.scope.producers.get(before.inputs[0])
    if pair is not None and source in pair.inputs:
        return pair.proto.input[pair.inputs.index(source)]
    return source


def _produced(container, name: str) -> bool:
    return any(name in node.output for node in container.node)
