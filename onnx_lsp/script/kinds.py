"""What a value inside `forward` is, as far as an exporter cares: a tensor, a size, a module, or something fixed.

This is a coarser view than `values`: no contents, only kinds. A kind that is not certain is `UNKNOWN`.
"""

from __future__ import annotations

from onnx_lsp.script.eval_state import Layer
from onnx_lsp.script.values import Const, Function, Ref, Tensor, Value

TENSOR, DIM, SHAPE, TUPLE, EACH, CONST, REF, LAYER, METHOD, FUNCTION, OTHER = (
    "tensor", "dim", "shape", "tuple", "each", "const", "ref", "layer", "method", "function", "other",
)  # fmt: skip


class Kind:
    """One kind.

    Attributes:
        name: one of the words above, or empty for what is not known.
        batch: dim 0 of the tensor or shape is the batch, or the dim is the batch.
        frozen: the dim was made a number of the example: `int(x.shape[0])`, `len(x)`.
        items: of a tuple; of an iterator (`each`), the one kind of all its items.
        text, value: of a reference; of a constant.
        layers: the modules that it may be. function: a method of theirs, or another function.
    """

    __slots__ = ("name", "batch", "frozen", "items", "text", "value", "layers", "function")

    def __init__(self, name: str, batch: bool = False, frozen: bool = False, items: tuple[Kind, ...] = ()) -> None:
        self.name, self.batch, self.frozen, self.items = name, batch, frozen, items
        self.text = ""
        self.value: object = None
        self.layers: list[Layer] = []
        self.function: Function | None = None

    @property
    def key(self) -> tuple:
        """What tells kinds apart for a function that they are given to."""
        inner = tuple(item.key for item in self.items)
        start = self.function.node.start_byte if self.function is not None else 0
        layers = tuple(map(id, self.layers))
        return (self.name, self.batch, self.frozen, inner, self.text, repr(self.value), start, layers)

    @property
    def is_tensor(self) -> bool:
        return self.name == TENSOR


UNKNOWN = Kind("")
PLAIN = Kind(OTHER)
A_TENSOR, A_BATCH = Kind(TENSOR), Kind(TENSOR, batch=True)


def tensor(batch: bool = False) -> Kind:
    return A_BATCH if batch else A_TENSOR


def constant(value: object) -> Kind:
    kind = Kind(CONST)
    kind.value = value
    return kind


def reference(name: str) -> Kind:
    kind = Kind(REF)
    kind.text = name
    return kind


def modules(layers: list[Layer]) -> Kind:
    kind = Kind(LAYER)
    kind.layers = layers
    return kind


def method(layer: Layer, function: Function) -> Kind:
    kind = Kind(METHOD)
    kind.layers, kind.function = [layer], function
    return kind


def of_value(value: Value | None) -> Kind:
    """The kind of a value of the flow."""
    atom = value.only if value is not None else None
    if isinstance(atom, Const):
        return constant(atom.value)
    if isinstance(atom, Tensor) and atom.library == "torch":
        return A_TENSOR
    if isinstance(atom, Ref):
        return reference(atom.name)
    if isinstance(atom, Function):
        kind = Kind(FUNCTION)
        kind.function = atom
        return kind
    return UNKNOWN


def either(one: Kind, other: Kind) -> Kind:
    """What is one of two kinds."""
    if one is other or one.key == other.key:
        return one
    if one.name == other.name == TENSOR:
        return A_TENSOR
    if one.name == other.name == TUPLE and len(one.items) == len(other.items):
        return Kind(TUPLE, items=tuple(either(a, b) for a, b in zip(one.items, other.items, strict=True)))
    return UNKNOWN


def calculated(one: Kind, other: Kind) -> Kind:
    """What arithmetic on two kinds gives."""
    if one.is_tensor or other.is_tensor:
        return tensor(one.batch and one.is_tensor or other.batch and other.is_tensor)
    if DIM in (one.name, other.name) and {one.name, other.name} <= {DIM, CONST}:
        return Kind(DIM, frozen=one.frozen or other.frozen)
    return PLAIN if one.name == other.name == CONST else UNKNOWN
