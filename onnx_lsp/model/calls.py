"""Which functions of a model call which, and how large the model becomes when every call is expanded."""

from __future__ import annotations

from onnx_lsp.model.graph import Model, Node, Scope

Key = tuple[str, str, str]  # domain, name, overload
Calls = dict[str, dict[str, Node]]  # path of a function -> path of one that it calls -> the first call

MAX_EXPANSION = 1_000_000  # nodes after expanding every call


def keys(model: Model) -> dict[Key, Scope]:
    """The functions by domain, name and overload; the first one, where there are several."""
    found: dict[Key, Scope] = {}
    for scope in model.functions:
        found.setdefault(key(scope), scope)
    return found


def key(scope: Scope) -> Key:
    """What a call of this function names."""
    domain = scope.proto.domain
    return ("" if domain == "ai.onnx" else domain, scope.proto.name, scope.proto.overload)


def called(node: Node, table: dict[Key, Scope]) -> Scope | None:
    """The function that a node calls, if it calls one."""
    return table.get((node.domain, node.op, node.proto.overload))


def call_graph(model: Model) -> Calls:
    """The calls between functions."""
    table = keys(model)
    calls: Calls = {scope.path: {} for scope in model.functions}
    for scope in model.scopes if table else ():
        if (root := scope.root).is_function:
            for node in scope.nodes:
                target = called(node, table)
                if target is not None:
                    calls[root.path].setdefault(target.path, node)
    return calls


def loop_of(start: str, calls: Calls) -> list[str] | None:
    """A chain of calls from a function back to itself."""
    stack, seen = [[start]], set()
    while stack:
        chain = stack.pop()
        for target in calls[chain[-1]]:
            if target == start:
                return chain
            if target not in seen:
                seen.add(target)
                stack.append([*chain, target])
    return None


def expanded(model: Model) -> dict[str, int]:
    """Nodes of the main graph and of every function with all calls expanded; a call back to itself counts as none."""
    table = keys(model)
    inside: dict[str, list[Scope]] = {}
    for scope in model.scopes:
        inside.setdefault(scope.root.path, []).append(scope)
    if not table:
        return {"graph": sum(len(scope.nodes) for scope in model.scopes)}
    direct, targets = _direct(inside, table)
    sizes: dict[str, int] = {}
    for root in inside:
        stack, open_ = [root], set()
        while stack:
            path = stack[-1]
            waiting = [target for target in targets[path] if target not in sizes and target not in open_ and target != path]
            if path not in sizes and path not in open_ and waiting:
                open_.add(path)
                stack += waiting
                continue
            stack.pop()
            if path not in sizes:
                sizes[path] = direct[path] + sum(sizes.get(target, 0) * count for target, count in targets[path].items())
    return sizes


def _direct(inside: dict[str, list[Scope]], table: dict[Key, Scope]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Per graph or function: nodes that call nothing, and how often it calls which function."""
    direct: dict[str, int] = dict.fromkeys(inside, 0)
    targets: dict[str, dict[str, int]] = {path: {} for path in inside}
    for path, scopes in inside.items():
        for node in (node for scope in scopes for node in scope.nodes):
            target = called(node, table)
            if target is None:
                direct[path] += 1
            else:
                targets[path][target.path] = targets[path].get(target.path, 0) + 1
    return direct, targets


def endless(model: Model) -> bool:
    """Whether expanding the calls never ends, or as good as never: native inference must not try."""
    if not model.functions:
        return False
    calls = call_graph(model)
    return expanded(model)["graph"] > MAX_EXPANSION or any(loop_of(path, calls) for path in calls)
