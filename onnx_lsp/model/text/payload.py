"""Where the data of a tensor lies, and a hash of its bytes.

Files are read, not mapped: a file that shrinks meanwhile is an error here and not the end of the process.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from onnx_lsp.model import proto
from onnx_lsp.model.text import values
from onnx_lsp.model.wire import RAW_DATA, Skeleton

EXTERNAL = proto.TensorProto.EXTERNAL
CHUNK = 1 << 20  # bytes
FIELDS = {4: "float_data", 5: "int32_data", 7: "int64_data", 9: "raw_data", 10: "double_data", 11: "uint64_data"}
SAME_AS_RAW = frozenset({4, RAW_DATA, 10})  # fields whose packed bytes are the little-endian values


@dataclass(frozen=True, slots=True)
class Place:
    """A byte range that holds a tensor's data.

    Attributes:
        location: the file, relative to the model's folder.
        offset, length: in bytes; length None means to the end of the file.
        field: the TensorProto field, for data inside the model itself.
        entries: what the model says about external data.
    """

    location: str
    offset: int
    length: int | None
    field: str = ""
    entries: tuple[tuple[str, str], ...] = ()


def place(tensor: proto.TensorProto, skeleton: Skeleton) -> Place | None:
    """Where the data of a tensor lies that is not in the skeleton; None if it is there, or is unknown."""
    if tensor.data_location != EXTERNAL:
        return None
    entries = tuple((entry.key, entry.value) for entry in tensor.external_data)
    for key, value in entries:
        if key == "checksum" and value.startswith(f"{skeleton.mark} "):
            _, start, stop, field, *_ = value[len(skeleton.mark) :].split(" ")
            return _inside(int(start), int(stop), int(field), os.path.basename(skeleton.path))
    said = dict(entries)
    if "location" not in said:
        return None
    try:
        length = int(said["length"]) if "length" in said else None
        return Place(said["location"], int(said.get("offset", 0)), length, entries=entries)
    except ValueError:
        return None


def _inside(start: int, stop: int, field: int, file: str) -> Place:
    """The place of a record's content: behind its tag of one byte and its length."""
    size = next(size for size in range(1, 11) if (stop - start - 1 - size) < 1 << 7 * size)
    return Place(file, start + 1 + size, stop - start - 1 - size, FIELDS[field])


class Hasher:
    """Hashes tensors' data; remembers the ranges that it has hashed (tied weights).

    Args:
        skeleton: the model; its folder is where external data lies.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self._known: dict[Place, str | None] = {}

    def digest(self, tensor: proto.TensorProto) -> str | None:
        """16 hexadecimal digits of the SHA-256 of the data; None where it cannot be read."""
        found = place(tensor, self.skeleton)
        if found is None:
            data = values.raw(tensor) if tensor.data_location != EXTERNAL else None
            return None if data is None else hashlib.sha256(data).hexdigest()[:16]
        if found not in self._known:
            self._known[found] = self._read(found)
        return self._known[found]

    def _read(self, found: Place) -> str | None:
        path = self.skeleton.path
        if not found.field:
            folder = os.path.dirname(os.path.abspath(path))
            path = os.path.normpath(os.path.join(folder, found.location))
            if os.path.isabs(found.location) or not path.startswith(os.path.join(folder, "")):
                return None  # a model may not name files outside its folder
        if not os.path.isfile(path):
            return None
        try:
            return _hash(path, found.offset, found.length)
        except OSError:
            return None


def _hash(path: str, offset: int, length: int | None) -> str | None:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(CHUNK))
    with open(path, "rb", buffering=0) as file:
        left = os.fstat(file.fileno()).st_size - offset if length is None else length
        file.seek(offset)
        while left > 0:
            count = file.readinto(buffer[: min(left, CHUNK)])
            if not count:
                return None
            digest.update(buffer[:count])
            left -= count
    return digest.hexdigest()[:16]
