"""The stages of linting one model: wire facts, then structure, then the native checks, then weights."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp.engine import Run, Stage, os_reason
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace


def stages(path: str, settings: Settings, workspace: Workspace) -> Iterator[Stage]:
    """Yields every stage with all findings so far."""
    run = Run(path, settings, locate=lambda at: at if isinstance(at, str) else at.path)
    yield Stage("reading", ())
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        run.say("FIL001", "unreadable", reason=os_reason(error))
    yield Stage("done", tuple(run.findings()))
