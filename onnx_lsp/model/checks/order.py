"""Values that are read before, or without, being produced."""

from __future__ import annotations

from difflib import get_close_matches

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.dataflow import Dataflow
from onnx_lsp.model.graph import Model, Node, Scope


@check("ONX010")
def undefined_tensor(model: Model, flow: Dataflow, report: Report) -> None:
    digest = model.skeleton.digest
    groups: dict[tuple[str, str], list[Node]] = {}
    for node, name in flow.undefined:
        groups.setdefault((node.scope.path, name), []).append(node)
    for (_, name), nodes in groups.items():
        first, *others = nodes
        related = tuple(report.related(node, f"{node.title()} reads it too") for node in others[:MAX_RELATED])
        earlier, later = visible(first)
        if close := _closest(name, earlier):
            edit = ModelEdit("ONX010", "rename", first.scope.path, (("from", name), ("to", close)), digest)
            report("close", first, name=name, node=first.title(), close=close, related=related, fixes={"rename": edit})
        elif close := _closest(name, later):  # reading it would only make the order wrong
            report("close", first, name=name, node=first.title(), close=close, related=related)
        else:
            report("unknown", first, name=name, node=first.title(), related=related)


def visible(node: Node) -> tuple[list[str], list[str]]:
    """The values that a node may read, and those that are produced only by it or behind it."""
    earlier: list[str] = []
    later: list[str] = []
    while True:
        scope = node.scope
        earlier += [*scope.inputs, *scope.initializers]
        for name, producer in scope.producers.items():
            (earlier if producer.index < node.index else later).append(name)
        if scope.owner is None:
            return earlier, later
        node = scope.owner


def _closest(name: str, names: list[str]) -> str | None:
    return next(iter(get_close_matches(name, names, 1, 0.75)), None)


@check("ONX011")
def not_sorted(model: Model, flow: Dataflow, report: Report) -> None:
    in_cycle = {node for cycle in flow.cycles for node in cycle}
    groups: dict[str, list[tuple[Node, str, Node]]] = {}
    for item in flow.late:
        if item[0].scope not in {node.scope for node in in_cycle}:
            groups.setdefault(item[0].scope.path, []).append(item)
    for path, items in groups.items():
        reader, name, producer = items[0]
        related = [report.related(producer, f"`{name}` is produced here")]
        related += [report.related(node, f"reads `{late}` too early") for node, late, _ in items[1:MAX_RELATED]]
        edit = ModelEdit("ONX011", "sort", path, (), model.skeleton.digest)
        report(
            "unsorted" if len(items) == 1 else "several", reader, node=reader.title(), name=name, producer=producer.title(),
            count=len(items), related=tuple(related), fixes={"sort": edit},
        )  # fmt: skip


@check("ONX012")
def cycle(flow: Dataflow, report: Report) -> None:
    for nodes in flow.cycles:
        loop = " -> ".join(node.title() for node in nodes[::-1][:8])
        related = tuple(report.related(node, "part of the loop") for node in nodes[1:MAX_RELATED])
        report("loop", nodes[0], loop=loop, count=len(nodes), related=related)


@check("ONX013")
def output_not_produced(model: Model, flow: Dataflow, report: Report) -> None:
    if not model.graph.outputs and model.graph.nodes and not model.proto.training_info:
        report("none", "graph", count=len(model.graph.nodes))
    for scope, name in flow.missing:
        close = _closest(name, _values(scope))
        place = scope.place("output", name)
        if close is None:
            report("unknown", place, name=name)
        else:
            report("close", place, name=name, close=close)


def _values(scope: Scope) -> list[str]:
    return [*scope.producers, *scope.inputs, *scope.initializers]
