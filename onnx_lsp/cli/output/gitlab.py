"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""

from __future__ import annotations

import json

from onnx_lsp.cli.output import Context, shown_path
from onnx_lsp.diagnostics import Diagnostic, Severity
from onnx_lsp.fingerprint import Fingerprints

LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info", Severity.HINT: "info"}


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as a JSON array; fingerprints are unique and survive edits elsewhere in the file."""
    prints = Fingerprints(context.workspace)
    return json.dumps([_issue(item, prints.unique(item, shown_path(item.file))) for item in findings], indent=2)


def _issue(item: Diagnostic, fingerprint: str) -> dict:
    lines = {"begin": item.range.start.line + 1, "end": item.range.end.line + 1} if item.range else {"begin": 1}
    where = f"{item.location}: " if item.location else ""
    return {
        "description": f"{where}{item.message}",
        "check_name": f"{item.code} {item.name}",
        "fingerprint": fingerprint,
        "severity": LEVELS[item.severity],
        "location": {"path": shown_path(item.file), "lines": lines},
    }
