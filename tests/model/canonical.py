"""Two models are equal if their canonical forms are: data as raw bytes, nothing that says nothing, no external places."""

from __future__ import annotations

import onnx

from onnx_lsp.model.text import values

OFFICIAL_LACKS = {"metadata_props", "doc_string", "quantization_annotation", "sparse_initializer", "denotation"}


def canonical(model: onnx.ModelProto, without: frozenset[str] | set[str] = frozenset()) -> bytes:
    """A model's canonical form, without some fields wherever they occur."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    _clean(copy, without)
    return copy.SerializeToString(deterministic=True)


def _clean(message, without) -> None:
    if message.DESCRIPTOR.name == "TensorProto":
        _clean_tensor(message)
    for field, value in message.ListFields():
        if field.name in without or value == "":
            message.ClearField(field.name)
        elif field.message_type is not None:
            for item in value if hasattr(value, "add") else [value]:
                _clean(item, without)
            if field.name == "type" and not value.ListFields():
                message.ClearField("type")


def _clean_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        del tensor.external_data[:]
        return
    data = values.raw(tensor)
    for name in ("raw_data", "data_location", *values.FIELDS):
        tensor.ClearField(name)
    if data:
        tensor.raw_data = data
