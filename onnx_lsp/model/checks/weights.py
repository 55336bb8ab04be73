"""What the numbers in the weights are: not numbers at all, too big, too small, all the same, twice."""

from __future__ import annotations

import math
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model import proto
from onnx_lsp.model.checks.initializers import readable
from onnx_lsp.model.constants import literal
from onnx_lsp.model.counting import SHARE
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.payload import Weights
from onnx_lsp.model.sizes import byte_size

FLOATS = frozenset({1, 10, 11, 16})
# Inputs that are multiplied: an Inf there is an Inf, or a NaN, in every result.
MULTIPLIED = {
    "MatMul": (0, 1), "Gemm": (0, 1, 2), "Conv": (1, 2), "ConvTranspose": (1, 2), "LSTM": (1, 2, 3), "GRU": (1, 2, 3), "RNN": (1, 2, 3),
    "BatchNormalization": (1, 2, 3, 4), "LayerNormalization": (1, 2), "InstanceNormalization": (1, 2),
}  # fmt: skip
# Inputs that are scales of a quantisation.
SCALES = {
    "QuantizeLinear": (1,), "DequantizeLinear": (1,), "QLinearConv": (1, 4, 6), "QLinearMatMul": (1, 4, 6), "QLinearAdd": (1, 4, 6),
    "QLinearMul": (1, 4, 6), "QGemm": (1, 4, 7),
}  # fmt: skip
BOUNDS = frozenset({"Clip", "Max", "Min", "Where", "Pad", "Range", "ConstantOfShape", "IsNaN", "Equal", "PRelu"})
HALF_MAX = 65504.0  # the greatest finite float16
INT32 = (-(1 << 31), (1 << 31) - 1)
ENDLESS = frozenset({"Slice", "Shape", "Clip", "Max", "Min", "Where", "Range", "TopK", "DynamicSlice", "LessOrEqual", "Less", "Greater"})
ZERO = 0.0


def held(model: Model) -> Iterator[tuple[object, str, proto.TensorProto, list[tuple[Node, int]]]]:
    """Every weight: where it is, its name, the tensor, and who reads it as which input. Small and integer ones too."""
    for scope in model.scopes:
        for name, tensor in scope.initializers.items():
            yield scope.place("initializer", name), name, tensor, readers(scope, name)
    for node in model.by_op.get("Constant", ()):
        tensor = literal(node) if node.outputs else None
        if tensor is not None:
            yield node, node.outputs[0], tensor, readers(node.scope, node.outputs[0])


def readers(scope: Scope, name: str) -> list[tuple[Node, int]]:
    """The nodes that read a value, with the number of the input; through Identity too."""
    found = []
    for node in scope.consumers.get(name, ()):
        found += [(node, number) for number, item in enumerate(node.inputs) if item == name]
    return found


def multiplied(users: list[tuple[Node, int]]) -> Node | None:
    """The first reader that multiplies with the weight."""
    return next((node for node, number in users if not node.domain and number in MULTIPLIED.get(node.op, ())), None)


@check("NUM001")
def nan_weight(model: Model, weights: Weights, report: Report) -> None:
    for at, name, tensor, users in held(model):
        found = weights.unusual(tensor) if tensor.data_type in FLOATS else None
        scales = users and all(number in SCALES.get(node.op, ()) for node, number in users)  # QNT001 says that
        if found and found.nans and not scales and not (users and all(node.op in BOUNDS for node, _ in users)):
            report("nan", at, name=name, nans=found.nans, count=found.count)


@check("NUM002")
def infinite_weight(model: Model, weights: Weights, report: Report) -> None:
    for at, name, tensor, users in held(model):
        node = multiplied(users) if tensor.data_type in FLOATS else None
        found = weights.unusual(tensor) if node else None
        if found and found.infinite:
            report("inf", at, name=name, infinite=found.infinite, count=found.count, node=node.title())


@check("NUM003")
def subnormal_weight(model: Model, weights: Weights, report: Report) -> None:
    for at, name, tensor, _ in held(model):
        found = weights.unusual(tensor) if tensor.data_type in FLOATS else None
        if found and found.subnormal and found.subnormal >= SHARE * found.count:
            report("subnormal", at, name=name, share=f"{found.subnormal / found.count:.1%}")


