"""One line per finding: `file:line:column: severity CODE message`, `[*]` where a safe fix exists."""

from __future__ import annotations

from onnx_lsp.cli.output import shown_path
from onnx_lsp.diagnostics import Applicability, Diagnostic


def render(findings: list[Diagnostic]) -> str:
    """The findings as lines."""
    return "\n".join(line(item) for item in findings)


def line(item: Diagnostic) -> str:
    """One finding."""
    fixable = "[*] " if any(fix.applicability is Applicability.SAFE for fix in item.fixes) else ""
    return f"{place(item)} {item.severity.label} {item.code} {fixable}{item.message}"


def place(item: Diagnostic) -> str:
    """Where it is: `file:line:column:`, or `file: model path:`."""
    path = shown_path(item.file)
    if item.range:
        return f"{path}:{item.range.start.line + 1}:{item.range.start.column + 1}:"
    return f"{path}: {item.location}:" if item.location else f"{path}:"
