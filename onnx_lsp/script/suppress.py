"""`# onnx-lint: ignore[…]` comments: which findings they take away.

On a line of the finding, or on the first or last line of the statement that it is in, a comment is for that finding; on
a line of its own it is for the next statement; `ignore-file`, or a line of its own above the first statement, is for
the file.
"""

from __future__ import annotations

import re

from onnx_lsp.diagnostics import Diagnostic, TextEdit
from onnx_lsp.script.source import Source, Span

COMMENT = re.compile(rb"#[^\n]*?\bonnx-lint:\s*(ignore(?:-file)?)\b(?:\[([^\]\n]*)\])?")
SELF = ("FIL010", "unused-suppression")
COMPOUND = (
    "_definition", "if_statement", "for_statement", "while_statement", "try_statement", "with_statement",
    "match_statement",
)  # fmt: skip


class Suppression:
    """One comment.

    Attributes:
        line, lines: where it stands, and the lines it is for (0-based, None for the whole file).
        names: what it names; empty for everything.
        match: where `# … onnx-lint: ignore[…]` stands in the source.
    """

    __slots__ = ("line", "lines", "names", "match")

    def __init__(self, line: int, lines: range | None, names: tuple[str, ...], match: re.Match[bytes]) -> None:
        self.line, self.lines, self.names, self.match = line, lines, names, match

    def covers(self, code: str, name: str) -> bool:
        return not self.names or any(means(wanted, code, name) for wanted in self.names)


def means(selector: str, code: str, name: str) -> bool:
    """Whether a name in a comment stands for a rule: its name, its code, a prefix of it, or ALL."""
    return selector.lower() == name or code.startswith(selector.upper()) or selector.upper() == "ALL"


def suppressions(source: Source) -> list[Suppression]:
    """All comments of the file that suppress something."""
    if b"onnx-lint" not in source.data:
        return []
    found = []
    first = next((node.start_byte for node in source.statements if node.type != "comment"), len(source.data))
    for match in COMMENT.finditer(source.data):
        node = source.node_at(match.start(), match.end())
        if node is not None and "string" in node.type:
            continue
        names = tuple(name.strip() for name in (match[2] or b"").decode("utf-8", "replace").split(",") if name.strip())
        line = source.line_of(match.start())
        alone = not source.data[source.starts[line] : match.start()].strip()
        if match[1] == b"ignore-file" or (alone and match.start() < first):
            found.append(Suppression(line, None, names, match))
        else:
            lines = _next_lines(source, line) if alone else range(line, line + 1)
            found.append(Suppression(line, lines, names, match))
    return found


def _next_lines(source: Source, line: int) -> range:
    """The lines of the next statement after a comment on a line of its own."""
    following = line + 1
    while following < len(source.starts):
        start, end = source.line_span(following)
        text = source.data[start:end].strip()
        if text and not text.startswith(b"#"):
            break
        following += 1
    else:
        return range(line, line + 1)
    at = start + len(source.data[start:end]) - len(source.data[start:end].lstrip())
    node = source.node_at(at, at + 1)
    statement = source.statement_of(node) if node is not None else None
    if statement is None or statement.start_byte < at:
        return range(following, following + 1)
    return range(following, source.line_of(max(statement.end_byte - 1, at)) + 1)


def unsuppressed(source: Source, findings: list[Diagnostic]) -> list[Diagnostic]:
    """The findings that no comment takes away."""
    comments = suppressions(source) if findings else []
    if not comments:
        return findings
    return [item for item in findings if not any(_hides(comment, item, source) for comment in comments)]


class Idle:
    """A comment, or some names in one, that takes nothing away: what it names, where, and the edits that remove it."""

    __slots__ = ("names", "at", "edits")

    def __init__(self, names: list[str], at: Span, edits: tuple[TextEdit, ...]) -> None:
        self.names, self.at, self.edits = names, at, edits


def idle(source: Source, findings: list[Diagnostic], enabled: dict[str, str]) -> list[Idle]:
    """The comments that take nothing away.

    Args:
        findings: all of them, also those that comments take away.
        enabled: code -> name of the rules that ran: a comment about others may be needed when they do.
    """
    comments = suppressions(source)
    allowed = [comment for comment in comments if comment.names and comment.covers(*SELF)]
    found = []
    for comment in comments:
        if any(other.lines is None or comment.line in other.lines for other in allowed):
            continue
        hidden = [item for item in findings if _hides(comment, item, source)]
        useless = [
            name
            for name in comment.names
            if not any(means(name, item.code, item.name) for item in hidden)
            and any(means(name, *rule) for rule in enabled.items())
        ]
        if useless or not (comment.names or hidden):
            kept = tuple(name for name in comment.names if name not in useless)
            found.append(Idle(useless or ["everything"], *_removal(source, comment, kept)))
    return found


def _removal(source: Source, comment: Suppression, kept: tuple[str, ...]) -> tuple[Span, tuple[TextEdit, ...]]:
    """Where the comment stands, and the edit that leaves only the `kept` names of it."""
    match = comment.match
    begin = source.data.rindex(b"#", match.start(), match.start(1))
    _, end = source.line_span(comment.line)
    another = source.data.find(b"#", match.end(), end)
    stop = another if another >= 0 else end
    if kept:
        return (begin, match.end()), (TextEdit(source.range(match.span(2)), ", ".join(kept)),)
    line_start = source.starts[comment.line]
    start = begin if another >= 0 else line_start + len(source.data[line_start:begin].rstrip())
    if start == line_start and another < 0 and comment.line + 1 < len(source.starts):
        stop = source.starts[comment.line + 1]
    return (begin, match.end()), (TextEdit(source.range((start, stop)), ""),)


def _hides(comment: Suppression, item: Diagnostic, source: Source) -> bool:
    if not comment.covers(item.code, item.name):
        return False
    if comment.lines is None:
        return True
    if item.range is None:
        return False
    lines = {*range(item.range.start.line, item.range.end.line + 1)}
    start, end = source.offset(item.range.start), source.offset(item.range.end)
    node = source.node_at(start, end)
    if node is not None:
        statement = source.statement_of(node)
        if not any(part in statement.type for part in COMPOUND):
            lines |= {source.line_of(statement.start_byte), source.line_of(statement.end_byte)}
    return any(line in comment.lines for line in lines)
