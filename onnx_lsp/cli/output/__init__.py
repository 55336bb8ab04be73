"""One module per format, each with `render(findings, context) -> str`. Paths are relative to the working directory."""

from __future__ import annotations

import os
from collections.abc import Callable

from onnx_lsp.cli.color import Paint
from onnx_lsp.diagnostics import Diagnostic, Related
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

    def text(self, item: Diagnostic) -> str:
        """The script, or the cell of a notebook, that a finding is in; empty where it cannot be read any more."""
        try:
            if item.cell is None:
                return self.workspace.read(item.file).text
            from onnx_lsp.script.notebook import text_at

            return text_at(self.workspace, item.file, item.cell)
        except OSError:
            return ""

    def lines(self, item: Diagnostic | Related) -> tuple[int, int]:
        """The first and last line (from 1) of a finding in its file: in the JSON of a notebook; 1 without a range."""
        if item.range is None:
            return 1, 1
        if item.cell is None:
            return item.range.start.line + 1, item.range.end.line + 1
        from onnx_lsp.script.notebook import file_lines

        try:
            return file_lines(self.workspace.read(item.file).text, item.cell, item.range)
        except OSError:
            return 1, 1


def place(item: Diagnostic | Related) -> str:
    """Where a finding is: `file:line:column`, `file:cell 3:line:column` or `file: model path`."""
    path = shown_path(item.file)
    if item.range is None:
        return f"{path}: {item.location}" if item.location else path
    cell = f":cell {item.cell}" if item.cell else ""
    return f"{path}{cell}:{item.range.start.line + 1}:{item.range.start.column + 1}"


def where(item: Diagnostic) -> str:
    """What stands before a message where only files and lines are known: the model path, or the cell."""
    if item.cell and item.range:
        return f"cell {item.cell}, line {item.range.start.line + 1}: "
    return f"{item.location}: " if item.location else ""


def shown_path(path: str) -> str:
    """The path as it is printed: relative to the working directory, with forward slashes on every system."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        relative = path
    return relative.replace(os.sep, "/")
