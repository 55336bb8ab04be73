"""How many bytes tensors take."""

from __future__ import annotations

import math

# Bits of one element in TensorProto.raw_data; onnx.proto, TensorProto.DataType.
ITEM_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2, 27: 6, 28: 6,
}  # fmt: skip


def byte_size(data_type: int, dims) -> int:
    """Bytes of a tensor's data; 0 for strings and unknown types."""
    return (ITEM_BITS.get(data_type, 0) * math.prod(dims) + 7) // 8
