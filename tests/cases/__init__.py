"""Models that ONNX text cannot say, by name: what the `builder` examples of the cards and the tests lint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cases import broken, external, files, weights


def build(name: str, path: Path) -> None:
    """Writes the case called `name` to `path`."""
    find(name)(path)


def find(name: str) -> Callable[[Path], None]:
    """The builder called `name`: a function of a module of this package that takes the path to write."""
    for module in (files, weights, broken, external):
        if callable(builder := getattr(module, name, None)):
            return builder
    raise LookupError(f"no case is called {name}")
