"""The blocking parent: a child process that is started once, given tasks, and killed when it takes too long."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator

from onnx_lsp.work import frames, limits
from onnx_lsp.work.child import DONE, FAILED

PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOOT = "import sys; sys.path.append(sys.argv[1]); from onnx_lsp.work.child import main; main(int(sys.argv[2]))"


class ChildDied(RuntimeError):
    """The child ended, failed or was killed before its task was done; the message says how."""


def command(python: str = "") -> list[str]:
    """How to start a child of this process, in another environment if `python` names its interpreter.

    `-P` keeps the working directory off its import path.
    """
    return [python or sys.executable, "-P", "-c", BOOT, PACKAGE_PARENT, str(os.getpid())]


class Worker:
    """A supervised child for blocking callers.

    Args:
        timeout: seconds without a step after which the child is killed.
        memory: private memory limit in MB.
        python: the interpreter of another environment (one with another onnxruntime, say).
    """

    def __init__(self, timeout: float, memory: int, python: str = "") -> None:
        self.timeout = timeout
        self.memory = memory
        self.python = python
        self._process: subprocess.Popen | None = None
        self._frames: queue.SimpleQueue = queue.SimpleQueue()

    def start(self) -> None:
        """Starts the child if none is running; it loads while the caller goes on."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = subprocess.Popen(
            command(self.python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("ONNX_LINT_DEBUG") else subprocess.DEVNULL,
        )
        self._frames = queue.SimpleQueue()
        threading.Thread(target=_pump, args=(self._process.stdout, self._frames), daemon=True).start()

    def steps(self, task: str, **arguments: object) -> Iterator[object]:
        """Runs a task and yields its steps.

        Raises:
            ChildDied: the child crashed, ran out of time or memory, or the task failed.
        """
        self.start()
        process, received = self._process, self._frames
        try:
            frames.write(process.stdin, (task, arguments, self.memory))
        except OSError:
            raise self._died(process) from None
        while True:
            try:
                message = received.get(timeout=self.timeout)
            except queue.Empty:
                self.close()
                raise ChildDied(f"took longer than {self.timeout:g} s") from None
            if message is None:
                raise self._died(process)
            kind, value = message
            if kind == DONE:
                return
            if kind == FAILED:
                raise ChildDied(value)
            yield value

    def _died(self, process: subprocess.Popen) -> ChildDied:
        self._process = None
        return ChildDied(limits.describe_exit(process.wait()))

    @property
    def pid(self) -> int | None:
        """The running child's process id."""
        return self._process.pid if self._process is not None else None

    def kill(self) -> None:
        """Kills the child from another thread: whoever waits for a step gets `ChildDied`."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Kills the child."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process = None


def _pump(stream, received: queue.SimpleQueue) -> None:
    with stream:
        while (message := frames.read(stream)) is not None:
            received.put(message)
    received.put(None)
