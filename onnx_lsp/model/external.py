"""The files beside a model that hold its weights, and what stands where in them. Nothing is read: `stat` tells enough."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property

from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model
from onnx_lsp.model.sizes import byte_size

EXTERNAL = proto.TensorProto.EXTERNAL
TENSOR = proto.AttributeProto.TENSOR


@dataclass(frozen=True, slots=True)
class Piece:
    """The data of one tensor in a file.

    Attributes:
        at: the model path of the tensor, or of the node whose attribute it is.
        name: the tensor's name; empty in most attributes.
        what: what a message calls it.
        location: the path as the model gives it.
        offset, length: as the model gives them; None where they are no numbers. Without a length the tensor's own size counts.
        size: bytes that the tensor's type and shape need.
        item: bytes of one element (at least 1).
        entries: everything that the model says about the data.
    """

    at: str
    name: str
    what: str
    location: str
    offset: int | None
    length: int | None
    size: int
    item: int
    entries: dict[str, str]

    @property
    def end(self) -> int:
        """Where the data ends in the file."""
        return (self.offset or 0) + (self.size if self.length is None else self.length)


class External:
    """All external data of a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.folder = os.path.dirname(os.path.abspath(model.skeleton.path))

    def path(self, location: str) -> str:
        """Where a file would lie."""
        return os.path.normpath(os.path.join(self.folder, location))

    @cached_property
    def pieces(self) -> list[Piece]:
        """Every tensor that says it is external, in order."""
        mark = self._model.skeleton.mark
        return [
            _piece(at, name, what, tensor, entries)
            for at, name, what, tensor in _tensors(self._model)
            if not (entries := {entry.key: entry.value for entry in tensor.external_data}).get("checksum", "").startswith(mark)
        ]

    @cached_property
    def by_file(self) -> dict[str, list[Piece]]:
        """The pieces by the file that they name."""
        found: dict[str, list[Piece]] = {}
        for piece in self.pieces:
            if piece.location:
                found.setdefault(piece.location, []).append(piece)
        return found


def external_files(model: Model) -> set[str]:
    """The files that the model's tensors name, as absolute paths; they need not exist."""
    external = External(model)
    return {external.path(location) for location in external.by_file}


def _piece(at: str, name: str, what: str, tensor: proto.TensorProto, entries: dict[str, str]) -> Piece:
    length = entries.get("length")
    return Piece(
        at, name, what, entries.get("location", ""), _number(entries.get("offset", "0")),
        None if length is None else _number(length),
        byte_size(tensor.data_type, tensor.dims), max(byte_size(tensor.data_type, (1,)), 1), entries,
    )  # fmt: skip


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _tensors(model: Model):
    """Where weights are: initializers, and tensors in attributes."""
    for scope in model.scopes:
        for name, tensor in scope.initializers.items():
            if tensor.data_location == EXTERNAL:
                yield scope.place("initializer", name), name, f"initializer `{name}`", tensor
        for name, sparse in scope.sparse.items():
            for tensor in (sparse.values, sparse.indices):
                if tensor.data_location == EXTERNAL:
                    yield scope.place("sparse_initializer", name), name, f"sparse initializer `{name}`", tensor
    for node in model.with_tensors:
        for item in node.proto.attribute:
            if item.type == TENSOR and item.t.data_location == EXTERNAL:
                yield node.path, item.t.name or node.title(), f"attribute `{item.name}` of {node.title()}", item.t
