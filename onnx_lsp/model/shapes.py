"""Types and shapes of every value, as inference found them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from onnx_lsp.model import proto
from onnx_lsp.model.graph import Scope, bodies


@dataclass(frozen=True, slots=True)
class TensorType:
    """A tensor's type.

    Attributes:
        element: TensorProto.DataType.
        dims: a number, a name, or None per dimension; None as a whole where not even the rank is known.
    """

    element: int
    dims: tuple[int | str | None, ...] | None

    @property
    def rank(self) -> int | None:
        return None if self.dims is None else len(self.dims)

    def __str__(self) -> str:
        known = self.element in proto.TensorProto.DataType.values()
        name = proto.TensorProto.DataType.Name(self.element).lower() if known else f"type {self.element}"
        return f"{name}{self.shape}"

    @property
    def shape(self) -> str:
        """The dims as ONNX text writes them, `[2,n,?]`; empty where the rank is not known."""
        return "" if self.dims is None else f"[{','.join('?' if dim is None else str(dim) for dim in self.dims)}]"


class Shapes:
    """Answers with the type of a value; values of function bodies have one only where it was added (it depends on the call).

    Args:
        inferred: the inferred model, serialised, whose nodes are named by their paths; it is parsed when somebody asks.
            None where inference failed altogether.
        scopes: the scopes of the model that was read.
        told: paths of what is known to be wrong; initializers among them have no shape to rely on.
    """

    def __init__(self, inferred: bytes | None, scopes: Sequence[Scope], told: Container[str] = ()) -> None:
        self._inferred = inferred
        self._nested = any(scope.owner for scope in scopes)
        self._types: dict[str, dict[str, TensorType | proto.ValueInfoProto]] | None = None
        self._initializers: dict[str, dict[str, TensorType]] = {
            scope.path: {
                name: TensorType(tensor.data_type, tuple(tensor.dims))
                for name, tensor in scope.initializers.items()
                if not told or scope.place("initializer", name) not in told
            }
            for scope in scopes
        }

    def type(self, scope: Scope, name: str) -> TensorType | None:
        """The type of a value as seen from a scope; None where unknown or no tensor."""
        for around in scope.around():
            found = self._initializers.get(around.path, {}).get(name) or self._inferred_type(around.path, name)
            if found is not None or around.defines(name):
                return found
        return None

    def element(self, scope: Scope, name: str) -> int:
        """The element type of a value as seen from a scope, without a look at its shape; 0 where unknown or no tensor."""
        for around in scope.around():
            found = self._initializers.get(around.path, {}).get(name) or self._declared(around.path).get(name)
            if found is not None or around.defines(name):
                whole = isinstance(found, proto.ValueInfoProto)
                return found.type.tensor_type.elem_type if whole else found.element if found else 0
        return 0

    def _declared(self, path: str) -> dict[str, TensorType | proto.ValueInfoProto]:
        """What inference says of the values of a scope."""
        if self._types is None:
            self._types = {"graph": {}}
            if self._inferred is not None:
                self._collect(proto.ModelProto.FromString(self._inferred).graph, "graph")
        return self._types.get(path, {})

    def _inferred_type(self, path: str, name: str) -> TensorType | None:
        types = self._declared(path)
        found = types.get(name)
        if isinstance(found, proto.ValueInfoProto):  # most are never asked for
            found = types[name] = tensor_type(found.type.tensor_type) if found.type.HasField("tensor_type") else None
        return found

    def add(self, graph: proto.GraphProto, path: str) -> None:
        """Adds the types of a graph that was inferred by itself, whose nodes are named by their paths."""
        self._declared(path)
        self._collect(graph, path)

    def _collect(self, graph: proto.GraphProto, path: str) -> None:
        types = self._types.setdefault(path, {})
        types.update({value.name: value for value in graph.value_info})
        types.update({value.name: value for value in (*graph.input, *graph.output) if value.type.HasField("tensor_type")})
        for node in graph.node if self._nested else ():
            for body, label in bodies(node):
                self._collect(body, f"{node.name}.{label}")


def differ(one: TensorType, other: TensorType) -> bool:
    """Whether two types exclude each other; what is unknown, or only named, does not."""
    if one.element != other.element:
        return True
    if one.dims is None or other.dims is None:
        return False
    if len(one.dims) != len(other.dims):
        return True
    pairs = zip(one.dims, other.dims, strict=True)
    return any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs)


def tensor_type(type_proto) -> TensorType:
    """The type that a TypeProto.Tensor declares."""
    if not type_proto.HasField("shape"):
        return TensorType(type_proto.elem_type, None)
    return TensorType(type_proto.elem_type, tuple(_dim(dim) for dim in type_proto.shape.dim))


def _dim(dim) -> int | str | None:
    if dim.HasField("dim_value"):
        return dim.dim_value
    return dim.dim_param or None
