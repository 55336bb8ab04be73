"""Tensors that do not hold what they declare, and interfaces without types."""

from __future__ import annotations

import math
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.model import proto
from onnx_lsp.model.checks.initializers import readable
from onnx_lsp.model.graph import Model, Scope
from onnx_lsp.model.shapes import TensorType, differ, tensor_type
from onnx_lsp.model.sizes import ITEM_BITS, byte_size
from onnx_lsp.model.wire import RAW_DATA

TENSOR = proto.AttributeProto.TENSOR
EXTERNAL = proto.TensorProto.EXTERNAL
STRING = 8
TYPES = proto.TensorProto.DataType
# Where the elements of a type stand if not in raw_data (onnx/onnx.proto, TensorProto).
FIELDS = {1: "float_data", 14: "float_data", 7: "int64_data", 8: "string_data", 11: "double_data", 15: "double_data",
          12: "uint64_data", 13: "uint64_data"}  # fmt: skip
PER_ELEMENT = {14: 2, 15: 2}  # complex numbers are two
TYPED = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")
NUMBERS = {4: "float_data", 5: "int32_data", 6: "string_data", 7: "int64_data", 10: "double_data", 11: "uint64_data"}
MAX_ELEMENTS = 1 << 62


def tensors(model: Model) -> Iterator[tuple[object, str, proto.TensorProto]]:
    """Every tensor of the model: the node or path that it belongs to, what a message calls it, and the tensor."""
    for scope in model.scopes:
        for name, tensor in scope.initializers.items():
            yield scope.place("initializer", name), f"initializer `{name}`", tensor
        for name, sparse in scope.sparse.items():
            yield scope.place("sparse_initializer", name), f"the values of sparse initializer `{name}`", sparse.values
    for node in model.with_tensors:
        for item in node.proto.attribute:
            for tensor in (item.t,) if item.type == TENSOR else item.tensors:
                yield node, f"attribute `{item.name}` of {node.title()}", tensor


@check("ONX020")
def tensor_size(model: Model, report: Report) -> None:
    mark = model.skeleton.mark
    for at, what, tensor in tensors(model):
        element, dims = tensor.data_type, tensor.dims
        if element not in ITEM_BITS and element != STRING:
            name = "no element type" if element == 0 else f"element type {element}, which ONNX does not have"
            report("type", at, what=what, given=name)
            continue
        if min(dims, default=0) < 0:
            report("dims", at, what=what, dims=shape(dims))
            continue
        if math.prod(dims) > MAX_ELEMENTS:
            continue  # that no machine can hold it is told by SEC020
        if found := misfit(tensor, mark):
            case, fields = found
            report(case, at, what=what, type=TYPES.Name(element).lower(), dims=shape(dims), **fields)


def misfit(tensor: proto.TensorProto, mark: str) -> tuple[str, dict[str, object]] | None:
    """How the data of a tensor contradicts its type and shape, as case and fields."""
    external = tensor.data_location == EXTERNAL
    record = _record(tensor, mark) if external else None
    if external and record is None:
        return None
    if record is not None:
        field, size = record
        if field != RAW_DATA:
            return _wrong_field(tensor, NUMBERS.get(field, ""))
        return _wrong_size(tensor, size)
    if tensor.HasField("raw_data"):
        held = [name for name in TYPED if len(getattr(tensor, name))]
        if held:
            return "both", {"field": held[0]}
        if tensor.data_type == STRING:
            return "raw-string", {}
        return _wrong_size(tensor, len(tensor.raw_data))
    held = [name for name in TYPED if len(getattr(tensor, name))]
    if len(held) > 1:
        return "both", {"field": held[1]}
    if not held:
        return _wrong_count(tensor, 0)
    return _wrong_field(tensor, held[0]) or _wrong_count(tensor, len(getattr(tensor, held[0])))


