"""Tensors: their values where there are few, else what stands for them, as ONNX writes external data."""

from __future__ import annotations

from collections.abc import Callable

from onnx_lsp.model import proto
from onnx_lsp.model.text import values
from onnx_lsp.model.text.payload import EXTERNAL, FIELDS, SAME_AS_RAW, Hasher, place
from onnx_lsp.model.text.style import Style, Weights
from onnx_lsp.model.text.words import element, float32, float64, string, tensor
from onnx_lsp.model.wire import Skeleton

FLOATS = frozenset({1, 14})
DOUBLES = frozenset({11, 15})
WRITTEN_AS_RAW = frozenset(FIELDS[field] for field in SAME_AS_RAW)


class Tensors:
    """Writes tensors.

    Args:
        skeleton: the model.
        style: what to write of their data.
    """

    def __init__(self, skeleton: Skeleton, style: Style) -> None:
        self.skeleton = skeleton
        self.style = style
        self.hasher = Hasher(skeleton) if style.weights is Weights.DIGEST else None
        self.bytes = 0

    def type(self, item: proto.TensorProto) -> str:
        """Type and dims."""
        return tensor(item.data_type, item.dims)

    def data(self, item: proto.TensorProto) -> str:
        """The values in braces, or what stands for them in brackets."""
        self.bytes += values.size(item)
        if item.data_location == EXTERNAL:
            return self._elsewhere(item)
        found = values.values(item)
        if found is None:
            return self._stand_in(item, {"stored": ", ".join(_used(item)) or element(item.data_type)})
        if len(found) > self.style.values:
            return self._stand_in(item, {})
        return "{" + ", ".join(map(_writer(item.data_type), found)) + "}"

    def _elsewhere(self, item: proto.TensorProto) -> str:
        found = place(item, self.skeleton)
        if found is None:
            entries = {entry.key: entry.value for entry in item.external_data}
        elif self.style.weights is Weights.PLACE:
            entries = dict(found.entries)
            if found.field:
                entries = {"location": found.location} if found.field in WRITTEN_AS_RAW else {"field": found.field}
                entries |= {"offset": str(found.offset), "length": str(found.length)}
        else:
            entries = {"location": found.location} if not found.field else {}
            if found.length is not None:
                entries["length"] = str(found.length)
            return self._stand_in(item, entries)
        return _entries(entries)

    def _stand_in(self, item: proto.TensorProto, entries: dict[str, str]) -> str:
        if "length" not in entries and "location" not in entries:
            entries = {"length": str(values.size(item)), **entries}
        if self.hasher is not None:
            entries["digest"] = self.hasher.digest(item) or "unknown"
        return _entries(entries)


def _entries(entries: dict[str, str]) -> str:
    return "[" + ", ".join(f"{string(key)}: {string(value)}" for key, value in entries.items()) + "]"


def _used(item: proto.TensorProto) -> list[str]:
    return [name for name in ("raw_data", *values.FIELDS) if len(getattr(item, name))]


def _writer(data_type: int) -> Callable[[object], str]:
    if data_type in FLOATS:
        return float32
    if data_type in DOUBLES:
        return float64
    return string if data_type == values.STRING else str
