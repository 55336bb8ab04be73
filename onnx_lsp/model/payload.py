"""The numbers inside the weights: read through mmap, in chunks, within a time budget.

What cannot be read, or was not reached in time, is unknown and never a finding.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Callable, Iterator

from onnx_lsp.model import counting, proto
from onnx_lsp.model.counting import WIDTHS, Numbers
from onnx_lsp.model.graph import Model
from onnx_lsp.model.sizes import byte_size
from onnx_lsp.model.text import values
from onnx_lsp.model.text.payload import FIELDS, SAME_AS_RAW, Place, place

BUDGET = 0.3  # seconds for all weights together, unless the run is deep
CHUNK = 1 << 20  # bytes; what several passes find in the processor's cache
HEAD = 256  # bytes
AS_RAW = {FIELDS[number] for number in SAME_AS_RAW} | {""}


class Weights:
    """The weights of a model. Its answers are remembered.

    Args:
        deep: look at all of them, however long it takes.
    """

    def __init__(self, model: Model, deep: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._skeleton = model.skeleton
        self._folder = os.path.realpath(os.path.dirname(os.path.abspath(model.skeleton.path)))
        self._deep, self._clock, self._end = deep, clock, None
        self._files: dict[str, mmap.mmap | None] = {}
        self._known: dict[tuple, tuple[proto.TensorProto, object]] = {}  # tensors are held, so that ids stay theirs

    def numbers(self, tensor: proto.TensorProto) -> Numbers | None:
        """What a tensor holds, counted; None where it is unknown."""
        return self._once(self._count, tensor)

    def unusual(self, tensor: proto.TensorProto) -> Numbers | None:
        """What a tensor of floats holds; None where it is unknown, or has nothing that a rule about weights looks for.

        That is NaN, Inf, a number over 65504, and numbers near 0 if they are many.
        """
        return None if self._once(self._unremarkable, tensor) is not False else self.numbers(tensor)

    def head(self, tensor: proto.TensorProto) -> bytes:
        """The first bytes of a tensor, enough to tell most from each other; empty where they are unknown."""
        return next(self._chunks(tensor), b"")[:HEAD]

    def digest(self, tensor: proto.TensorProto) -> bytes | None:
        """A hash of a tensor's elements; None where they are unknown."""
        return self._once(self._hash, tensor)

    def _once(self, look: Callable[[proto.TensorProto], object], tensor: proto.TensorProto) -> object:
        key = look.__name__, id(tensor)
        if key not in self._known:
            self._known[key] = tensor, look(tensor)
        return self._known[key][1]

    def _count(self, tensor: proto.TensorProto) -> Numbers | None:
        found = Numbers()
        for data in self._all(tensor):
            if data is None:
                return None
            found += counting.count(data, tensor.data_type)
        return found if found.count else None

    def _unremarkable(self, tensor: proto.TensorProto) -> bool | None:
        if tensor.data_type not in counting.MIDDLE:
            return None
        for data in self._all(tensor):
            if data is None:
                return None
            if not counting.unremarkable(data, tensor.data_type):
                return False
        return True

    def _hash(self, tensor: proto.TensorProto) -> bytes | None:
        state, known = hashlib.blake2b(digest_size=16), False
        for data in self._all(tensor):
            if data is None:
                return None
            state.update(data)
            known = True
        return state.digest() if known else None

    def _all(self, tensor: proto.TensorProto) -> Iterator[bytes | None]:
        """The chunks of a tensor, and None when there is no time for more."""
        if self._end is None:
            self._end = self._clock() + BUDGET
        for data in self._chunks(tensor):
            if not self._deep and self._clock() > self._end:
                yield None
                return
            yield data

    def _chunks(self, tensor: proto.TensorProto) -> Iterator[bytes]:
        """The elements as raw_data would hold them, in pieces; nothing where they are unknown."""
        if tensor.data_type not in WIDTHS or any(dim < 0 for dim in tensor.dims):
            return
        size = byte_size(tensor.data_type, tensor.dims)
        found = place(tensor, self._skeleton)
        if found is not None:
            yield from self._mapped(found, size)
        elif tensor.data_location != proto.TensorProto.EXTERNAL:
            data = values.raw(tensor)
            if data and len(data) == size:
                yield data

    def _mapped(self, found: Place, size: int) -> Iterator[bytes]:
        buffer = self._file(found.location) if found.field in AS_RAW else None
        if buffer is None or found.offset < 0 or found.offset + size > len(buffer):
            return
        for start in range(found.offset, found.offset + size, CHUNK):
            yield buffer[start : min(start + CHUNK, found.offset + size)]

    def _file(self, location: str) -> mmap.mmap | None:
        """A file of the model's folder, mapped; None if it cannot be read, or lies elsewhere."""
        if location not in self._files:
            path = os.path.realpath(os.path.join(self._folder, location))
            own = location == os.path.basename(self._skeleton.path)  # which may be a link to anywhere
            inside = own or path.startswith(os.path.join(self._folder, ""))
            self._files[location] = _map(path) if inside and os.path.isfile(path) else None
        return self._files[location]


def _map(path: str) -> mmap.mmap | None:
    try:
        with open(path, "rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # unreadable, or empty
        return None
