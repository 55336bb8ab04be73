"""Reports as JSON: the dataclasses as they are, times in seconds, with a schema number that grows when a field goes."""

from __future__ import annotations

import dataclasses
import json

from onnx_lsp.actions.bench import BenchReport
from onnx_lsp.actions.optimize import OptimizeReport

SCHEMA = 1


def render(report: BenchReport | OptimizeReport) -> str:
    """The report as JSON text."""
    return json.dumps(document(report), indent=2, ensure_ascii=False)


def document(report: BenchReport | OptimizeReport) -> dict[str, object]:
    """The report as plain data: dicts, lists, strings, numbers."""
    kind = "bench" if isinstance(report, BenchReport) else "optimize"
    return {"schema": SCHEMA, "kind": kind, **dataclasses.asdict(report)}
