"""Benchmarks models on providers, and says how much of what was seen is noise."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from onnx_lsp.actions import dims
from onnx_lsp.actions.contest import Examined, OpTime, Refusal
from onnx_lsp.actions.crew import ActionError, Crew, Progress
from onnx_lsp.actions.inputs import Prepared, Problem
from onnx_lsp.actions.measure import Contest, Entry, Measured, Plan
from onnx_lsp.actions.providers import Placed, Provider, SessionSetup
from onnx_lsp.actions.verify import Agreement
from onnx_lsp.work.worker import ChildDied

CONTEST = "onnx_lsp.actions.contest"
PROFILE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What to benchmark.

    Attributes:
        models: paths; the first is the baseline.
        providers: on each of them; the first is the baseline.
        sizes: sizes per dynamic dimension, every combination of which is a case.
        given: an `.npz` file with the inputs, instead of made-up ones.
        tolerance: the largest error, as a share of the largest value of an output, that is not WRONG; None for
            what fits the output's type.
        timeout: seconds one child may take for one step.
        memory: private memory of one child in MB.
    """

    models: tuple[str, ...]
    providers: tuple[Provider, ...] = (Provider(),)
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    given: str = ""
    threads: int = 0
    spin: bool = False
    io_binding: bool = False
    level: str = "all"
    strict: bool = False
    tolerance: float | None = None
    profile: bool = True
    plan: Plan = field(default_factory=Plan)
    timeout: float = 300.0
    memory: int = 8192


