"""Floating-point work of a model: the multiplications and additions of its products, from inferred shapes.

Counted are matrix products, convolutions and recurrent layers, two operations per multiply-add; everything else is small beside
them and left out. Sizes may be names: a count is a sum of terms, each a number times named sizes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.shapes import Shapes

Dim = int | str | None
Dims = tuple[Dim, ...]
# Operators that hold products which are not counted; they are named instead.
OTHERS = frozenset({
    "Attention", "Einsum", "DeformConv", "MultiHeadAttention", "GroupQueryAttention", "PackedAttention", "QAttention",
    "MatMulNBits", "FusedConv", "FusedMatMul", "FusedGemm", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QMoE", "MoE",
    "NhwcFusedConv", "QLinearConvTranspose", "DynamicQuantizeLSTM", "FusedMatMulActivation", "LinearAttention",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flops:
    """The count of a model.

    Attributes:
        terms: sorted names of sizes -> how often their product counts; the empty name is the constant.
        unknown: operator -> number of its nodes whose sizes are not known, or whose work is not counted.
    """

    terms: dict[tuple[str, ...], int]
    unknown: dict[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """The named sizes on which the count depends."""
        return tuple(sorted({name for term in self.terms for name in term}))

    def at(self, sizes: Mapping[str, int]) -> int:
        """The count for given sizes; those not given are 1."""
        return sum(count * math.prod(sizes.get(name, 1) for name in term) for term, count in self.terms.items())

    def formula(self) -> str:
        """`1024·N + 512`."""
        terms = sorted(self.terms.items(), key=lambda item: (-len(item[0]), item[0]))
        return " + ".join("·".join((str(count), *term)) for term, count in terms) or "0"


def flops(model: Model, shapes: Shapes) -> Flops:
    """Counts the work of one run. A loop's body counts once, and so does each branch of an If."""
    known = {
        dim.dim_param for item in model.proto.graph.input for dim in item.type.tensor_type.shape.dim if dim.dim_param
    }
    terms: Counter[tuple[str, ...]] = Counter()
    unknown: Counter[str] = Counter()
    for node in model.nodes():
        sizes = _sizes(node, shapes)
        if sizes is None:
            continue
        names = tuple(sorted(size for size in sizes if isinstance(size, str)))
        if None in sizes or not known.issuperset(names) or any(isinstance(size, int) and size < 0 for size in sizes):
            unknown[node.op] += 1
        else:
            terms[names] += 2 * math.prod(size for size in sizes if isinstance(size, int))
    return Flops({names: count for names, count in terms.items() if count}, dict(unknown))


def _sizes(node: Node, shapes: Shapes) -> list[Dim] | None:
    """Sizes whose product is the number of multiply-adds; None for a node without any, `[None]` where it is not known."""
    if node.op in OTHERS and (node.domain in ("", "com.microsoft")):
        return [None]
    rule = RULES.get(node.op) if not node.domain else None
    if rule is None:
        return None
    sizes = rule(node, _Dims(node, shapes))
    return [None] if sizes is None else sizes


class _Dims:
    """The dimensions of a node's inputs and outputs; an unknown rank is None."""

    def __init__(self, node: Node, shapes: Shapes) -> None:
        self._node, self._shapes = node, shapes

    def input(self, number: int) -> Dims | None:
        return self._of(self._node.inputs, number)

    def output(self) -> Dims | None:
        return self._of(self._node.outputs, 0)

    def _of(self, names: tuple[str, ...], number: int) -> Dims | None:
        name = names[number] if number < len(names) else ""
        found = self._shapes.type(self._node.scope, name) if name else None
        return found.dims if found else None


def _matmul(second: int) -> Callable[[Node, _Dims], list[Dim] | None]:
    """Of a product whose right side is the input `second`: every element of the result takes one row."""

    def rule(node: Node, dims: _Dims) -> list[Dim] | None:
        left, right, result = dims.input(0), dims.input(second), dims.output()
        if not left or not right or result is None:
            return None
        row = left[-1] if left[-1] is not None else right[-min(2, len(right))]
        return [*result, row]

    return rule


def _gemm(node: Node, dims: _Dims) -> list[Dim] | None:
    left, result = dims.input(0), dims.output()
    if left is None or len(left) != 2 or result is None:
        return None
    return [*result, left[0 if node.attr("transA", 0) else 1]]


def _conv(weight: int) -> Callable[[Node, _Dims], list[Dim] | None]:
    """Of a convolution: every element of the result takes one kernel of the input channels in its group."""

    def rule(node: Node, dims: _Dims) -> list[Dim] | None:
        kernel, result = dims.input(weight), dims.output()
        return [*result, *kernel[1:]] if kernel and result else None

    return rule


def _conv_transpose(node: Node, dims: _Dims) -> list[Dim] | None:
    kernel, data = dims.input(1), dims.input(0)
    return [*data, *kernel[1:]] if kernel and data else None


def _recurrent(node: Node, dims: _Dims) -> list[Dim] | None:
    """Per step: the input, and the state, through the weights of all gates of all directions."""
    data, weights, state = (dims.input(number) for number in range(3))
    if data is None or weights is None or state is None or len(data) != 3 or len(weights) != 3 or len(state) != 3:
        return None
    if not isinstance(weights[2], int) or not isinstance(state[2], int):
        return None
    return [data[0], data[1], weights[0], weights[1], weights[2] + state[2]]


RULES: dict[str, Callable[[Node, _Dims], list[Dim] | None]] = {
    "MatMul": _matmul(1),
    "MatMulInteger": _matmul(1),
    "QLinearMatMul": _matmul(3),
    "Gemm": _gemm,
    "Conv": _conv(1),
    "ConvInteger": _conv(1),
    "QLinearConv": _conv(3),
    "ConvTranspose": _conv_transpose,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
}
