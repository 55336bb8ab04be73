"""The first step: from a path to a parsed skeleton, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onnx_lsp.diagnostics import TextRange
from onnx_lsp.model import proto, sniff
from onnx_lsp.model.graph import Model
from onnx_lsp.model.varint import BYTES, WireFault, read_varint, skip
from onnx_lsp.model.wire import MAX_DEPTH, Skeleton, mapped, shrink

if TYPE_CHECKING:
    from onnx_lsp.model.parse import Problem

TEXT_SUFFIXES = (".onnxtxt", ".onnxtext", ".onnxjson", ".textproto")
MAX_FIELDS = 3_000_000  # of a file that is already known to be malformed


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a model file gave.

    Attributes:
        skeleton: the file without its weights.
        model: the parsed skeleton with its index, or None.
        foreign: what the file is instead of a model, if its first bytes say so.
        fault: where and why it is not a protobuf message, if it is not.
        problems: the errors of a model written as text.
        find: where the item at a model path stands in the text of such a model; None for any other.
    """

    skeleton: Skeleton
    model: Model | None = None
    foreign: str | None = None
    fault: WireFault | None = None
    problems: tuple[Problem, ...] = ()
    find: Callable[[str], TextRange | None] | None = None

    @property
    def cut_off(self) -> bool:
        """Whether the file ends inside a field of the model: it was not written, or not copied, completely."""
        return self.fault is not None and self.fault.declared_end is not None

    @property
    def usable(self) -> bool:
        """Whether there is a model to look at."""
        return self.model is not None and (self.model.proto.HasField("graph") or bool(self.model.functions))


def read(path: str) -> Reading:
    """Reads a model.

    Raises:
        OSError: the file cannot be read.
    """
    if path.lower().endswith(TEXT_SUFFIXES):
        return _read_text(path)
    skeleton = shrink(path)
    head = skeleton.head
    if skeleton.size == 0 or sniff.is_lfs_pointer(head):
        return Reading(skeleton)
    if what := sniff.foreign(head):
        return Reading(skeleton, foreign=what)
    if not sniff.may_be_model(head):
        return Reading(skeleton, foreign=f"no protobuf ModelProto; it begins with the bytes `{head[:8].hex(' ')}`")
    if skeleton.fault:
        return Reading(skeleton, fault=skeleton.fault)
    try:
        message = proto.ModelProto.FromString(skeleton.data)
    except proto.decode_error():
        return Reading(skeleton, fault=locate_fault(path))
    model = Model(skeleton, message)
    if not model.is_text():
        return Reading(skeleton, fault=locate_fault(path))
    return Reading(skeleton, model)


def _read_text(path: str) -> Reading:
    from onnx_lsp.model import texts

    found = texts.read(path)
    model = Model(found.skeleton, found.message) if found.message is not None else None
    return Reading(found.skeleton, model, found.foreign, found.fault, found.problems, found.find)


def why_not(reading: Reading) -> str:
    """Why there is no model to look at, in words."""
    if reading.skeleton.size == 0:
        return "the file is empty"
    if sniff.is_lfs_pointer(reading.skeleton.head):
        return "the file is a Git LFS pointer; run `git lfs pull`"
    if reading.foreign:
        return f"the file is {reading.foreign}"
    if reading.cut_off:
        return f"the file ends inside the model, at byte {reading.skeleton.size}"
    if reading.fault:
        return str(reading.fault)
    if reading.problems:
        first = reading.problems[0]
        return f"line {first.range.start.line + 1}, column {first.range.start.column + 1}: {first.message}"
    return "the file has no graph"


def locate_fault(path: str) -> WireFault:
    """Walks every message of a malformed file to say where it is malformed.

    Raises:
        OSError: the file cannot be read.
    """
    with mapped(path) as buffer:
        try:
            _walk(buffer, 0, len(buffer), proto.ModelProto.DESCRIPTOR, 0, [MAX_FIELDS])
        except WireFault as fault:
            return WireFault(fault.offset, fault.reason)
    return WireFault(0, "protobuf refuses the file")


def _walk(buffer, position: int, end: int, descriptor, depth: int, budget: list[int]) -> None:
    if depth > MAX_DEPTH:
        raise WireFault(position, f"more than {MAX_DEPTH} nested messages")
    fields = descriptor.fields_by_number
    while position < end:
        budget[0] -= 1
        if budget[0] < 0:
            return
        at = position
        tag, position = read_varint(buffer, position, end)
        if not 0 < tag >> 3 < 1 << 29:
            raise WireFault(at, f"field number {tag >> 3}, which protobuf does not have,")
        if tag & 7 != BYTES:
            position = skip(buffer, position, end, tag)
            continue
        length, position = read_varint(buffer, position, end)
        stop = position + length
        if stop > end:
            raise WireFault(at, "a field runs past the end of the message around it", stop)
        field = fields.get(tag >> 3)
        if field is not None and field.message_type is not None:
            _walk(buffer, position, stop, field.message_type, depth + 1, budget)
        elif field is not None and field.type == field.TYPE_STRING:
            _text(buffer, position, stop, field)
        elif field is not None and field.cpp_type != field.CPPTYPE_STRING:
            _packed(buffer, position, stop, field)
        position = stop


def _text(buffer, position: int, end: int, field) -> None:
    try:
        buffer[position:end].decode()
    except UnicodeDecodeError as error:
        raise WireFault(position + error.start, f"`{field.name}` is not UTF-8") from None


def _packed(buffer, position: int, end: int, field) -> None:
    width = {field.TYPE_FLOAT: 4, field.TYPE_DOUBLE: 8}.get(field.type, 0)
    if width:
        if (end - position) % width:
            raise WireFault(position, f"`{field.name}` whose length is no multiple of {width}")
        return
    if end > position and buffer[end - 1] >= 0x80:
        raise WireFault(end - 1, f"a number of `{field.name}` that is cut off")
