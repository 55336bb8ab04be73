"""Convolutions, pools and block reordering: channels, kernels and windows that do not fit. Inference lets them pass."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.model.checks.dims import Dims, attribute, dims, known
from onnx_lsp.model.graph import Node
from onnx_lsp.model.shapes import Shapes

# Operator -> numbers of the inputs data, weight and bias.
CONVOLUTIONS = {"Conv": (0, 1, 2), "ConvInteger": (0, 1, -1), "QLinearConv": (0, 3, 8), "DeformConv": (0, 1, 3)}
WEIGHTED = {**CONVOLUTIONS, "ConvTranspose": (0, 1, 2)}
POOLS = ("MaxPool", "AveragePool", "LpPool")


@check("SHP010", op=tuple(WEIGHTED))
def conv_channels(node: Node, shapes: Shapes, report: Report) -> None:
    data, weight, bias = WEIGHTED[node.op]
    x, w = dims(node, data, shapes), dims(node, weight, shapes)
    group = attribute(node, "group", 1)
    if node.domain or not w or len(w) < 3 or not isinstance(group, int):
        return
    said = {"node": node.title(), "group": group, "weight": node.inputs[weight], "shape": known(w)}
    if group < 1:
        report("group", node, **said)
        return
    transposed = node.op == "ConvTranspose"
    channels = x[1] if x and len(x) > 1 else None
    wanted = w[0] if transposed else (w[1] * group if isinstance(w[1], int) else None)
    if isinstance(channels, int) and isinstance(wanted, int) and channels != wanted:
        report("transposed" if transposed else "channels", node, channels=channels, wanted=wanted, **said)
    elif isinstance(w[0], int) and w[0] % group:
        report("divide", node, outputs=w[0], **said)
    else:
        outputs = w[1] * group if transposed and isinstance(w[1], int) else w[0]
        length = dims(node, bias, shapes) if bias > 0 else None
        if length and len(length) == 1 and isinstance(length[0], int) and isinstance(outputs, int) and length[0] != outputs:
            report("bias", node, bias=node.inputs[bias], length=length[0], outputs=outputs, **said)


@check("SHP011", op=tuple(WEIGHTED))
def conv_kernel(node: Node, shapes: Shapes, report: Report) -> None:
    w = dims(node, WEIGHTED[node.op][1], shapes)
    kernel = node.ints("kernel_shape")
    if node.domain or not w or not kernel or len(w) < 3:
        return
    spatial = w[2:]
    differs = len(kernel) != len(spatial) or any(isinstance(dim, int) and dim != size for dim, size in zip(spatial, kernel, strict=True))
    if differs:
        weight = node.inputs[WEIGHTED[node.op][1]]
        report("kernel", node, node=node.title(), kernel=known(kernel), weight=weight, shape=known(w), spatial=known(spatial))


@check("SHP012", op=(*CONVOLUTIONS, *POOLS))
def window_too_large(node: Node, shapes: Shapes, report: Report) -> None:
    x = dims(node, 0, shapes)
    if node.domain or not x or len(x) < 3 or attribute(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID", b""):
        return
    kernel = node.ints("kernel_shape")
    if not kernel and node.op in CONVOLUTIONS:
        w = dims(node, CONVOLUTIONS[node.op][1], shapes)
        kernel = w[2:] if w else None
    if not kernel or len(kernel) != len(x) - 2:
        return
    for axis, size, window in _windows(node, x, kernel):
        if size < window:
            report("window", node, node=node.title(), axis=axis, size=size, window=window)
            return


def _windows(node: Node, x: Dims, kernel) -> Iterator[tuple[int, int, int]]:
    """(axis, padded size, what the dilated kernel covers) for every spatial axis that is known."""
    rank = len(kernel)
    pads = attribute(node, "pads", None) or [0] * (2 * rank)
    dilations = attribute(node, "dilations", None) or [1] * rank
    if len(pads) != 2 * rank or len(dilations) != rank:
        return
    for number, size in enumerate(kernel):
        if isinstance(x[number + 2], int) and isinstance(size, int):
            padded = x[number + 2] + pads[number] + pads[number + rank]
            yield number + 2, padded, (size - 1) * dilations[number] + 1


# Operators that need a batch, channels and something to slide over or to pool; inference asks no rank of them.
RANKED = {"GlobalAveragePool": 3, "GlobalMaxPool": 3, "GlobalLpPool": 3, "InstanceNormalization": 3, "BatchNormalization": 2, "LRN": 3}


@check("SHP014", op=tuple(RANKED))
def rank_too_low(node: Node, shapes: Shapes, report: Report) -> None:
    x, least = dims(node, 0, shapes), RANKED[node.op]
    if not node.domain and x is not None and len(x) < least:
        report("rank", node, node=node.title(), shape=known(x), rank=len(x), least=least)


@check("SHP013", op=("DepthToSpace", "SpaceToDepth"))
def blocks(node: Node, shapes: Shapes, report: Report) -> None:
    x, size = dims(node, 0, shapes), attribute(node, "blocksize", 0)
    if node.domain or not x or len(x) != 4 or not isinstance(size, int) or size < 1:
        return
    if node.op == "DepthToSpace" and isinstance(x[1], int) and x[1] % (size * size):
        report("channels", node, node=node.title(), channels=x[1], size=size, square=size * size)
    elif node.op == "SpaceToDepth":
        for axis in (2, 3):
            if isinstance(x[axis], int) and x[axis] % size:
                report("spatial", node, node=node.title(), axis=axis, dim=x[axis], size=size)
                return
