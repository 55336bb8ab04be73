"""Text edits that a reviewer would have made by hand: they keep quotes, trailing commas, indentation and comments.

    edits.insert_arguments(call, {"opset_version": 18})   new keywords, in the layout of the call
    edits.remove_argument(call, argument)                 an argument with its comma, and with its line if it had one
    edits.replace(source, node, "18")                     any node
    edits.apply_edits(text, edits)                        the text with them made
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onnx_lsp.diagnostics import Fix, Position, TextEdit
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.source import Source

WIDTH = 100
Edits = tuple[TextEdit, ...]
Place = tuple[int, Position]  # the cell of a notebook, or 0, and where in it


class Raw(str):
    """Source text that `literal` leaves as it is."""


class OverlappingEdits(ValueError):
    """Two edits of one fix change the same characters."""


def replace(source: Source, node: Node | tuple[int, int], text: str) -> Edits:
    """Replaces a node, or a span of bytes."""
    return (TextEdit(source.range(node), text),)


def preferred_quote(source: Source, near: Node) -> str:
    """The quote that the author uses: in the strings of this call, else in the file."""
    text = source.of(near)
    single, double = text.count("'"), text.count('"')
    if single == double:
        single, double = source.text.count("'"), source.text.count('"')
    return "'" if single > double else '"'


def literal(value: object, quote: str) -> str:
    """A value as source text on one line."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, str):
        return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key, quote)}: {literal(item, quote)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(literal(item, quote) for item in value) + (",)" if len(value) == 1 else ")")
    if isinstance(value, list):
        return "[" + ", ".join(literal(item, quote) for item in value) + "]"
    return repr(value)


def spread(value: dict | tuple | list, quote: str, indent: str, unit: str) -> str:
    """A container as source text with one item per line; the first line is where it starts."""
    if isinstance(value, dict):
        items, (left, right) = [f"{literal(key, quote)}: {literal(item, quote)}" for key, item in value.items()], "{}"
    else:
        items, (left, right) = [literal(item, quote) for item in value], "()" if isinstance(value, tuple) else "[]"
    lines = [f"{indent}{unit}{item}," for item in items]
    return "\n".join([left, *lines, indent + right])


class Layout:
    """How a call is written: its arguments, whether each has its own line, and the indentation to use."""

    def __init__(self, source: Source, call: Node) -> None:
        self.source = source
        self.list = call.child_by_field_name("arguments")
        self.items = [child for child in self.list.named_children if child.type != "comment"]
        self.open, self.close = self.list.children[0], self.list.children[-1]
        self.quote = preferred_quote(source, call)
        self.unit = source.indent
        self.line_indent = leading(source, call.start_byte)
        last = self.items[-1] if self.items else None
        self.broken = last is not None and source.line_of(last.start_byte) > source.line_of(self.open.start_byte)
        self.trailing_comma = last is not None and last.next_sibling is not None and last.next_sibling.type == ","

    @property
    def indent(self) -> str:
        """The white space in front of an argument on a line of its own."""
        return leading(self.source, self.items[-1].start_byte) if self.broken else self.line_indent + self.unit


def leading(source: Source, offset: int) -> str:
    """The white space at the start of the line that holds this byte."""
    start, end = source.line_span(source.line_of(offset))
    text = source.slice(start, end)
    return text[: len(text) - len(text.lstrip(" \t"))]


def insert_arguments(source: Source, call: Node, arguments: dict[str, object]) -> Edits:
    """Adds keyword arguments at the end of a call, in the layout that it has."""
    layout = Layout(source, call)
    if layout.broken:
        return _insert_lines(layout, arguments)
    return _insert_inline(layout, arguments) or _insert_spread(layout, arguments)


def _spelled(layout: Layout, name: str, value: object, indent: str) -> str:
    """`name=value`, over several lines where one would be too long."""
    text = f"{name}={literal(value, layout.quote)}"
    if len(indent) + len(text) < WIDTH or not isinstance(value, (dict, tuple, list)) or len(value) < 2:
        return text
    return f"{name}={spread(value, layout.quote, indent, layout.unit)}"


def _insert_lines(layout: Layout, arguments: dict[str, object]) -> Edits:
    source, last, indent = layout.source, layout.items[-1], layout.indent
    newline = source.newline
    lines = [_spelled(layout, name, value, indent).replace("\n", newline) for name, value in arguments.items()]
    end = last.next_sibling.end_byte if layout.trailing_comma else last.end_byte
    comment = _comment_after(layout, end)
    after = comment.end_byte if comment is not None else end
    text = newline + indent + f",{newline}{indent}".join(lines)
    closes_below = source.line_of(layout.close.start_byte) > source.line_of(last.end_byte)
    if layout.trailing_comma or (comment is not None and not closes_below):
        text += "," if layout.trailing_comma else ""
    if layout.trailing_comma:
        return replace(source, (after, after), text)
    if comment is None:
        return replace(source, (end, end), "," + text)
    return (*replace(source, (end, end), ","), *replace(source, (after, after), text))


def _comment_after(layout: Layout, offset: int) -> Node | None:
    """A comment that follows on the same line, inside the call."""
    line = layout.source.line_of(offset)
    for child in layout.list.children:
        if child.type == "comment" and child.start_byte >= offset and layout.source.line_of(child.start_byte) == line:
            return child
    return None


def _insert_inline(layout: Layout, arguments: dict[str, object]) -> Edits | None:
    source = layout.source
    text = ", ".join(f"{name}={literal(value, layout.quote)}" for name, value in arguments.items())
    if not layout.items:
        return replace(source, (layout.open.end_byte, layout.close.start_byte), text)
    start, end = source.line_span(source.line_of(layout.close.start_byte))
    if len(source.slice(start, end)) + len(text) + 2 > WIDTH:
        return None
    last = layout.items[-1]
    if layout.trailing_comma:
        return replace(source, (last.next_sibling.end_byte, layout.close.start_byte), f" {text},")
    return replace(source, (last.end_byte, last.end_byte), f", {text}")


def _insert_spread(layout: Layout, arguments: dict[str, object]) -> Edits:
    """Puts every argument of a one-line call on a line of its own, and the new ones below."""
    source = layout.source
    newline = source.newline
    outer, indent = layout.line_indent, layout.line_indent + layout.unit
    edits: list[TextEdit] = []
    at = layout.open.end_byte
    for item in layout.items:
        comma = "," if item is not layout.items[0] else ""
        edits += replace(source, (at, item.start_byte), comma + newline + indent)
        at = item.end_byte
    lines = [_spelled(layout, name, value, indent).replace("\n", newline) for name, value in arguments.items()]
    text = "," + "".join(f"{newline}{indent}{line}," for line in lines) + newline + outer
    return (*edits, *replace(source, (at, layout.close.start_byte), text))


def insert_after(source: Source, node: Node, line: str) -> Edits:
    """A line of its own after the statement of a node; nothing where that shares its lines with others."""
    statement = source.statement_of(node)
    start = source.line_span(source.line_of(statement.start_byte))[0]
    end = source.line_span(source.line_of(statement.end_byte))[1]
    indent, rest = source.slice(start, statement.start_byte), source.slice(statement.end_byte, end).strip()
    if indent.strip() or (rest and not rest.startswith("#")):
        return ()
    return replace(source, (end, end), f"{source.newline}{indent}{line}")


def remove_argument(source: Source, item: Node) -> Edits:
    """Removes an argument (the `keyword_argument` node, or a positional one) with its comma."""
    siblings = [child for child in item.parent.named_children if child.type != "comment"]
    place = next(number for number, child in enumerate(siblings) if child.start_byte == item.start_byte)
    comma = item.next_sibling if item.next_sibling is not None and item.next_sibling.type == "," else None
    end = comma.end_byte if comma is not None else item.end_byte
    whole = _whole_lines(source, item.start_byte, end)
    if comma is not None and whole is not None:
        return replace(source, whole, "")
    if place + 1 < len(siblings):
        return replace(source, (item.start_byte, siblings[place + 1].start_byte), "")
    if place == 0 or comma is not None:
        return replace(source, (item.start_byte, end), "")
    before = siblings[place - 1]
    between = [child for child in item.parent.children if before.end_byte <= child.start_byte < item.start_byte]
    start = item.start_byte if any(child.type == "comment" for child in between) else before.end_byte
    return replace(source, (start, item.end_byte), "")


def _whole_lines(source: Source, start: int, end: int) -> tuple[int, int] | None:
    """The lines of a span, with their end, when nothing but a comment shares them."""
    first, last = source.line_of(start), source.line_of(end)
    begin, stop = source.line_span(first)[0], source.line_span(last)[1]
    rest = source.slice(end, stop).strip()
    if source.slice(begin, start).strip() or (rest and not rest.startswith("#")) or last + 1 >= len(source.starts):
        return None
    return begin, source.starts[last + 1]


def apply_edits(text: str, edits: Sequence[TextEdit]) -> str:
    """A text with edits made, all positions being those of the text as it was.

    Raises:
        OverlappingEdits: two of them change the same characters.
    """
    starts = _line_starts(text)
    spans = sorted(
        (_offset(text, starts, edit.range.start), _offset(text, starts, edit.range.end), edit.text) for edit in edits
    )
    parts, at = [], 0
    for start, end, new in spans:
        if start < at:
            raise OverlappingEdits(f"two edits change the text at offset {start}")
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def apply_fixes(text: str, fixes: Iterable[Fix]) -> tuple[str, list[Fix]]:
    """A text with as many of the fixes made as do not touch each other, each wholly or not at all, and which they were.

    A fix that had to wait may be made in the next round, on the new text.
    """
    made = compatible(fixes)
    return apply_edits(text, [edit for fix in made for edit in fix.edits]), made


def compatible(fixes: Iterable[Fix]) -> list[Fix]:
    """As many of the fixes, from the first on, as do not touch each other."""
    made: list[Fix] = []
    taken: list[tuple[Place, Place]] = []
    for fix in fixes:
        spans = [((edit.cell or 0, edit.range.start), (edit.cell or 0, edit.range.end)) for edit in fix.edits]
        if spans and not any(_touch(one, other) for one in spans for other in taken):
            made.append(fix)
            taken += spans
    return made


def _touch(one: tuple[Place, Place], other: tuple[Place, Place]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _line_starts(text: str) -> list[int]:
    """Offsets of the lines, which end at a line feed, a carriage return, or both."""
    starts = [0]
    at = 0
    while at < len(text):
        if text[at] == "\n" or (text[at] == "\r" and text[at + 1 : at + 2] != "\n"):
            starts.append(at + 1)
        at += 1
    return starts


def _offset(text: str, starts: list[int], position: Position) -> int:
    if position.line >= len(starts):
        return len(text)
    end = starts[position.line + 1] if position.line + 1 < len(starts) else len(text)
    return min(starts[position.line] + position.column, end)
