"""Annotations of a GitHub workflow run: `::error file=…,line=…,title=…::message`.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from onnx_lsp.cli.output import Context, shown_path, where
from onnx_lsp.diagnostics import Diagnostic, Severity

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice", Severity.HINT: "notice"}


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as workflow commands."""
    return "\n".join(_command(item, context) for item in findings)


def _command(item: Diagnostic, context: Context) -> str:
    properties = {"title": f"onnx-lint {item.code} {item.name}", "file": shown_path(item.file), "line": 1}
    if item.range:
        start, end = context.lines(item)
        properties |= {"line": start, "endLine": end}
        if start == end and item.cell is None:  # GitHub refuses columns over several lines
            properties |= {"col": item.range.start.column + 1, "endColumn": item.range.end.column + 1}
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{COMMANDS[item.severity]} {listed}::{_data(where(item) + item.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
