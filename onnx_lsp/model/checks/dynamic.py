"""Sizes that are fixed where they should not be, and free ones without a name."""

from __future__ import annotations

import re

from onnx_lsp import tables
from onnx_lsp.checks import Report, check
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.shapes import Shapes, tensor_type
from onnx_lsp.targets import Target

# What exporters call a size when nobody named it: torch (dynamo: s0, u0; script: X_dynamic_axes_1), tf2onnx, onnxruntime, Paddle.
INVENTED = re.compile(r"^(?:[su]\d+|s\d\d+|unk__\d+|dim_?\d+|d\d+|\w+_dynamic_axes_\d+|\w+_dim_\d+|DynamicDimension\.\d+|Dynamic\w+Dim\d+|None)$")


def sizes(model: Model) -> list[tuple[str, tuple]]:
    """The inputs that are tensors with a shape, and no default, with their dims."""
    graph = model.graph
    return [
        (value.name, tensor_type(value.type.tensor_type).dims)
        for value in graph.proto.input
        if value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape") and value.name not in graph.initializers
    ]


@check("DYN001")
def fixed_batch(model: Model, report: Report) -> None:
    ranked = [(name, dims) for name, dims in sizes(model) if dims and len(dims) > 1]
    fixed = [name for name, dims in ranked if isinstance(dims[0], int) and dims[0] > 0]
    if fixed and len(fixed) == len(ranked):
        size = dict(ranked)[fixed[0]][0]
        report("fixed", model.graph.place("input", fixed[0]), name=fixed[0], size=size)


@check("DYN002", op=("Reshape", "Expand"))
def baked_size(node: Node, model: Model, constants: Constants, shapes: Shapes, report: Report) -> None:
    wanted = constants.ints(node, 1) if not node.domain and node.inputs else None
    given = shapes.type(node.scope, node.inputs[0]) if wanted else None
    if given is None or not given.dims:
        return
    declared = {dim for _, dims in sizes(model) for dim in dims or () if isinstance(dim, str)}
    copied = [number < len(wanted) and wanted[number] == 0 and node.op == "Reshape" for number in range(len(given.dims))]
    free = [dim for dim, stays in zip(given.dims, copied, strict=True) if dim in declared and not stays]
    if not free or None in given.dims or node.attr("allowzero", 0):
        return
    if node.op == "Reshape" and min(wanted) >= 0:
        report("reshape", node, node=node.title(), shape=list(wanted), dim=free[0])
    elif node.op == "Reshape" and given.dims[0] in free and wanted[0] > 0 and 0 not in wanted:  # -1 takes up what is left
        report("swallows", node, node=node.title(), shape=list(wanted), dim=free[0], size=wanted[0])
    elif node.op == "Expand":
        for dim, size in zip(reversed(given.dims), reversed(wanted), strict=False):
            if dim in declared and size > 1:
                report("expand", node, node=node.title(), shape=list(wanted), dim=dim)
                return


@check("DYN005", op=("NonZero", "Unique", "NonMaxSuppression", "Compress"))
def data_dependent(node: Node, targets: tuple[Target, ...], report: Report) -> None:
    for target in targets if not node.domain else ():
        source = tables.table(target.name)
        if source.data.get("fixed_shapes"):
            report("depends", node, node=node.title(), target=target.label, date=source.date)


@check("DYN003")
def invented_name(model: Model, report: Report) -> None:
    graph, seen = model.graph, set()
    for name, dims in sizes(model):
        for axis, dim in enumerate(dims or ()):
            if isinstance(dim, str) and dim not in seen and INVENTED.match(dim):
                seen.add(dim)
                report("invented", graph.place("input", name), name=name, axis=axis, dim=dim)


@check("DYN004")
def unnamed_size(model: Model, report: Report) -> None:
    for name, dims in sizes(model):
        axes = [axis for axis, dim in enumerate(dims or ()) if dim is None]
        if axes:
            report("unnamed", model.graph.place("input", name), name=name, axes=axes)
