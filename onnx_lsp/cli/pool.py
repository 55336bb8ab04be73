"""Children on all cores: each thread drives one supervised child and gives it the next batch of files."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator

from onnx_lsp import engine
from onnx_lsp.cli.lint import dead
from onnx_lsp.cli.tasks import Mode, Result, Work
from onnx_lsp.work.worker import ChildDied, Worker

BATCH = 24  # scripts per task: enough to hide the pipe, few enough to keep all cores busy to the end
TASK = "onnx_lsp.cli.tasks:process"


class Pool:
    """Works through files. A context manager: leaving it kills the children.

    Args:
        work: files with their settings.
        jobs: how many children at most.
    """

    def __init__(self, work: list[Work], mode: Mode, jobs: int) -> None:
        self._mode = mode
        self._count = len(work)
        self._batches = _batches(work, jobs)
        self._stopped = False
        self._done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
        limits = work[0][1]
        count = max(1, min(jobs, self._batches.qsize()))
        self._workers = [Worker(limits.native_timeout, limits.native_memory) for _ in range(count)]
        self._threads = [threading.Thread(target=self._drive, args=(worker,), daemon=True) for worker in self._workers]

    def __enter__(self) -> Pool:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        for worker in self._workers:
            worker.kill()
        for thread in self._threads:
            thread.join()

    def results(self) -> Iterator[Result]:
        """One result per file, as they come."""
        for _ in range(self._count):
            result = self._done.get()
            if isinstance(result, BaseException):
                raise result
            yield result

    def _drive(self, worker: Worker) -> None:
        """Runs in its own thread: Linux ends a child with the thread that started it, so it starts and ends here."""
        try:
            while not self._stopped:
                self._run(worker, self._batches.get_nowait())
        except queue.Empty:
            pass
        except BaseException as error:  # handed to whoever waits for results
            self._done.put(error)
        finally:
            worker.close()

    def _run(self, worker: Worker, batch: list[Work]) -> None:
        """One batch. If the child dies, the file that it died on is blamed and the rest goes to a new child."""
        while batch and not self._stopped:
            path, settings = batch[0]
            worker.timeout, worker.memory = settings.native_timeout, settings.native_memory
            stage = None
            try:
                for step in worker.steps(TASK, work=batch, mode=self._mode):
                    if isinstance(step, Result):
                        self._done.put(step)
                        batch = batch[1:]
                        stage = None
                    else:
                        stage = step
                return
            except (ChildDied, OSError) as error:
                path, settings = batch[0]
                self._done.put(dead(path, settings, stage, _how(error)))
                batch = batch[1:]


def _how(error: ChildDied | OSError) -> str:
    if isinstance(error, OSError):
        return f"failed: no process can be started ({engine.os_reason(error)})"
    return str(error)


def _batches(work: list[Work], jobs: int) -> queue.SimpleQueue[list[Work]]:
    """Models one by one, the largest first; scripts of equal limits in batches."""
    batches: queue.SimpleQueue[list[Work]] = queue.SimpleQueue()
    models = [item for item in work if engine.kind_of(item[0]) == "model"]
    for item in sorted(models, key=lambda item: (-_size(item[0]), item[0])):
        batches.put([item])
    scripts = [item for item in work if engine.kind_of(item[0]) == "script"]
    size = max(1, min(BATCH, -(-len(scripts) // (2 * jobs))))
    by_limits: dict[tuple[float, int], list[Work]] = {}
    for item in scripts:
        by_limits.setdefault((item[1].native_timeout, item[1].native_memory), []).append(item)
    for group in by_limits.values():
        for start in range(0, len(group), size):
            batches.put(group[start : start + size])
    return batches


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
