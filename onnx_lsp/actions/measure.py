"""Interleaved rounds: every contestant runs a short burst in each round, in random order, never two at the same time.

The baseline competes twice, in two children: the ratio of the two is the A-A control, and what it shows is noise.
Children are started anew for every generation, because two processes of one model can differ for as long as they live.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Self

from onnx_lsp.actions import stats
from onnx_lsp.actions.contest import Cold, Refusal
from onnx_lsp.actions.crew import Crew, Progress
from onnx_lsp.actions.providers import SessionSetup
from onnx_lsp.work.worker import ChildDied, Worker

TASKS = "onnx_lsp.actions.contest"
MEMORY_SAMPLE_SECONDS = 0.02
MAX_KEPT_SAMPLES = 20_000
FEWEST_ROUNDS = 4
FEWEST_GENERATIONS = 2  # one says nothing about the difference between processes
OVERTIME = 3.0  # times the planned seconds, for the sake of a second generation


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure.

    Attributes:
        seconds: stop after this time, whatever the intervals are (a slow machine may take longer for two generations).
        precision: stop when every interval reaches at most this far to each side (0.01 is 1 %).
        generations: never fewer sets of fresh children, time permitting; and never more than `most`.
        burst: seconds of running per turn.
        rounds: turns per generation and case.
    """

    seconds: float = 60.0
    precision: float = 0.01
    generations: int = 6
    most: int = 20
    burst: float = 0.02
    rounds: int = 12
    concurrency: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One contestant: how its session is opened, and one file of inputs per case."""

    setup: SessionSetup
    feeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One contestant in one case. `ratio` is to the baseline; None for the baseline itself."""

    entry: int
    case: int
    ratio: stats.Ratio | None
    verdict: str
    times: stats.Spread | None
    throughput: float | None = None


