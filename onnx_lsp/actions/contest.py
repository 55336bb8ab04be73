"""A contestant: one model on one provider in one child. It opens once, and then runs in short bursts when told to.

Every function here is a task of `onnx_lsp.work` and runs in the contestant's own process.
"""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from onnx_lsp.actions import arrays
from onnx_lsp.actions.providers import (
    Placed,
    Refused,
    SessionSetup,
    first_line,
    open_session,
    placement,
    runtime_errors,
)

MAX_BURST_RUNS = 500
CONTROL_FLOW = ("If", "Loop", "Scan")
FUSED_NUMBERS = re.compile(r"_\d{6,}(_\d+)*$")  # a plugin names what it fuses after a hash: `my_ep_1467232732_5`
USUAL_SHARE = 0.9  # of the calls of a node
LONG_RUN = 0.05  # seconds; a run this long needs no unmeasured one before it


@dataclass(frozen=True, slots=True)
class Refusal:
    """The contestant does not compete."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cold:
    """What happens once: seconds to create the session, for the first and for the second run."""

    created: float
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Examined:
    """A contestant looked at before it is timed: where its nodes run, and where its outputs were written."""

    provider: str
    version: str
    placement: tuple[Placed, ...] | None
    outputs: tuple[str, ...]
    reproducible: bool


@dataclass(frozen=True, slots=True)
class OpTime:
    """Time in one op type on one provider, in seconds per run, from a profiled run."""

    op: str
    provider: str
    seconds: float
    calls: float


class _Contestant:
    """An open session and its inputs, one set per case."""

    def __init__(self, setup: SessionSetup, feeds: tuple[str, ...], profile_prefix: str = "") -> None:
        self.session, self.provider, self.created = open_session(setup, profile_prefix)
        self.feeds = [arrays.load(path) for path in feeds]
        self._bound = [self._bind(feed) for feed in self.feeds] if setup.io_binding else None

    def _bind(self, feed: dict):
        binding = self.session.io_binding()
        for name, value in feed.items():
            binding.bind_cpu_input(name, value)
        for output in self.session.get_outputs():
            binding.bind_output(output.name)
        return binding

    def runner(self, case: int):
        """A function without arguments that runs the model once."""
        if self._bound:
            run, binding = self.session.run_with_iobinding, self._bound[case]
            return lambda: run(binding)
        run, feed = self.session.run, self.feeds[case]
        return lambda: run(None, feed)


_open: list[_Contestant] = []  # this process's one contestant; `open_contestant` replaces it


def load() -> Iterator[float]:
    """Imports onnxruntime and yields the seconds it took; what is missing is said when the session is opened."""
    started = time.perf_counter()
    with contextlib.suppress(ImportError):
        import onnxruntime  # noqa: F401
    yield time.perf_counter() - started


def open_contestant(setup: SessionSetup, feeds: tuple[str, ...]) -> Iterator[Cold | Refusal]:
    """Opens this process's contestant and runs it twice."""
    try:
        contestant = _Contestant(setup, feeds)
        run = contestant.runner(0)
        first, second = _time(run), _time(run)
    except Refused as refused:
        yield Refusal(str(refused))
        return
    _open[:] = [contestant]
    yield Cold(contestant.created, first, second)


def burst(case: int, seconds: float) -> Iterator[list[float]]:
    """Runs the contestant for about `seconds`, at least once, and yields the seconds of each run.

    The first run after a rest pays for what the others did to the caches; it is not counted unless it is long.
    """
    run = _open[0].runner(case)
    clock = time.perf_counter
    warm = _time(run)
    if warm >= LONG_RUN and warm >= seconds:
        yield [warm]
        return
    times: list[float] = []
    after = clock()
    end = after + seconds
    while len(times) < MAX_BURST_RUNS and (after < end or not times):
        before = clock()
        run()
        after = clock()
        times.append(after - before)
    yield times


