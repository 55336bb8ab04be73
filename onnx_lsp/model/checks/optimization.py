"""What a model carries or computes for nothing: dead nodes and branches, constants in the wrong place."""

from __future__ import annotations

import math

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model.checks.initializers import readable
from onnx_lsp.model.checks.noops import edit
from onnx_lsp.model.checks.several import by_scope, report_nodes
from onnx_lsp.model.constants import Constants, literal
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.shapes import Shapes
from onnx_lsp.model.sizes import byte_size

STANDARD = ("", "ai.onnx.ml")
RANDOM = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"})
GROWING = frozenset({"ConstantOfShape", "Expand", "Tile", "Range", "EyeLike", "Constant", "DequantizeLinear", "OneHot"})
UNFOLDED = RANDOM | GROWING
WEIGHT_INPUTS = {
    "Conv": (1, 2), "ConvTranspose": (1, 2), "MatMul": (0, 1), "Gemm": (1, 2), "LSTM": (1, 2, 3), "GRU": (1, 2, 3), "RNN": (1, 2, 3),
    "BatchNormalization": (1, 2, 3, 4), "ConvInteger": (1,), "MatMulInteger": (1,), "QLinearConv": (3,), "QLinearMatMul": (3,),
}  # fmt: skip
IR_FREE = 4  # onnx/onnx.proto: from this IR version on initializers need not be inputs


@check("OPT006")
def unused_node(model: Model, report: Report) -> None:
    if model.proto.training_info:
        return
    for scope in model.scopes:
        for node in scope.nodes:
            if not _dead(node, scope) or node.domain not in STANDARD or node.bodies and not _pure(node):
                continue
            count = len(_only_for(node))
            case = "several" if count > 1 else "one"
            report(case, node, node=node.title(), count=count - 1, fixes={"drop": edit("OPT006", "drop", node, model)})


def _dead(node: Node, scope: Scope) -> bool:
    read, handed_out = scope.consumers, scope.outputs
    for name in node.outputs:
        if name and (name in read or name in handed_out):
            return False
    return True


def _pure(node: Node) -> bool:
    return all(inner.domain in STANDARD for body in node.bodies for inner in body.nodes)


def _only_for(node: Node) -> set[Node]:
    """The node and all nodes whose results only reach it."""
    scope, found, todo = node.scope, {node}, [node]
    while todo:
        for name in todo.pop().inputs:
            before = scope.producers.get(name) if name else None
            if before is None or before in found or before.domain not in STANDARD:
                continue
            readers = {reader for out in before.outputs for reader in scope.consumers.get(out, ())}
            if readers <= found and not set(before.outputs) & set(scope.outputs):
                found.add(before)
                todo.append(before)
    return found


@check("OPT007")
def constant_as_weight(model: Model, report: Report) -> None:
    if model.proto.ir_version < IR_FREE:
        return
    held = ((node, None) for node in model.by_op.get("Constant", ()) if not node.scope.root.is_function and _is_weight(node))
    for (scope, _), nodes in by_scope(held).items():
        size = readable(sum(byte_size(tensor.data_type, tensor.dims) for tensor in map(literal, nodes)))
        move = ModelEdit("OPT007", "move", scope.path, (("indices", tuple(node.index for node in nodes)),), model.skeleton.digest)
        report_nodes(report, nodes, {"move": move}, size=size, reader=_weight_reader(nodes[0]).title())


def _is_weight(node: Node) -> bool:
    tensor = node.attr("value") if not node.domain and len(node.outputs) == 1 else None
    if not hasattr(tensor, "dims") or math.prod(tensor.dims) < 2 or not tensor.dims or node.outputs[0] in node.scope.outputs:
        return False
    return _weight_reader(node) is not None


def _weight_reader(node: Node) -> Node | None:
    """The first node that takes the constant as its weight."""
    name = node.outputs[0]
    for reader in node.scope.consumers.get(name, ()):
        if any(number < len(reader.inputs) and reader.inputs[number] == name for number in WEIGHT_INPUTS.get(reader.op, ())):
            return reader
    return None


@check("OPT008", op="If")
def constant_if(node: Node, model: Model, constants: Constants, report: Report) -> None:
    found = constants.of(node, 0)
    if node.domain or found is None or len(found.values) != 1:
        return
    labels = {body.path.rpartition(".")[2]: body for body in node.bodies}
    taken, dead = ("then_branch", "else_branch") if found.values[0] else ("else_branch", "then_branch")
    if set(labels) != {"then_branch", "else_branch"}:
        return
    fixes = {"inline": edit("OPT008", "inline", node, model, label=taken)} if _can_inline(node, labels[taken], model) else {}
    report("dead", node, node=node.title(), value=bool(found.values[0]), dead=dead, fixes=fixes)


def _can_inline(node: Node, body: Scope, model: Model) -> bool:
    """Whether the branch's nodes can stand in the graph around it: no name twice, and results of its own."""
    outer = node.scope
    own = {*body.producers, *body.initializers}
    elsewhere = {name for scope in model.scopes if scope is not body for name in (*scope.producers, *scope.initializers, *scope.inputs)}
    if outer.root.is_function and (body.initializers or body.sparse) or body.sparse or own & elsewhere:
        return False
    if len(set(body.outputs)) != len(body.outputs) or len(body.outputs) != len(node.outputs) or not all(node.outputs):
        return False
    return all(name in body.producers for name in body.outputs)


@check("OPT009")
def unused_input(model: Model, report: Report) -> None:
    graph = model.graph
    if model.proto.training_info:
        return
    for name in graph.inputs:
        if name not in graph.consumers and name not in graph.outputs and name not in graph.initializers:
            report("unread", graph.place("input", name), name=name)


@check("OPT012")
def foldable(model: Model, constants: Constants, shapes: Shapes, report: Report) -> None:
    for scope in model.scopes:
        folded: list[Node] = []
        known: set[str] = set()
        for node in scope.nodes:
            if node.domain or node.bodies or node.op in UNFOLDED or not node.inputs:
                continue
            if _static_shape(node, shapes) or all(name in known or _constant(scope, name) for name in node.inputs if name):
                folded.append(node)
                known.update(node.outputs)
        last = [node for node in folded if node.op != "Identity" and _ends(node, known)]
        if last:
            report_nodes(report, last, {})


def _ends(node: Node, known: set[str]) -> bool:
    """Whether something that is not constant reads the node."""
    readers = [reader for name in node.outputs for reader in node.scope.consumers.get(name, ())]
    return any(reader.scope is not node.scope or known.isdisjoint(reader.outputs) for reader in readers)


def _constant(scope: Scope, name: str) -> bool:
    node = scope.producers.get(name)
    home = scope if node is not None else scope.home(name)
    if home is None or name in home.inputs:
        return False
    node = node or home.producers.get(name)
    return name in home.initializers or node is not None and node.op == "Constant" and not node.domain


def _static_shape(node: Node, shapes: Shapes) -> bool:
    given = shapes.type(node.scope, node.inputs[0]) if node.op in ("Shape", "Size") else None
    return given is not None and given.dims is not None and all(isinstance(dim, int) for dim in given.dims)
