"""The function body that the ONNX standard gives an operator, as plain nodes that can stand in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onnx_lsp.model import proto
from onnx_lsp.model.graph import GRAPH, GRAPHS, Model, Node
from onnx_lsp.model.shapes import Shapes
from onnx_lsp.model.usage import Usage
from onnx_lsp.tables import revision
from onnx_lsp.targets import Kind, Target, runs


def body(node: proto.NodeProto, opset: int, elements: Sequence[int]) -> list[proto.NodeProto] | None:
    """The nodes that compute what a node computes, with its inputs and outputs; None where there are none that are sure to.

    Args:
        node: of the ai.onnx domain.
        opset: of the model, or the function, around it.
        elements: TensorProto.DataType of its inputs, 0 where unknown; some bodies depend on it.
    """
    function = _function(node, opset, elements)
    if function is None or not all(_same_at(item, function, opset) for item in function.node):
        return None
    names = dict(zip(function.input, [*node.input, *[""] * len(function.input)], strict=False))
    names |= dict(zip(function.output, [*node.output], strict=False))
    prefix = next(name for name in node.output if name)
    given = {item.name: item for item in (*_defaults(node, opset), *node.attribute)}
    placed = [_placed(item, names, prefix, given) for item in function.node]
    return None if None in placed else placed


def _function(node: proto.NodeProto, opset: int, elements: Sequence[int]) -> proto.FunctionProto | None:
    try:
        schema = proto.native.defs.get_schema(node.op_type, opset, "")
        if schema.has_function:
            versions = [number for number in schema.function_opset_versions if number <= opset]
            data = schema.get_function_with_opset_version(max(versions)) if versions else b""
        elif schema.has_context_dependent_function:
            types = [_tensor(element).SerializeToString() for element in elements]
            data = schema.get_context_dependent_function(node.SerializeToString(), types)
        else:
            return None
    except (proto.native.defs.SchemaError, RuntimeError, ValueError):
        return None
    return proto.FunctionProto.FromString(data) if data else None


def _tensor(element: int) -> proto.pb.TypeProto:
    found = proto.pb.TypeProto()
    found.tensor_type.elem_type = element
    return found


def _same_at(node: proto.NodeProto, function: proto.FunctionProto, opset: int) -> bool:
    """Whether a node of the body means the same at the opset of the model, and holds no graph of its own."""
    own = next((item.version for item in function.opset_import if not item.domain), opset)
    plain = not node.domain and all(item.type not in (GRAPH, GRAPHS) for item in node.attribute)
    return plain and (revision("", node.op_type, own) == revision("", node.op_type, opset) or _only_wider(node.op_type, own, opset))


def _only_wider(op: str, old: int, new: int) -> bool:
    """Whether a later revision of an operator differs in nothing but the element types that it takes too."""
    try:
        one, other = (proto.native.defs.get_schema(op, opset, "") for opset in (old, new))
    except proto.native.defs.SchemaError:
        return False
    types = {item.type_param_str: set(item.allowed_type_strs) for item in other.type_constraints}
    wider = all(types.get(item.type_param_str, set()).issuperset(item.allowed_type_strs) for item in one.type_constraints)
    return wider and not other.deprecated and _form(one) == _form(other)


def _form(schema) -> tuple:
    """The inputs, outputs and attributes of an operator, with their defaults."""
    ports = [[(item.name, item.type_str, item.option) for item in listed] for listed in (schema.inputs, schema.outputs)]
    attributes = {name: (item.type, item.required, item._default_value) for name, item in schema.attributes.items()}
    return ports, attributes


def _defaults(node: proto.NodeProto, opset: int) -> Iterator[proto.AttributeProto]:
    for attribute in proto.native.defs.get_schema(node.op_type, opset, "").attributes.values():
        found = proto.AttributeProto.FromString(attribute._default_value)
        if found.type:
            yield found


def _placed(node: proto.NodeProto, names: dict[str, str], prefix: str, given: dict) -> proto.NodeProto | None:
    """A node of the body, with the names of the place; None where an attribute that it refers to has no value."""
    out = proto.NodeProto()
    out.CopyFrom(node)
    if node.name:
        out.name = f"{prefix}/{node.name}"
    for values in (out.input, out.output):
        for number, name in enumerate(values):
            values[number] = names.setdefault(name, f"{prefix}/{name}") if name else ""
    for number, item in reversed([*enumerate(out.attribute)]):
        if item.ref_attr_name:
            if item.ref_attr_name not in given:
                return None
            name = item.name
            out.attribute[number].CopyFrom(given[item.ref_attr_name])
            out.attribute[number].name = name
    return out


def body_runs(node: Node, kind: Kind, elements: Sequence[int], targets: Sequence[Target]) -> bool:
    """Whether all targets surely run every node of the body that could stand in a node's place."""
    nodes = body(node.proto, kind.opset, elements) if kind.home == "ai.onnx" else None
    if not nodes:
        return False
    model = proto.ModelProto(ir_version=8)
    model.opset_import.add(version=kind.opset)
    model.graph.name = "body"
    model.graph.node.extend(nodes)
    for name, element in dict(zip(node.inputs, elements, strict=False)).items():
        if name:
            model.graph.input.add(name=name, type=_tensor(element))
    model.graph.output.extend(proto.ValueInfoProto(name=name) for name in node.outputs if name)
    try:
        inferred = proto.native.shape_inference.infer_shapes(model.SerializeToString())
    except RuntimeError:
        return False
    index = Model(None, model)
    kinds = Usage(index, Shapes(inferred, index.scopes), targets).kinds
    answers = [runs(item, target) for item in kinds for target in targets]
    return all(answer.verdict.runs and answer.sure for answer in answers)
