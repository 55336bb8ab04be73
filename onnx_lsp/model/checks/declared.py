"""What the model declares about values, against what inference finds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.prepared import Contradiction
from onnx_lsp.model.shapes import Shapes, TensorType, differ, tensor_type
from onnx_lsp.model.told import Told

ELEMENTS = re.compile(r"elem type: \((\d+)\) vs")


@check("ONX070")
def contradicted_value_info(
    model: Model, contradicted: list[Contradiction], shapes: Shapes, told: Told, report: Report
) -> None:
    for node, item, declared, inferred in _found(model, contradicted, shapes, told, is_output=False):
        scope = next(around for around in node.scope.around() if _declared(around, item.name, is_output=False))
        edit = ModelEdit("ONX070", "drop", scope.path, (("names", (item.name,)),), model.skeleton.digest)
        report("type", node, node=node.title(), name=item.name, inferred=inferred, declared=declared, fixes={"drop": edit})


@check("ONX070")
def contradicted_initializer(model: Model, report: Report) -> None:
    for scope in () if all(not scope.initializers for scope in model.scopes) else model.scopes:
        for value in scope.proto.value_info:
            tensor = scope.initializers.get(value.name) if value.type.HasField("tensor_type") else None
            if tensor is None:
                continue
            declared, given = tensor_type(value.type.tensor_type), TensorType(tensor.data_type, tuple(tensor.dims))
            if differ(declared, given):
                edit = ModelEdit("ONX070", "drop", scope.path, (("names", (value.name,)),), model.skeleton.digest)
                report("initializer", scope.place("value_info", value.name), name=value.name, given=given, declared=declared, fixes={"drop": edit})


@check("SHP002")
def contradicted_output(
    model: Model, contradicted: list[Contradiction], shapes: Shapes, told: Told, report: Report
) -> None:
    for node, item, declared, inferred in _found(model, contradicted, shapes, told, is_output=True):
        report("differs", node, node=node.title(), name=item.name, inferred=inferred, declared=declared)


def _found(
    model: Model, contradicted: list[Contradiction], shapes: Shapes, told: Told, is_output: bool
) -> Iterator[tuple[Node, Contradiction, TensorType, object]]:
    """(node, contradiction, declared type, inferred type) of those that no other finding explains."""
    wrong = {item.name for item in contradicted}
    for item in contradicted:
        node = model.by_path[item.path]
        if item.path in told.places or item.is_output != is_output or _follows(node, wrong - {item.name}, told):
            continue
        declared = next(filter(None, (_declared(around, item.name, is_output) for around in node.scope.around())), None)
        inferred = shapes.type(node.scope, item.name)
        if declared is not None and (inferred is None or differ(declared, inferred)):
            element = ELEMENTS.search(item.text)
            yield node, item, declared, inferred or (TensorType(int(element[1]), None) if element else "another type")


def _follows(node: Node, wrong: set[str], told: Told) -> bool:
    """Whether the node reads something whose declaration is wrong itself."""
    return any(name in wrong or node.scope.place("value_info", name) in told.places for name in node.inputs if name)


def _declared(scope: Scope, name: str, is_output: bool) -> TensorType | None:
    values = scope.proto.value_info if not is_output else () if scope.is_function else scope.proto.output
    for value in values:
        if value.name == name and value.type.HasField("tensor_type"):
            return tensor_type(value.type.tensor_type)
    return None