@check("NUM004")
def zero_weight(model: Model, weights: Weights, report: Report) -> None:
    for at, name, tensor, users in held(model):
        node = multiplied([(node, number) for node, number in users if number == 1 or node.op == "MatMul"])
        if node is None or len(tensor.dims) < 2 or math.prod(tensor.dims) < 2 or node.op not in ("MatMul", "Gemm", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN"):
            continue
        found = weights.unusual(tensor)
        if found and found.zeros == found.count:
            report("zero", at, name=name, dims=list(tensor.dims), node=node.title())


@check("NUM005")
def beyond_half(model: Model, weights: Weights, report: Report) -> None:
    for at, name, tensor, users in held(model):
        halved = any(node.op == "Cast" and node.integer("to", 0) == 10 for node, _ in users)
        if tensor.data_type not in (1, 11) or not halved and multiplied(users) is None:
            continue
        found = weights.unusual(tensor)
        if found and max(-found.least, found.greatest) > HALF_MAX:
            value = found.greatest if found.greatest > HALF_MAX else found.least
            report("cast" if halved else "weight", at, name=name, value=f"{value:g}")


@check("NUM006")
def beyond_int32(model: Model, weights: Weights, report: Report) -> None:
    for at, name, tensor, users in held(model):
        if tensor.data_type != 7 or users and all(node.op in ENDLESS for node, _ in users):
            continue
        found = weights.numbers(tensor)
        if found and found.count and not (INT32[0] <= found.least and found.greatest <= INT32[1]):
            value = found.greatest if found.greatest > INT32[1] else found.least
            report("beyond", at, name=name, value=value)


@check("NUM007", op="BatchNormalization")
def negative_variance(node: Node, model: Model, weights: Weights, report: Report) -> None:
    if node.domain or len(node.inputs) < 5:
        return
    found, at = tensor_of(node.scope, node.inputs[4])
    numbers = weights.numbers(found) if found is not None else None
    if numbers and numbers.least < ZERO:
        report("negative", node, node=node.title(), name=node.inputs[4], value=f"{numbers.least:g}")


def tensor_of(scope: Scope, name: str) -> tuple[proto.TensorProto | None, Scope | None]:
    """The tensor of an initializer or Constant node as seen from a scope, and the scope that has it."""
    home = scope.home(name) if name else None
    if home is None or name in home.inputs and name not in home.initializers:
        return None, None
    if name in home.initializers:
        return home.initializers[name], home
    node = home.producers.get(name)
    value = literal(node) if node is not None else None
    return (value, home) if value is not None else (None, None)


@check("OPT014")
def duplicate_weights(model: Model, weights: Weights, report: Report) -> None:
    for scope in model.scopes:
        if scope.is_function:
            continue
        annotated = {entry.tensor_name for entry in scope.proto.quantization_annotation}
        alike: dict[tuple, list[str]] = {}
        for name, tensor in scope.initializers.items():
            size = byte_size(tensor.data_type, tensor.dims)
            if size >= 64 and name not in scope.inputs and name not in scope.outputs and name not in annotated and name in scope.consumers:
                alike.setdefault((tensor.data_type, tuple(tensor.dims)), []).append(name)
        for names in alike.values():
            heads: dict[bytes, list[str]] = {}
            for name in names if len(names) > 1 else ():
                heads.setdefault(weights.head(scope.initializers[name]), []).append(name)
            for similar in heads.values():
                for same in _equal(similar, scope, weights) if len(similar) > 1 else ():
                    _duplicates(same, scope, model, report)


def _equal(names: list[str], scope: Scope, weights: Weights) -> list[list[str]]:
    groups: dict[bytes, list[str]] = {}
    for name in names:
        digest = weights.digest(scope.initializers[name])
        if digest is not None:
            groups.setdefault(digest, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _duplicates(same: list[str], scope: Scope, model: Model, report: Report) -> None:
    first, *others = same
    tensor = scope.initializers[first]
    size = byte_size(tensor.data_type, tensor.dims)
    handed_out = {name for around in model.scopes for name in around.outputs}
    fix = ModelEdit("OPT014", "merge", scope.path, (("keep", first), ("drop", tuple(others))), model.skeleton.digest)
    related = tuple(report.related(scope.place("initializer", name), "the same numbers") for name in others[:20])
    report("same", scope.place("initializer", others[0]), name=others[0], first=first, more=len(others), size=readable(size * len(others)),
           related=related, fixes={} if handed_out & set(same) else {"merge": fix})  # fmt: skip
