"""What a child can be asked to do: generators that yield their steps. Heavy imports stay inside the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onnx_lsp.settings import Settings


def lint_model(path: str, settings: Settings) -> Iterator[object]:
    """The stages of linting one model (`engine.Stage`)."""
    from onnx_lsp import engine
    from onnx_lsp.workspace import Workspace

    yield from engine.lint_model(path, settings, Workspace())


TASKS = {"lint_model": lint_model}


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
