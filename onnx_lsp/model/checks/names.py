"""Names of values and nodes: given twice, shadowed, empty."""

from __future__ import annotations

from collections import Counter

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.graph import Model, Node, Scope

HIDDEN_SINCE = 4  # the IR version from which initializers need not be graph inputs


@check("ONX015")
def produced_twice(model: Model, report: Report) -> None:
    for scope in model.scopes:
        given = {**dict.fromkeys(scope.initializers, "an initializer"), **dict.fromkeys(scope.inputs, "an input")}
        if sum(len(node.outputs) for node in scope.nodes) == len(scope.producers) and given.keys().isdisjoint(scope.producers):
            continue
        for node in scope.nodes:
            for name in node.outputs:
                if not name:
                    continue
                first = scope.producers[name]
                if name in given:
                    report("given", node, node=node.title(), name=name, what=given[name])
                elif first is not node or node.outputs.count(name) > 1 and node.outputs.index(name) != len(node.outputs) - 1:
                    related = (report.related(first, f"`{name}` is produced here first"),)
                    report("twice", node, node=node.title(), name=name, first=first.title(), related=related)
                    break


@check("ONX016")
def shadowing(model: Model, report: Report) -> None:
    for scope in model.scopes:
        if scope.parent is None:
            continue
        names = [*scope.inputs, *scope.initializers, *scope.producers]
        found = [(name, home) for name in dict.fromkeys(names) if (home := _outside(scope, name)) is not None]
        if found:
            name, home = found[0]
            related = tuple(report.related(around.place_of(other), f"`{other}` is defined here") for other, around in found[:MAX_RELATED])
            producer = scope.producers.get(name)
            more = "" if len(found) == 1 else f" (and {len(found) - 1} more)"
            at = producer if producer is not None else scope.place_of(name)
            report("shadows", at, name=name, owner=scope.owner.title(), more=more, related=related)


def _outside(scope: Scope, name: str) -> Scope | None:
    """The scope around this one that defines the name before the subgraph runs."""
    inner = scope
    while (outer := inner.parent) is not None:
        producer = outer.producers.get(name)
        if name in outer.inputs or name in outer.initializers or (producer and producer.index < inner.owner.index):
            return outer
        inner = outer
    return None


@check("ONX017")
def nameless_tensor(model: Model, report: Report) -> None:
    for scope in model.scopes:
        if scope.is_function:
            continue
        for number, tensor in enumerate(scope.proto.initializer) if "" in scope.initializers else ():
            if not tensor.name:
                report("initializer", f"{scope.path}/initializer[{number}]", number=number)
        for kind, names in (("input", scope.inputs), ("output", scope.outputs)):
            for number, name in enumerate(names) if "" in names else ():
                if not name:
                    report("interface", f"{scope.path}/{kind}[{number}]", kind=kind, number=number)


@check("ONX018")
def initializer_is_input(model: Model, report: Report) -> None:
    if model.proto.ir_version < HIDDEN_SINCE:
        return
    names = [name for name in model.graph.inputs if name in model.graph.initializers]
    if names:
        edit = ModelEdit("ONX018", "drop", "graph", (("names", tuple(names)),), model.skeleton.digest)
        related = [report.related(model.graph.place("input", name), "this one too") for name in names[1 : MAX_RELATED + 1]]
        case = "one" if len(names) == 1 else "several"
        report(case, model.graph.place("input", names[0]), name=names[0], count=len(names), related=tuple(related), fixes={"drop": edit})


@check("ONX019")
def duplicate_interface(model: Model, report: Report) -> None:
    for scope in model.scopes:
        for kind, names in (("input", scope.inputs), ("output", scope.outputs)):
            if len(set(names)) == len(names):
                continue
            for name, count in Counter(names).items():
                if count > 1 and name:
                    report("twice", scope.place(kind, name), kind=kind, name=name, count=count)


@check("ONX071")
def idle_value_info(model: Model, report: Report) -> None:
    for scope in model.scopes:
        names = [item.name for item in scope.proto.value_info]
        if not names:
            continue
        inside = _values(model, scope)
        stale = [name for name in dict.fromkeys(names) if name not in inside]
        twice = [name for name, count in Counter(names).items() if count > 1] if len(set(names)) < len(names) else []
        for case, found in (("stale", stale), ("twice", twice)):
            if found:
                edit = ModelEdit("ONX071", "drop", scope.path, (("names", tuple(found)),), model.skeleton.digest)
                report(case, scope.path, name=found[0], count=len(found), fixes={"drop": edit})


def _values(model: Model, scope: Scope) -> set[str]:
    """Every value of a scope and of the subgraphs in it."""
    names = {*scope.producers, *scope.inputs, *scope.initializers, *scope.sparse, *scope.outputs}
    for other in model.scopes if len(model.scopes) > 1 else ():
        if scope in other.around():
            names |= {*other.producers, *other.inputs, *other.initializers, *other.outputs}
    return names


@check("ONX040")
def duplicate_node_names(model: Model, report: Report) -> None:
    for scope in model.scopes:
        names = [node.name for node in scope.nodes]
        named = [name for name in names if name]
        if len(set(named)) == len(named):
            continue
        groups: dict[str, list[Node]] = {}
        for node in scope.nodes:
            if node.name and (node.op != "Constant" or node.domain):
                groups.setdefault(node.name, []).append(node)
        repeated = {name: nodes for name, nodes in groups.items() if len(nodes) > 1}
        for name, (first, *others) in repeated.items():
            related = tuple(report.related(node, f"{node.op} is called `{name}` too") for node in others[:MAX_RELATED])
            edit = ModelEdit("ONX040", "rename", scope.path, (("name", name),), model.skeleton.digest)
            report("twice", first, name=name, count=len(others) + 1, op=first.op, related=related, fixes={"rename": edit})


@check("ONX041")
def unnamed_nodes(model: Model, report: Report) -> None:
    unnamed = [node for node in model.nodes() if not node.proto.name]
    if unnamed:
        related = tuple(report.related(node, "this one too") for node in unnamed[1 : MAX_RELATED + 1])
        edit = ModelEdit("ONX041", "name", "", (), model.skeleton.digest)
        case = "one" if len(unnamed) == 1 else "several"
        report(case, unnamed[0], node=unnamed[0].title(), count=len(unnamed), related=related, fixes={"name": edit})
