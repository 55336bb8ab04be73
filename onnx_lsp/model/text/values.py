"""The values of small tensors, whichever field of the TensorProto holds them.

Text and comparison both need them independent of the field: `raw_data` of two floats and `float_data` are the same.
Element types and fields: onnx/onnx.proto, TensorProto.
"""

from __future__ import annotations

import math
import struct

from onnx_lsp.model import proto
from onnx_lsp.model.sizes import byte_size

# DataType -> (struct code of one value in raw_data, field for typed data)
# float16 and smaller types are written as their bits, as ONNX's own text does; packed ones byte by byte.
LAYOUT = {
    1: ("f", "float_data"), 2: ("B", "int32_data"), 3: ("b", "int32_data"), 4: ("H", "int32_data"),
    5: ("h", "int32_data"), 6: ("i", "int32_data"), 7: ("q", "int64_data"), 9: ("B", "int32_data"),
    10: ("H", "int32_data"), 11: ("d", "double_data"), 12: ("I", "uint64_data"), 13: ("Q", "uint64_data"),
    14: ("f", "float_data"), 15: ("d", "double_data"), 16: ("H", "int32_data"), 17: ("B", "int32_data"),
    18: ("B", "int32_data"), 19: ("B", "int32_data"), 20: ("B", "int32_data"), 21: ("B", "int32_data"),
    22: ("B", "int32_data"), 23: ("B", "int32_data"), 24: ("B", "int32_data"), 25: ("B", "int32_data"),
    26: ("B", "int32_data"), 27: ("B", "int32_data"), 28: ("B", "int32_data"),
}  # fmt: skip
STRING = proto.TensorProto.STRING
FIELDS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


def code(data_type: int) -> str | None:
    """The struct code of one value in raw_data; None for strings and unknown types."""
    return LAYOUT[data_type][0] if data_type in LAYOUT else None


def field(data_type: int) -> str | None:
    """The typed field in which values of this type belong; None for unknown types."""
    if data_type == STRING:
        return "string_data"
    return LAYOUT[data_type][1] if data_type in LAYOUT else None


def values(tensor: proto.TensorProto) -> list | None:
    """The numbers or byte strings of a tensor whose data is present; None if they are in no field where they belong."""
    home = field(tensor.data_type)
    used = [name for name in FIELDS if len(getattr(tensor, name))]
    if tensor.HasField("raw_data"):
        kind = code(tensor.data_type)
        if used or kind is None or len(tensor.raw_data) % struct.calcsize(kind):
            return None
        return list(struct.unpack(f"<{len(tensor.raw_data) // struct.calcsize(kind)}{kind}", tensor.raw_data))
    if home is None or used not in ([], [home]):
        return None
    return list(getattr(tensor, home))


def raw(tensor: proto.TensorProto) -> bytes | None:
    """The data of a tensor, if it is present, as raw_data would hold it (strings: each behind its length)."""
    if tensor.HasField("raw_data") and not any(len(getattr(tensor, name)) for name in FIELDS):
        return tensor.raw_data
    found = values(tensor)
    if found is None:
        return tensor.SerializeToString(deterministic=True)  # nothing but itself is like it
    if tensor.data_type == STRING:
        return b"".join(struct.pack("<Q", len(text)) + text for text in found)
    kind = code(tensor.data_type)
    if kind in "fd":
        return struct.pack(f"<{len(found)}{kind}", *found)
    mask = (1 << 8 * struct.calcsize(kind)) - 1
    return b"".join((value & mask).to_bytes(struct.calcsize(kind), "little") for value in found)


def size(tensor: proto.TensorProto) -> int:
    """Bytes of the whole data that dims and type promise; 0 for strings and unknown types."""
    return byte_size(tensor.data_type, tensor.dims) if all(dim >= 0 for dim in tensor.dims) else 0


def count(tensor: proto.TensorProto) -> int:
    """How many elements the dims promise; 0 where a dim is negative."""
    return math.prod(tensor.dims) if all(dim >= 0 for dim in tensor.dims) else 0
