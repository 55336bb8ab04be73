"""The loop that anybody would write: what `bench` adds to it is its overhead."""

from __future__ import annotations

import time
from collections.abc import Iterator

from onnx_lsp.actions import contest


def burst(case: int, seconds: float) -> Iterator[list[float]]:
    """Runs the open session in a bare loop and yields the seconds of each run, for their median to be taken."""
    contestant = contest._open[0]
    session, feed = contestant.session, contestant.feeds[case]
    session.run(None, feed)
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        before = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - before)
    yield times
