"""Puts a finished model where the person wants it: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile

from onnx_lsp import atomic
from onnx_lsp.actions.crew import ActionError, Crew

COPY_BYTES = 2**24  # between two looks at whether the action was cancelled


def default_output(model: str) -> str:
    """`model.opt.onnx` beside `model.onnx`."""
    stem, suffix = os.path.splitext(model)
    return f"{stem}.opt{suffix}"


def check_place(target: str) -> None:
    """Finds out before the work, not after it, that nothing can be written there.

    Raises:
        ActionError: it cannot.
    """
    folder = os.path.dirname(os.path.abspath(target))
    if not os.path.isdir(folder):
        raise ActionError(f"{target}: there is no folder `{folder}`")
    if os.path.isdir(target) or not os.access(folder, os.W_OK):
        raise ActionError(f"{target}: cannot be written")


def publish(source: str, target: str, crew: Crew) -> None:
    """Puts a finished model in its place, its weights first: whole, or, when cancelled before the end, not at all.

    Raises:
        ActionError: it cannot be written.
        Cancelled: the action was cancelled.
    """
    pairs = [(source + suffix, target + suffix) for suffix in (".data", "") if os.path.exists(source + suffix)]
    folder = os.path.dirname(os.path.abspath(target))
    copies: list[str] = []
    atomic.sweep(folder)
    try:
        for original, place in pairs:
            handle, temporary = tempfile.mkstemp(prefix=f"{atomic.PREFIX}{os.getpid()}-", dir=folder)
            copies.append(temporary)
            with os.fdopen(handle, "wb") as written, open(original, "rb") as file:
                while chunk := file.read(COPY_BYTES):
                    crew.check()
                    written.write(chunk)
            os.chmod(temporary, atomic.mode(place))
        for temporary, (_, place) in zip(copies, pairs):
            os.replace(temporary, place)
    except OSError as error:
        raise ActionError(f"{target}: cannot be written: {(error.strerror or str(error)).lower()}") from None
    finally:
        for temporary in copies:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
