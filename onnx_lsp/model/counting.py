"""What the elements of a tensor are, taken together: exactly, or skimmed by one byte of each.

A weight in which nothing is unusual is recognised by the upper bytes of its floats alone, which hold the sign and
most of the exponent: no number has to be unpacked and numpy (60-130 ms to import) is not needed. It is imported for big
tensors that must really be counted.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnx_lsp.model.constants import CODES

if TYPE_CHECKING:
    import numpy

FLOAT, FLOAT16, DOUBLE, BFLOAT16 = 1, 10, 11, 16
WIDTHS = {code: struct.calcsize(letter) for code, letter in CODES.items()} | {BFLOAT16: 2}
TINIEST = {FLOAT: 2.0**-126, FLOAT16: 2.0**-14, DOUBLE: 2.0**-1022, BFLOAT16: 2.0**-126}  # smallest normal numbers
SHARE = 0.01  # of numbers near 0 that are worth a closer look
FEW = 1 << 12  # elements that are counted sooner than numpy is imported


def _middle(tiny: int, huge: int) -> bytes:
    """The upper bytes of floats that are neither near 0 nor huge, positive and negative ones."""
    return bytes(byte for byte in range(256) if tiny <= byte & 0x7F < huge)


# From which upper byte on (without its sign) a float is normal, and from which on it may be over 65504, or no number.
MIDDLE = {FLOAT: _middle(1, 0x47), FLOAT16: _middle(4, 0x7C), DOUBLE: _middle(1, 0x40), BFLOAT16: _middle(1, 0x47)}


@dataclass(frozen=True, slots=True)
class Numbers:
    """What elements are, taken together.

    Attributes:
        count, nans, infinite, subnormal, zeros: numbers of elements.
        least, greatest: over the finite elements; 0 where there is none.
    """

    count: int = 0
    nans: int = 0
    infinite: int = 0
    subnormal: int = 0
    zeros: int = 0
    least: float = 0
    greatest: float = 0

    def __add__(self, other: Numbers) -> Numbers:
        sums = (getattr(self, name) + getattr(other, name) for name in ("count", "nans", "infinite", "subnormal", "zeros"))
        parts = [part for part in (self, other) if part.count > part.nans + part.infinite]
        return Numbers(*sums, min((part.least for part in parts), default=0), max((part.greatest for part in parts), default=0))


def unremarkable(data: bytes, data_type: int) -> bool:
    """Whether it is certain that floats hold no NaN, no Inf, nothing over 65504, and next to nothing near 0.

    Args:
        data: little-endian elements.
        data_type: FLOAT, FLOAT16, DOUBLE or BFLOAT16.
    """
    width = WIDTHS[data_type]
    strange = data[width - 1 :: width].translate(None, MIDDLE[data_type])
    if not strange:
        return True
    smallest = MIDDLE[data_type][0]
    near_zero = sum(strange.count(byte) + strange.count(byte | 0x80) for byte in range(smallest))
    return near_zero == len(strange) and near_zero < SHARE * (len(data) // width)


def count(data: bytes, data_type: int) -> Numbers:
    """Counts little-endian elements of a type in `WIDTHS`."""
    if len(data) > 64 and not data.strip(b"\0"):
        size = len(data) // WIDTHS[data_type]
        return Numbers(size, zeros=size)
    return _count_few(data, data_type) if len(data) <= FEW * WIDTHS[data_type] else _count_many(data, data_type)


def _count_few(data: bytes, data_type: int) -> Numbers:
    if data_type == BFLOAT16:  # the upper half of a float32
        data = b"".join(b"\0\0" + data[start : start + 2] for start in range(0, len(data), 2))
    code = CODES[FLOAT if data_type == BFLOAT16 else data_type]
    values = struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data)
    finite = [value for value in values if math.isfinite(value)] if data_type in TINIEST else values
    nans = sum(value != value for value in values)
    tiny = TINIEST.get(data_type, 0)
    subnormal = sum(0 < abs(value) < tiny for value in finite)
    return Numbers(len(values), nans, len(values) - len(finite) - nans, subnormal, values.count(0), min(finite, default=0), max(finite, default=0))


def _count_many(data: bytes, data_type: int) -> Numbers:
    import numpy

    if data_type == BFLOAT16:
        array = (numpy.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    else:
        array = numpy.frombuffer(data, "<" + CODES[data_type])
    zeros = array.size - int(numpy.count_nonzero(array))
    if data_type not in TINIEST:
        return Numbers(array.size, zeros=zeros, least=array.min().item(), greatest=array.max().item())
    with numpy.errstate(all="ignore"):
        return _count_floats(array, zeros, TINIEST[data_type])


def _count_floats(array: numpy.ndarray, zeros: int, tiny: float) -> Numbers:
    import numpy

    finite = array[numpy.isfinite(array)]
    nans = int(numpy.isnan(array).sum())
    subnormal = int(numpy.count_nonzero(numpy.abs(finite) < tiny)) - zeros
    least, greatest = (finite.min().item(), finite.max().item()) if finite.size else (0, 0)
    return Numbers(array.size, nans, array.size - finite.size - nans, subnormal, zeros, least, greatest)
