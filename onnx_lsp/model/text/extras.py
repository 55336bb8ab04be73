"""What the syntax has no words for, in comments that our parser reads back: `#@ field: JSON` above an item.

A field that has several values takes one line each; a long one goes on behind `#@+`. The JSON is protobuf's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from onnx_lsp.model import proto
from onnx_lsp.model.text.style import Style
from onnx_lsp.model.text.words import LIMIT, UNPRINTABLE

MARK, MORE = "#@ ", "#@+"
PIECE = re.compile(rf".{{1,{LIMIT // 2}}}(?<! )|.{{1,{LIMIT // 2}}}")  # not ending in a space, which editors may cut
TELLING = ("doc_string", "metadata_props")  # shown on demand
# Message -> the fields that the syntax has words for. What is left over is an extra.
SAID = {
    "ModelProto": "ir_version opset_import producer_name producer_version domain model_version graph functions",
    "GraphProto": "node name initializer input output value_info",
    "NodeProto": "input output name op_type domain overload attribute",
    "TensorProto": "dims data_type name float_data int32_data string_data int64_data raw_data double_data uint64_data"
    " external_data data_location",
    "ValueInfoProto": "name type",
    "FunctionProto": "name input output attribute attribute_proto node opset_import domain overload value_info",
}


def _left_over(name: str) -> tuple[str, ...]:
    said = set(SAID[name].split())
    return tuple(item.name for item in getattr(proto.pb, name).DESCRIPTOR.fields if item.name not in said)


EXTRAS = {name: _left_over(name) for name in SAID}
ALWAYS = {name: tuple(field for field in fields if field not in TELLING) for name, fields in EXTRAS.items()}


def extras(message, style: Style) -> list[str]:
    """The comment lines for one message."""
    name = message.DESCRIPTOR.name
    fields = EXTRAS[name] if style.metadata else ALWAYS[name]
    lines = [text for field in fields for text in _field(message, field, style)]
    if style.metadata and name == "ValueInfoProto" and denotes(message.type):
        lines += line("type", to_json(message.type), style)
    return lines


def _field(message, name: str, style: Style) -> Iterator[str]:
    value = getattr(message, name)
    if isinstance(value, str):
        if value:
            yield from line(name, quoted(value), style)
        return
    for item in [value] if hasattr(value, "DESCRIPTOR") else value:
        if item.ByteSize():
            yield from line(name, to_json(item), style)


def line(name: str, text: str, style: Style) -> Iterator[str]:
    """One extra as comment lines; what the style finds too long is only begun, in an ordinary comment."""
    if len(text) > max(4 * style.characters, LIMIT):
        yield f"# {name}: {text[: style.characters]}… ({len(text):,} characters)"
        return
    first, *more = PIECE.findall(text)
    yield f"{MARK}{name}: {first}"
    for piece in more:
        yield f"{MORE}{piece}"


def to_json(message) -> str:
    """A message as one line of JSON."""
    if message.DESCRIPTOR.name == "StringStringEntryProto":
        return f'{{"key": {quoted(message.key)}, "value": {quoted(message.value)}}}'
    from google.protobuf.json_format import MessageToDict

    return _clean(json.dumps(MessageToDict(message, preserving_proto_field_name=True), ensure_ascii=False))


def quoted(text: str) -> str:
    """A JSON string."""
    return _clean(json.dumps(text, ensure_ascii=False))


def _clean(text: str) -> str:
    return UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def denotes(value) -> bool:
    """Whether a type says more than the syntax can: what a tensor or a dim means."""
    if value.denotation:
        return True
    kind = value.WhichOneof("value")
    if kind in ("tensor_type", "sparse_tensor_type"):
        return any(dim.denotation for dim in getattr(value, kind).shape.dim)
    inner = {"sequence_type": "elem_type", "optional_type": "elem_type", "map_type": "value_type"}.get(kind)
    return inner is not None and denotes(getattr(getattr(value, kind), inner))
