"""onnx's own checker and inference, run on a prepared copy of the skeleton until they have told everything.

What a run blames is made opaque, and the run repeated: so one fault does not hide the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from onnx_lsp.model import proto
from onnx_lsp.model.prepared import Copy, Fault

MAX_ROUNDS = 20
MAX_PROPAGATED = 1 << 20  # elements; data propagation makes a dim of every element of a vector that meets a Concat
MAX_RANK = 1 << 16  # elements of a vector that may be a shape; inference makes a dim of each one

NODE_FAULT = re.compile(r"\(op_type:([^,)]*)(?:, node name: (.*?))?\): ")
NODE_CONTEXT = re.compile(r"Bad node spec for node\. Name: (.*) OpType: ")
CANNOT_INFER = re.compile(r"^Cannot infer type and shape for node name (.*?)\. ")
PREFIX = re.compile(r"^\[(?:Shape|Type)InferenceError\]\s*")
DECLARED = re.compile(r"[Ii]nferred (shape and|elem type differs from) existing")
# What inference says in the expansion of an operator with a default for an attribute, which it forgets.
UNBOUND = re.compile(r"[Oo]ne and only one of the attributes 'value'")
FOLLOW_ON = re.compile(r"expected to have type but instead is null|inputs are expected to have tensor type|Inference error\(s\):\s*$")


def checker_faults(copy: Copy) -> list[Fault]:
    """Everything that `onnx.checker` refuses."""
    errors = (proto.native.checker.ValidationError,)
    return _rounds(copy, lambda data: proto.native.checker.check_model(data, False, False, False), errors, _refusal)


def infer(copy: Copy) -> tuple[list[Fault], bytes | None]:
    """Strict shape inference with type checks and data propagation.

    Returns:
        Every fault, and the serialised model with the inferred types (where faults are, of what remains), or None.
    """
    native = proto.native.shape_inference
    errors = (native.InferenceError, proto.native.checker.ValidationError)
    inferred: list[bytes] = []
    _forget_lengths(copy.message.graph)
    data_prop = _longest_vector(copy.message.graph) <= MAX_PROPAGATED
    faults = _rounds(copy, lambda data: inferred.append(native.infer_shapes(data, True, True, data_prop)), errors, _faulty)
    if not inferred:
        try:
            inferred.append(native.infer_shapes(copy.message.SerializeToString(), False, False, data_prop))
        except (*errors, RuntimeError, ValueError):
            return faults, None
    return faults, inferred[0]


def _forget_lengths(graph: proto.GraphProto) -> None:
    """Takes the lengths of absurdly long vectors of integers away, which could be taken for shapes."""
    for item in (*graph.input, *graph.value_info):
        given = item.type.tensor_type
        if given.elem_type == proto.TensorProto.INT64 and len(given.shape.dim) == 1 and given.shape.dim[0].dim_value > MAX_RANK:
            given.shape.dim[0].Clear()


def _longest_vector(graph: proto.GraphProto) -> int:
    """Elements of the longest one-dimensional value that is declared."""
    shapes = (item.type.tensor_type.shape.dim for item in (*graph.input, *graph.value_info))
    return max((dims[0].dim_value for dims in shapes if len(dims) == 1), default=0)


def _rounds(copy: Copy, run: Callable, errors: tuple[type[Exception], ...], read: Callable) -> list[Fault]:
    found: dict[Fault, None] = {}
    for _ in range(MAX_ROUNDS):
        try:
            run(copy.message.SerializeToString())
        except (*errors, RuntimeError, ValueError) as error:
            faults = read(str(error))
            if copy.undeclare([fault for fault in faults if DECLARED.search(fault.text)]):
                continue  # the other faults of this round may only follow from the declaration
            found.update(dict.fromkeys(faults))
            if not (_hide(copy, [fault for fault in faults if not _only_context(fault)]) or _hide(copy, faults)):
                break
        else:
            break
    return [fault for fault in found if not _only_context(fault)]


def _only_context(fault: Fault) -> bool:
    """Whether the words only lead to another fault, inside of the node or before it."""
    return not fault.text or bool(FOLLOW_ON.search(fault.text))


def _hide(copy: Copy, faults: list[Fault]) -> bool:
    """Makes the nodes of faults opaque; False if all are already."""
    return any([copy.hide(fault.path) for fault in faults if fault.path])


def _refusal(message: str) -> list[Fault]:
    text, *contexts = message.split("\n\n==> Context: ")
    paths = [match[1] for context in contexts if (match := NODE_CONTEXT.search(context))]
    return [Fault(paths[0] if paths else None, _clean(text))]


def _faulty(message: str) -> list[Fault]:
    message = PREFIX.sub("", message)
    marks = list(NODE_FAULT.finditer(message))
    if not marks:
        match = CANNOT_INFER.match(message)
        return [Fault(match[1] if match else None, _clean(message[match.end() :] if match else message))]
    ends = [mark.start() for mark in marks[1:]] + [len(message)]
    faults: list[Fault] = []
    for mark, end in zip(marks, ends, strict=True):
        text, inside = _clean(message[mark.end() : end]), not mark[2] and bool(faults)
        if not (inside and UNBOUND.search(text)):
            # a node without a name is one of onnx's own expansion of the operator before it
            faults.append(Fault(faults[-1].path if inside else mark[2], text))
    return faults


def _clean(text: str) -> str:
    text = PREFIX.sub("", text.strip())
    return " ".join(text.split()).rstrip(".")
