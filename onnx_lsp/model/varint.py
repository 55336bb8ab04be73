"""The two primitives of the protobuf wire format that everything here is made of, and the fault that reading can meet.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)


class WireFault(ValueError):
    """The bytes are not a protobuf message.

    Attributes:
        offset: the byte of the file at which reading had to stop.
        reason: what is wrong there, in words.
        declared_end: where a field that runs past the end of the file should have ended, else None.
    """

    def __init__(self, offset: int, reason: str, declared_end: int | None = None) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.offset = offset
        self.reason = reason
        self.declared_end = declared_end


def read_varint(buffer, position: int, end: int) -> tuple[int, int]:
    """Reads a base-128 varint; returns the value and the position behind it.

    Raises:
        WireFault: it runs past `end`, or is longer than 64 bits.
    """
    value = shift = 0
    for at in range(position, min(position + 10, end)):
        byte = buffer[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, at + 1
        shift += 7
    else:
        if position + 10 > end:
            raise WireFault(end, "a number is cut off", end + 1)
    raise WireFault(position, "a number is longer than 64 bits")


def varint(value: int) -> bytes:
    """The encoding of a non-negative number."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tagged(number: int, body: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | BYTES) + varint(len(body)) + body


def skip(buffer, position: int, end: int, tag: int) -> int:
    """The position behind the value of a field that is not length-delimited.

    Raises:
        WireFault: the value runs past `end`, or the wire type is none that ONNX uses.
    """
    wire = tag & 7
    if wire == VARINT:
        return read_varint(buffer, position, end)[1]
    if wire == FIXED32 or wire == FIXED64:
        stop = position + (4 if wire == FIXED32 else 8)
        if stop > end:
            raise WireFault(position, "a fixed-size number is cut off", stop)
        return stop
    if wire in (START_GROUP, END_GROUP):
        raise WireFault(position, "a protobuf group, which ONNX does not have,")
    raise WireFault(position, f"wire type {wire}, which protobuf does not have,")
