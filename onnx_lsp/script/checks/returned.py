"""What the exported model's `forward` returns, as far as its `return` statements tell."""

from __future__ import annotations

import re

from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.signature import forward_function
from onnx_lsp.script.values import Made, Obj

# Calls that give exactly one tensor.
LAYERS = frozenset(
    "Linear Conv1d Conv2d Conv3d ConvTranspose2d BatchNorm1d BatchNorm2d LayerNorm Embedding ReLU Sigmoid Tanh Softmax "
    "GELU Flatten Dropout Bilinear".split()
)
FUNCTIONS = frozenset(
    "relu softmax log_softmax sigmoid tanh gelu cat stack matmul bmm mm normalize interpolate flatten einsum".split()
)
METHODS = frozenset("view reshape squeeze unsqueeze flatten permute transpose contiguous softmax sigmoid float".split())
MODULES = ("torch", "F", "torch.nn.functional", "nn.functional")


def returned(call: ExportCall) -> list[list[Node]] | None:
    """The expressions of every `return`; None when `forward` is not known, or returns nothing in some place."""
    function = forward_function(call)
    body = function.node.child_by_field_name("body") if function is not None else None
    found: list[list[Node]] = []
    pending = list(body.children) if body is not None else []
    while pending:
        node = pending.pop()
        if node.type in ("function_definition", "class_definition", "lambda"):
            continue
        if node.type == "yield":
            return None
        if node.type != "return_statement":
            pending += node.children
            continue
        values = [child for child in node.named_children if child.type != "comment"]
        if not values:
            return None
        several = values[0].type in ("expression_list", "tuple")
        items = [child for child in values[0].named_children if child.type != "comment"] if several else values
        if any(item.type == "list_splat" for item in items):
            return None
        found.append(items)
    return found or None


def returned_outputs(call: ExportCall) -> tuple[int, int | None] | None:
    """The least and the most outputs that the model has; None when that is not known.

    A tuple of n expressions gives at least n outputs, and exactly n where each surely is one tensor.
    """
    found = returned(call)
    if found is None or len({len(items) for items in found}) != 1:
        return None
    items = [item for expressions in found for item in expressions]
    if len(found[0]) > 1 and not all(_is_output(call, item) for item in items):
        return None
    exact = all(_is_one_tensor(call, item) for item in items)
    least = len(found[0]) if len(found[0]) > 1 or exact else 1
    return least, len(found[0]) if exact else None


def _is_output(call: ExportCall, node: Node) -> bool:
    """An expression that gives at least one output: no constant, no container, no variable that may be None."""
    if node.type == "identifier":
        function = call.source.of(forward_function(call).node)
        return not re.search(rf"\b{re.escape(call.source.of(node))}\b\s*(?::[^=\n]+)?=\s*(?:None|\[|\{{|\()", function)
    return node.type in ("call", "binary_operator", "subscript")


def _is_one_tensor(call: ExportCall, node: Node) -> bool:
    """An expression that is surely exactly one tensor."""
    if node.type == "parenthesized_expression" and node.named_child_count == 1:
        return _is_one_tensor(call, node.named_children[0])
    if node.type == "binary_operator":
        return node.child_by_field_name("operator").type in ("*", "-", "/", "@")
    if node.type != "call":
        return False
    function = node.child_by_field_name("function")
    if function.type != "attribute":
        return False
    owner = call.source.of(function.child_by_field_name("object"))
    name = call.source.of(function.child_by_field_name("attribute"))
    if owner in MODULES:
        return name in FUNCTIONS
    if owner == "self":
        return _layer(call, name) in LAYERS
    return name in METHODS


def _layer(call: ExportCall, name: str) -> str | None:
    """The class of `torch.nn` that an attribute of the model is."""
    value = call.get("model")
    model = value.only if value is not None else None
    held = model.attributes.get(name) if isinstance(model, Obj) else None
    layer = held.only if held is not None else None
    if not isinstance(layer, Made) or not layer.callee.startswith("torch.nn."):
        return None
    return layer.callee.removeprefix("torch.nn.")


def returned_names(call: ExportCall, taken: list[str]) -> list[str]:
    """Names for the outputs: those of the variables that are returned, else `output`; none where they are not known."""
    found = returned(call)
    outputs = returned_outputs(call)
    if found is None or outputs is None or len(found) != 1:
        return []
    items = found[0]
    names = [call.source.of(item) for item in items if item.type == "identifier"]
    if len(names) == len(items) and len(set(names)) == len(names) and not set(names) & set(taken):
        return names if len(items) > 1 else []
    return ["output"] if len(items) == 1 and outputs[1] == 1 and "output" not in taken else []