@dataclass(frozen=True, slots=True)
class ColdResult:
    """What happens once, medians over the generations in seconds; `ratio` compares the creation of the session."""

    entry: int
    imported: float
    created: float
    first: float
    second: float
    ratio: stats.Ratio | None
    verdict: str
    peak_private_mb: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured. `floor` and `control` are per case; `failed` says why an entry is not among the results."""

    results: tuple[Result, ...]
    cold: tuple[ColdResult, ...]
    control: tuple[stats.Ratio | None, ...]
    floor: tuple[float | None, ...]
    cold_floor: float | None
    failed: tuple[tuple[int, str], ...]
    generations: int
    rounds: int
    seconds: float
    stopped: str


@dataclass(slots=True)
class _Tally:
    """What has been seen of one contestant so far: logs of burst medians by generation, case and round."""

    logs: list[list[list[float]]] = field(default_factory=list)
    samples: list[list[float]] = field(default_factory=list)
    imported: list[float] = field(default_factory=list)
    cold: list[Cold] = field(default_factory=list)
    throughput: list[list[float]] = field(default_factory=list)
    peak: float | None = None
    failure: str = ""


class Contest:
    """Measures `entries` against the first of them.

    Args:
        entries: the baseline first; a second child of it is added as the A-A control.
        cases: how many sets of inputs each entry has.
    """

    def __init__(self, entries: Sequence[Entry], cases: int, crew: Crew, plan: Plan, progress: Progress) -> None:
        self.entries = (*entries, entries[0])
        self.cases = cases
        self.crew = crew
        self.plan = plan
        self.progress = progress
        self.random = random.Random(plan.seed)
        self.tallies = [_Tally(samples=[[] for _ in range(cases)]) for _ in self.entries]

    def run(self) -> Measured:
        """Runs generations until the intervals are narrow enough or the time is up.

        Raises:
            Cancelled: the action was cancelled.
        """
        started = time.monotonic()
        done, stopped = 0, "the largest number of generations was reached"
        while done < self.plan.most:
            self._generation(done, started)
            done += 1
            elapsed = time.monotonic() - started
            if self.tallies[0].failure or not any(
                not tally.failure for tally in self.tallies[1:-1] or self.tallies[:1]
            ):
                stopped = "nothing was left to compare"
                break
            if done >= self.plan.generations and self._precise():
                stopped = f"every interval is within ±{self.plan.precision:.1%}"
                break
            enough = done >= FEWEST_GENERATIONS or elapsed > OVERTIME * self.plan.seconds
            if elapsed + elapsed / done > self.plan.seconds and enough:
                stopped = f"the time of {self.plan.seconds:g} s was up"
                break
        return self._measured(done, time.monotonic() - started, stopped)

    def _generation(self, number: int, started: float) -> None:
        begun = time.monotonic() - started
        order = [index for index, tally in enumerate(self.tallies) if not tally.failure]
        self.random.shuffle(order)
        workers = {index: self.crew.hire(self.entries[index].setup.provider.python) for index in order}
        try:
            for action in (self._load, self._open):
                for index in order:
                    self._attempt(index, action, workers[index])
            for tally in self.tallies:
                tally.logs.append([[] for _ in range(self.cases)])
            for turn in range(self.plan.rounds):
                self._round(workers)
                elapsed = time.monotonic() - started
                self.progress(f"generation {number + 1}, round {turn + 1}", min(0.99, elapsed / self.plan.seconds))
                if turn + 1 >= FEWEST_ROUNDS and elapsed - begun > self.plan.seconds / self.plan.generations:
                    break  # more generations tell more than more rounds
            if self.plan.concurrency > 1:
                self._throughput(workers)
        finally:
            for worker in workers.values():
                self.crew.dismiss(worker)

    def _attempt(self, index: int, action, *arguments: object) -> None:
        """Does something with one contestant; if its child dies, that contestant is out and the others go on."""
        try:
            action(index, *arguments)
        except ChildDied as died:
            self.tallies[index].failure = str(died)

    def _load(self, index: int, worker: Worker) -> None:
        self.tallies[index].imported.append(self.crew.ask(worker, f"{TASKS}:load"))

    def _open(self, index: int, worker: Worker) -> None:
        entry, tally = self.entries[index], self.tallies[index]
        if tally.failure:
            return
        with _MemoryWatch(worker.pid) as watch:
            cold = self.crew.ask(worker, f"{TASKS}:open_contestant", setup=entry.setup, feeds=entry.feeds)
        if isinstance(cold, Refusal):
            tally.failure = cold.reason
            return
        tally.cold.append(cold)
        if watch.peak is not None:
            tally.peak = max(watch.peak, tally.peak or 0.0)

    def _round(self, workers: dict[int, Worker]) -> None:
        for case in range(self.cases):
            order = [index for index in workers if not self.tallies[index].failure]
            self.random.shuffle(order)
            for index in order:
                self._attempt(index, self._burst, workers[index], case)

    def _burst(self, index: int, worker: Worker, case: int) -> None:
        times = self.crew.ask(worker, f"{TASKS}:burst", case=case, seconds=self.plan.burst)
        tally = self.tallies[index]
        tally.logs[-1][case].append(math.log(median(times)))
        if len(tally.samples[case]) < MAX_KEPT_SAMPLES:
            tally.samples[case].extend(times)

    def _throughput(self, workers: dict[int, Worker]) -> None:
        for index, worker in workers.items():
            if not self.tallies[index].failure:
                self._attempt(index, self._concurrent, worker)

    def _concurrent(self, index: int, worker: Worker) -> None:
        rates = [
            self.crew.ask(worker, f"{TASKS}:throughput", case=case, concurrency=self.plan.concurrency, seconds=0.3)
            for case in range(self.cases)
        ]
        self.tallies[index].throughput.append(rates)

    def _ratio(self, index: int, case: int) -> stats.Ratio | None:
        mine, base = self.tallies[index].logs, self.tallies[0].logs
        logs = [[one - other for one, other in zip(a[case], b[case])] for a, b in zip(mine, base)]
        return stats.ratio(logs, seed=self.plan.seed)

    def _cold_ratio(self, index: int) -> stats.Ratio | None:
        pairs = zip(self.tallies[index].cold, self.tallies[0].cold)
        return stats.median_ratio([math.log(mine.created / base.created) for mine, base in pairs])

    def _precise(self) -> bool:
        live = [index for index in range(1, len(self.entries)) if not self.tallies[index].failure]
        found = [self._ratio(index, case) for index in live for case in range(self.cases)]
        return all(item is not None and item.spread <= self.plan.precision for item in found)

    def _measured(self, generations: int, seconds: float, stopped: str) -> Measured:
        twin = len(self.entries) - 1
        alive = not (self.tallies[0].failure or self.tallies[twin].failure)
        control = tuple(self._ratio(twin, case) if alive else None for case in range(self.cases))
        floor = tuple(stats.floor_of(item) for item in control)
        cold_floor = stats.floor_of(self._cold_ratio(twin)) if alive else None
        live = [index for index in range(twin) if not self.tallies[index].failure]
        results = tuple(self._result(index, case, floor[case]) for index in live for case in range(self.cases))
        cold = tuple(self._cold(index, cold_floor) for index in live)
        failed = tuple((index, tally.failure) for index, tally in enumerate(self.tallies[:twin]) if tally.failure)
        rounds = sum(len(group[0]) for group in self.tallies[0].logs)
        return Measured(results, cold, control, floor, cold_floor, failed, generations, rounds, seconds, stopped)

    def _result(self, index: int, case: int, floor: float | None) -> Result:
        tally = self.tallies[index]
        found = self._ratio(index, case) if index else None
        rate = median(rates[case] for rates in tally.throughput) if tally.throughput else None
        verdict = stats.verdict(found, floor) if index else "baseline"
        times = stats.spread(tally.samples[case]) if tally.samples[case] else None
        return Result(index, case, found, verdict, times, rate)

    def _cold(self, index: int, floor: float | None) -> ColdResult:
        seen = self.tallies[index].cold
        found = self._cold_ratio(index) if index else None
        once = [median(getattr(item, name) for item in seen) for name in ("created", "first", "second")]
        verdict = stats.verdict(found, floor) if index else "baseline"
        return ColdResult(index, median(self.tallies[index].imported), *once, found, verdict, self.tallies[index].peak)


class _MemoryWatch:
    """Samples a child's private memory (RssAnon, MB) while a block runs; None where /proc is not there."""

    def __init__(self, pid: int | None) -> None:
        self.peak: float | None = None
        self._path = f"/proc/{pid}/status"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._sample()

    def _watch(self) -> None:
        while not self._done.wait(MEMORY_SAMPLE_SECONDS):
            self._sample()

    def _sample(self) -> None:
        try:
            with open(self._path) as file:
                line = next((line for line in file if line.startswith("RssAnon:")), None)
        except OSError:
            return
        if line:
            self.peak = max(self.peak or 0.0, int(line.split()[1]) / 1024)
