"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import time
from io import TextIOBase

DELAY = 0.5  # seconds before the first line: short runs show nothing
PAUSE = 0.1  # seconds between two lines
CLEAR = "\r\x1b[2K"


class Progress:
    """Called with (done, total); a context manager that wipes the line in the end. Silent where nobody watches."""

    def __init__(self, stream: TextIOBase, hidden: bool = False) -> None:
        self._stream = stream
        self._off = hidden or not stream.isatty()
        self._next = time.monotonic() + DELAY
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._stream.write(CLEAR)
            self._stream.flush()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._off or now < self._next or done == total:
            return
        self._next = now + PAUSE
        self._drawn = True
        self._stream.write(f"{CLEAR}linting {done}/{total}")
        self._stream.flush()
