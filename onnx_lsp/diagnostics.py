"""What a lint run returns: plain, frozen data that the CLI and the server both print.

Positions are 0-based lines and 0-based columns in Unicode code points; `cli` and `server` convert them at the edge
(1-based for people and JSON, the negotiated encoding for LSP).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.IntEnum):
    """How bad a finding is. The numbers are LSP's `DiagnosticSeverity`; smaller is worse."""

    ERROR = 1
    WARNING = 2
    INFO = 3
    HINT = 4

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, label: str) -> Severity:
        """The severity with this label (`error`, `warning`, `info`, `hint`).

        Raises:
            KeyError: no severity has this label.
        """
        return cls[label.upper()]


class Applicability(enum.Enum):
    """How far a fix may be trusted; see docs/architecture.md, invariant 8."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text: 0-based line, 0-based column in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class TextRange:
    """A half-open range of a text."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace `range` of a script, or of the code cell `cell` of a notebook, by `text`."""

    range: TextRange
    text: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class ModelEdit:
    """A repair of a model: the fix function `code`/`key` applied at the model path `at`.

    `digest` identifies the bytes of the file that was linted: a file that changed since is not touched.
    """

    code: str
    key: str
    at: str
    arguments: tuple[tuple[str, object], ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair that can be previewed: text edits for a script, or one edit of a model. `key` names it on the card."""

    title: str
    applicability: Applicability
    edits: tuple[TextEdit, ...] = ()
    model: ModelEdit | None = None
    preferred: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """A further place that belongs to a finding: its cause, or another place with the same cause."""

    file: str
    message: str
    range: TextRange | None = None
    location: str | None = None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    A finding in a script has a `range`; a finding in a model has a `location`, the model path of what it is about
    (`graph/node[5]`, `graph/initializer["w"]`). A finding about the file itself has neither. `subject` is the item of
    the model as one line, by names and op, without its index: `y = Conv(x, w)`. In a notebook, `cell` is the number of
    a code cell, from 1, and `range` counts in its source.
    """

    file: str
    code: str
    name: str
    severity: Severity
    message: str
    range: TextRange | None = None
    location: str | None = None
    fixes: tuple[Fix, ...] = ()
    related: tuple[Related, ...] = ()
    card: str = ""
    subject: str = ""
    cell: int | None = None

    @property
    def sort_key(self) -> tuple:
        start = self.range.start if self.range else Position(0, 0)
        return (self.file, self.cell or 0, start, natural(self.location or ""), self.code, self.message)


def natural(path: str) -> tuple:
    """A sort key in which `node[10]` comes after `node[9]`."""
    key: list = []
    digits = ""
    for char in path:
        if char.isascii() and char.isdigit():
            digits += char
            continue
        if digits:
            key.append((0, int(digits), ""))
            digits = ""
        key.append((1, 0, char))
    if digits:
        key.append((0, int(digits), ""))
    return tuple(key)
