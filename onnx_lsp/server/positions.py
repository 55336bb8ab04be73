"""Positions: code points here, the negotiated encoding (UTF-8, -16 or -32) on the wire.

Lines end at `\\n`, `\\r\\n` or `\\r` only, as the protocol says: `str.splitlines` would also split at form feeds, which
real Python files contain.
"""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument, Workspace

from onnx_lsp.diagnostics import Position, TextRange

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
START = types.Range(types.Position(0, 0), types.Position(0, 0))


class Lines:
    """A text cut into lines, to convert positions in it."""

    def __init__(self, text: str, codec: PositionCodec) -> None:
        self.text = text
        self.codec = codec
        self.lines = LINE.findall(text)

    def to_client(self, span: TextRange | None) -> types.Range:
        """A range for the wire; the start of the file for a finding without one."""
        return types.Range(self._position(span.start), self._position(span.end)) if span else START

    def _position(self, position: Position) -> types.Position:
        if position.line >= len(self.lines):
            return types.Position(position.line, 0)
        units = self.codec.client_num_units(self.lines[position.line][: position.column])
        return types.Position(position.line, units)

    def offset(self, position: types.Position) -> int:
        """The index into the text of a client's position; what lies past the end of a line or of the text is its end."""
        if position.line >= len(self.lines):
            return len(self.text)
        before = sum(map(len, self.lines[: position.line]))
        line = self.lines[position.line].rstrip("\r\n")
        units = 0
        for column, char in enumerate(line):
            if units >= position.character:
                return before + column
            units += self.codec.client_num_units(char)
        return before + len(line)


class Document(TextDocument):
    """An open document whose edits are applied with the line ends of the protocol."""

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Applies one change of `textDocument/didChange`."""
        if not isinstance(change, types.TextDocumentContentChangePartial):
            self._source = change.text
            return
        lines = Lines(self.source, self.position_codec)
        start, end = lines.offset(change.range.start), lines.offset(change.range.end)
        self._source = self.source[:start] + change.text + self.source[end:]


class DocumentStore(Workspace):
    """pygls's workspace with our documents in it."""

    def _create_text_document(self, doc_uri, source=None, version=None, language_id=None) -> Document:
        return Document(doc_uri, source, version, language_id, position_codec=self.position_codec)
