"""`# onnx-lint: ignore[…]` comments: which findings they take away.

On a line of the finding, or on the first or last line of the statement that it is in, a comment is for that finding; on a
line of its own it is for the next statement; `ignore-file`, or a line of its own above the first statement, is for the file.
"""

from __future__ import annotations

import re

from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.script.source import Source

COMMENT = re.compile(rb"#[^\n]*?\bonnx-lint:\s*(ignore(?:-file)?)\b(?:\[([^\]\n]*)\])?")
COMPOUND = ("_definition", "if_statement", "for_statement", "while_statement", "try_statement", "with_statement", "match_statement")


class Suppression:
    """One comment: the lines it is for (0-based, None for the whole file) and what it names (empty for everything)."""

    __slots__ = ("line", "lines", "names")

    def __init__(self, line: int, lines: range | None, names: tuple[str, ...]) -> None:
        self.line, self.lines, self.names = line, lines, names

    def covers(self, code: str, name: str) -> bool:
        return not self.names or any(
            wanted.lower() == name or code.startswith(wanted.upper()) for wanted in self.names
        )


def suppressions(source: Source) -> list[Suppression]:
    """All comments of the file that suppress something."""
    if b"onnx-lint" not in source.data:
        return []
    found = []
    first = next((node.start_byte for node in source.statements if node.type != "comment"), len(source.data))
    for match in COMMENT.finditer(source.data):
        node = source.node_at(match.start(), match.end())
        if node is not None and node.type != "comment" and node.start_byte < match.start() and "string" in node.type:
            continue
        names = tuple(name.strip() for name in (match[2] or b"").decode("utf-8", "replace").split(",") if name.strip())
        line = source.line_of(match.start())
        alone = not source.data[source.starts[line] : match.start()].strip()
        if match[1] == b"ignore-file" or (alone and match.start() < first):
            found.append(Suppression(line, None, names))
        else:
            found.append(Suppression(line, _next_lines(source, line) if alone else range(line, line + 1), names))
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
