"""The report of a conversion, a quantization or a comparison, as plain text."""

from __future__ import annotations

import os
from collections import Counter

from onnx_lsp.actions.report_text import Paint, SHOWN_OPS, plain_paint, size, table
from onnx_lsp.actions.rewrite import RewriteReport

VERDICTS = {"ok": "the same model", "invalid": "not a model with this interface", "wrong": "not the same model"}


def render_rewrite(report: RewriteReport, paint: Paint = plain_paint) -> str:
    """What was proven, and what changed."""
    judgement = report.judgement
    reason = f": {judgement.reason}" if judgement.reason else ""
    lines = [f"{report.other} is {paint(VERDICTS[judgement.status], judgement.status)}{reason}."]
    if report.written:
        lines.append(f"Written: {report.written}")
    if judgement.agreement and judgement.agreement.worst:
        worst = judgement.agreement.worst
        lines.append(
            f"Largest difference: {worst.error:.2g} of the largest value of `{worst.output}` ({worst.absolute:.2g}), "
            f"over {judgement.agreement.outputs} outputs at {len(report.cases)} sizes of the inputs"
        )
    lines += ["", *_facts(report), *(f"note: {note}" for note in report.notes)]
    return "\n".join(lines)


def _facts(report: RewriteReport) -> list[str]:
    if report.after is None:
        return []
    before, after = Counter(dict(report.before.ops)), Counter(dict(report.after.ops))
    changed = sorted((op for op in before | after if before[op] != after[op]), key=lambda op: (-abs(before[op] - after[op]), op))
    rows = [("", os.path.basename(report.model), os.path.basename(report.other), "")]
    rows.append(("size", size(report.before.size), size(report.after.size), ""))
    rows.append(("nodes", str(report.before.nodes), str(report.after.nodes), ""))
    rows += [(f"  {op}", str(before[op]), str(after[op]), "") for op in changed[: 2 * SHOWN_OPS]]
    return table(rows)
