"""Jupyter notebooks (nbformat 4): their code cells joined into one script, and the way back.

    book = parse(text)                    book.text is a script: the code cells in order, without magics
    in_cells(book, findings)              findings about that script, as findings in cells
    compose(["import torch"])             a notebook with these cells, to lint what is open in an editor
    apply_fixes(text, fixes)              the notebook with fixes made; all else stays as it was, byte for byte
    rewrite(text, {2: "x = 1\\n"})         the notebook with another source in its second code cell

A cell's number counts the code cells from 1. https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from onnx_lsp.diagnostics import Diagnostic, Fix, Position, Related, TextEdit, TextRange
from onnx_lsp.script import magics
from onnx_lsp.workspace import Workspace

LFS = "version https://git-lfs"
LINE = re.compile(r"[^\n]*\n|[^\n]+")
RAW_LINE = re.compile(r"(?:[^\\]|\\[^n])*(?:\\n)?")
SPACE = re.compile(r"[ \t\r\n]*")
SURROGATE = re.compile("[\ud800-\udfff]")
read_value = json.JSONDecoder().raw_decode


class NotANotebook(ValueError):
    """The text is not a notebook that can be linted. `case` is a case of FIL012, `fields` what its message names."""

    def __init__(self, case: str, **fields: object) -> None:
        super().__init__(case)
        self.case, self.fields = case, fields


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code of a notebook.

    Attributes:
        sources: the code cells as they are.
        codes: the same as Python, every character in its place; cells in other languages are blank.
        starts: the lines of `text` on which the cells start.
        text: the cells as one script.
    """

    sources: tuple[str, ...]
    codes: tuple[str, ...]
    starts: tuple[int, ...]
    text: str

    @property
    def parts(self) -> tuple[tuple[int, str], ...]:
        """What Python reads one by one: the cells, with their first lines. Jupyter takes out a common indentation."""
        cells = zip(self.starts, self.codes, strict=True)
        return tuple((first, code) for first, code in cells if code.lstrip("\r\n")[:1] not in (" ", "\t", ""))

    def place(self, span: TextRange) -> tuple[int, TextRange]:
        """The number of the cell in which a span of `text` starts, and the span there; it ends where the cell ends."""
        index = max(bisect_right(self.starts, span.start.line) - 1, 0)
        first = self.starts[index]
        end = span.end
        if not self._holds(index, end):
            lines = self.codes[index].split("\n")
            end = Position(first + len(lines) - 1, len(lines[-1]))
        start, stop = (Position(at.line - first, at.column) for at in (span.start, end))
        return index + 1, TextRange(start, stop)

    def is_whole(self, span: TextRange) -> bool:
        """Whether a span lies in one cell; it may take in the line end after it."""
        index = bisect_right(self.starts, span.start.line) - 1
        after = self.starts[index + 1] if index + 1 < len(self.starts) else None
        return self._holds(index, span.end) or span.end == Position(after, 0)

    def _holds(self, index: int, at: Position) -> bool:
        return index + 1 == len(self.starts) or at.line < self.starts[index + 1]


def parse(text: str) -> Notebook:
    """Reads a notebook. One without code, or for another language than Python, has no cells.

    Raises:
        NotANotebook: it is not one, or one of a format that ended years ago.
    """
    cells = _code_cells(text)
    sources = tuple(_source(cell) for cell in cells)
    codes = tuple(
        re.sub(r"\r(?!\n)", "\n", magics.blank(source) if _is_python(cell) else magics.spaces(source))
        for cell, source in zip(cells, sources, strict=True)
    )
    starts, line = [], 0
    for code in codes:
        starts.append(line)
        line += code.count("\n") + 1
    return Notebook(sources, codes, tuple(starts), "\n".join(codes))


def compose(sources: Iterable[str]) -> str:
    """A notebook, as text, with these code cells."""
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4})


def _code_cells(text: str) -> list[dict]:
    data = _load(text)
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        if isinstance(data, dict) and "worksheets" in data:
            raise NotANotebook("old", version=data.get("nbformat", 3))
        raise NotANotebook("other")
    code = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return code if _language(data) in ("", "ipython", "python") else []


