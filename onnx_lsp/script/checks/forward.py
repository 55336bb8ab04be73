"""What the `forward` of the exported object does that does not survive the export."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import Related
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.forward import Event
from onnx_lsp.script.grammar import Node

MOST_RELATED = 20


def events(call: ExportCall, *kinds: str) -> list[Event]:
    """The events of these kinds, each place once; none where some way to the call does without them."""
    ways = [{_place(event): event for event in walk.events if event.what in kinds} for walk in call.walks]
    if not ways or not all(ways):
        return []
    return [event for place, event in ways[0].items() if all(place in way for way in ways)]


def _place(event: Event) -> tuple:
    return (event.source.path, event.node.start_byte, event.what)


def put(report: Report, case: str, call: ExportCall, found: list[Event], fixes: dict | None = None, **fields) -> None:
    """One finding for all events: at the first in this file, else at the call; the others are related places."""
    here = [event for event in found if event.source is call.source]
    at: Node = here[0].node if here else call.node.child_by_field_name("function")
    others = [event for event in found if event is not (here[0] if here else None)]
    text = "also here" if here else "it is here"
    related = tuple(
        report.related(event.node, text)
        if event.source is call.source
        else Related(event.source.path, text, event.source.range(event.node))
        for event in others[:MOST_RELATED]
    )
    report(case, at, fixes=fixes if here else None, related=related, **fields)


@check("EXP403")
def functional_dropout(call: ExportCall, report: Report) -> None:
    """`F.dropout(x)`: its `training` is True unless it is told otherwise, whatever mode the model is in."""
    found = events(call, "dropout")
    if not found:
        return
    fixes: list = []
    for event in found:
        if event.source is call.source:
            fixes += _told(call, event)
    function = found[0].source.of(found[0].node.child_by_field_name("function"))
    complete = fixes and all(event.text and event.source is call.source for event in found)
    put(report, "live", call, found, {"training": tuple(fixes)} if complete else None, function=function)


def _told(call: ExportCall, event: Event) -> edits.Edits:
    """`training=self.training`, in place of what is said or in addition."""
    value = edits.Raw(f"{event.text}.training")
    listed = event.node.child_by_field_name("arguments")
    for child in listed.named_children:
        if child.type == "keyword_argument" and call.source.of(child.child_by_field_name("name")) == "training":
            return edits.replace(call.source, child.child_by_field_name("value"), value)
    items = [child for child in listed.named_children if child.type not in ("comment", "keyword_argument")]
    if len(items) > 2:
        return edits.replace(call.source, items[2], value)
    return edits.insert_arguments(call.source, event.node, {"training": value})


@check("EXP701")
def data_dependent_branch(call: ExportCall, report: Report) -> None:
    """A Python branch on a tensor's value: the new exporter fails, the old one takes the way of the example."""
    branches = events(call, "branch")
    if branches and call.exporter is not None:
        case = "fails" if call.exporter == "new" else "traced"
        put(report, case, call, branches, {"where": ()}, text=branches[0].text)
    numbers = events(call, "number", "array")
    if numbers and call.exporter == "legacy":
        put(report, "number", call, numbers, text=numbers[0].text)


@check("EXP702")
def in_place_index(call: ExportCall, report: Report) -> None:
    """`x[i] = …`: a chain of Scatter nodes around shapes of the example, in the old exporter."""
    found = events(call, "index") if call.exporter == "legacy" else []
    if found:
        put(report, "in-place", call, found, {"where": ()}, name=found[0].text)


@check("EXP208")
def batch_baked_in(call: ExportCall, report: Report) -> None:
    """The batch is declared dynamic, and `forward` uses that of the example."""
    loops = events(call, "loop")
    if loops and call.exporter is not None:
        put(report, "loop" if call.exporter == "legacy" else "refused", call, loops, text=loops[0].text)
    literal = events(call, "literal-size")
    if literal:
        fixes = _inferred(call, literal)
        put(report, "literal", call, literal, fixes, size=literal[0].text)
    frozen = events(call, "frozen-size") if call.exporter == "legacy" else []
    if frozen:
        put(report, "frozen", call, frozen, text=frozen[0].text)


def _inferred(call: ExportCall, found: list[Event]) -> dict | None:
    """`-1` in place of each literal, where the sizes have none yet."""
    changed: list = []
    for event in found:
        sizes = [child for child in event.node.parent.named_children if child.type != "comment"]
        if event.source is not call.source or any(call.source.of(size).replace(" ", "") == "-1" for size in sizes):
            return None
        changed += edits.replace(call.source, event.node, "-1")
    return {"infer": tuple(changed)}
