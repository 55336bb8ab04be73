"""Types inside function bodies: each body is inferred once, as its first call would have it."""

from __future__ import annotations

from onnx_lsp.model import proto
from onnx_lsp.model.calls import Key, called, keys
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.prepared import Copy
from onnx_lsp.model.shapes import Shapes

MAX_FUNCTIONS = 200  # bodies that are inferred; a model of more is one of generated code


def infer_bodies(copy: Copy, model: Model, shapes: Shapes) -> None:
    """Adds to `shapes` what inference finds in the bodies of called functions.

    Args:
        copy: the prepared model; nothing in it may call itself.
    """
    table, done = keys(model), set()
    waiting = [scope for scope in model.scopes if not scope.root.is_function]
    while waiting:
        for node in waiting.pop(0).nodes:
            scope = called(node, table) if node.domain else None
            if scope is None or scope.path in done or len(done) >= MAX_FUNCTIONS:
                continue
            done.add(scope.path)
            inferred = _infer(copy, scope, node, table, shapes)
            if inferred is not None:
                shapes.add(inferred.graph, scope.path)
                waiting += [inner for inner in model.scopes if inner.root is scope]


def _infer(copy: Copy, scope: Scope, call: Node, table: dict[Key, Scope], shapes: Shapes) -> proto.ModelProto | None:
    """The body as a graph of its own, with the types and attributes of a call, and inferred."""
    function = copy.functions[scope.path]
    message = proto.ModelProto(ir_version=copy.message.ir_version, opset_import=function.opset_import)
    message.functions.extend(copy.functions[path] for path in _reached(scope, table))
    graph = message.graph
    graph.name = "body"
    graph.node.extend(function.node)
    for name, given in zip(scope.inputs, call.inputs, strict=False):
        found = shapes.type(call.scope, given) if given else None
        if found is None:
            return None
        _declare(graph.input.add(name=name).type.tensor_type, found)
    graph.output.extend(proto.ValueInfoProto(name=name) for name in scope.outputs)
    values = {item.name: item for item in (*function.attribute_proto, *call.proto.attribute)}
    _bind(graph.node, values)
    native = proto.native
    try:
        data = native.shape_inference.infer_shapes(message.SerializeToString(), False, False, True)
    except (native.shape_inference.InferenceError, native.checker.ValidationError, RuntimeError, ValueError):
        return None
    return proto.ModelProto.FromString(data)


def _reached(scope: Scope, table: dict[Key, Scope]) -> list[str]:
    """The paths of the functions that a body calls, and that these call."""
    found: dict[str, None] = {}
    todo = [scope]
    while todo:
        for node in todo.pop().nodes:
            target = called(node, table)
            if target is not None and target.path not in found:
                found[target.path] = None
                todo.append(target)
            todo += node.bodies
    return list(found)


def _declare(tensor, found) -> None:
    """Writes a type into a TypeProto.Tensor."""
    tensor.elem_type = found.element
    for dim in found.dims if found.dims is not None else ():
        tensor.shape.dim.add(**({"dim_value": dim} if isinstance(dim, int) else {"dim_param": dim or ""}))
    if found.dims == ():
        tensor.shape.SetInParent()


def _bind(nodes, values: dict[str, proto.AttributeProto]) -> None:
    """Puts the values of a call in the place of references to attributes of the function."""
    for node in nodes:
        for number in reversed(range(len(node.attribute))):
            item = node.attribute[number]
            if item.ref_attr_name and item.ref_attr_name in values:
                name = item.name
                item.CopyFrom(values[item.ref_attr_name])
                item.name = name
            elif item.ref_attr_name:
                del node.attribute[number]
            for body in (item.g,) if item.type == proto.AttributeProto.GRAPH else ():
                _bind(body.node, values)
