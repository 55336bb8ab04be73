"""shrink(file) -> the model without its weights; inflate(skeleton, file) -> the whole again, byte range by byte range.

Copying weights is what tools spend their time on. `shrink` walks the protobuf wire format of the mapped file and copies
everything but big tensor payloads. Where it leaves one out, it appends to the tensor what says so:

    external_data { checksum: "MARK start end field data_location" }   the record's byte range in this file
    external_data { location: the file, offset, length }               for raw_data: any ONNX tool can read it
    data_location: EXTERNAL

(`checksum` because tools know the key and none checks it.)

Appended, because quantised files carry an explicit `data_location: DEFAULT` behind the payload, and the last one wins.
The result is an ordinary small ModelProto that can be edited; unknown fields ride along.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO

from onnx_lsp.model.varint import BYTES, WireFault, read_varint, skip, tagged, varint

SMALL = 1024  # bytes; shape inference needs Reshape shapes, axes and scales, which are smaller
MARK = "onnx-lsp.record"
MAX_DEPTH = 100  # protobuf's own limit
HEAD = 512  # bytes kept for telling what a file is

MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, FUNCTION, TRAINING = range(7)
# Field numbers from onnx/onnx.proto: which fields of a message can hold weights.
PARTS = {
    MODEL: {7: GRAPH, 20: TRAINING, 25: FUNCTION},
    GRAPH: {1: NODE, 5: TENSOR},
    NODE: {5: ATTRIBUTE},
    ATTRIBUTE: {5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH},
    FUNCTION: {7: NODE},
    TRAINING: {1: GRAPH, 2: GRAPH},
}
RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 9, 13, 14
PAYLOADS = frozenset({4, 5, 7, RAW_DATA, 10, 11})  # float_, int32_, int64_, raw_, double_, uint64_data
BIG_ARRAYS = frozenset({7 << 3 | 5, 8 << 3, 9 << 3 | BYTES})  # unpacked AttributeProto floats, ints, strings
UNPACKED = frozenset({4 << 3 | 5, 5 << 3, 7 << 3, 10 << 3 | 1, 11 << 3})  # one record per element of a tensor


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A model file without its weights.

    Attributes:
        path: the file.
        size: its size in bytes.
        data: the serialised small ModelProto; empty when the file could not be read as one.
        digest: identifies the file's structure and size; a fix refuses a file whose digest is another.
        fault: why the file is not a protobuf message, if it is not.
        mark: how notes of left-out records begin.
        head: the file's first bytes.
    """

    path: str
    size: int
    data: bytes
    digest: str
    fault: WireFault | None = None
    mark: str = MARK
    head: bytes = b""


class NotRegular(OSError):
    """The path is a folder, a pipe or a device."""


