"""One module per format, each with `render(findings) -> str`. Paths are relative to the working directory."""

from __future__ import annotations

import os

FORMATS = ("concise", "json")


def shown_path(path: str) -> str:
    """The path as it is printed: relative to the working directory, with forward slashes on every system."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        relative = path
    return relative.replace(os.sep, "/")
