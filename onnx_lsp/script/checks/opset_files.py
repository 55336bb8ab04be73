"""Opsets against what else becomes of a file: a second export, a conversion, the file that lies there already."""

from __future__ import annotations

import os
import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.after_export import is_test
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.usage import Use, enclosing, function_of, names_in, paths

# Between two exports: what leads elsewhere, and what may read the file of the first, any call that is not harmless.
# Compiled when it is first asked: few scripts need it.
LEAVES = r"\b(?:return|raise|break|continue|yield|assert)\b"
HARMLESS = r"print|if|in|and|or|not|torch\.[\w.]+|(?:\w+\.)*(?:eval|train|cpu|cuda|to|float|half|info|debug)"
MAY_READ = rf"(?<![\w.])(?!(?:{HARMLESS})\s*\()[A-Za-z_][\w.]*\s*\("
CHANGES = ("onnx.save", "convert_version", "quantize", "simplify", "slim", "update_model")


@check("EXP304")
def written_again(file: Script, report: Report) -> None:
    """Two exports, one after the other, ask for the same file at different opsets: the first is lost."""
    known = [(call, target) for call in file.calls if (target := _asked(call)) is not None]
    for (first, (path, opset)), (second, (again, other)) in zip(known, known[1:], strict=False):
        if path == again and opset != other and _follows_unread(file, first, second, path):
            related = (report.related(second.node.child_by_field_name("function"), "written again here"),)
            at = first.arguments["opset_version"]
            report("again", at.keyword or at.node, related=related, path=path, asked=opset, other=other)


def _asked(call: ExportCall) -> tuple[str, int] | None:
    """The one file that a call surely writes, and the opset that it asks for."""
    found, value = paths(call.get("f")), call.get("opset_version")
    opset = value.constant if value is not None else None
    return (*found, opset) if found is not None and len(found) == 1 and type(opset) is int else None


def _follows_unread(file: Script, first: ExportCall, second: ExportCall, path: str) -> bool:
    """Both stand in one block, and nothing between them can read the file or lead elsewhere."""
    one, two = file.source.statement_of(first.node), file.source.statement_of(second.node)
    if one.parent != two.parent or one.end_byte > two.start_byte:
        return False
    between = file.source.slice(one.end_byte, two.start_byte)
    named = path in between or file.source.of(first.arguments["f"].node) in between
    return not named and not re.search(LEAVES, between) and not re.search(MAY_READ, between)


@check("EXP304")
def conversion_discarded(file: Script, report: Report) -> None:
    """`convert_version` returns a new model; where nobody keeps it, the file stays at its opset."""
    if "convert_version" not in file.text or is_test(file.path) or file.path.endswith(".ipynb"):
        return  # a cell shows its last value
    for use in file.uses:
        if use.callee == "onnx.version_converter.convert_version" and _is_discarded(file, use.node):
            report("discarded", use.node.child_by_field_name("function"), fixes=_kept(file, use))


def _is_discarded(file: Script, node: Node) -> bool:
    """The call is a statement of its own, or bound to a name of its function that is never read; a `try` may ask."""
    within = function_of(node)
    if enclosing(node, "try_statement", "with_statement") is not None:
        return False
    if node.parent.type == "expression_statement":
        return True
    target = node.parent.child_by_field_name("left") if node.parent.type == "assignment" else None
    if within is None or target is None or target.type != "identifier" or file.source.of(target).startswith("_"):
        return False
    return len(list(names_in(file.source, file.source.of(target), within))) == 1


def _kept(file: Script, use: Use) -> dict[str, edits.Edits]:
    """The converted model takes the place of the one that was converted, where that has a name."""
    model = use.place(0, "model")
    if use.node.parent.type != "expression_statement" or model.type != "identifier":
        return {}
    start = use.node.start_byte
    return {"keep": edits.replace(file.source, (start, start), f"{file.source.of(model)} = ")}


@check("EXP304")
def file_is_older(call: ExportCall, file: Script, report: Report) -> None:
    """The file that lies in the workspace where this export writes was exported at another opset."""
    asked = _asked(call)
    if asked is None or not _writes_as_asked(call, asked[1]) or any(word in file.text for word in CHANGES):
        return
    if os.path.isabs(asked[0]) or "\0" in asked[0]:
        return
    if sum(paths(other.get("f")) in (None, {asked[0]}) for other in file.calls) != 1:
        return
    found = file.workspace.header(os.path.join(os.path.dirname(file.path), asked[0]))
    if found is not None and found.producer == "pytorch" and found.opset not in (None, asked[1]):
        at = call.arguments["opset_version"]
        report("older", at.keyword or at.node, path=asked[0], asked=asked[1], found=found.opset)


def _writes_as_asked(call: ExportCall, opset: int) -> bool:
    """The exporter surely writes this opset: the new one converts only where it can."""
    if call.exporter == "new" and opset != torch_api.OPSET_FLOOR:
        return False
    return call.exporter is not None and not call.guarded
