"""What is in a model: its interface, versions, weights, operators and work, as plain data."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from onnx_lsp.model.external import External
from onnx_lsp.model.flops import Flops, flops
from onnx_lsp.model.graph import Model
from onnx_lsp.model.inferred import Inferred, NoModel, infer
from onnx_lsp.model.shapes import tensor_type
from onnx_lsp.model.sizes import byte_size
from onnx_lsp.model.usage import element_name


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output; `dims` is None where not even the rank is declared, `type` says what it is if no tensor."""

    name: str
    type: str
    dims: tuple[int | str | None, ...] | None

    def __str__(self) -> str:
        if self.dims is None:
            return self.type
        return f"{self.type}[{', '.join('?' if dim is None else str(dim) for dim in self.dims)}]"


@dataclass(frozen=True, slots=True)
class File:
    """A file beside the model that holds weights: bytes that the model takes from it, and whether it exists."""

    location: str
    taken: int
    exists: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A model in numbers.

    Attributes:
        size: bytes of the file itself.
        parameters: element type -> number of elements of initializers and of tensors that Constant nodes hold.
        inline: bytes of weights inside the file.
        files: where the other weights are.
        dynamic: named size -> the inputs and outputs that have it; `?` for those without a name.
        nodes: operator -> number of nodes, in bodies and functions too, the most frequent first.
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opsets: dict[str, int]
    ir: int
    producer: str
    size: int
    parameters: dict[str, int]
    inline: int
    files: tuple[File, ...]
    dynamic: dict[str, tuple[str, ...]]
    nodes: dict[str, int]
    functions: int
    flops: Flops


def summary(path: str, sizes: Mapping[str, int]) -> Iterator[Summary | str]:
    """Yields the summary, or in words why there is none. A task of a child.

    Args:
        sizes: of dynamic dimensions, by their name or as `input:axis`; the work is counted for them.
    """
    try:
        yield summarized(infer(path, sizes))
    except NoModel as error:
        yield str(error)


def summarized(inferred: Inferred) -> Summary:
    """The summary of a model."""
    model = inferred.model
    graph = model.proto.graph
    weights = set(model.graph.initializers) | set(model.graph.sparse)
    inputs = tuple(_value(item) for item in graph.input if item.name not in weights)
    outputs = tuple(_value(item) for item in graph.output)
    tensors = list(_tensors(model))
    files = _files(model)
    total = sum(byte_size(tensor.data_type, tensor.dims) for tensor in tensors)
    return Summary(
        inputs, outputs, model.opsets, model.proto.ir_version,
        " ".join(filter(None, (model.proto.producer_name, model.proto.producer_version))),
        model.skeleton.size, _parameters(tensors), max(0, total - sum(file.taken for file in files)), files,
        _dynamic((*inputs, *outputs)), _operators(model), len(model.functions), flops(model, inferred.shapes),
    )  # fmt: skip


def _value(item) -> Value:
    kind = item.type.WhichOneof("value")
    if kind == "tensor_type":
        found = tensor_type(item.type.tensor_type)
        return Value(item.name, element_name(found.element) or f"type {found.element}", _dims(found.dims))
    return Value(item.name, (kind or "no type").removesuffix("_type"), None)


def _dims(dims: tuple[int | str | None, ...] | None) -> tuple[int | str | None, ...] | None:
    """The dimensions; a negative number, which some exporters write, says that the size is not known."""
    return dims and tuple(None if isinstance(dim, int) and dim < 0 else dim for dim in dims)


def _tensors(model: Model) -> Iterator:
    """The weights: initializers, also sparse ones, and the tensors of Constant nodes."""
    for scope in model.scopes:
        yield from scope.initializers.values()
        yield from (sparse.values for sparse in scope.sparse.values())
    for node in model.with_tensors:
        if node.op == "Constant":
            yield from (item.t for item in node.proto.attribute if item.name == "value")


def _parameters(tensors: list) -> dict[str, int]:
    found: Counter[str] = Counter()
    for tensor in tensors:
        found[element_name(tensor.data_type) or f"type {tensor.data_type}"] += math.prod(tensor.dims)
    return dict(found.most_common())


def _files(model: Model) -> tuple[File, ...]:
    external = External(model)
    return tuple(
        File(location, sum(piece.size for piece in pieces), os.path.isfile(external.path(location)))
        for location, pieces in sorted(external.by_file.items())
    )


def _dynamic(values: tuple[Value, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for value in values:
        for dim in value.dims or ():
            if not isinstance(dim, int):
                found.setdefault(dim or "?", {})[value.name] = None
    return {name: tuple(names) for name, names in found.items()}


def _operators(model: Model) -> dict[str, int]:
    titles = (f"{node.domain}.{node.op}" if node.domain else node.op for node in model.nodes())
    return dict(Counter(titles).most_common())
