"""Who reads what before it exists: undefined values, nodes out of order, cycles. Facts, shared by several checks."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lsp.model.graph import Model, Node, Scope


@dataclass(frozen=True, slots=True)
class Dataflow:
    """What is wrong with the order of things.

    Attributes:
        undefined: (node, name) for every read of a value that nothing visible defines.
        late: (reader, name, producer): the producer stands behind the reader in the same list of nodes.
        cycles: nodes that feed each other, in order of the loop.
        missing: (scope, name) for every declared output that nothing produces.
    """

    undefined: list[tuple[Node, str]]
    late: list[tuple[Node, str, Node]]
    cycles: list[list[Node]]
    missing: list[tuple[Scope, str]]

    @property
    def clean(self) -> bool:
        return not (self.undefined or self.late or self.cycles or self.missing)


def dataflow(model: Model) -> Dataflow:
    """Analyses every scope of the model."""
    undefined: list[tuple[Node, str]] = []
    late: list[tuple[Node, str, Node]] = []
    missing: list[tuple[Scope, str]] = []
    for scope in model.scopes:
        for node in scope.nodes:
            for name in node.inputs:
                if not name:
                    continue
                producer = scope.producers.get(name)
                reader = node
                if producer is None:
                    home = scope.home(name)
                    if home is None:
                        undefined.append((node, name))
                        continue
                    producer = home.producers.get(name)
                    reader = _ancestor(node, home)
                if producer is not None and producer.index >= reader.index and not _given(producer.scope, name):
                    late.append((reader, name, producer))
        missing += [(scope, name) for name in scope.outputs if name and scope.home(name) is None]
    scopes = {id(reader.scope): reader.scope for reader, _, _ in late}
    cycles = [cycle for scope in scopes.values() for cycle in _cycles(scope)]
    return Dataflow(list(dict.fromkeys(undefined)), list(dict.fromkeys(late)), cycles, missing)


def _given(scope: Scope, name: str) -> bool:
    return name in scope.inputs or name in scope.initializers


def _ancestor(node: Node, home: Scope) -> Node:
    while node.scope is not home:
        node = node.scope.owner
    return node


def reads(node: Node) -> set[str]:
    """Every name that the node or anything in its bodies reads from its own scope or further out."""
    names = {name for name in node.inputs if name}
    for body in node.bodies:
        inner = {name for item in body.nodes for name in reads(item)} | {name for name in body.outputs if name}
        names |= {name for name in inner if not body.defines(name)}
    return names


def sorted_nodes(scope: Scope) -> tuple[list[Node], list[Node]]:
    """The scope's nodes in an order in which producers come first, otherwise as they are; and those in cycles."""
    needs = {node.index: set() for node in scope.nodes}
    for node in scope.nodes:
        for name in reads(node):
            producer = scope.producers.get(name)
            if producer is not None and not _given(scope, name):
                needs[node.index].add(producer.index)
    ordered: list[Node] = []
    done: set[int] = set()
    state: dict[int, int] = {}
    for root in scope.nodes:
        stack = [root.index]
        while stack:
            index = stack[-1]
            if index in done:
                stack.pop()
                continue
            waiting = [other for other in sorted(needs[index], reverse=True) if other not in done]
            if waiting and state.get(index, 0) == 0 and not any(state.get(other) for other in waiting):
                state[index] = 1
                stack += waiting
            elif waiting and any(state.get(other) for other in waiting):
                return ordered, [node for node in scope.nodes if node.index not in done]
            elif waiting:
                stack += waiting
            else:
                stack.pop()
                done.add(index)
                state.pop(index, None)
                ordered.append(scope.nodes[index])
    return ordered, []


def _cycles(scope: Scope) -> list[list[Node]]:
    """One loop of the scope, if it has any, as the shortest walk back found from its first node."""
    _, stuck = sorted_nodes(scope)
    if not stuck:
        return []
    members = {node.index for node in stuck}
    feeds = {
        node.index: sorted(
            {
                scope.producers[name].index
                for name in reads(node)
                if name in scope.producers and not _given(scope, name)
            }
            & members
        )
        for node in stuck
    }
    for node in stuck:
        loop = _loop(node.index, feeds)
        if loop:
            return [[scope.nodes[index] for index in loop]]
    return []


def _loop(start: int, feeds: dict[int, list[int]]) -> list[int]:
    came: dict[int, int] = {}
    queue = [start]
    for index in queue:
        for source in feeds[index]:
            if source == start:
                loop = [index]
                while loop[-1] != start:
                    loop.append(came[loop[-1]])
                return loop
            if source not in came:
                came[source] = index
                queue.append(source)
    return []
