"""Optimises a model: many candidates, none of them trusted, the best one kept only if it is proven to be better."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from onnx_lsp.actions import pipelines
from onnx_lsp.actions.bench import BenchReport, BenchRequest, bench
from onnx_lsp.actions.crew import ActionError, Crew, Progress, part
from onnx_lsp.actions.measure import Contest, Entry, Measured, Plan
from onnx_lsp.actions.pipelines import Facts, Unable
from onnx_lsp.actions.proof import Proof, Questions
from onnx_lsp.actions.providers import Provider, SessionSetup
from onnx_lsp.actions.publish import check_place, default_output, publish
from onnx_lsp.actions.verify import Agreement
from onnx_lsp.work.worker import ChildDied

GOALS = ("latency", "startup", "size", "portability")
SMALLER = 0.99  # a file that is not at least this much smaller is not called smaller
SCREENING_SHARE = 0.35  # of the time; the rest confirms the winner in a measurement of its own


@dataclass(frozen=True, slots=True)
class OptimizeRequest:
    """What to optimise, and for what.

    Attributes:
        output: where the result goes; `model.opt.onnx` beside the model when empty.
        goal: one of `GOALS`.
        pipelines: stages to run after one another, per candidate; the default portfolio when empty.
        runtime_only: also try stages whose result only onnxruntime runs.
        passes: for onnxoptimizer: only these.
        sizes, given: the inputs, as for `BenchRequest`.
        bench: afterwards benchmark the original and the result on these providers.
        stage_timeout: seconds one stage may take.
    """

    model: str
    output: str = ""
    overwrite: bool = False
    goal: str = "latency"
    pipelines: tuple[tuple[str, ...], ...] = ()
    runtime_only: bool = False
    passes: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    given: str = ""
    threads: int = 1
    tolerance: float | None = None
    plan: Plan = field(default_factory=Plan)
    bench: tuple[Provider, ...] = ()
    stage_timeout: float = 300.0
    timeout: float = 300.0
    memory: int = 8192


@dataclass(frozen=True, slots=True)
class Candidate:
    """One pipeline's result.

    `status` is `ok`, `same` (nothing changed, or as another candidate), `unable` (a stage does not apply), `died` (a
    stage crashed, looped or ate memory), `invalid` (the checker or the interface), or `wrong` (the outputs).
    """

    stages: tuple[str, ...]
    status: str
    reason: str = ""
    facts: Facts | None = None
    agreement: Agreement | None = None

    @property
    def name(self) -> str:
        return " + ".join(self.stages)


@dataclass(frozen=True, slots=True)
class OptimizeReport:
    """What was tried and what came of it.

    Attributes:
        chosen: index of the candidate that was written, or None: nothing was won.
        verdict: one sentence for people.
        screening: all good candidates against the original; its entry 0 is the original, then `screened`.
        confirmation: the original (entry 0) against the best candidate (entry 1, index `confirmed`), measured again.
    """

    model: str
    goal: str
    original: Facts
    candidates: tuple[Candidate, ...]
    cases: tuple[str, ...]
    screened: tuple[int, ...] = ()
    screening: Measured | None = None
    confirmation: Measured | None = None
    confirmed: int | None = None
    chosen: int | None = None
    verdict: str = ""
    written: str = ""
    notes: tuple[str, ...] = ()
    bench: BenchReport | None = None


def optimize(request: OptimizeRequest, progress: Progress, cancel: threading.Event | None = None) -> OptimizeReport:
    """Optimises a model and writes the best candidate, if there is one.

    Args:
        progress: called with what is going on and how much is done (0 to 1).
        cancel: set it to stop; nothing is written then.

    Raises:
        ActionError: it cannot be done (the model is invalid, no inputs fit, the output exists).
        Cancelled: `cancel` was set.
    """
    output = request.output or default_output(request.model)
    if not request.overwrite and os.path.exists(output):
        raise ActionError(f"{output}: exists already; give another name with --output, or --overwrite")
    check_place(output)
    request = replace(request, output=output)
    with tempfile.TemporaryDirectory(prefix="onnx-lint-") as folder:
        with Crew(cancel, request.timeout, request.memory) as crew:
            action = _Optimization(request, crew, folder, progress)
            report = action.run()
            crew.check()
            if report.chosen is not None:
                publish(action.files[report.chosen], output, crew)
                report = replace(report, written=output)
        if request.bench:
            report = replace(report, bench=_bench(request, report, progress, cancel))
    return report


class _Optimization:
    """One run of `optimize`, up to the writing."""

    def __init__(self, request: OptimizeRequest, crew: Crew, folder: str, progress: Progress) -> None:
        self.request = request
        self.crew = crew
        self.folder = folder
        self.progress = progress
        self.files: list[str] = []
        self._made: dict[tuple[str, ...], tuple[str, Facts | Unable | ChildDied]] = {}

    def run(self) -> OptimizeReport:
        request = self.request
        self.progress("checking and running the original", 0.0)
        asked = Questions(request.sizes, request.given, request.plan.seed, request.threads, request.tolerance)
        proof = Proof(self.crew, request.model, self.folder, asked)
        original = self.crew.once("onnx_lsp.actions.pipelines:describe", path=request.model)
        candidates = self._candidates(original, proof)
        prepared = proof.prepared
        labels = tuple(case.label for case in prepared.cases)
        report = OptimizeReport(request.model, request.goal, original, candidates, labels, notes=prepared.notes)
        return self._judge(report, tuple(case.feeds for case in prepared.cases))

    def _candidates(self, original: Facts, proof: Proof) -> tuple[Candidate, ...]:
        plans = self.request.pipelines or pipelines.PORTABLE
        if self.request.runtime_only and not self.request.pipelines:
            plans += pipelines.RUNTIME_ONLY
        found: list[Candidate] = []
        for index, stages in enumerate(plans):
            self.progress(f"trying {' + '.join(stages)}", 0.4 * index / len(plans))
            path, made = self._make(stages)
            self.files.append(path)
            found.append(_candidate(stages, path, made, original, found, proof))
        return tuple(found)

    def _make(self, stages: tuple[str, ...]) -> tuple[str, Facts | Unable | ChildDied]:
        """Runs the last of `stages` on what the others made; what was made once is used again."""
        if stages in self._made:
            return self._made[stages]
        source, before = (self.request.model, None) if len(stages) == 1 else self._make(stages[:-1])
        if isinstance(before, (Unable, ChildDied)):
            self._made[stages] = ("", before)
            return self._made[stages]
        folder = os.path.join(self.folder, f"stage{len(self._made)}")
        os.mkdir(folder)
        target = os.path.join(folder, os.path.basename(self.request.output))
        self._made[stages] = (target, self._run(stages[-1], source, target))
        return self._made[stages]

    def _run(self, stage: str, source: str, target: str) -> Facts | Unable | ChildDied:
        try:
            return self.crew.once(
                "onnx_lsp.actions.pipelines:run_stage",
                timeout=self.request.stage_timeout,
                name=stage,
                source=os.path.abspath(source),
                target=target,
                passes=self.request.passes,
            )
        except ChildDied as died:
            return died

    def _judge(self, report: OptimizeReport, feeds: tuple[str, ...]) -> OptimizeReport:
        """Picks the best candidate, and measures it again: the best of many is partly luck, its second time is not."""
        good = [index for index, item in enumerate(report.candidates) if item.status == "ok"]
        if not good:
            return replace(report, verdict="Nothing to win here: no stage made another model that holds")
        if self.request.goal in ("latency", "startup"):
            report = self._screen(report, good, feeds)
            best = self._fastest(report)
        else:
            best = self._leanest(report, good)
        if best is None:
            return replace(report, verdict=f"Nothing to win here: no candidate is better for {report.goal}")
        plan = self._plan(1 - SCREENING_SHARE if report.screening else 1.0)
        plan = replace(plan, seed=plan.seed + 1)
        confirmation = self._measure([best], feeds, plan, part(self.progress, 0.6, 1.0))
        return _concluded(replace(report, confirmation=confirmation, confirmed=best), best)

    def _screen(self, report: OptimizeReport, good: list[int], feeds: tuple[str, ...]) -> OptimizeReport:
        """Measures all good candidates at once, or only the leanest, where memory does not hold them all."""
        room = _room(report.original.size)
        if len(good) > room:
            good = sorted(sorted(good, key=lambda index: report.candidates[index].facts.nodes)[:room])
            note = f"memory holds {room + 2} sessions of this model at once: only the leanest candidates were measured"
            report = replace(report, notes=(*report.notes, note))
        plan = replace(self._plan(SCREENING_SHARE), generations=3, precision=max(0.02, self.request.plan.precision))
        measured = self._measure(good, feeds, plan, part(self.progress, 0.4, 0.6))
        return replace(report, screened=tuple(good), screening=measured)

    def _plan(self, share: float) -> Plan:
        """A share of the time; for the sake of start-up, fresh processes count and runs do not."""
        rounds = 1 if self.request.goal == "startup" else self.request.plan.rounds
        return replace(self.request.plan, seconds=self.request.plan.seconds * share, rounds=rounds)

    def _measure(self, chosen: list[int], feeds: tuple[str, ...], plan: Plan, progress: Progress) -> Measured:
        models = [self.request.model, *(self.files[index] for index in chosen)]
        entries = [Entry(SessionSetup(model, Provider(), threads=self.request.threads), feeds) for model in models]
        return Contest(entries, len(feeds), self.crew, plan, progress).run()

    def _fastest(self, report: OptimizeReport) -> int | None:
        """The screened candidate with the best ratio, at the worst of all sizes; none where even that is not under 1."""
        ratios: dict[int, list[float]] = {}
        for entry, ratio in (_created if report.goal == "startup" else _ran)(report.screening):
            ratios.setdefault(entry, []).append(ratio)
        ranked = sorted((max(values), entry) for entry, values in ratios.items())
        return report.screened[ranked[0][1] - 1] if ranked and ranked[0][0] < 1 else None

    def _leanest(self, report: OptimizeReport, good: list[int]) -> int | None:
        facts = {index: report.candidates[index].facts for index in good}
        if report.goal == "size":
            small = [index for index in good if facts[index].size < report.original.size * SMALLER]
            return min(small, key=lambda index: facts[index].size, default=None)
        lean = [index for index in good if facts[index].portable and facts[index].nodes < report.original.nodes]
        return min(lean, key=lambda index: facts[index].nodes, default=None)


def _created(measured: Measured) -> Iterator[tuple[int, float]]:
    """Per entry, the time of creating the session as a ratio to that of the first."""
    for item in measured.cold:
        if item.entry and not measured.cold[0].entry:
            yield item.entry, item.created / measured.cold[0].created


def _ran(measured: Measured) -> Iterator[tuple[int, float]]:
    """Per entry and case, the time of a run as a ratio to that of the first; from medians where there is no interval."""
    base = {row.case: row.times.p50 for row in measured.results if not row.entry and row.times}
    for row in measured.results:
        if row.entry and row.times and row.case in base:
            yield row.entry, row.ratio.value if row.ratio else row.times.p50 / base[row.case]


def _candidate(
    stages: tuple[str, ...],
    path: str,
    made: Facts | Unable | ChildDied,
    original: Facts,
    others: list[Candidate],
    proof: Proof,
) -> Candidate:
    """What one pipeline made, held against the original."""
    if isinstance(made, Unable):
        return Candidate(stages, "unable", made.reason)
    if isinstance(made, ChildDied):
        return Candidate(stages, "died", f"the stage {made}")
    if made.digest == original.digest and not made.external:
        return Candidate(stages, "same", "nothing was changed", made)
    if twin := next((item for item in others if item.facts and item.facts.digest == made.digest), None):
        return Candidate(stages, "same", f"the same model as {twin.name}", made)
    found = proof.judge(path)
    return Candidate(stages, found.status, found.reason, made, found.agreement)


def _concluded(report: OptimizeReport, best: int) -> OptimizeReport:
    """Decides by the second measurement: it must confirm a gain in time, or for other goals show no loss."""
    measured, name = report.confirmation, report.candidates[best].name
    rows = measured.cold if report.goal == "startup" else measured.results
    verdicts = [row.verdict for row in rows if row.entry == 1]
    timed = report.goal in ("latency", "startup")
    if measured.failed:
        return replace(report, verdict=f"Nothing to win here: {name} {measured.failed[0][1]} while it was timed")
    if timed and not ("faster" in verdicts and all(verdict in ("faster", "no difference") for verdict in verdicts)):
        return replace(
            report, verdict=f"Nothing to win here: the gain of {name} was not confirmed; it lies within the noise"
        )
    if not timed and "slower" in verdicts:
        return replace(report, verdict=f"Nothing to win here: {name} is better for {report.goal}, but slower")
    return replace(report, chosen=best, verdict=f"{name} is better for {report.goal}, and proven equal")


def _room(size: int) -> int:
    """How many candidates can be open at once beside the original and its twin, at least one.

    A session takes about twice the bytes of its model while it is created.
    """
    try:
        with open("/proc/meminfo") as file:
            free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # not Linux
        return 100
    return max(1, free // max(1, 2 * size) - 2)


def _bench(
    request: OptimizeRequest, report: OptimizeReport, progress: Progress, cancel: threading.Event | None
) -> BenchReport:
    models = (request.model, report.written) if report.written else (request.model,)
    asked = BenchRequest(
        models,
        request.bench,
        request.sizes,
        request.given,
        request.threads,
        tolerance=request.tolerance,
        plan=request.plan,
        timeout=request.timeout,
        memory=request.memory,
    )
    return bench(asked, progress, cancel)
