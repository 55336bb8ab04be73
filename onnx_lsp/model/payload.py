"""The numbers inside the weights: read through mmap, in chunks, within a time budget.

The one module that needs numpy, and only when a rule about weights is selected. Files are mapped as long as a tensor
is looked at; what cannot be read, or was not reached in time, is unknown and never a finding.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model
from onnx_lsp.model.native import byte_size
from onnx_lsp.model.text.payload import place

if TYPE_CHECKING:
    import numpy

BUDGET = 0.3  # seconds for all weights together, unless the run is deep
CHUNK = 1 << 18  # elements; what several passes find in the cache
TYPES = {1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8"}
BFLOAT16 = 16
HEAD = 64  # elements
TYPED = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
AS_RAW = frozenset({"raw_data", "float_data", "double_data"})  # fields whose bytes are the values


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the elements of one tensor are, taken together.

    Attributes:
        count, nans, infinite, subnormal, zeros: numbers of elements.
        least, greatest: over the finite elements; 0 where there is none.
    """

    count: int
    nans: int = 0
    infinite: int = 0
    subnormal: int = 0
    zeros: int = 0
    least: float = 0
    greatest: float = 0


class Weights:
    """The weights of a model.

    Args:
        deep: look at all of them, however long it takes.
    """

    def __init__(self, model: Model, deep: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._folder = os.path.dirname(os.path.abspath(model.skeleton.path))
        self._deep, self._clock, self._end = deep, clock, None
        self._numbers: dict[int, tuple[proto.TensorProto, Numbers | None]] = {}  # held, so that ids stay theirs
        self._digests: dict[int, tuple[proto.TensorProto, bytes | None]] = {}

    def _late(self) -> bool:
        if self._end is None:
            self._end = self._clock() + BUDGET
        return not self._deep and self._clock() > self._end

    def numbers(self, tensor: proto.TensorProto) -> Numbers | None:
        """What a tensor holds; None where it is unknown."""
        key = id(tensor)
        if key not in self._numbers:
            self._numbers[key] = (tensor, None if self._late() else self._count(tensor))
        return self._numbers[key][1]

    def values(self, tensor: proto.TensorProto, limit: int = 1 << 16) -> list | None:
        """The elements of a tensor of at most `limit` elements."""
        for array in self._chunks(tensor):
            return array.tolist() if array.size <= limit else None
        return None

    def head(self, tensor: proto.TensorProto) -> bytes:
        """The first bytes of a tensor, enough to tell most from each other; empty where they are unknown."""
        for array in self._chunks(tensor):
            return array[:HEAD].tobytes()
        return b""

    def digest(self, tensor: proto.TensorProto) -> bytes | None:
        """A hash of type, shape and elements; None where they are unknown."""
        key = id(tensor)
        if key not in self._digests:
            state = hashlib.blake2b(f"{tensor.data_type} {list(tensor.dims)}".encode(), digest_size=16)
            known = False
            for array in () if self._late() else self._chunks(tensor):
                state.update(array.tobytes())
                known = True
            self._digests[key] = (tensor, state.digest() if known else None)
        return self._digests[key][1]

    def _count(self, tensor: proto.TensorProto) -> Numbers | None:
        parts = []
        for array in self._chunks(tensor):
            parts.append(_look(array))
            if self._late():
                break
        if not parts:
            return None
        least, greatest = min(part.least for part in parts), max(part.greatest for part in parts)
        sums = (sum(getattr(part, name) for part in parts) for name in ("count", "nans", "infinite", "subnormal", "zeros"))
        return Numbers(*sums, least, greatest)

    def _chunks(self, tensor: proto.TensorProto) -> Iterator[numpy.ndarray]:
        """The elements, flat, in pieces; nothing where they are unknown."""
        import numpy

        kind = TYPES.get(tensor.data_type) or ("<u2" if tensor.data_type == BFLOAT16 else None)
        if kind is None or any(dim < 0 for dim in tensor.dims):
            return
        found = place(tensor, self._model.skeleton)
        if found is not None:
            arrays = self._mapped(tensor, found, numpy.dtype(kind))
        elif tensor.data_location == proto.TensorProto.EXTERNAL:
            return
        else:
            arrays = _inside(tensor, numpy.dtype(kind))
        for array in arrays:
            yield _widened(array) if tensor.data_type == BFLOAT16 else array

    def _mapped(self, tensor: proto.TensorProto, found, kind: numpy.dtype) -> Iterator[numpy.ndarray]:
        import numpy

        size = byte_size(tensor.data_type, tensor.dims)
        path = os.path.join(self._folder, found.location)
        inside = os.path.realpath(path).startswith(os.path.realpath(self._folder) + os.sep)
        if found.field and found.field not in AS_RAW or found.offset < 0 or not size or not inside:
            return
        try:
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
                if found.offset + size > len(buffer):
                    return
                step = CHUNK * kind.itemsize
                for start in range(found.offset, found.offset + size, step):
                    count = min(step, found.offset + size - start) // kind.itemsize
                    yield numpy.frombuffer(bytes(buffer[start : start + count * kind.itemsize]), kind)
        except (OSError, ValueError):
            return


def _inside(tensor: proto.TensorProto, kind: numpy.dtype) -> Iterator[numpy.ndarray]:
    import numpy

    size = byte_size(tensor.data_type, tensor.dims)
    if tensor.HasField("raw_data"):
        data = tensor.raw_data
        if len(data) == size:
            yield numpy.frombuffer(data, kind)
        return
    held = getattr(tensor, TYPED.get(tensor.data_type, "int32_data"))
    if len(held) * kind.itemsize != size or not size:
        return
    if tensor.data_type in (10, BFLOAT16):
        yield numpy.array(held, "<u4").astype("<u2").view(kind)
    else:
        yield numpy.array(held).astype(kind)


def _widened(array: numpy.ndarray) -> numpy.ndarray:
    """bfloat16 as float32: its bits are the upper half."""
    return (array.astype("<u4") << 16).view("<f4")


def _look(array: numpy.ndarray) -> Numbers:
    import numpy

    zeros = int(array.size - numpy.count_nonzero(array))
    if array.dtype.kind != "f":
        return Numbers(int(array.size), zeros=zeros, least=array.min().item(), greatest=array.max().item())
    with numpy.errstate(all="ignore"):
        least, greatest = float(array.min()), float(array.max())
        nans = infinite = 0
        finite = array
        if least != least or abs(least) == float("inf") or abs(greatest) == float("inf"):
            nans, infinite = int(numpy.isnan(array).sum()), int(numpy.isinf(array).sum())
            finite = array[numpy.isfinite(array)]
            least, greatest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        small = numpy.finfo(array.dtype).tiny
        tiny = int(numpy.count_nonzero(numpy.abs(finite) < small)) - zeros
    return Numbers(int(array.size), nans, infinite, tiny, zeros, least, greatest)
