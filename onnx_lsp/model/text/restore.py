"""Reads back what `extras` wrote: `field: JSON`, into the message of the item below it."""

from __future__ import annotations

import json

from onnx_lsp.model.text.extras import EXTRAS

ALSO = {"ValueInfoProto": ("type",), "NodeProto": ("attribute",), "FunctionProto": ("attribute_proto",)}


class BadExtra(ValueError):
    """A `#@` line that cannot be read."""


def restore(message, text: str) -> None:
    """Puts one field into a message.

    Raises:
        BadExtra: the message has no such extra, or its value cannot be read.
    """
    name = message.DESCRIPTOR.name
    field, colon, value = text.partition(":")
    if not colon or field not in (*EXTRAS.get(name, ()), *ALSO.get(name, ())):
        kinds = {"ModelProto": "model", "GraphProto": "graph", "NodeProto": "node", "FunctionProto": "function"}
        raise BadExtra(f"`#@ {field}` says nothing about a {kinds.get(name, 'value')}")
    try:
        _put(message, field, json.loads(value))
    except ValueError as error:
        raise BadExtra(f"`#@ {field}` is followed by no JSON that fits: {' '.join(str(error).split())}") from None


def _put(message, field: str, value: object) -> None:
    current = getattr(message, field)
    if isinstance(current, str):
        if not isinstance(value, str):
            raise ValueError("a string is expected")
        setattr(message, field, value)
        return
    if hasattr(current, "add"):
        target = current.add()
        if field == "metadata_props" and isinstance(value, dict) and {"key", "value"} >= set(value):
            target.key, target.value = str(value.get("key", "")), str(value.get("value", ""))
            return
    else:
        target = current
        target.Clear()
    from google.protobuf.json_format import ParseDict, ParseError

    try:
        ParseDict(value, target)
    except ParseError as error:
        raise ValueError(str(error)) from None