def _load(text: str) -> object:
    if not text.strip():
        return {"cells": []}  # editors make an empty file a notebook when it is opened
    if text.startswith(LFS):
        raise NotANotebook("pointer")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"{error.msg[:1].lower()}{error.msg[1:]} at line {error.lineno}, column {error.colno}"
        raise NotANotebook("json", problem=problem) from None
    except (ValueError, RecursionError) as error:
        raise NotANotebook("json", problem=str(error).splitlines()[0]) from None


def _language(data: dict) -> str:
    """The language of the notebook, without its version; empty where the notebook does not say."""
    metadata = data.get("metadata")
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        table = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(table, dict) and isinstance(table.get(name), str):
            return table[name].lower().rstrip("0123456789.")
    return ""


def _is_python(cell: dict) -> bool:
    """Whether a cell is in the notebook's language; VS Code notes where it is not."""
    metadata = cell.get("metadata")
    noted = metadata.get("vscode") if isinstance(metadata, dict) else None
    return not isinstance(noted, dict) or noted.get("languageId", "python") == "python"


def _source(cell: dict) -> str:
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else ""


def text_at(workspace: Workspace, file: str, cell: int | None) -> str:
    """The text in which the range of a finding counts: that of the file, or of one of its cells.

    Raises:
        OSError: the file cannot be read.
    """
    text = workspace.read(file).text
    if cell is None:
        return text
    try:
        return parse(text).sources[cell - 1]
    except (NotANotebook, IndexError):  # it changed meanwhile
        return ""