@dataclass(frozen=True, slots=True)
class ContestantReport:
    """One model on one provider.

    `status` is `ok`, `wrong` (its outputs are not those of the CPU provider), `refused` (it would not run where it was
    asked to), or `died` (it crashed, or took too long or too much memory); `reason` says more.
    """

    model: str
    provider: Provider
    status: str
    reason: str = ""
    provider_name: str = ""
    runtime: str = ""
    agreement: Agreement | None = None
    placement: tuple[Placed, ...] | None = None
    profile: tuple[OpTime, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All that was seen. `measured` counts its entries through `timed`, which are indices of `contestants`."""

    contestants: tuple[ContestantReport, ...]
    cases: tuple[str, ...]
    measured: Measured | None
    timed: tuple[int, ...]
    notes: tuple[str, ...] = ()


def bench(request: BenchRequest, progress: Progress, cancel: threading.Event | None = None) -> BenchReport:
    """Runs a benchmark.

    Args:
        progress: called with what is going on and how much is done (0 to 1).
        cancel: set it to stop.

    Raises:
        ActionError: it cannot be done at all (no inputs fit, onnxruntime is missing).
        Cancelled: `cancel` was set.
    """
    with (
        tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder,
        Crew(cancel, request.timeout, request.memory) as crew,
    ):
        return _Bench(request, crew, folder, progress).run()


class _Bench:
    """One run of `bench`."""

    def __init__(self, request: BenchRequest, crew: Crew, folder: str, progress: Progress) -> None:
        self.request = request
        self.crew = crew
        self.folder = folder
        self.progress = progress
        self.notes: dict[str, None] = {}

    def run(self) -> BenchReport:
        contestants: list[ContestantReport] = []
        feeds: list[tuple[str, ...]] = []
        labels: tuple[str, ...] = ()
        for number, model in enumerate(self.request.models):
            self.progress(f"preparing {os.path.basename(model)}", 0.0)
            prepared = self._prepare(model, str(number))
            labels = labels or tuple(case.label for case in prepared.cases)
            mine = tuple(case.feeds for case in prepared.cases)
            reference = self._examine(
                SessionSetup(model, Provider(), threads=self.request.threads), mine, f"{number}-cpu"
            )
            for index, provider in enumerate(self.request.providers):
                self.progress(f"looking at {os.path.basename(model)} on {provider.label}", 0.0)
                contestants.append(self._contestant(model, provider, mine, reference, f"{number}-{index}"))
                feeds.append(mine)
        timed = tuple(index for index, item in enumerate(contestants) if item.status in ("ok", "wrong"))
        measured = self._measure([(contestants[index], feeds[index]) for index in timed], len(labels))
        if measured:
            contestants = _with_failures(contestants, timed, measured)
        return BenchReport(tuple(contestants), labels, measured, timed, tuple(self.notes))

    def _prepare(self, model: str, name: str) -> Prepared:
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        prepared = prepare(self.crew, model, folder, self.request.sizes, self.request.given, self.request.plan.seed)
        self.notes.update(dict.fromkeys(prepared.notes))
        return prepared

    def _setup(self, model: str, provider: Provider) -> SessionSetup:
        asked = self.request
        return SessionSetup(
            model,
            provider,
            asked.threads,
            asked.spin,
            asked.io_binding,
            asked.level,
            asked.strict and not provider.is_cpu,
        )

    def _examine(self, setup: SessionSetup, feeds: tuple[str, ...], name: str) -> Examined | Refusal | ChildDied:
        outputs = tuple(os.path.join(self.folder, f"{name}-{index}.npz") for index in range(len(feeds)))
        arguments = {"setup": setup, "feeds": feeds, "outputs": outputs}
        try:
            return self.crew.once(f"{CONTEST}:examine", setup.provider.python, **arguments)
        except ChildDied as died:
            return died

    def _contestant(
        self, model: str, provider: Provider, feeds: tuple[str, ...], reference: object, name: str
    ) -> ContestantReport:
        setup = self._setup(model, provider)
        seen = self._examine(setup, feeds, name)
        if isinstance(seen, ChildDied):
            return ContestantReport(model, provider, "died", str(seen))
        if isinstance(seen, Refusal):
            return ContestantReport(model, provider, "refused", seen.reason)
        report = ContestantReport(
            model, provider, "ok", "", seen.provider, seen.version, None, seen.placement, self._profile(setup, feeds)
        )
        if not isinstance(reference, Examined):
            return replace(report, reason="the outputs could not be compared: the CPU provider does not run the model")
        if not reference.reproducible:
            return replace(report, reason="the outputs could not be compared: the model is random")
        agreement = self._compare(reference, seen)
        if agreement.equal:
            return replace(report, agreement=agreement)
        worst = agreement.worst
        reason = f"output `{worst.output}` {worst.reason}, against the CPU provider"
        return replace(report, status="wrong", reason=reason, agreement=agreement)

    def _compare(self, reference: Examined, seen: Examined) -> Agreement:
        names = tuple(str(index) for index in range(len(seen.outputs)))
        return self.crew.once(
            "onnx_lsp.actions.verify:compare",
            reference=reference.outputs,
            candidate=seen.outputs,
            cases=names,
            tolerance=self.request.tolerance,
        )

    def _profile(self, setup: SessionSetup, feeds: tuple[str, ...]) -> tuple[OpTime, ...]:
        if not self.request.profile:
            return ()
        arguments = {"setup": setup, "feeds": feeds, "folder": self.folder, "seconds": PROFILE_SECONDS}
        try:
            found = self.crew.once(f"{CONTEST}:profile", setup.provider.python, **arguments)
        except ChildDied as died:
            self.notes[f"{setup.provider.label}: no profile, the child {died}"] = None
            return ()
        return () if isinstance(found, Refusal) else found

    def _measure(self, timed: list[tuple[ContestantReport, tuple[str, ...]]], cases: int) -> Measured | None:
        if not timed:
            return None
        entries = [Entry(self._setup(item.model, item.provider), feeds) for item, feeds in timed]
        return Contest(entries, cases, self.crew, self.request.plan, self.progress).run()


def prepare(
    crew: Crew,
    model: str,
    folder: str,
    sizes: Mapping[str, tuple[int, ...]],
    given: str = "",
    seed: int = 0,
    second: bool = False,
) -> Prepared:
    """Makes the inputs of a model in a child.

    Raises:
        ActionError: the model takes none that could be made.
    """
    arguments = {
        "model": model,
        "folder": folder,
        "wanted": dict(sizes),
        "given": given,
        "seed": seed,
        "second": second,
    }
    try:
        prepared = crew.once("onnx_lsp.actions.inputs:prepare", **arguments)
    except ChildDied as died:
        raise ActionError(f"{model}: the child that makes the inputs {died}") from None
    if isinstance(prepared, Problem):
        raise ActionError(f"{model}: {prepared.message}")
    return prepared


def _with_failures(
    contestants: list[ContestantReport], timed: tuple[int, ...], measured: Measured
) -> list[ContestantReport]:
    """A contestant that died or was refused while it was timed says so."""
    reasons = {timed[entry]: reason for entry, reason in measured.failed}
    return [
        replace(item, status="died", reason=f"while it was timed: {reasons[index]}") if index in reasons else item
        for index, item in enumerate(contestants)
    ]


def case_names(sizes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """The labels of the cases that `sizes` makes."""
    return [dims.label(case) for case in dims.sweep(sizes)]
