"""A short listing of a model, one line per item, for the preview of a fix."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp.model import proto
from onnx_lsp.model.native import bodies


def listing(message: proto.ModelProto) -> list[str]:
    """The model's items as lines, in file order; weights by name and type."""
    lines = [f"ir_version {message.ir_version}"]
    lines += [f'opset "{item.domain}" {item.version}' for item in message.opset_import]
    lines += _graph(message.graph, "")
    for function in message.functions:
        lines.append(f"function {function.domain}:{function.name}({', '.join(function.input)})")
        lines += [line for node in function.node for line in _node(node, "  ")]
    return lines


def _graph(graph: proto.GraphProto, indent: str) -> Iterator[str]:
    yield f"{indent}graph {graph.name}"
    indent += "  "
    for kind in ("input", "output", "value_info"):
        for value in getattr(graph, kind):
            yield f"{indent}{kind} {_type(value.type)} {value.name}"
    for tensor in graph.initializer:
        yield f"{indent}initializer {_element(tensor.data_type)}[{','.join(map(str, tensor.dims))}] {tensor.name}"
    for node in graph.node:
        yield from _node(node, indent)


def _node(node: proto.NodeProto, indent: str) -> Iterator[str]:
    domain = f"{node.domain}." if node.domain else ""
    attributes = ", ".join(sorted(item.name for item in node.attribute))
    yield (
        f"{indent}{', '.join(node.output)} = {domain}{node.op_type}"
        f"{f'<{attributes}>' if attributes else ''}({', '.join(node.input)})"
    )
    for body, label in bodies(node):
        yield f"{indent}  {label}:"
        yield from _graph(body, indent + "    ")


def _type(type_proto) -> str:
    if not type_proto.HasField("tensor_type"):
        return type_proto.WhichOneof("value") or "untyped"
    tensor = type_proto.tensor_type
    dims = [str(dim.dim_value) if dim.HasField("dim_value") else dim.dim_param or "?" for dim in tensor.shape.dim]
    return f"{_element(tensor.elem_type)}[{','.join(dims)}]" if tensor.HasField("shape") else _element(tensor.elem_type)


def _element(data_type: int) -> str:
    try:
        return proto.TensorProto.DataType.Name(data_type).lower()
    except ValueError:
        return f"type {data_type}"