def in_cells(book: Notebook, file: str, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Findings about `book.text` as findings in its cells; a fix that would join cells is left out."""
    return [_in_cell(book, file, item) for item in findings]


def _in_cell(book: Notebook, file: str, item: Diagnostic) -> Diagnostic:
    related = tuple(_related(book, place) if place.file == file else place for place in item.related)
    fixes = tuple(
        replace(fix, edits=tuple(_edit(book, edit) for edit in fix.edits))
        for fix in item.fixes
        if all(book.is_whole(edit.range) for edit in fix.edits)
    )
    if item.range is None:
        return replace(item, related=related, fixes=fixes)
    cell, span = book.place(item.range)
    return replace(item, cell=cell, range=span, related=related, fixes=fixes)


def _related(book: Notebook, place: Related) -> Related:
    if place.range is None:
        return place
    cell, span = book.place(place.range)
    return replace(place, cell=cell, range=span)


def _edit(book: Notebook, edit: TextEdit) -> TextEdit:
    cell, span = book.place(edit.range)
    return TextEdit(span, edit.text, cell)


def apply_fixes(text: str, fixes: Iterable[Fix]) -> tuple[str, list[Fix]]:
    """`edits.apply_fixes` for a notebook: the notebook with the fixes made, and which they were."""
    from onnx_lsp.script.edits import apply_edits, compatible

    made = compatible(fixes)
    by_cell: dict[int, list[TextEdit]] = {}
    for edit in (edit for fix in made for edit in fix.edits):
        by_cell.setdefault(edit.cell, []).append(edit)
    sources = parse(text).sources
    return rewrite(text, {cell: apply_edits(sources[cell - 1], edits) for cell, edits in by_cell.items()}), made


def rewrite(text: str, sources: dict[int, str]) -> str:
    """A notebook with new sources for some code cells. Only the JSON of the lines that differ is written anew."""
    parts, at = [], 0
    for cell, (start, end) in enumerate(_source_spans(text), 1):
        if cell in sources:
            parts += [text[at:start], Layout.of(text, start, end).with_source(sources[cell])]
            at = end
    return "".join([*parts, text[at:]])


def file_lines(text: str, cell: int, span: TextRange) -> tuple[int, int]:
    """The lines (from 1) of the notebook's file on which a span of a cell starts and ends."""
    spans = [*_source_spans(text)] if text.strip() else []
    if cell > len(spans):
        return 1, 1
    layout = Layout.of(text, *spans[cell - 1])
    first, last = (layout.offset(line) for line in (span.start.line, span.end.line))
    return text.count("\n", 0, first) + 1, text.count("\n", 0, last) + 1


@dataclass(frozen=True, slots=True)
class Layout:
    """How the source of a cell is written: as one string, or as a list of strings.

    Attributes:
        start: where it starts in the notebook.
        raws: its lines as JSON: with their quotes in a list, without in a string.
        between: what stands before each line, and after the last.
    """

    start: int
    is_list: bool
    raws: tuple[str, ...]
    between: tuple[str, ...]

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Layout:
        if text[start] == '"':
            raws = tuple(raw for raw in RAW_LINE.findall(text[start + 1 : end - 1]) if raw)
            return cls(start, False, raws, ('"', *[""] * (len(raws) - 1), '"') if raws else ('"', '"'))
        spans = [(begin, stop) for begin, _, stop in _items(text, start)]
        if not spans:
            return cls(start, True, (), (text[start : end - 1], "]"))
        edges = [start, *(at for span in spans for at in span), end]
        between = tuple(text[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2))
        return cls(start, True, tuple(text[begin:stop] for begin, stop in spans), between)

    def offset(self, line: int) -> int:
        """Where a line stands in the notebook."""
        line = max(min(line, len(self.raws) - 1), 0)
        return self.start + sum(map(len, self.raws[:line])) + sum(map(len, self.between[: line + 1]))

    def with_source(self, source: str) -> str:
        """The JSON of another source: lines that stay the same stay as they are written."""
        from difflib import SequenceMatcher

        old = [json.loads(raw if self.is_list else f'"{raw}"') for raw in self.raws]
        # Jupyter splits as Python does, at form feeds and the like too.
        as_jupyter = self.is_list and old == "".join(old).splitlines(keepends=True)
        new = source.splitlines(keepends=True) if as_jupyter else LINE.findall(source)
        lines: list[tuple[str, int]] = []
        for kind, first, last, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                lines += [(self.raws[at], at) for at in range(first, last)]
            else:
                lines += [(self._written(line), first + at) for at, line in enumerate(new[begin:stop])]
        inner = self.between[1:-1]
        gap = inner[0] if inner else f",{self.between[0][1:]}" if self.is_list else ""
        parts = [self.between[0]]
        for number, (raw, at) in enumerate(lines):
            if number:
                parts.append(self.between[at] if 0 < at < len(self.raws) else gap)
            parts.append(raw)
        return "".join([*parts, self.between[-1]])

    def _written(self, line: str) -> str:
        escaped = all(raw.isascii() for raw in self.raws) and any("\\u" in raw for raw in self.raws)
        raw = json.dumps(line, ensure_ascii=escaped or bool(SURROGATE.search(line)))
        return raw if self.is_list else raw[1:-1]


def _source_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the sources of the code cells stand in the JSON of a notebook."""
    cells = [start for key, start, _, _ in _members(text, SPACE.match(text).end()) if key == "cells"][-1]
    for start, cell, _ in _items(text, cells):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            spans = [(begin, end) for key, begin, _, end in _members(text, start) if key == "source"]
            yield spans[-1] if spans else (start, start)


def _members(text: str, at: int) -> Iterator[tuple[str, int, object, int]]:
    """The members of the object that starts here: key, where the value starts, the value, where it ends."""
    at = SPACE.match(text, at + 1).end()
    while text[at] != "}":
        key, at = read_value(text, at)
        start = SPACE.match(text, SPACE.match(text, at).end() + 1).end()
        value, end = read_value(text, start)
        yield key, start, value, end
        at = _next(text, end)


def _items(text: str, at: int) -> Iterator[tuple[int, object, int]]:
    """The items of the array that starts here."""
    at = SPACE.match(text, at + 1).end()
    while text[at] != "]":
        value, end = read_value(text, at)
        yield at, value, end
        at = _next(text, end)


def _next(text: str, at: int) -> int:
    """The next value, after a comma, or the closing bracket."""
    at = SPACE.match(text, at).end()
    return SPACE.match(text, at + 1).end() if text[at] == "," else at
