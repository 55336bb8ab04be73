"""What a child can be asked to do: generators that yield their steps. Heavy imports stay inside the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.settings import Settings


def lint_model(path: str, settings: Settings) -> Iterator[object]:
    """The stages of linting one model (`engine.Stage`)."""
    from onnx_lsp import engine
    from onnx_lsp.workspace import Workspace

    yield from engine.lint_model(path, settings, Workspace())


def fix_model(path: str, edits: list[ModelEdit], write: bool) -> Iterator[object]:
    """Applies fixes to one model (`model.fixes.Applied`)."""
    from onnx_lsp.model import fixes

    yield fixes.apply_fixes(path, edits, write)


def view_model(path: str) -> Iterator[object]:
    """One model as text (`model.text.Text`), without its weights; a comment says why there is none."""
    from onnx_lsp.engine import os_reason
    from onnx_lsp.model import reading, text

    try:
        found = reading.read(path)
        reason = None if found.usable else reading.why_not(found)
    except OSError as error:
        reason = os_reason(error)
    yield text.Text([f"# no ONNX model: {reason}"], {}) if reason else text.render(found.model, text.VIEW)


TASKS = {"lint_model": lint_model, "fix_model": fix_model, "view_model": view_model}


def find(name: str) -> Callable[..., Iterator[object]]:
    """The task called `name`: one of `TASKS`, or a function named as `module:function`.

    Raises:
        ImportError, AttributeError: there is no such module or function.
    """
    if name in TASKS:
        return TASKS[name]
    from importlib import import_module

    module, _, function = name.partition(":")
    return getattr(import_module(module), function)
