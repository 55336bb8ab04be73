"""Annotations of a GitHub workflow run: `::error file=…,line=…,title=…::message`.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from onnx_lsp.cli.output import Context, shown_path
from onnx_lsp.diagnostics import Diagnostic, Severity

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice", Severity.HINT: "notice"}


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as workflow commands."""
    return "\n".join(_command(item) for item in findings)


def _command(item: Diagnostic) -> str:
    properties = {"title": f"onnx-lint {item.code} {item.name}", "file": shown_path(item.file), "line": 1}
    if item.range:
        start, end = item.range.start, item.range.end
        properties |= {"line": start.line + 1, "endLine": end.line + 1}
        if start.line == end.line:  # GitHub refuses columns over several lines
            properties |= {"col": start.column + 1, "endColumn": end.column + 1}
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    where = f"{item.location}: " if item.location else ""
    return f"::{COMMANDS[item.severity]} {listed}::{_data(where + item.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
