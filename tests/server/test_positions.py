"""Positions on the wire: every encoding, every line end, emoji, tabs and form feeds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pygls.workspace import PositionCodec

from onnx_lsp.diagnostics import Position, TextRange
from onnx_lsp.server.positions import Document, Lines

UTF8, UTF16, UTF32 = (types.PositionEncodingKind(name) for name in ("utf-8", "utf-16", "utf-32"))
TEXT = st.text(st.sampled_from("ab\té😀\n\r\f\u2028"), max_size=40)


@pytest.mark.parametrize(("encoding", "column"), [(UTF8, 9), (UTF16, 6), (UTF32, 5)])
def test_an_emoji_before_the_span_counts_as_the_client_counts(encoding, column):
    lines = Lines('é = "😀"; x = 1\n'.replace("é = ", "é="), PositionCodec(encoding))
    place = lines.to_client(TextRange(Position(0, 5), Position(0, 5))).start
    assert (place.line, place.character) == (0, column)


def test_only_the_line_ends_of_the_protocol_end_a_line():
    lines = Lines("a\x0cb\u2028c\r\nd\re\nf", PositionCodec(UTF16))
    assert lines.lines == ["a\x0cb\u2028c\r\n", "d\r", "e\n", "f"]


def test_a_position_past_the_end_means_the_end():
    lines = Lines("ab\r\ncd", PositionCodec(UTF16))
    assert lines.offset(types.Position(0, 99)) == 2
    assert lines.offset(types.Position(1, 99)) == 6
    assert lines.offset(types.Position(9, 0)) == 6


@pytest.mark.parametrize("encoding", [UTF8, UTF16, UTF32])
@given(text=TEXT, insert=TEXT, first=st.integers(0, 40), second=st.integers(0, 40))
def test_patching_a_document_is_splicing_its_text(encoding, text, insert, first, second):
    """Whatever the client inserts anywhere, our text stays the client's text."""
    codec = PositionCodec(encoding)
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    span = types.Range(_position(text, start, codec), _position(text, end, codec))
    document = Document("file:///a.py", text, 1, "python", position_codec=codec)
    document.apply_change(types.TextDocumentContentChangePartial(span, insert))
    start, end = (_snap(text, offset) for offset in (start, end))
    assert document.source == text[:start] + insert + text[end:]


def _snap(text: str, offset: int) -> int:
    """Between `\\r` and `\\n` there is no position: the client's is before both."""
    return offset - 1 if text[offset - 1 : offset + 1] == "\r\n" and offset else offset


def _position(text: str, offset: int, codec: PositionCodec) -> types.Position:
    before = Lines(text[: _snap(text, offset)] + "$", codec).lines
    return types.Position(len(before) - 1, codec.client_num_units(before[-1][:-1]))
