"""Lints models as they appear on disk: waits for the writer, then lets a supervised child do the work.

A newer event for the same file cancels the older lint, and with it its child.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager

from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.engine import Stage, after_death
from onnx_lsp.server.configuration import Configuration
from onnx_lsp.settings import Settings
from onnx_lsp.work.aio import AsyncWorker
from onnx_lsp.work.worker import ChildDied

CHILDREN = 2
IDLE_TIME = 30.0  # seconds after which an idle child is ended: it holds the memory of a loaded onnx
STABLE_TIME = 0.25  # seconds without a change of size or mtime after which a file counts as written

Show = Callable[[str, tuple[Diagnostic, ...]], None]


class Models:
    """The models that were linted, what is shown for each, and the lints under way.

    Args:
        show: replaces what the client sees for a path.
        spawn: starts a task of the server.
    """

    def __init__(
        self, configuration: Configuration, show: Show, spawn: Callable[[Coroutine], asyncio.Task]
    ) -> None:
        self.configuration = configuration
        self.show = show
        self.spawn = spawn
        self.findings: dict[str, tuple[Diagnostic, ...]] = {}
        self.children = Children()
        self._tasks: dict[str, asyncio.Task] = {}

    def changed(self, path: str) -> None:
        """Lints the model once it is written; an older lint of it is cancelled."""
        self._cancel(path)
        self._tasks[path] = task = self.spawn(self._when_written(path))
        task.add_done_callback(lambda done: self._tasks.pop(path) if self._tasks.get(path) is done else None)

    def removed(self, path: str) -> None:
        """Forgets a model that is gone or closed, and cancels its lint."""
        self._cancel(path)
        if self.findings.pop(path, None) is not None:
            self.show(path, ())

    def again(self) -> None:
        """Lints all known models again: the settings changed."""
        for path in [*self.findings, *self._tasks]:
            self.changed(path)

    def _cancel(self, path: str) -> None:
        if task := self._tasks.pop(path, None):
            task.cancel()

    async def _when_written(self, path: str) -> None:
        if not await written(path):
            self.removed(path)
            return
        settings = self.configuration.resolve(path)
        if self.configuration.excludes(path, settings):
            return
        async with self.children.one(settings) as child:
            found = await self._run(child, path, settings)
        self._replace(path, found)

    async def _run(self, child: AsyncWorker, path: str, settings: Settings) -> tuple[Diagnostic, ...]:
        stage = Stage("starting", ())
        try:
            async with aclosing(child.steps("lint_model", path=path, settings=settings)) as stages:
                async for stage in stages:
                    # What stands in between only ever adds to what is shown: nothing flickers.
                    if set(self.findings.get(path, ())) < set(stage.findings):
                        self._replace(path, stage.findings)
        except ChildDied as death:
            return tuple(after_death(path, settings, stage, str(death)))
        return stage.findings

    def _replace(self, path: str, findings: tuple[Diagnostic, ...]) -> None:
        if self.findings.get(path) != findings:
            self.findings[path] = findings
            self.show(path, findings)


class Children:
    """At most `CHILDREN` child processes, started when needed, ended when idle."""

    def __init__(self) -> None:
        self._idle: list[AsyncWorker] = []
        self._slots = asyncio.Semaphore(CHILDREN)
        self._reaper: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task] = set()

    @asynccontextmanager
    async def one(self, settings: Settings) -> AsyncIterator[AsyncWorker]:
        """A child with the limits of `settings`, for one task."""
        async with self._slots:
            child = self._idle.pop() if self._idle else AsyncWorker(settings.native_timeout, settings.native_memory)
            child.timeout, child.memory = settings.native_timeout, settings.native_memory
            try:
                yield child
            finally:
                self._idle.append(child)
                self._reap_later()

    def _reap_later(self) -> None:
        if self._reaper:
            self._reaper.cancel()
        self._reaper = asyncio.get_running_loop().call_later(IDLE_TIME, self._reap)

    def _reap(self) -> None:
        while self._idle:
            task = asyncio.ensure_future(self._idle.pop().close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def written(path: str) -> bool:
    """Waits until the file's size and mtime stay the same (exporters write for seconds); False if it is gone."""
    before = _state(path)
    while before is not None:
        await asyncio.sleep(STABLE_TIME)
        after = _state(path)
        if after == before:
            return True
        before = after
    return False


def _state(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        # A dangling link is a finding; a file that vanished is not.
        return (-1, -1) if os.path.islink(path) else None
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns
