"""What the commands that describe one model share: ask a supervised child, and say in one line what went wrong."""

from __future__ import annotations

from onnx_lsp.cli.main import complain
from onnx_lsp.settings import Settings
from onnx_lsp.work.worker import ChildDied, Worker


def ask(settings: Settings, task: str, **arguments: object) -> object:
    """The first step of a task, run in a child of its own.

    Raises:
        ChildDied: the child crashed, took too long, or failed.
    """
    worker = Worker(settings.native_timeout, settings.native_memory)
    try:
        return next(iter(worker.steps(task, **arguments)), None)
    finally:
        worker.close()


def about(path: str, settings: Settings, task: str, **arguments: object) -> object | None:
    """What a task says of a model; None, and a line on standard error, where the model cannot be described."""
    try:
        found = ask(settings, task, path=path, **arguments)
    except ChildDied as error:
        complain(f"{path}: the process that looked at the model {error}")
        return None
    if isinstance(found, str):
        complain(f"{path}: {found}")
        return None
    return found