def throughput(case: int, concurrency: int, seconds: float) -> Iterator[float]:
    """Runs per second with `concurrency` callers at once."""
    import threading

    run = _open[0].runner(case)
    end = time.perf_counter() + seconds
    counts = [0] * concurrency

    def caller(index: int) -> None:
        while time.perf_counter() < end:
            run()
            counts[index] += 1

    started = time.perf_counter()
    threads = [threading.Thread(target=caller, args=(index,)) for index in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield sum(counts) / (time.perf_counter() - started)


def examine(setup: SessionSetup, feeds: tuple[str, ...], outputs: tuple[str, ...]) -> Iterator[Examined | Refusal]:
    """Runs every case twice, writes its outputs, and says where the nodes run."""
    try:
        contestant = _Contestant(setup, feeds)
    except Refused as refused:
        yield Refusal(str(refused))
        return
    import onnxruntime

    placed = placement(contestant.session)
    if placed and not any(item.provider == contestant.provider for item in placed):
        yield Refusal(f"`{contestant.provider}` took no node; everything would run on {_others(placed)}")
        return
    names = [output.name for output in contestant.session.get_outputs()]
    same = True
    for feed, path in zip(contestant.feeds, outputs):
        try:
            first, second = (contestant.session.run(None, feed) for _ in range(2))
        except runtime_errors() as error:
            yield Refusal(f"the model does not run: {first_line(error)}")
            return
        same = same and all(_equal(one, other) for one, other in zip(first, second))
        arrays.save(path, dict(zip(names, first)))
    yield Examined(contestant.provider, onnxruntime.__version__, placed, outputs, same)


def _others(placed: tuple[Placed, ...]) -> str:
    return ", ".join(sorted({item.provider for item in placed}))


def _equal(one, other) -> bool:
    import numpy

    one, other = arrays.plain_array(one), arrays.plain_array(other)
    exact = one.dtype.kind in "US"
    return one.shape == other.shape and bool(numpy.array_equal(one, other, equal_nan=not exact))


def profile(
    setup: SessionSetup, feeds: tuple[str, ...], folder: str, seconds: float
) -> Iterator[tuple[OpTime, ...] | Refusal]:
    """Time per op type, from a session that is profiled and therefore slower than the timed ones."""
    import json
    import os

    try:
        contestant = _Contestant(setup, feeds[:1], os.path.join(folder, "profile"))
    except Refused as refused:
        yield Refusal(str(refused))
        return
    run = contestant.runner(0)
    end, runs = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or runs < 2:
        run()
        runs += 1
    path = contestant.session.end_profiling()
    with open(path, encoding="utf-8") as file:
        events = json.load(file)
    os.unlink(path)
    yield op_times(events, runs)


def op_times(events: list[dict], runs: int) -> tuple[OpTime, ...]:
    """The kernel times of a profile by op type and provider, slowest first.

    The slowest tenth of each node's calls is left out, because a run that was interrupted says nothing about an op. The
    time of an `If` or a `Loop` is counted at the nodes inside it.
    """
    spent: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for event, seconds in _own_times(events):
        arguments = event["args"]
        op = FUSED_NUMBERS.sub("", arguments.get("op_name", "?"))
        spent[op, arguments.get("provider", "?"), event["name"]].append(seconds)
    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (op, provider, _), times in spent.items():
        calls = len(times) / runs
        usual = sorted(times)[: math.ceil(len(times) * USUAL_SHARE)]
        total = totals[op, provider]
        total[0] += max(0.0, fmean(usual)) * calls
        total[1] += calls
    found = (OpTime(op, provider, *total) for (op, provider), total in totals.items())
    return tuple(sorted(found, key=lambda item: (-item.seconds, item.op, item.provider)))


def _own_times(events: list[dict]) -> Iterator[tuple[dict, float]]:
    """Each call of a kernel, and the seconds it took without what ran inside it."""
    kernels = [item for item in events if item.get("cat") == "Node" and item.get("name", "").endswith("_kernel_time")]
    kernels.sort(key=lambda item: (item["ts"], -item["dur"]))
    own = [event["dur"] * 1e-6 for event in kernels]
    around: list[tuple[float, int]] = []  # the control flow that the next call may be inside of: its end, its place
    for index, event in enumerate(kernels):
        while around and around[-1][0] <= event["ts"]:
            around.pop()
        if around:
            own[around[-1][1]] -= event["dur"] * 1e-6
        if event["args"].get("op_name") in CONTROL_FLOW:
            around.append((event["ts"] + event["dur"], index))
    yield from zip(kernels, own)


def _time(run) -> float:
    before = time.perf_counter()
    try:
        run()
    except runtime_errors() as error:
        raise Refused(f"the model does not run: {first_line(error)}") from None
    return time.perf_counter() - before
