"""Lints many files: a few scripts here, models and the rest in supervised children on all cores.

A file that crashes, hangs or eats memory becomes a finding (FIL007), and the run goes on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from onnx_lsp import engine
from onnx_lsp.cli.tasks import Mode, Result, Work, process
from onnx_lsp.settings import Resolver, Settings

FEW = 8  # scripts that are linted sooner than a child has started


class TookTooLong(BaseException):
    """Raised by the alarm inside whatever is running; no `except Exception` may swallow it."""


def lint_all(
    paths: list[str],
    resolver: Resolver,
    mode: Mode,
    jobs: int | None = None,
    cache=None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Result]:
    """Lints, or fixes, every path, and returns the results in the order of the paths.

    Args:
        jobs: processes; None for one per core that this process may use.
        cache: remembers results (`cache.Cache`), or None.
        progress: is told how many files of how many are done.

    Raises:
        SettingsError: the configuration of one of them cannot be used.
    """
    results: dict[str, Result] = {}
    todo: list[Work] = []
    for path in paths:
        settings = resolver.resolve(path)
        known = cache.get(path, settings) if cache else None
        if known is None or (mode.fix and _fixable(known, settings, mode)):
            todo.append((path, settings))
        else:
            results[path] = Result(path, known)
    progress(len(results), len(paths))
    by_path = dict(todo)
    for result in _process(todo, mode, jobs or cores()):
        results[result.path] = result
        if cache:
            cache.put(result, by_path[result.path])
        progress(len(results), len(paths))
    return [results[path] for path in paths]


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _fixable(known, settings: Settings, mode: Mode) -> bool:
    from onnx_lsp.cli.fix import applicable

    return any(applicable(item, settings, mode.unsafe) for item in known)


def _process(todo: list[Work], mode: Mode, jobs: int) -> Iterator[Result]:
    here = [work for work in todo if engine.kind_of(work[0]) == "script"]
    elsewhere = [work for work in todo if engine.kind_of(work[0]) == "model"]
    if len(here) > FEW:
        here, elsewhere = [], todo
    if not elsewhere:
        for work in here:
            yield process_here(work, mode)
        return
    from onnx_lsp.cli.pool import Pool

    with Pool(elsewhere, mode, jobs) as pool:
        for work in here:
            yield process_here(work, mode)
        yield from pool.results()


def process_here(work: Work, mode: Mode) -> Result:
    """Lints one script in this process; what goes wrong becomes a finding."""
    path, settings = work
    try:
        with _alarm(settings.native_timeout):
            *_, result = process([work], mode)
        return result
    except TookTooLong:
        return dead(path, settings, None, f"took longer than {settings.native_timeout:g} s")
    except Exception as error:  # the edge of the run: a bug in one file must not stop the others
        return dead(path, settings, None, f"failed: {type(error).__name__}: {error}")


def dead(path: str, settings: Settings, stage: engine.Stage | None, how: str) -> Result:
    """The result of a file whose linting ended before its time."""
    stage = stage or engine.Stage("linting it", ())
    return Result(path, tuple(engine.after_death(os.path.abspath(path), settings, stage, how)), lasting=False)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupts this thread's Python code after some seconds, where the system can."""
    if sys.platform == "win32":
        yield
        return

    def ring(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
