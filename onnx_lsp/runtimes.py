"""Asks the installed onnxruntime what it is. A task of a child: importing a native library is never the parent's business."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed onnxruntime: its version, and its execution providers in the order in which it prefers them."""

    version: str
    providers: tuple[str, ...]


def installed() -> Iterator[Installed | None]:
    """Yields what is installed; None where no onnxruntime is."""
    try:
        import onnxruntime
    except ModuleNotFoundError:
        yield None
        return
    yield Installed(onnxruntime.__version__, tuple(onnxruntime.get_available_providers()))
