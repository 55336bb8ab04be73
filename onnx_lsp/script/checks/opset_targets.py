"""Opsets against the runtimes that the project targets."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.guards import around
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.values import Const, Value


@check("EXP304")
def opset_mismatch(call: ExportCall, file: Script, report: Report) -> None:
    """An opset that a target does not load. A lower one in an `except`, or for another torch, is a fallback."""
    argument = call.arguments.get("opset_version")
    if argument is None or not file.settings.targets or "except" in around(call.source, call.node, call.torch):
        return
    report_above(file, report, argument.value, argument.keyword or argument.node, case="above")


def report_above(file: Script, report: Report, value: Value | None, at: Node, case: str = "opset") -> None:
    """Reports an opset that is surely above what some target loads, with the highest that all load."""
    limits = _limits(file.settings.targets)
    if limits:
        highest, label = min(limits)
        report_over(file, report, value, at, highest, case, "lower", target=label)


def report_over(
    file: Script, report: Report, value: Value | None, at: Node, highest: int, case: str, fix: str, **words: str
) -> bool:
    """Reports an opset that is surely above the highest one, and says whether it did; the fix lowers it where it is written."""
    atoms = value.atoms if value is not None and not value.partial else ()
    if not atoms or not all(isinstance(atom, Const) and type(atom.value) is int for atom in atoms):
        return False
    if any(atom.value <= highest for atom in atoms):
        return False
    written = all(atom.node is not None and atom.node.type == "integer" for atom in atoms)
    changed = [edit for atom in atoms for edit in edits.replace(file.source, atom.node, str(highest))] if written else []
    fixes = {fix: tuple(dict.fromkeys(changed))} if written else {}
    report(case, at, fixes=fixes, asked=min(atom.value for atom in atoms), highest=highest, **words)
    return True


def _limits(targets: tuple[str, ...]) -> list[tuple[int, str]]:
    """The highest opset of each target for which it is known for certain."""
    from onnx_lsp.targets import limits, parse

    found = []
    for text in targets:
        target = parse(text)
        limit = limits(target)
        if limit.max_opset is not None and limit.sure:
            found.append((limit.max_opset, target.label))
    return found
