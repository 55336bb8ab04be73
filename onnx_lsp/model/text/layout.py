"""The lines of a text, and which line says what."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from onnx_lsp.diagnostics import Position, TextRange
from onnx_lsp.model.text.words import LIMIT, wrapped

INDENT = "  "
Span = tuple[int, int, int, int]  # first line, column, last line, column behind the end; 0-based


@dataclass(frozen=True, slots=True)
class Text:
    """A model as text.

    Attributes:
        lines: without line ends; none is longer than 1,000 characters.
        spans: model path -> where its item stands.
    """

    lines: list[str]
    spans: dict[str, Span] = field(repr=False)

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def find(self, path: str) -> TextRange | None:
        """Where the item at a model path stands; of one that is folded or part of another, the line that stands for it."""
        while path not in self.spans:
            path, separator, _ = outer(path)
            if not separator:
                return None
        first, start, last, end = self.spans[path]
        return TextRange(Position(first, start), Position(last, end))

    def path_at(self, line: int) -> str | None:
        """The innermost path whose item begins at or above a line; None above the first."""
        starts = sorted((span[0], span[1], path) for path, span in self.spans.items())
        at = bisect_right(starts, (line, LIMIT + 1, "")) - 1
        return starts[at][2] if at >= 0 else None


def outer(path: str) -> tuple[str, str, str]:
    """`graph/node[5]` -> `graph/node` (a fold's path) -> `graph`; a body -> the node that holds it."""
    if path.endswith("]") and not path.endswith('"]'):
        return path.rpartition("[")
    if path.endswith('"]'):
        return path.rpartition('["')
    slash, dot = path.rfind("/"), path.rfind(".")
    return path.rpartition("." if dot > slash else "/")


class Layout:
    """Takes items and puts them on lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.spans: dict[str, Span] = {}

    def add(self, text: str, depth: int, path: str = "", tail: str = "") -> None:
        """Adds an item: `text` is what the path spans, `tail` what follows it."""
        indent = INDENT * depth
        line = f"{indent}{text}{tail}"
        first = len(self.lines)
        if len(line) <= LIMIT:
            self.lines.append(line)
            end = len(line) - len(tail)
        else:
            self.lines += wrapped(line, indent + INDENT * 2)
            end = len(self.lines[-1]) - len(tail)
        if path and path not in self.spans:
            self.spans[path] = (first, len(indent), len(self.lines) - 1, end)

    def append(self, text: str) -> None:
        """Adds text to the last line, or below it where that would be too long."""
        if self.lines and len(self.lines[-1]) + len(text) <= LIMIT:
            self.lines[-1] += text
        else:
            self.lines.append(text)
