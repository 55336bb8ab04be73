"""The child process: reads a task from stdin, writes its steps to stdout, until stdin closes.

The real stdout is kept for frames; whatever a native library prints goes to stderr.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from onnx_lsp.work import frames, limits

STEP, DONE, FAILED = "step", "done", "failed"


def main(parent: int) -> None:
    """Serves tasks for the process `parent`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limits.die_with_parent(parent)
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (request := frames.read(sys.stdin.buffer)) is not None:
        gc.collect()  # what the task before has left
        gc.freeze()  # what still stays will go on to stay
        serve(request, wire)


def serve(request: object, wire) -> None:
    """Runs one task `(name, arguments, memory limit in MB)`."""
    from onnx_lsp.work import tasks

    name, arguments, memory = request
    limits.cap_memory(memory)
    gc.disable()  # a model's objects live until its task is done: looking for garbage among them finds none
    try:
        for step in tasks.find(name)(**arguments):
            frames.write(wire, (STEP, step))
    except MemoryError:
        frames.write(wire, (FAILED, f"ran out of memory (limit {memory} MB)"))
    except Exception as error:  # the edge of the process: everything becomes a message to the parent
        frames.write(wire, (FAILED, f"failed: {type(error).__name__}: {error}"))
    else:
        frames.write(wire, (DONE, None))