def _record(tensor: proto.TensorProto, mark: str) -> tuple[int, int] | None:
    """Field and size of a payload that reading left out; None for real external data."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    checksum = entries.get("checksum", "")
    if not checksum.startswith(mark):
        return None
    start, end, field, *_ = checksum[len(mark) :].split()
    return int(field), int(entries["length"]) if int(field) == RAW_DATA else int(end) - int(start)


def _wrong_size(tensor: proto.TensorProto, size: int) -> tuple[str, dict[str, object]] | None:
    wanted = byte_size(tensor.data_type, tensor.dims)
    if size == wanted:
        return None
    return "size", {"size": readable(size), "wanted": readable(wanted), "bytes": f"{size} of {wanted}"}


def _wrong_count(tensor: proto.TensorProto, count: int) -> tuple[str, dict[str, object]] | None:
    bits = ITEM_BITS.get(tensor.data_type, 8)
    elements = math.prod(tensor.dims)
    if bits < 8 and FIELDS.get(tensor.data_type) is None:
        elements = (elements * bits + 7) // 8  # several to one int32
    wanted = elements * PER_ELEMENT.get(tensor.data_type, 1)
    return None if count == wanted else ("count", {"count": count, "wanted": wanted})


def _wrong_field(tensor: proto.TensorProto, field: str) -> tuple[str, dict[str, object]] | None:
    wanted = FIELDS.get(tensor.data_type, "int32_data")
    return None if field == wanted else ("field", {"field": field, "wanted": wanted})


def shape(dims) -> str:
    """Dims as ONNX text writes them: `[2,3]`."""
    return f"[{','.join(map(str, dims))}]"


@check("ONX021")
def contradicted_input(model: Model, report: Report) -> None:
    graph = model.graph
    for value in graph.proto.input:
        tensor = graph.initializers.get(value.name)
        if tensor is None or not value.type.HasField("tensor_type") or not value.type.tensor_type.elem_type:
            continue
        declared, given = tensor_type(value.type.tensor_type), TensorType(tensor.data_type, tuple(tensor.dims))
        if differ(declared, given):
            report("differs", graph.place("input", value.name), name=value.name, declared=declared, given=given)


@check("ONX022")
def sparse_tensor(model: Model, report: Report) -> None:
    for scope in model.scopes:
        for sparse in () if scope.is_function else scope.proto.sparse_initializer:
            name, values, indices = sparse.values.name, sparse.values, sparse.indices
            at, count = scope.place("sparse_initializer", name), math.prod(values.dims)
            if not name:
                report("nameless", f"{scope.path}/sparse_initializer[0]")
            elif len(values.dims) != 1:
                report("values", at, name=name, rank=len(values.dims))
            elif indices.data_type != 7:
                report("type", at, name=name)
            elif tuple(indices.dims) not in ((count,), (count, len(sparse.dims))):
                wanted = f"[{count}] or [{count},{len(sparse.dims)}]"
                report("indices", at, name=name, dims=shape(indices.dims), wanted=wanted)
            elif (problem := _indices(sparse, count)) is not None:
                report("range", at, name=name, problem=problem, dims=shape(sparse.dims))


def _indices(sparse, count: int) -> str | None:
    """What is wrong with the positions: beyond the tensor, or not in order."""
    from onnx_lsp.model.constants import decode

    found = decode(sparse.indices)
    if found is None or not count:
        return None
    rank, dims = len(sparse.dims), tuple(sparse.dims)
    if len(found.dims) == 1:
        places = [(value,) for value in found.values]
        dims = (math.prod(dims),)
    else:
        places = [found.values[start : start + rank] for start in range(0, len(found.values), rank)]
    for before, place in zip([None, *places], places, strict=False):
        if any(not 0 <= value < dim for value, dim in zip(place, dims, strict=True)):
            return f"index {shape(place)} is outside of it"
        if before is not None and place <= before:
            return f"index {shape(place)} comes after {shape(before)}, though they must ascend"
    return None


@check("ONX025")
def untyped_interface(model: Model, report: Report) -> None:
    graph: Scope = model.graph
    for kind, values in (("input", graph.proto.input), ("output", graph.proto.output)):
        for value in values:
            found = value.type.WhichOneof("value")
            if found is None:
                report("type", graph.place(kind, value.name), kind=kind, name=value.name)
            elif found == "tensor_type" and value.type.tensor_type.elem_type not in TYPES.values()[1:]:
                report("element", graph.place(kind, value.name), kind=kind, name=value.name)
            elif found == "tensor_type" and not value.type.tensor_type.HasField("shape"):
                report("shape", graph.place(kind, value.name), kind=kind, name=value.name)
            elif found == "tensor_type" and (lowest := min((dim.dim_value for dim in value.type.tensor_type.shape.dim), default=0)) < 0:
                case = "minus-one" if lowest == -1 else "negative"  # Paddle writes -1 for what it does not know
                report(case, graph.place(kind, value.name), kind=kind, name=value.name, dims=tensor_type(value.type.tensor_type).shape)
