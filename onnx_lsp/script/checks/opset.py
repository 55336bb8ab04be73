"""`opset_version`."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.values import Const


@check("EXP301")
def opset_not_guaranteed(call: ExportCall, report: Report) -> None:
    """The new exporter writes opset 18 and converts down only where it can."""
    argument = call.arguments.get("opset_version")
    if call.exporter != "new" or argument is None or argument.value.partial:
        return
    low = [atom for atom in argument.value.atoms if _is_low(atom)]
    if not low:
        return
    asked = ", ".join(sorted({str(atom.value) for atom in low}, key=int))
    fixes = {}
    if all(atom.node is not None and atom.node.type == "integer" for atom in low):
        floor = str(torch_api.OPSET_FLOOR)
        raised = [edit for atom in low for edit in edits.replace(call.source, atom.node, floor)]
        fixes["raise"] = tuple(dict.fromkeys(raised))
    if call.get("dynamo") is None:
        fixes["keep"] = edits.insert_arguments(call.source, call.node, {"dynamo": False})
    elsewhere = [atom.node for atom in low if atom.node is not None and not _within(atom.node, argument.node)]
    related = tuple(report.related(node, "the opset is set here") for node in elsewhere[:20])
    report("floor", argument.keyword or argument.node, fixes=fixes, related=related, asked=asked)


def _is_low(atom: object) -> bool:
    return isinstance(atom, Const) and type(atom.value) is int and 0 < atom.value < torch_api.OPSET_FLOOR


def _within(node, outer) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte
