"""Cuts ONNX text into tokens. Never fails: what is no token is one of kind `bad`.

Source: ParserBase in onnx/defs/parser.h and parser.cc.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from onnx_lsp.diagnostics import Position, TextRange

NAME, STRING, INT, FLOAT, ELIDED, END, BAD = "name", "string", "int", "float", "elided", "end", "bad"

TOKEN = re.compile(
    r"""(?P<space>[ \t\n\v\f\r]+)
      | (?P<extra>\#@[^\n]*)
      | (?P<comment>\#[^\n]*)
      | (?P<string>e?"(?:[^"\\]|\\.)*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<float>-?[0-9]+(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)|-(?i:infinity|inf|nan)(?![A-Za-z0-9_]))
      | (?P<int>-?[0-9]+)
      | (?P<elided>\.\.\.[^\],>)\n]*)
      | (?P<mark>=>|[<>(){}\[\],:=.?@])
      | (?P<bad>"[^\n]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens, as three lists of equal length; the last token is of kind `end`.

    Attributes:
        kinds: one of the constants above, or the mark itself (`(`, `=>`).
        texts: as written.
        starts: offsets into the text.
        extras: token number -> the `#@` lines in front of it, continuation lines joined.
    """

    text: str
    kinds: list[str]
    texts: list[str]
    starts: list[int]
    extras: dict[int, list[tuple[int, str]]]
    _lines: list[int] = field(default_factory=list, repr=False)

    def position(self, offset: int) -> Position:
        """Line and column of an offset."""
        if not self._lines:
            self._lines.extend([0, *(match.end() for match in re.finditer("\n", self.text))])
        line = bisect_right(self._lines, offset) - 1
        return Position(line, offset - self._lines[line])

    def range(self, start: int, end: int) -> TextRange:
        """The range between two offsets."""
        return TextRange(self.position(start), self.position(end))

    def begins_line(self, number: int) -> bool:
        """Whether nothing but space stands before a token on its line."""
        start = self.starts[number]
        return not self.text[self.text.rfind("\n", 0, start) + 1 : start].strip()


def tokens(text: str) -> Tokens:
    """The tokens of a text."""
    kinds: list[str] = []
    texts: list[str] = []
    starts: list[int] = []
    extras: dict[int, list[tuple[int, str]]] = {}
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space" or kind == "comment":
            continue
        found = match.group()
        if kind == "extra":
            _extra(extras.setdefault(len(kinds), []), match.start(), found)
            continue
        kinds.append(found if kind == "mark" else kind)
        texts.append(found)
        starts.append(match.start())
    kinds.append(END)
    texts.append("")
    starts.append(len(text.rstrip()))
    return Tokens(text, kinds, texts, starts, extras)


def _extra(lines: list[tuple[int, str]], start: int, found: str) -> None:
    if found.startswith("#@+") and lines:
        lines[-1] = (lines[-1][0], lines[-1][1] + found[3:].removesuffix("\r"))
    else:
        lines.append((start, found[2:].lstrip().removesuffix("\r")))


ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


def unquoted(literal: str) -> bytes:
    """What a string literal means. ONNX's own: a backslash stands for the character behind it."""
    if not literal.startswith("e"):
        body = literal[1:-1]
        return (re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL) if "\\" in body else body).encode("utf-8", "surrogateescape")
    return ESCAPE.sub(_meant, literal[2:-1]).encode("utf-8", "surrogateescape")


def _meant(match: re.Match) -> str:
    byte, point, char = match.groups()
    if byte:
        value = int(byte, 16)
        return chr(value) if value < 0x80 else chr(0xDC00 + value)
    if point:
        code = int(point, 16)
        return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
    return CONTROL.get(char, char)
