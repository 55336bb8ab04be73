"""The children of one action: hired one by one, all gone at the end, and at once when the action is cancelled."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Self

from onnx_lsp.work.worker import ChildDied, Worker

Progress = Callable[[str, float], None]  # what is going on, and how much of the whole is done (0 to 1)

POLL_SECONDS = 0.05
MAX_BESIDE = 4 * 2**30  # bytes; a folder of many models is not one model's weights
MISSING_EXTRA = "pip install 'onnx-lsp[optimize]'"


def part(progress: Progress, first: float, last: float) -> Progress:
    """Progress of a step that takes the whole from `first` to `last`."""
    return lambda text, share: progress(text, first + (last - first) * share)


def memory_for(models: Sequence[str], least: int) -> int:
    """The private memory in MB that a child may need: `least`, or six times the weights if that is more.

    Weights may lie in other files beside the model; all files of its folder are counted.
    """
    folders = {os.path.dirname(os.path.abspath(path)) for path in models}
    beside = [entry.stat().st_size for folder in folders for entry in os.scandir(folder) if entry.is_file()]
    largest = max((os.path.getsize(path) for path in models), default=0)
    weights = max(largest, min(sum(beside), MAX_BESIDE))
    return max(least, 2048 + 6 * weights // 2**20)


class ActionError(Exception):
    """An action that cannot be done; one sentence that says why and what to do."""


class Cancelled(Exception):
    """The person who started the action does not want it any more."""


class Crew:
    """Hires children, kills them when `cancel` is set, and when the `with` block ends.

    Args:
        cancel: set from another thread to stop the action; whoever waits for a child then gets `Cancelled`.
        timeout: seconds without a step after which a child is killed.
        memory: each child's private memory limit in MB.
    """

    def __init__(self, cancel: threading.Event | None, timeout: float, memory: int) -> None:
        self.timeout = timeout
        self.memory = memory
        self._cancel = cancel or threading.Event()
        self._closed = threading.Event()
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for worker in list(self._workers):
            self.dismiss(worker)

    def _watch(self) -> None:
        while not self._closed.is_set():
            if self._cancel.wait(POLL_SECONDS):
                for worker in list(self._workers):
                    worker.kill()
                self._closed.wait(POLL_SECONDS)  # again, for one that was being hired just now

    def check(self) -> None:
        """Raises `Cancelled` when somebody asked for it."""
        if self._cancel.is_set():
            raise Cancelled

    def hire(self, python: str = "", timeout: float | None = None) -> Worker:
        """A new child, already starting."""
        self.check()
        worker = Worker(timeout or self.timeout, self.memory, python)
        self._workers.append(worker)
        try:
            worker.start()
        except OSError as error:
            raise ActionError(f"cannot start `{python}`: {error.strerror or error}") from None
        return worker

    def dismiss(self, worker: Worker) -> None:
        """Kills a child that is no longer needed."""
        worker.close()
        self._workers.remove(worker)

    def ask(self, worker: Worker, task: str, **arguments: object) -> object:
        """Runs a task in a child and returns its last step.

        Raises:
            ChildDied: the child crashed, ran out of time or memory, or the task failed.
            Cancelled: the action was cancelled.
        """
        self.check()
        answer = None
        try:
            for answer in worker.steps(task, **arguments):
                pass
        except ChildDied:
            self.check()
            raise
        self.check()
        return answer

    def once(self, task: str, python: str = "", timeout: float | None = None, **arguments: object) -> object:
        """Runs a task in a child of its own, which is gone afterwards."""
        worker = self.hire(python, timeout)
        try:
            return self.ask(worker, task, **arguments)
        finally:
            self.dismiss(worker)
