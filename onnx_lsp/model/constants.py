"""Small constants: what the structure of a model says with numbers (Reshape shapes, axes, indices, scales)."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from dataclasses import dataclass

from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model, Node, Scope

EXTERNAL = proto.TensorProto.EXTERNAL
CODES = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e", 11: "d", 12: "I", 13: "Q"}
TYPED = {1: "float_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}
OF_INT32 = frozenset({2, 3, 4, 5, 6, 9})
# Attributes of Constant besides `value`: element type, and whether it holds a list.
LITERALS = {"value_int": (7, False), "value_ints": (7, True), "value_float": (1, False), "value_floats": (1, True)}


@dataclass(frozen=True, slots=True)
class Constant:
    """A small constant tensor.

    Attributes:
        element: TensorProto.DataType.
        dims: its shape.
        values: its elements, flat.
    """

    element: int
    dims: tuple[int, ...]
    values: tuple


class Constants:
    """The constants of a model that came with the skeleton; bigger ones are unknown here.

    A value is constant only where nobody can replace it: an initializer that is a graph input too is none.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[tuple[str, str], Constant | None] = {}

    def of(self, node: Node, number: int) -> Constant | None:
        """The constant that a node reads as its input `number`; None where it is none, or left out."""
        name = node.inputs[number] if number < len(node.inputs) else ""
        return self.get(node.scope, name) if name else None

    def ints(self, node: Node, number: int) -> tuple[int, ...] | None:
        """The values of an integer constant that a node reads."""
        found = self.of(node, number)
        return found.values if found is not None and found.element in (6, 7) else None

    def get(self, scope: Scope, name: str) -> Constant | None:
        """The constant of that name as seen from a scope."""
        home = scope.home(name)
        if home is None:
            return None
        key = (home.path, name)
        if key not in self._known:
            self._known[key] = self._find(home, name)
        return self._known[key]

    def _find(self, scope: Scope, name: str) -> Constant | None:
        if name in scope.inputs:
            return None
        tensor = scope.initializers.get(name)
        if tensor is not None:
            return decode(tensor)
        node = scope.producers.get(name)
        if node is None or node.domain:
            return None
        if node.op == "Identity" and len(node.inputs) == 1 and node.inputs[0] != name:
            source = scope.producers.get(node.inputs[0])
            if source is None or source.index < node.index:
                return self.get(scope, node.inputs[0])
        return _literal(node) if node.op == "Constant" else None


def _literal(node: Node) -> Constant | None:
    for item in node.proto.attribute:
        if item.ref_attr_name:
            return None
        if item.name == "value":
            return decode(item.t)
        if item.name in LITERALS:
            element, many = LITERALS[item.name]
            value = getattr(item, ("ints" if element == 7 else "floats") if many else ("i" if element == 7 else "f"))
            return Constant(element, (len(value),) if many else (), tuple(value) if many else (value,))
    return None


def literal(node: Node) -> proto.TensorProto | None:
    """The tensor that a Constant node gives; one made of its numbers where it holds these as attributes."""
    if node.op != "Constant" or node.domain:
        return None
    for item in node.proto.attribute:
        if item.name == "value" and item.HasField("t"):
            return item.t
    found = _literal(node)
    if found is None:
        return None
    numbers = {"int64_data": found.values} if found.element == 7 else {"float_data": found.values}
    return proto.TensorProto(data_type=found.element, dims=found.dims, **numbers)


def decode(tensor: proto.TensorProto) -> Constant | None:
    """The values of a tensor that holds its data; None for external data, strings, small floats and wrong sizes."""
    code = CODES.get(tensor.data_type)
    if code is None or tensor.data_location == EXTERNAL or any(dim < 0 for dim in tensor.dims):
        return None
    dims = tuple(tensor.dims)
    count = math.prod(dims)
    if tensor.HasField("raw_data"):
        values = _raw(tensor.raw_data, code)
    elif tensor.data_type == 10:
        values = _halves(tensor.int32_data)
    else:
        values = tuple(getattr(tensor, "int32_data" if tensor.data_type in OF_INT32 else TYPED[tensor.data_type]))
    return Constant(tensor.data_type, dims, values) if values is not None and len(values) == count else None


def _raw(data: bytes, code: str) -> tuple | None:
    size = struct.calcsize(code)
    if len(data) % size:
        return None
    if code in "e?" or sys.byteorder == "big":
        return struct.unpack(f"<{len(data) // size}{code}", data)
    return tuple(array(code, data))


def _halves(words) -> tuple | None:
    if any(not 0 <= word < 1 << 16 for word in words):
        return None
    return struct.unpack(f"<{len(words)}e", struct.pack(f"<{len(words)}H", *words))
