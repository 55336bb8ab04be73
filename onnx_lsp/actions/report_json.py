"""Reports as JSON: the dataclasses as they are, times in seconds, with a schema number that grows when a field goes."""

from __future__ import annotations

import dataclasses
import json

from onnx_lsp.actions.bench import BenchReport
from onnx_lsp.actions.optimize import OptimizeReport
from onnx_lsp.actions.rewrite import RewriteReport

SCHEMA = 1
KINDS = {BenchReport: "bench", OptimizeReport: "optimize", RewriteReport: "rewrite"}
Report = BenchReport | OptimizeReport | RewriteReport


def render(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps(document(report), indent=2, ensure_ascii=False)


def document(report: Report) -> dict[str, object]:
    """The report as plain data: dicts, lists, strings, numbers."""
    return {"schema": SCHEMA, "kind": KINDS[type(report)], **dataclasses.asdict(report)}
