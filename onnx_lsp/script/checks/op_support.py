"""Calls in `forward` that the exporter in use cannot write, or not at the opset that is asked for."""

from __future__ import annotations

from functools import cache

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import Related
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.forward import MOST_RELATED, events, put
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.checks.opset import changed, is_opset
from onnx_lsp.script.forward import Event
from onnx_lsp.script.written import name_of, rows


@cache
def support(name: str) -> tuple[int | bool, bool]:
    """The lowest opset of the old exporter (False: none), and whether the new one writes it.

    Where that depends on the arguments, what the easiest ones need. The table does not change under a run.
    """
    found = rows(name)
    lowest = [row["legacy"] for row in found if row["legacy"] is not False]
    return min(lowest) if lowest else False, any(row["new"] for row in found)


@check("EXP305")
def op_needs_opset(call: ExportCall, report: Report) -> None:
    """An op above the asked opset, or one that the exporter in use does not know at all."""
    if call.exporter is None or not any(walk.events for walk in call.walks):
        return
    found = [(event, name) for event in events(call, "call") if (name := name_of(event)) is not None]
    if call.exporter == "new":
        _report_unsupported(call, [(event, name) for event, name in found if not support(name)[1]], report)
        return
    _report_unsupported(call, [(event, name) for event, name in found if support(name)[0] is False], report)
    argument = call.arguments.get("opset_version")
    if argument is None or argument.value.partial or not argument.value.atoms:
        return
    if not all(is_opset(atom) for atom in argument.value.atoms):
        return
    asked = max(atom.value for atom in argument.value.atoms)
    above = [(event, name) for event, name in found if support(name)[0] is not False and support(name)[0] > asked]
    if above and asked >= 7:
        needed = max(support(name)[0] for _, name in above)
        name = next(name for _, name in above if support(name)[0] == needed)
        low = [atom for atom in argument.value.atoms if atom.value < needed]
        fixes = changed(call, "raise", low, needed)
        at = argument.keyword or argument.node
        report("opset", at, fixes=fixes, related=_places(above), name=name, needed=needed, asked=asked)


def _places(found: list[tuple[Event, str]]) -> tuple:
    return tuple(
        Related(event.source.path, f"`{name}` is called here", event.source.range(event.node))
        for event, name in found[:MOST_RELATED]
    )


def _report_unsupported(call: ExportCall, found: list[tuple[Event, str]], report: Report) -> None:
    """One finding per function that the exporter does not know; what torch 2.13 lacks, earlier ones lack too."""
    for name in dict.fromkeys(name for _, name in found):
        places = [event for event, other in found if other == name]
        other_can = support(name)[0] is not False
        fixes = keep_old_exporter(call) if call.exporter == "new" and other_can else None
        put(report, call.exporter, call, places, fixes, name=name)
