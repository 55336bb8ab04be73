"""The node tests of the onnx package, prepared for a runtime that knows less: what each node is, and its element types."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, defs

from onnx_lsp.targets import Binding, binding, revisions

NAMES = {number: name.lower() for name, number in TensorProto.DataType.items()}


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a test: its operator, the opset of its domain, and its element types."""

    domain: str
    op: str
    opset: int
    types: Binding
    attributes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A test's model, written to a file.

    `opset` and `ir` are what the model declares. `single`: its graph is one node, the first of `nodes` (the others are in its subgraphs).
    """

    name: str
    path: Path
    nodes: tuple[Node, ...]
    opset: int
    ir: int
    single: bool


def case_of(name: str, path: Path, model: onnx.ModelProto) -> Case:
    """Describes the model that lies at `path`."""
    opset = max((entry.version for entry in model.opset_import if not entry.domain), default=1)
    return Case(name, path, tuple(nodes_of(model)), opset, model.ir_version, len(model.graph.node) == 1)


def prepare(folder: Path, max_opset: int, max_ir: int, variants: bool = False) -> list[Case]:
    """Writes the tests' models, lowered to the given bounds where they are above; leaves out those that are then invalid.

    Tests of operators that need a later opset have no lowered form and are left out too.

    Args:
        folder: where to.
        max_opset: of ai.onnx.
        max_ir: the highest IR version.
        variants: also write each single-node test of an operator with a function body at every opset from the first such revision on.
    """
    from onnx.backend.test.loader import load_model_tests

    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for test in load_model_tests(kind="node"):
        model = onnx.ModelProto()
        model.CopyFrom(test.model)
        model.ir_version = min(model.ir_version, max_ir)
        top = min(max((entry.version for entry in model.opset_import if not entry.domain), default=1), max_opset)
        opsets = {top}
        if variants and len(model.graph.node) == 1:
            node = model.graph.node[0]
            bodies = [since for since, marks in revisions(node.domain, node.op_type) if "f" in marks]
            opsets |= set(range(bodies[0], max_opset + 1)) if bodies and not node.domain else set()
        for opset in opsets:
            case = _write(model, test.name, folder / f"{test.name}-{opset}.onnx", opset)
            cases += [case] if case else []
    return cases


def _write(model: onnx.ModelProto, name: str, path: Path, opset: int) -> Case | None:
    """Writes the model at this opset; None when it is not valid there."""
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = opset
    try:
        onnx.checker.check_model(model)
        found = case_of(name, path, model)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, defs.SchemaError):
        return None
    path.write_bytes(model.SerializeToString())
    return found


def nodes_of(model: onnx.ModelProto) -> Iterator[Node]:
    """Every node, in subgraphs too, with the element types that inference finds."""
    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    inferred = onnx.shape_inference.infer_shapes(model)
    yield from _graph(inferred.graph, opsets, {})


def _graph(graph: onnx.GraphProto, opsets: dict[str, int], outer: dict[str, str]) -> Iterator[Node]:
    known = dict(outer)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        known[value.name] = type_name(value.type)
    for tensor in graph.initializer:
        known[tensor.name] = NAMES[tensor.data_type]
    for node in graph.node:
        domain = node.domain or "ai.onnx"
        opset = opsets.get(domain, 1)
        integers = tuple((item.name, item.i) for item in node.attribute if item.type == onnx.AttributeProto.INT)
        yield Node(domain, node.op_type, opset, types_of(node, opset, known), integers)
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from _graph(inner, opsets, known)


def types_of(node: onnx.NodeProto, opset: int, known: dict[str, str]) -> Binding:
    """Element types by type variable and parameter name, as far as they are known."""
    try:
        schema = defs.get_schema(node.op_type, opset, node.domain)
    except defs.SchemaError:
        return ()
    found: dict[str, set[str]] = defaultdict(set)
    for values, formal in ((node.input, schema.inputs), (node.output, schema.outputs)):
        for number, name in enumerate(values):
            if name and known.get(name) and formal:
                parameter = formal[min(number, len(formal) - 1)]
                found[parameter.type_str].add(known[name])
                found[parameter.name].add(known[name])
    return binding(found)


def type_name(proto: onnx.TypeProto) -> str:
    """`float`, `seq(tensor(float))`, `optional(tensor(float))`; empty when it is not known."""
    kind = proto.WhichOneof("value")
    if kind == "tensor_type":
        return NAMES[proto.tensor_type.elem_type] if proto.tensor_type.elem_type else ""
    if kind in ("sequence_type", "optional_type"):
        element = getattr(proto, kind).elem_type
        inner = type_name(element)
        inner = f"tensor({inner})" if element.WhichOneof("value") == "tensor_type" else inner
        return f"seq({inner})" if kind == "sequence_type" else f"optional({inner})"
    return ""
