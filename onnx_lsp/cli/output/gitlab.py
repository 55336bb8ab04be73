"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""

from __future__ import annotations

import json

from onnx_lsp.cli.output import Context, shown_path, where
from onnx_lsp.diagnostics import Diagnostic, Severity
from onnx_lsp.fingerprint import Fingerprints

LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info", Severity.HINT: "info"}


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as a JSON array; fingerprints are unique and survive edits elsewhere in the file."""
    prints = Fingerprints(context.workspace)
    issues = [_issue(item, context, prints.unique(item, shown_path(item.file))) for item in findings]
    return json.dumps(issues, indent=2)


def _issue(item: Diagnostic, context: Context, fingerprint: str) -> dict:
    begin, end = context.lines(item)
    lines = {"begin": begin, "end": end} if item.range else {"begin": begin}
    return {
        "description": f"{where(item)}{item.message}",
        "check_name": f"{item.code} {item.name}",
        "fingerprint": fingerprint,
        "severity": LEVELS[item.severity],
        "location": {"path": shown_path(item.file), "lines": lines},
    }
