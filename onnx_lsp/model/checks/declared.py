"""What the model declares about values, against what inference finds."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.shapes import Shapes, TensorType, tensor_type
from onnx_lsp.model.told import Told

Contradicted = list[tuple[str, str, bool]]


@check("ONX070")
def contradicted_value_info(model: Model, contradicted: Contradicted, shapes: Shapes, told: Told, report: Report) -> None:
    for path, name, is_output in contradicted:
        if path in told.places:
            continue
        node = model.by_path[path]
        declared = _declared(node, name)
        inferred = shapes.type(node.scope, name)
        if not is_output and declared is not None and _differ(declared, inferred):
            edit = ModelEdit("ONX070", "drop", node.scope.path, (("names", (name,)),), model.skeleton.digest)
            report("type", node, node=node.title(), name=name, inferred=inferred or "another type", declared=declared, fixes={"drop": edit})


@check("SHP002")
def contradicted_output(model: Model, contradicted: Contradicted, shapes: Shapes, told: Told, report: Report) -> None:
    for path, name, is_output in contradicted:
        if path in told.places:
            continue
        node = model.by_path[path]
        declared = _declared(node, name)
        inferred = shapes.type(node.scope, name)
        if is_output and declared is not None and _differ(declared, inferred):
            report("differs", node, node=node.title(), name=name, inferred=inferred or "another type", declared=declared)


def _differ(declared: TensorType, inferred: TensorType | None) -> bool:
    """Whether two types exclude each other. What could not be inferred again did so when it was compared."""
    if inferred is None or inferred.element != declared.element:
        return True
    if inferred.dims is None or declared.dims is None:
        return False
    if len(inferred.dims) != len(declared.dims):
        return True
    pairs = zip(inferred.dims, declared.dims, strict=True)
    return any(isinstance(one, int) and isinstance(other, int) and one != other for one, other in pairs)


def _declared(node: Node, name: str) -> TensorType | None:
    proto = node.scope.proto
    values = (*proto.value_info, *(() if node.scope.is_function else proto.output))
    for value in values:
        if value.name == name and value.type.HasField("tensor_type"):
            return tensor_type(value.type.tensor_type)
    return None
