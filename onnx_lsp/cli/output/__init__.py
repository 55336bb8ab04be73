"""One module per format, each with `render(findings, context) -> str`. Paths are relative to the working directory."""

from __future__ import annotations

import os
from collections.abc import Callable

from onnx_lsp.cli.color import Paint
from onnx_lsp.rulebook import Rulebook
from onnx_lsp.workspace import Workspace

FORMATS = ("full", "concise", "json", "github", "gitlab", "sarif", "junit")
FOR_PEOPLE = frozenset({"full", "concise"})


class Context:
    """What a format may need besides the findings.

    Attributes:
        paint: colours, or none.
        book: the rulebook of a file.
        workspace: reads the scripts whose lines are shown.
        files: every file that was linted.
    """

    __slots__ = ("book", "files", "paint", "workspace")

    def __init__(
        self, paint: Paint, book: Callable[[str], Rulebook], workspace: Workspace, files: tuple[str, ...] = ()
    ) -> None:
        self.paint, self.book, self.workspace, self.files = paint, book, workspace, files


def shown_path(path: str) -> str:
    """The path as it is printed: relative to the working directory, with forward slashes on every system."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        relative = path
    return relative.replace(os.sep, "/")
