"""A script's text as bytes, trees and positions: what every other module of this package stands on.

The grammar works on UTF-8 bytes, people count lines and characters; `Source` keeps both and converts. Parsing never
fails: a text with a syntax error is split at the starts of its top-level statements and every piece is parsed by
itself, so that a fault in one piece leaves the others as they were.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from onnx_lsp.diagnostics import Position, TextRange
from onnx_lsp.script.grammar import LANGUAGE, Node, Parser, Point, Range, Tree

Span = tuple[int, int]

STRING_OR_COMMENT = re.compile(
    rb"('''|\"\"\")(?:\\.|(?!\1).)*\1|#[^\n]*|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL
)
PIECE = re.compile(rb"^(?!else\b|elif\b|except\b|finally\b)[^\s#)\]}]", re.MULTILINE)
INDENTED = re.compile(rb"^([ \t]+)[^\s#*]", re.MULTILINE)
# Starts a piece even inside what looks like a string: with a stray ''' above, every real string looks inside out.
CERTAIN_PIECE = re.compile(rb"^(?:(?:async )?def \w+\(|class \w+[:(]|if __name__\b)", re.MULTILINE)


class Source:
    """The text of a script and its syntax trees.

    Attributes:
        text: as it was given.
        path: the file that it is from, where that matters.
        data: the same as UTF-8, with a lone carriage return (a line end too) as a newline; offsets are equal.
        statements: the top-level statements of the file, in order.
        broken: the grammar found an error somewhere.
    """

    def __init__(self, text: str, path: str = "") -> None:
        self.text = text
        self.path = path
        self.ascii = text.isascii()
        data = text.encode("utf-8", "surrogatepass")
        if b"\r" in data:
            data = re.sub(rb"\r(?!\n)", b"\n", data)
        self.data = data
        self._starts: list[int] | None = None
        tree = Parser(LANGUAGE).parse(data)
        self.broken = tree.root_node.has_error
        self.statements: list[Node] = tree.root_node.children
        self._parts: list[tuple[int, Tree]] = [(0, tree)]
        if self.broken:
            self._split()

    def _split(self) -> None:
        """Keeps the statements above the first error, and parses every piece from there on by itself."""
        error = next((node.start_byte for node in self.statements if node.has_error), len(self.data))
        pieces = _piece_starts(self.data)
        first = bisect_right(pieces, error) - 1
        self.statements = [node for node in self.statements if node.end_byte <= pieces[first]]
        bounds = [*zip(pieces[first:], [*pieces[first + 1 :], len(self.data)], strict=True)]
        for (start, _), tree in zip(bounds, _pieces(self.data, self.starts, bounds), strict=True):
            self._parts.append((start, tree))
            self.statements += tree.root_node.children

    @cached_property
    def newline(self) -> str:
        """The line end of this file."""
        return "\r\n" if b"\r\n" in self.data else "\n"

    @cached_property
    def indent(self) -> str:
        """One step of this file's indentation: that of the first line that has one."""
        first = INDENTED.search(self.data)
        step = first[1].decode() if first is not None else ""
        return step if step in ("\t", "  ", "    ") else "    "

    def of(self, node: Node) -> str:
        """The text of a node."""
        start, end = node.start_byte, node.end_byte
        return self.text[start:end] if self.ascii else self.data[start:end].decode("utf-8", "surrogatepass")

    def slice(self, start: int, end: int) -> str:
        """The text between two byte offsets."""
        if self.ascii:
            return self.text[start:end]
        return self.data[start:end].decode("utf-8", "surrogatepass")

    @property
    def starts(self) -> list[int]:
        """Byte offsets of the line starts."""
        if self._starts is None:
            starts, at = [0], self.data.find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.data.find(b"\n", at + 1)
            self._starts = starts
        return self._starts

    def line_of(self, offset: int) -> int:
        """The 0-based line of a byte offset."""
        return bisect_right(self.starts, offset) - 1

    def line_span(self, line: int) -> Span:
        """The byte offsets of a line, without its line end."""
        start = self.starts[line]
        end = self.starts[line + 1] - 1 if line + 1 < len(self.starts) else len(self.data)
        return start, end - 1 if self.data[end - 1 : end] == b"\r" and end > start else end

    def position(self, offset: int) -> Position:
        """The line and column, in code points, of a byte offset."""
        line = self.line_of(offset)
        start = self.starts[line]
        return Position(line, offset - start if self.ascii else len(self.slice(start, offset)))

    def range(self, at: Node | Span) -> TextRange:
        """The text range of a node, or of a pair of byte offsets."""
        start, end = at if isinstance(at, tuple) else (at.start_byte, at.end_byte)
        return TextRange(self.position(start), self.position(end))

    def offset(self, position: Position) -> int:
        """The byte offset of a position; past the end of a line, the line's end."""
        start, end = self.line_span(min(position.line, len(self.starts) - 1))
        if self.ascii:
            return min(start + position.column, end)
        return start + len(self.slice(start, end)[: position.column].encode("utf-8", "surrogatepass"))

    def node_at(self, start: int, end: int) -> Node | None:
        """The smallest node that covers these bytes, or None between the pieces of a broken text."""
        part = bisect_right(self._parts, start, key=lambda part: part[0]) - 1
        root = self._parts[part][1].root_node
        inside = root.start_byte <= start and end <= root.end_byte
        return root.descendant_for_byte_range(start, end) if inside else None

    def statement_of(self, node: Node) -> Node:
        """The statement that a node stands in: the nearest ancestor, or itself, in a block or at the top."""
        while node.parent is not None and node.parent.type not in ("module", "block"):
            node = node.parent
        return node


def _pieces(data: bytes, lines: list[int], bounds: list[Span]) -> list[Tree]:
    """One tree for every piece of the text; all offsets are those of the whole."""
    parser = Parser(LANGUAGE)
    trees = []
    for start, end in bounds:
        first, last = (Point(bisect_right(lines, at) - 1, 0) for at in (start, end))
        parser.included_ranges = [Range(first, last, start, end)]
        trees.append(parser.parse(data))
    return trees


def _piece_starts(data: bytes) -> list[int]:
    strings = [match.span() for match in STRING_OR_COMMENT.finditer(data) if match[1]]
    opens = [start for start, _ in strings]
    found = [0]
    decorated = False
    for match in PIECE.finditer(data):
        start = match.start()
        inside = bisect_right(opens, start) - 1
        in_string = inside >= 0 and opens[inside] < start < strings[inside][1]
        if in_string and not CERTAIN_PIECE.match(data, start):
            continue
        if not decorated and start:
            found.append(start)
        decorated = match[0] == b"@"
    return found
