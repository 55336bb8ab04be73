"""Attention, boxes and grids: sizes of operands that must agree with each other. Inference asks no such thing."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.model.checks.dims import Dim, Dims, clash, dims, known
from onnx_lsp.model.graph import Node
from onnx_lsp.model.shapes import Shapes

BOX = 4  # numbers of a box
Rule = tuple[int, int, Dim, str]  # input, its axis, the size that it must have, and why


@check("SHP037", op=("NonMaxSuppression", "RoiAlign", "GridSample", "Attention"))
def operand_sizes(node: Node, shapes: Shapes, report: Report) -> None:
    found = [dims(node, number, shapes) for number in range(3)]
    for number, axis, wanted, why in () if node.domain else RULES[node.op](*found):
        given = found[number]
        if given is not None and axis < len(given) and clash(given[axis], wanted):
            report("size", node, node=node.title(), name=node.inputs[number], shape=known(given), axis=axis, wanted=wanted, why=why)
            return


def _size(of: Dims | None, axis: int, rank: int) -> Dim:
    """One dim of an operand of that rank; None where it is unknown."""
    return of[axis] if of is not None and len(of) == rank else None


def _boxes(boxes: Dims | None, scores: Dims | None, _: Dims | None) -> Iterator[Rule]:
    yield 0, 2, BOX, "a box is four numbers"
    yield 1, 2, _size(boxes, 1, 3), "one score for every box"


def _regions(_: Dims | None, regions: Dims | None, batches: Dims | None) -> Iterator[Rule]:
    yield 1, 1, BOX, "a region is four numbers"
    yield 2, 0, _size(regions, 0, 2), "one batch index for every region"


def _grid(data: Dims | None, grid: Dims | None, _: Dims | None) -> Iterator[Rule]:
    if data is not None and grid is not None and len(data) == len(grid):
        yield 1, len(grid) - 1, len(data) - 2, "one coordinate for every spatial dimension"
        yield 1, 0, data[0], "one grid for every sample"


def _heads(query: Dims | None, key: Dims | None, value: Dims | None) -> Iterator[Rule]:
    if key is not None and len(key) == 4:
        yield 1, 3, _size(query, 3, 4), "the head size of the query"
    if value is not None and len(value) == 4:
        yield 2, 2, _size(key, 2, 4), "one value for every key"
        yield 2, 1, _size(key, 1, 4), "as many heads as the key"


RULES = {"NonMaxSuppression": _boxes, "RoiAlign": _regions, "GridSample": _grid, "Attention": _heads}