def open_model(path: str) -> int:
    """Opens a model for reading; returns the descriptor.

    Raises:
        OSError: it cannot be opened, or is not a regular file (a pipe would block forever).
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise NotRegular(21, "it is a folder", path)
    if not stat.S_ISREG(mode):
        raise NotRegular(22, "it is not a regular file", path)
    return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))


@contextmanager
def mapped(path: str) -> Iterator[mmap.mmap | bytes]:
    """The bytes of a model, mapped as long as they are looked at; an empty file cannot be mapped, and is `b""`.

    Raises:
        OSError: the file cannot be read.
    """
    descriptor = open_model(path)
    try:
        size = os.fstat(descriptor).st_size
        with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if size else nullcontext(b"") as buffer:
            yield buffer
    finally:
        os.close(descriptor)


def shrink(path: str) -> Skeleton:
    """Reads a model without its weights.

    Raises:
        OSError: the file cannot be read.
    """
    with mapped(path) as buffer:
        return _shrink(path, buffer, len(buffer)) if buffer else Skeleton(path, 0, b"", "0-")


def _shrink(path: str, buffer, size: int) -> Skeleton:
    mark, head = MARK, buffer[:HEAD]
    while True:
        shrinker = _Shrinker(buffer, os.path.basename(path), mark)
        try:
            data = shrinker.message(MODEL, 0, size, 0)
        except WireFault as fault:
            return Skeleton(path, size, b"", f"{size}-", fault, head=head)
        data = buffer[:] if data is None else data
        if data.count(mark.encode()) == shrinker.records:
            break
        mark += "'"  # the model itself contains the mark: take one that it does not
    digest = f"{size}-{blake2b(data, digest_size=16).hexdigest()}"
    return Skeleton(path, size, data, digest, None, mark, head)


class _Shrinker:
    """Copies messages of a mapped file, leaving out big payloads."""

    def __init__(self, buffer, file: str, mark: str) -> None:
        self.buffer = buffer
        self.mark = mark
        self.location = file.encode("utf-8", "replace")
        self.records = 0

    def message(self, kind: int, start: int, end: int, depth: int) -> bytes | None:
        """The message at this byte range without its weights; None if it has none.

        Raises:
            WireFault: it is not a message.
        """
        if kind == TENSOR:
            return self._tensor(start, end)
        if depth > MAX_DEPTH:
            raise WireFault(start, f"more than {MAX_DEPTH} nested messages")
        buffer, parts = self.buffer, PARTS[kind]
        out: list[bytes] = []
        copied = position = start
        while position < end:
            at = position
            tag = buffer[position]
            position += 1
            if tag >= 0x80:
                tag, position = read_varint(buffer, at, end)
            if tag & 7 != BYTES:
                if kind == ATTRIBUTE and tag in BIG_ARRAYS:
                    break  # millions of one-element records may follow, and no weights
                position = skip(buffer, position, end, tag)
                continue
            if kind == ATTRIBUTE and tag in BIG_ARRAYS:
                break
            stop, position = _bounds(buffer, position, end)
            if stop - position > SMALL and (part := parts.get(tag >> 3)) is not None:
                body = self._part(part, position, stop, depth + 1)
                if body is not None:
                    out += (buffer[copied:at], varint(tag), varint(len(body)), body)
                    copied = stop
            position = stop
        if not out:
            return None
        out.append(buffer[copied:end])
        return b"".join(out)

    def _part(self, kind: int, start: int, end: int, depth: int) -> bytes | None:
        try:
            return self.message(kind, start, end, depth)
        except WireFault as fault:
            fault.declared_end = None  # a cut-off file breaks at the outermost level first
            raise

    def _tensor(self, start: int, end: int) -> bytes | None:
        buffer = self.buffer
        out: list[bytes] = []
        notes: list[tuple[int, int, int, int]] = []
        seen: set[int] = set()
        location = ""
        copied = position = start
        while position < end:
            at = position
            tag, position = read_varint(buffer, position, end)
            if tag in UNPACKED:
                break
            if tag & 7 != BYTES:
                stop = skip(buffer, position, end, tag)
                if tag == DATA_LOCATION << 3:
                    location = str(read_varint(buffer, position, end)[0])
            else:
                stop, position = _bounds(buffer, position, end)
                if tag >> 3 in PAYLOADS:
                    if tag in seen:
                        return None  # a payload in several records: their order matters, so all stay
                    seen.add(tag)
                    if stop - position > SMALL:
                        out.append(buffer[copied:at])
                        copied = stop
                        notes.append((tag >> 3, at, position, stop))
            position = stop
        if not notes:
            return None
        out.append(buffer[copied:end])
        out += [self._note(*note, location) for note in notes]
        out.append(b"\x70\x01")
        return b"".join(out)

    def _note(self, field: int, at: int, start: int, stop: int, location: str) -> bytes:
        self.records += 1
        entries = [(b"checksum", f"{self.mark} {at} {stop} {field} {location}".encode())]
        if field == RAW_DATA:
            entries.append((b"location", self.location))
            entries.append((b"offset", b"%d" % start))
            entries.append((b"length", b"%d" % (stop - start)))
        return b"".join(tagged(EXTERNAL_DATA, tagged(1, key) + tagged(2, value)) for key, value in entries)


def _bounds(buffer, position: int, end: int) -> tuple[int, int]:
    """End and start of the length-delimited value at `position`."""
    if position >= end:
        raise WireFault(end, "a length is cut off", end + 1)
    length = buffer[position]
    if length >= 0x80:
        at = position
        length, position = read_varint(buffer, position, end)
        if position + length > end:
            raise WireFault(at, "a field runs past the end", position + length)
        return position + length, position
    stop = position + 1 + length
    if stop > end:
        raise WireFault(position, "a field runs past the end", stop)
    return stop, position + 1


Piece = bytes | tuple[int, int]  # bytes to write, or a byte range of the source file


def inflate(data: bytes, mark: str = MARK) -> list[Piece]:
    """The inverse of `shrink` for a serialised (and perhaps edited) skeleton.

    Returns:
        What to write, in order: bytes, and byte ranges of the file that was shrunk.
    """
    inflater = _Inflater(data, mark)
    found = inflater.message(MODEL, 0, len(data))
    return [data] if found is None else found[0]


def total_size(pieces: list[Piece]) -> int:
    """How many bytes the pieces are."""
    return sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)


class _Inflater:
    """Rebuilds messages: lengths change on the way up, so sizes travel with the pieces."""

    def __init__(self, data: bytes, mark: str) -> None:
        self.data = data
        self.mark = mark.encode() + b" "

    def message(self, kind: int, start: int, end: int) -> tuple[list[Piece], int] | None:
        data = self.data
        if data.find(self.mark, start, end) < 0:
            return None
        if kind == TENSOR:
            return self._tensor(start, end)
        parts = PARTS[kind]
        pieces: list[Piece] = []
        size = 0
        copied = position = start
        while position < end:
            at = position
            tag, position = read_varint(data, position, end)
            if tag & 7 != BYTES:
                position = skip(data, position, end, tag)
                continue
            stop, position = _bounds(data, position, end)
            part = parts.get(tag >> 3)
            found = self.message(part, position, stop) if part is not None else None
            if found is not None:
                head = data[copied:at] + varint(tag) + varint(found[1])
                pieces += (head, *found[0])
                size += len(head) + found[1]
                copied = stop
            position = stop
        if not pieces:
            return None
        pieces.append(data[copied:end])
        return pieces, size + end - copied

    def _tensor(self, start: int, end: int) -> tuple[list[Piece], int]:
        data = self.data
        fields: list[tuple[int, Piece]] = []
        location: str | None = None
        position = start
        drop = 0
        while position < end:
            at = position
            tag, position = read_varint(data, position, end)
            if tag & 7 != BYTES:
                position = skip(data, position, end, tag)
            else:
                stop, position = _bounds(data, position, end)
                if tag >> 3 == EXTERNAL_DATA and (note := data.find(self.mark, position, stop)) >= 0:
                    first, last, field, location = data[note + len(self.mark) : stop].decode().split(" ")
                    fields.append((int(field), (int(first), int(last))))
                    drop = 3 if int(field) == RAW_DATA else 0
                    position = stop
                    continue
                position = stop
            if tag >> 3 == EXTERNAL_DATA and drop:
                drop -= 1
            elif tag >> 3 != DATA_LOCATION or location is None:
                fields.append((tag >> 3, data[at:position]))
        if location:
            fields = [item for item in fields if item[0] != DATA_LOCATION]
            fields.append((DATA_LOCATION, varint(DATA_LOCATION << 3) + varint(int(location))))
        pieces = [piece for _, piece in sorted(fields, key=lambda item: item[0])]
        return pieces, total_size(pieces)


def stream(pieces: list[Piece], source: BinaryIO, chunk: int = 1 << 22) -> Iterator[bytes]:
    """The bytes of the pieces; ranges are read from the source file in chunks.

    Raises:
        OSError: the source became shorter.
    """
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        position, end = piece
        source.seek(position)
        while position < end:
            data = source.read(min(chunk, end - position))
            if not data:
                raise OSError(f"the file became shorter than {end} bytes while it was read")
            position += len(data)
            yield data
