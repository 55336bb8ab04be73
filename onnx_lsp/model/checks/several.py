"""One finding for all nodes of a graph that are what they are for one reason."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from onnx_lsp.checks import Edits, Report
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.graph import Node, Scope


def by_scope(found: Iterable[tuple[Node, Hashable]]) -> dict[tuple[Scope, Hashable], list[Node]]:
    """The nodes by the graph that they stand in and the reason given with each, in file order."""
    groups: dict[tuple[Scope, Hashable], list[Node]] = {}
    for node, reason in found:
        groups.setdefault((node.scope, reason), []).append(node)
    return groups


def report_nodes(report: Report, nodes: list[Node], fixes: Mapping[str, Edits], **fields: object) -> None:
    """Reports the case `one` or `several` at the first node, the others as related places."""
    first, *others = nodes
    related = tuple(report.related(node, f"{node.title()} too") for node in others[:MAX_RELATED])
    case = "several" if others else "one"
    report(case, first, node=first.title(), count=len(nodes), related=related, fixes=fixes, **fields)
