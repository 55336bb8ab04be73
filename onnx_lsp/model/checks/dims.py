"""What checks of shapes ask: the dims of an input, whether two dims can be equal."""

from __future__ import annotations

from onnx_lsp.model.graph import Node
from onnx_lsp.model.shapes import Shapes, TensorType

Dim = int | str | None
Dims = tuple[Dim, ...]


def type_of(node: Node, number: int, shapes: Shapes) -> TensorType | None:
    """The type of input `number`; None where it is left out or unknown."""
    name = node.inputs[number] if 0 <= number < len(node.inputs) else ""
    return shapes.type(node.scope, name) if name else None


def dims(node: Node, number: int, shapes: Shapes) -> Dims | None:
    """The dims of input `number`; None where not even the rank is known, or a dim is no size."""
    found = type_of(node, number, shapes)
    if found is None or found.dims is None or any(isinstance(dim, int) and dim < 0 for dim in found.dims):
        return None
    return found.dims


def attribute(node: Node, name: str, default: object) -> object:
    """The value of an attribute; None if it refers to one of a function, and so is unknown."""
    for item in node.proto.attribute:
        if item.name == name and item.ref_attr_name:
            return None
    return node.attr(name, default)


def known(values) -> str:
    """Dims as ONNX text writes them: `[2,n,?]`."""
    return f"[{','.join('?' if value is None else str(value) for value in values)}]"


def clash(one: Dim, other: Dim) -> bool:
    """Whether two dims are numbers that differ."""
    return isinstance(one, int) and isinstance(other, int) and one != other


def broadcasts(small: Dims, large: Dims) -> bool:
    """Whether the first may broadcast to the second, one way. What is unknown may."""
    if len(small) > len(large):
        return all(not isinstance(dim, int) or dim == 1 for dim in small[: -len(large) or None]) and not large
    return not any(clash(one, other) and one != 1 for one, other in zip(small[::-1], large[::-1], strict=False))


def axis_of(node: Node, rank: int, default: int = 0, name: str = "axis") -> int | None:
    """The attribute `axis` counted from the front; None where it is outside of the rank."""
    value = attribute(node, name, default)
    if not isinstance(value, int) or not -rank <= value < rank:
        return None
    return value % rank if rank else None
