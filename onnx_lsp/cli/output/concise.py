"""One line per finding: `file:line:column: severity CODE message`, `[*]` where a safe fix exists."""

from __future__ import annotations

from onnx_lsp.cli.color import OF_SEVERITY, Paint
from onnx_lsp.cli.output import Context, place
from onnx_lsp.diagnostics import Applicability, Diagnostic


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as lines."""
    return "\n".join(line(item, context.paint) for item in findings)


def line(item: Diagnostic, paint: Paint = Paint(False)) -> str:
    """One finding."""
    fixable = "[*] " if any(fix.applicability is Applicability.SAFE for fix in item.fixes) else ""
    severity = paint(item.severity.label, OF_SEVERITY[item.severity], "bold")
    return f"{place(item)}: {severity} {paint(item.code, 'bold')} {paint(fixable, 'green')}{item.message}"
