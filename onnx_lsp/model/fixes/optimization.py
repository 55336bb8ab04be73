"""Repairs of what a model carries for nothing."""

from __future__ import annotations

from onnx_lsp.model import proto
from onnx_lsp.model.fixes.draft import Draft, fix
from onnx_lsp.model.fixes.rewire import forget, remove, replace_reads, sweep


@fix("OPT006", "drop")
def drop_dead_nodes(draft: Draft, at: str, *, index: int) -> None:
    """Removes a node that nothing reads, and everything that only it read."""
    node = draft.scope(at).nodes[index].proto
    container, given = draft.container(at), {name for name in node.input if name}
    forget(container, set(node.output))
    remove(container, node)
    sweep(draft, at, given)


@fix("OPT007", "move")
def constants_to_initializers(draft: Draft, at: str, *, indices: tuple[int, ...]) -> None:
    """Makes the tensors of Constant nodes initializers of their graph."""
    container = draft.container(at)
    for node in [draft.scope(at).nodes[index].proto for index in indices]:
        name = node.output[0]
        tensor = container.initializer.add()
        tensor.CopyFrom(next(item.t for item in node.attribute if item.name == "value"))
        tensor.name = name
        forget(container, {name})
        remove(container, node)


@fix("OPT008", "inline")
def inline_branch(draft: Draft, at: str, *, index: int, label: str) -> None:
    """Puts the nodes of the branch that always runs where the If was."""
    node = draft.scope(at).nodes[index].proto
    container, condition = draft.container(at), node.input[0]
    body = proto.GraphProto()
    body.CopyFrom(next(item.g for item in node.attribute if item.name == label))
    results = dict(zip((item.name for item in body.output), node.output, strict=True))
    for inner in body.node:
        for number, name in enumerate(inner.output):
            inner.output[number] = results.get(name, name)
    for old, new in results.items():
        replace_reads(body.node, old, new)
    place = next(number for number, item in enumerate(container.node) if item == node)
    rest = [proto.NodeProto.FromString(item.SerializeToString()) for item in container.node[place + 1 :]]
    del container.node[place:]
    container.node.extend([*body.node, *rest])
    if body.initializer:
        container.initializer.extend(body.initializer)
    container.value_info.extend(item for item in body.value_info if item.name not in results)
    sweep(draft, at, {condition})


@fix("OPT014", "merge")
def merge_weights(draft: Draft, at: str, *, keep: str, drop: tuple[str, ...]) -> None:
    """Makes all readers read one of several equal initializers."""
    container = draft.container(at)
    for name in drop:
        replace_reads(container.node, name, keep)
    initializers = container.initializer
    for number in reversed([number for number, item in enumerate(initializers) if item.name in drop]):
        del initializers[number]
    forget(container, set(drop))
