"""The report of a conversion, a quantization or a comparison, as plain text."""

from __future__ import annotations

import os

from onnx_lsp.actions import words
from onnx_lsp.actions.report_text import QUIET, SHOWN_OPS, Paint, plain_paint, table
from onnx_lsp.actions.rewrite import RewriteReport
from onnx_lsp.actions.words import size


def render_rewrite(report: RewriteReport, paint: Paint = plain_paint) -> str:
    """What was proven, and what changed."""
    judgement = report.judgement
    lines = [paint(words.rewrite_verdict(report), judgement.status)]
    if report.written:
        lines.append(f"Written: {report.written}")
    if judgement.agreement and judgement.agreement.worst:
        worst = judgement.agreement.worst
        lines.append(
            f"Largest difference: {worst.absolute:.2g}, {words.share(worst)}, "
            f"over {judgement.agreement.outputs} outputs at {len(report.cases)} sizes of the inputs"
        )
    notes = [paint(f"note: {note}", QUIET) for note in report.notes]
    return "\n".join([*lines, "", *_facts(report, paint), "", *notes]).strip("\n")


def _facts(report: RewriteReport, paint: Paint) -> list[str]:
    before, after = report.before, report.after
    if after is None:
        return []
    rows = [("", os.path.basename(report.model), os.path.basename(report.other), "")]
    rows.append(("size", size(before.size), size(after.size), ""))
    rows.append(("nodes", str(before.nodes), str(after.nodes), ""))
    changed = words.changed_ops(before, after)[: 2 * SHOWN_OPS]
    rows += [(f"  {op}", str(old), str(new), "") for op, old, new in changed]
    return table(rows, paint)
