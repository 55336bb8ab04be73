"""Converts, quantizes and verifies: one rewrite that a person asked for, written only with its proof."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onnx_lsp.actions.crew import ActionError, Crew, Progress
from onnx_lsp.actions.pipelines import Facts, Unable
from onnx_lsp.actions.proof import Judgement, Proof, Questions
from onnx_lsp.actions.publish import check_place, publish
from onnx_lsp.work.worker import ChildDied

REWRITES = "onnx_lsp.actions.rewrites"


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """What to rewrite, and how.

    Attributes:
        name: a function of `rewrites`: `convert` or `quantize`.
        options: its keyword arguments.
        output: where the result goes.
    """

    model: str
    name: str
    options: Mapping[str, object]
    output: str
    overwrite: bool = False
    asked: Questions = field(default_factory=Questions)
    timeout: float = 300.0
    memory: int = 8192


@dataclass(frozen=True, slots=True)
class RewriteReport:
    """What came of a rewrite, or of holding one model against another.

    Attributes:
        model, other: the original, and the file that was held against it (the one written, where it was written).
        before, after: what the two hold; `after` is None where nothing came of it.
        cases: the sets of inputs that both were run on.
        written: the path of the new file; empty when none was written.
    """

    model: str
    other: str
    before: Facts
    after: Facts | None
    judgement: Judgement
    cases: tuple[str, ...] = ()
    written: str = ""
    notes: tuple[str, ...] = ()


def rewrite(request: RewriteRequest, progress: Progress, cancel: threading.Event | None = None) -> RewriteReport:
    """Rewrites a model, proves it, and writes it; an unproven one is not written.

    Raises:
        ActionError: it cannot be done, or not at all for this model.
        Cancelled: `cancel` was set; nothing is written then.
    """
    if not request.overwrite and os.path.exists(request.output):
        raise ActionError(f"{request.output}: exists already; give another name with --output, or --overwrite")
    check_place(request.output)
    with (
        tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder,
        Crew(cancel, request.timeout, request.memory) as crew,
    ):
        progress("running the original", 0.0)
        proof = Proof(crew, request.model, folder, request.asked)
        progress("rewriting", 0.3)
        place = os.path.join(folder, "result")
        os.mkdir(place)
        made = os.path.join(place, os.path.basename(request.output))
        after = _make(crew, request, made)
        progress("comparing the outputs", 0.6)
        report = _report(crew, proof, request.model, made, request.output, after)
        crew.check()
        if report.judgement.status == "ok":
            publish(made, request.output, crew)
            return replace(report, written=request.output)
        return report


def verify(
    model: str, other: str, asked: Questions, progress: Progress, cancel: threading.Event | None, memory: int = 8192
) -> RewriteReport:
    """Holds another file against the original.

    Raises:
        ActionError: the original is no fit reference, or the other is no model.
        Cancelled: `cancel` was set.
    """
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder, Crew(cancel, 300.0, memory) as crew:
        progress("running the original", 0.0)
        proof = Proof(crew, model, folder, asked)
        progress("comparing the outputs", 0.5)
        return _report(crew, proof, model, other, other, _describe(crew, other))


def _make(crew: Crew, request: RewriteRequest, target: str) -> Facts:
    arguments = {"source": os.path.abspath(request.model), "target": target, **request.options}
    try:
        made = crew.once(f"{REWRITES}:{request.name}", **arguments)
    except ChildDied as died:
        raise ActionError(f"{request.model}: the child that rewrites it {died}") from None
    if isinstance(made, Unable):
        raise ActionError(f"{request.model}: {made.reason}")
    return made


def _describe(crew: Crew, path: str) -> Facts:
    try:
        return crew.once("onnx_lsp.actions.pipelines:describe", path=path)
    except ChildDied as died:
        raise ActionError(f"{path}: the child that reads it {died}; `onnx-lint check` says more") from None


def _report(crew: Crew, proof: Proof, model: str, path: str, shown: str, after: Facts) -> RewriteReport:
    judgement = proof.judge(path)
    cases = tuple(case.label for case in proof.cases)
    return RewriteReport(model, shown, _describe(crew, model), after, judgement, cases, notes=proof.prepared.notes)
