"""For people: every finding with the line of the script, or the item of the model, that it is about.

error[EXP504] names-as-string: `input_names` is the string `x`; …
  --> export.py:36:52
   |
36 | torch.onnx.export(model, x, "m.onnx", input_names="x")
   |                                                   ^^^
   = fix: Wrap in a list (safe)
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

from onnx_lsp.cli.color import OF_SEVERITY
from onnx_lsp.cli.output import Context, place
from onnx_lsp.diagnostics import Applicability, Diagnostic, TextRange

TAB = "    "
WIDTH = 110  # columns of source that are shown
LEAD = 30  # columns before the span, where a long line is cut
MAX_LINES = 5  # of a span over several lines
MAX_RELATED = 5
MARGIN = 5


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as blocks, with a blank line between them."""
    return "\n\n".join("\n".join(_block(item, context)) for item in findings)


def _block(item: Diagnostic, context: Context) -> list[str]:
    paint, style = context.paint, OF_SEVERITY[item.severity]
    head = paint(f"{item.severity.label}[{item.code}]", style, "bold")
    lines = [f"{head} {paint(item.name, 'bold')}: {item.message}", f"  {paint('-->', 'blue')} {place(item)}"]
    body = _source(item, context) if item.range else _subject(item)
    bar = paint("|", "blue")
    if body:
        width = max(MARGIN - 2, *(len(number) for number, _, _ in body))
        lines.append(f"{' ' * width} {bar}")
        for number, text, mark in body:
            lines.append(f"{paint(number.rjust(width), 'blue')} {bar} {text}".rstrip())
            if mark:
                lines.append(f"{' ' * width} {bar} {paint(mark, style)}")
    else:
        width = MARGIN - 2
    equals = paint("=", "blue")
    return [*lines, *(f"{' ' * width} {equals} {note}" for note in _notes(item, context))]


def _subject(item: Diagnostic) -> list[tuple[str, str, str]]:
    text, _ = _cut(item.subject, 0)
    return [("", text, "^" * _columns(text))] if text else []


def _notes(item: Diagnostic, context: Context) -> list[str]:
    notes = [f"also: {place(other)}: {other.message}" for other in item.related[:MAX_RELATED]]
    if len(item.related) > MAX_RELATED:
        notes.append(f"also: {len(item.related) - MAX_RELATED} more places")
    for fix in item.fixes:
        how = {Applicability.SAFE: "--fix", Applicability.UNSAFE: "--fix --unsafe-fixes"}.get(fix.applicability)
        notes.append(f"{context.paint('fix', 'green')}: {fix.title}" + (f" ({how})" if how else " (by hand)"))
    return [*notes, f"help: onnx-lint rule {item.code}"]


def _source(item: Diagnostic, context: Context) -> list[tuple[str, str, str]]:
    """The span's lines as (line number, text, underline); nothing where the file cannot be read any more."""
    text = context.text(item)
    lines = split_lines(text) if text else []
    span = item.range
    found = []
    for number in range(span.start.line, min(span.end.line, span.start.line + MAX_LINES - 1) + 1):
        if number >= len(lines):
            break
        found.append((str(number + 1), *_underlined(lines[number], *_columns_of(span, number, lines[number]))))
    if span.end.line >= span.start.line + MAX_LINES:
        found.append(("", "…", ""))
    return found


def split_lines(text: str) -> list[str]:
    """The lines as editors count them: only line feeds and carriage returns end one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _columns_of(span: TextRange, number: int, line: str) -> tuple[int, int]:
    start = span.start.column if number == span.start.line else len(line) - len(line.lstrip())
    end = span.end.column if number == span.end.line else len(line)
    return start, max(end, start)


def _underlined(line: str, start: int, end: int) -> tuple[str, str]:
    before, within, after = (_printable(part) for part in (line[:start], line[start:end], line[end:]))
    text, cut = _cut(before + within + after, _columns(before))
    lead = _columns(before) - cut
    marks = max(1, _columns(within))
    return text, " " * lead + "^" * min(marks, max(1, WIDTH + 1 - lead))


def _cut(text: str, start: int) -> tuple[str, int]:
    """At most `WIDTH` columns of a long line, around column `start`; also how many columns went missing in front."""
    total = _columns(text)
    if total <= WIDTH:
        return text, 0
    skip = max(0, min(start - LEAD, total - WIDTH))
    kept, at = [], 0
    for char in text:
        at += _columns(char)
        if skip < at <= skip + WIDTH:
            kept.append(char)
    front, back = "…" * (skip > 0), "…" * (skip + WIDTH < total)
    return f"{front}{''.join(kept)}{back}", skip - len(front)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text.replace("\t", TAB))


def _columns(text: str) -> int:
    """How wide a terminal draws it: emoji and East Asian characters take two columns, marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )
