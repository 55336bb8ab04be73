"""Repairs that put an operator's function body in its place."""

from __future__ import annotations

from onnx_lsp.model.bodies import body
from onnx_lsp.model.fixes.draft import Draft, FixRefused, fix


@fix("RUN003", "inline")
def inline_bodies(draft: Draft, at: str, *, nodes: tuple[tuple[str, int], ...], opset: int, elements: tuple[int, ...]) -> None:
    """Replaces nodes, given by scope and index, by the nodes of their function body."""
    for path, index in nodes:
        scope = draft.scope(path)
        node = scope.nodes[index].proto
        made = body(node, opset, elements)
        if not made:
            raise FixRefused(f"`{node.op_type}` has no function body that could stand in its place")
        present = list(scope.proto.node)
        place = {id(item): (number, len(made)) for number, item in enumerate(present)}
        number = next(number for number, item in enumerate(present) if item is node)
        added = [scope.proto.node.add() for _ in made[:-1]]
        for step, (target, source) in enumerate(zip([*added, node], made, strict=True)):
            target.CopyFrom(source)
            place[id(target)] = number, step
        scope.proto.node.sort(key=lambda item, place=place: place[id(item)])
