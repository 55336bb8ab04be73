"""Who wrote a model, and at which opset: read from the file's outermost fields, whatever lies between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx_lsp.model.varint import BYTES, VARINT, WireFault, read_varint, skip
from onnx_lsp.model.wire import mapped

# Field numbers from onnx/onnx.proto.
PRODUCER_NAME, OPSET_IMPORT = 2, 8
DOMAIN, VERSION = 1, 2
STANDARD = (b"", b"ai.onnx")


@dataclass(frozen=True, slots=True)
class Header:
    """What a model says of itself; `opset` is that of the standard domain, None where it imports none."""

    producer: str
    opset: int | None


def read_header(path: str) -> Header | None:
    """The header of a model; None where the file is no protobuf message.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with mapped(path) as buffer:
            return _header(buffer, len(buffer)) if buffer else None
    except WireFault:
        return None


def _header(buffer, size: int) -> Header:
    producer, opset = "", None
    for number, value in _fields(buffer, 0, size):
        if number == PRODUCER_NAME and isinstance(value, slice):
            producer = buffer[value].decode("utf-8", "replace")
        elif number == OPSET_IMPORT and isinstance(value, slice):
            imported = dict(_fields(buffer, value.start, value.stop))
            domain = imported.get(DOMAIN, slice(0, 0))
            if isinstance(domain, slice) and buffer[domain] in STANDARD and isinstance(imported.get(VERSION), int):
                opset = imported[VERSION]
    return Header(producer, opset)


def _fields(buffer, position: int, end: int) -> Iterator[tuple[int, int | slice]]:
    """The fields of a message: numbers as they are, texts and messages as where they stand."""
    while position < end:
        tag, position = read_varint(buffer, position, end)
        if tag & 7 == BYTES:
            length, position = read_varint(buffer, position, end)
            if position + length > end:
                raise WireFault(position, "a field runs past the end", position + length)
            yield tag >> 3, slice(position, position + length)
            position += length
        else:
            if tag & 7 == VARINT:
                yield tag >> 3, read_varint(buffer, position, end)[0]
            position = skip(buffer, position, end, tag)
