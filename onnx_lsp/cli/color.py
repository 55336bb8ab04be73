"""Colours for terminals, and for nobody else: NO_COLOR, FORCE_COLOR, pipes and `--color` decide."""

from __future__ import annotations

import os
from io import TextIOBase

from onnx_lsp.diagnostics import Severity

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
OF_SEVERITY = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue", Severity.HINT: "cyan"}


class Paint:
    """Wraps text in escape codes if `on`, or leaves it alone."""

    __slots__ = ("on",)

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, text: str, *styles: str) -> str:
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(CODES[style] for style in styles)}m{text}\x1b[0m"


def paint_for(stream: TextIOBase, wish: str = "auto") -> Paint:
    """How to print on `stream`; see https://no-color.org and https://force-color.org.

    Args:
        wish: `--color`: auto, always or never; it outweighs the environment.
    """
    if wish != "auto":
        return Paint(wish == "always")
    if os.environ.get("NO_COLOR"):
        return Paint(False)
    if os.environ.get("FORCE_COLOR"):
        return Paint(True)
    return Paint(stream.isatty() and os.environ.get("TERM") != "dumb")
