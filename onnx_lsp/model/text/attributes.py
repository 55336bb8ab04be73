"""Attributes: `name = value`, with the type where the value does not tell it."""

from __future__ import annotations

import hashlib

from onnx_lsp.model import proto
from onnx_lsp.model.text.style import Style
from onnx_lsp.model.text.tensors import Tensors
from onnx_lsp.model.text.words import ELIDED, IDENTIFIER, float32, string, type_of

FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS, TENSORS, GRAPHS = range(1, 11)
TYPE, TYPES = 13, 14
TYPE_NAMES = {number: name.lower() for name, number in proto.AttributeProto.AttributeType.items()}
BEGIN = 8  # values shown of a list that is left out


class Attributes:
    """Writes attributes other than graphs."""

    def __init__(self, style: Style, tensors: Tensors) -> None:
        self.style = style
        self.tensors = tensors
        self._names: dict[str, str] = {}

    def name(self, name: str) -> str:
        """An attribute's name, quoted where the syntax has no other way."""
        written = self._names.get(name)
        if written is None:
            written = self._names[name] = name if IDENTIFIER(name) else string(name)
        return written

    def write(self, item: proto.AttributeProto) -> str | None:
        """`name = value`; None for what the syntax cannot say."""
        kind = item.type
        if item.ref_attr_name:
            return f"{self._typed(item)} = @{self.name(item.ref_attr_name)}"
        if self.style.metadata and item.doc_string:
            return None
        if kind == INT:
            return f"{self.name(item.name)} = {item.i}"
        if kind == INTS:
            return self._list(item, item.ints, str)
        if kind == FLOAT:
            return f"{self.name(item.name)} = {float32(item.f)}"
        if kind == STRING:
            return f"{self.name(item.name)} = {self._string(item.s)}"
        if kind == TENSOR:
            return f"{self.name(item.name)} = {self._tensor(item.t)}"
        if kind == FLOATS:
            return self._list(item, item.floats, float32)
        if kind == STRINGS:
            return self._list(item, item.strings, self._string)
        if kind == TENSORS:
            return self._list(item, item.tensors, self._tensor)
        if kind == TYPE:
            return f"{self.name(item.name)} = {type_of(item.tp)}" if item.tp.WhichOneof("value") else None
        if kind == TYPES:
            return self._list(item, item.type_protos, type_of)
        return None

    def _typed(self, item: proto.AttributeProto) -> str:
        return f"{self.name(item.name)}: {TYPE_NAMES[item.type]}" if item.type else self.name(item.name)

    def _list(self, item: proto.AttributeProto, values, write) -> str:
        if not values:
            return f"{self._typed(item)} = []"
        if len(values) <= self.style.values:
            return f"{self.name(item.name)} = [{', '.join(map(write, values))}]"
        first = ", ".join(map(write, values[:BEGIN]))
        digest = _digest(item.SerializeToString(deterministic=True))
        return f"{self.name(item.name)} = [{first}, {ELIDED} {len(values)} values {digest}]"

    def _string(self, text: bytes) -> str:
        if len(text) <= self.style.characters:
            return string(text)
        begin = text[: self.style.characters].decode("utf-8", "ignore")
        return f"{string(begin)}{ELIDED} {len(text)} bytes {_digest(text)}"

    def _tensor(self, item: proto.TensorProto) -> str:
        data = self.tensors.data(item)
        named = self.style.metadata and item.name
        name = f" {item.name if IDENTIFIER(item.name) else string(item.name)}" if named else ""
        return f"{self.tensors.type(item)}{name}{' ' if data.startswith('{') else ' = '}{data}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
