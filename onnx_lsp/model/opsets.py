"""At which opsets targets take a model, and so which way out there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from onnx_lsp import targets as tables
from onnx_lsp.model.signatures import domains
from onnx_lsp.model.usage import Usage
from onnx_lsp.targets import Kind, Target, Verdict


def taken(usage: Usage, target: Target, but: frozenset[Verdict] = frozenset({Verdict.REFUSES})) -> frozenset[int]:
    """The opsets of ai.onnx at which no verdict of `but` falls on any of the model's operators."""
    if (target, but) not in usage.taken:
        limits = tables.limits(target)
        opsets = range(limits.min_opset or 1, min(limits.max_opset or 999, domains()[""][1]) + 1)
        good = (opset for opset in opsets if all(_fits(kind, opset, target, but) for kind in usage.kinds))
        usage.taken[target, but] = frozenset(good)
    return usage.taken[target, but]


def _fits(kind: Kind, opset: int, target: Target, but: frozenset[Verdict]) -> bool:
    if not kind.domain:
        revisions = dict(tables.revisions("", kind.op))
        selected = tables.revision("", kind.op, opset)
        if revisions and (selected is None or "x" in revisions[selected]):
            return False
        kind = replace(kind, opset=opset)
    return tables.runs(kind, target).verdict not in but


def conversion(usage: Usage, targets: Sequence[Target], target: Target) -> int | None:
    """The highest opset that all targets take, or else this one; None where this one takes the model at none."""
    own = taken(usage, target)
    shared = own.intersection(*(taken(usage, other) for other in targets))
    return max(shared or own, default=None)
