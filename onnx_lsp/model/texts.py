"""Models written as text: ONNX's own syntax, protobuf's text format, JSON. Each gives a skeleton like any other model."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from onnx_lsp.diagnostics import Position, TextRange
from onnx_lsp.model import proto, sniff
from onnx_lsp.model.parse import Problem, parse
from onnx_lsp.model.varint import WireFault
from onnx_lsp.model.wire import HEAD, MARK, Skeleton, open_model

ABOUT_ONNX = re.compile(r"\b(ir_version|opset_import|graph)\b")
JSON_PLACE = re.compile(r": line (\d+) column (\d+) \(char \d+\)")


@dataclass(frozen=True, slots=True)
class Read:
    """What a text gave.

    Attributes:
        skeleton: the model in protobuf's wire format; without data where the text has errors.
        message: the model, or None.
        problems: the errors, in order.
        find: model path -> where its item stands in the text; None where unknown.
        fault: where the file is no text, if it is none.
        foreign: what else the file is, if its first bytes say so.
    """

    skeleton: Skeleton
    message: proto.ModelProto | None = None
    problems: tuple[Problem, ...] = ()
    find: Callable[[str], TextRange | None] = lambda path: None
    fault: WireFault | None = None
    foreign: str | None = None


def read(path: str) -> Read:
    """Reads a model from text.

    Raises:
        OSError: the file cannot be read.
    """
    with os.fdopen(open_model(path), "rb") as file:
        data = file.read()
    digest = f"{len(data)}-{blake2b(data, digest_size=16).hexdigest()}"
    head = data[:HEAD]
    skeleton = Skeleton(path, len(data), b"", digest, head=head)
    if not data or sniff.is_lfs_pointer(head):
        return Read(skeleton)
    if what := sniff.foreign_to_text(head):
        return Read(skeleton, foreign=what)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Read(skeleton, fault=WireFault(error.start, "the text is not UTF-8"))
    lowered = path.lower()
    if lowered.endswith(".textproto"):
        if not ABOUT_ONNX.search(text):
            return Read(skeleton)  # some other message: nothing to say about it
        return _finished(skeleton, *_text_format(text))
    if lowered.endswith(".onnxjson"):
        return _finished(skeleton, *_json(text))
    found = parse(text)
    return _finished(skeleton, found.message, found.problems, found.find)


def _finished(skeleton: Skeleton, message, problems, find=lambda path: None) -> Read:
    if problems:
        return Read(skeleton, None, tuple(problems), find)
    try:
        data = message.SerializeToString()
        message = proto.ModelProto.FromString(data)
    except (ValueError, proto.decode_error()) as error:
        return Read(skeleton, None, (Problem(f"protobuf refuses the model: {error}", _at(0, 0)),), find)
    mark = MARK
    while mark.encode() in data:
        mark += "'"
    whole = Skeleton(skeleton.path, skeleton.size, data, skeleton.digest, mark=mark, head=skeleton.head)
    return Read(whole, message, (), find)


def _at(line: int, column: int) -> TextRange:
    return TextRange(Position(line, column), Position(line, column + 1))


def _text_format(text: str) -> tuple[proto.ModelProto | None, list[Problem]]:
    from google.protobuf import text_format

    try:
        return text_format.Parse(text, proto.ModelProto()), []
    except text_format.ParseError as error:
        line, column = (error.GetLine() or 1) - 1, (error.GetColumn() or 1) - 1
        message = re.sub(r"^\d+:\d+ : ", "", str(error)).partition(" : ")[2] or str(error)
        return None, [Problem(_sentence(message), _at(line, column))]


def _json(text: str) -> tuple[proto.ModelProto | None, list[Problem]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1) - 1, getattr(error, "colno", 1) - 1
        return None, [Problem(_sentence(JSON_PLACE.sub("", str(error))), _at(line, column))]
    from google.protobuf.json_format import ParseDict, ParseError

    try:
        return ParseDict(value, proto.ModelProto()), []
    except (ParseError, ValueError, TypeError, AttributeError) as error:
        return None, [Problem(_sentence(str(error)), _at(0, 0))]


def _sentence(message: str) -> str:
    message = " ".join(message.split()).rstrip(".")
    return message[:1].lower() + message[1:] if message[1:2].islower() else message
