"""Long work in a thread: its progress on the client's screen, and its end as soon as nobody wants it any more."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Self, TypeVar

from lsprotocol import types

from onnx_lsp.actions.crew import Cancelled, Progress

Result = TypeVar("Result")

requested: ContextVar[types.ProgressToken | None] = ContextVar("requested", default=None)
"""The token under which the client that sent the present request wants to hear of its progress."""


async def perform(ls, title: str, work: Callable[[Progress, threading.Event], Result]) -> Result:
    """Runs `work(progress, cancel)` in a thread.

    When the task or the client's progress is cancelled, `cancel` is set; the client hears that it is cancelled once
    the work has ended and taken away what it left.

    Raises:
        asyncio.CancelledError: it was cancelled.
    """
    cancel = threading.Event()
    async with _Bar(ls, title, cancel) as bar:
        thread = asyncio.ensure_future(asyncio.to_thread(work, bar.show, cancel))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            cancel.set()
            await asyncio.wait([thread])
            thread.exception()  # nobody asks any more how it ended
            raise
        except Cancelled:
            raise asyncio.CancelledError from None


class _Bar:
    """The client's progress for one piece of work; silent where the client has none."""

    def __init__(self, ls, title: str, cancel: threading.Event) -> None:
        self._ls = ls
        self._title = title
        self._cancel = cancel
        self._loop = asyncio.get_running_loop()
        self._token = requested.get()
        self._percentage = 0

    async def __aenter__(self) -> Self:
        if self._token is None and self._ls.client.progress:
            self._token = str(uuid.uuid4())
            await self._ls.work_done_progress.create_async(self._token)
        if self._token is not None:
            begin = types.WorkDoneProgressBegin(self._title, cancellable=True, percentage=0)
            self._ls.work_done_progress.begin(self._token, begin)
            self._ls.work_done_progress.tokens[self._token].add_done_callback(lambda _: self._cancel.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._token is not None:
            self._ls.work_done_progress.tokens.pop(self._token)
            self._ls.work_done_progress.end(self._token, types.WorkDoneProgressEnd())

    def show(self, text: str, share: float) -> None:
        """Says from the thread what is going on and how much of the whole is done; that never shrinks."""
        self._loop.call_soon_threadsafe(self._show, text, round(100 * share))

    def _show(self, text: str, percentage: int) -> None:
        if self._token in self._ls.work_done_progress.tokens:
            self._percentage = max(self._percentage, percentage)
            self._ls.work_done_progress.report(
                self._token, types.WorkDoneProgressReport(message=text, percentage=self._percentage)
            )
