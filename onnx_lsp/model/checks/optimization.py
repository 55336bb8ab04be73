"""What a model carries or computes for nothing: dead nodes and branches, constants in the wrong place, unfused groups."""

from __future__ import annotations

import math
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model.checks.initializers import readable
from onnx_lsp.model.checks.noops import edit
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.native import byte_size
from onnx_lsp.model.shapes import Shapes

STANDARD = ("", "ai.onnx.ml")
RANDOM = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"})
GROWING = frozenset({"ConstantOfShape", "Expand", "Tile", "Range", "EyeLike", "Constant", "DequantizeLinear", "OneHot"})
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
    return not any(name and (name in scope.consumers or name in scope.outputs) for name in node.outputs)


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


@check("OPT007", op="Constant")
def constant_as_weight(node: Node, model: Model, report: Report) -> None:
    scope, tensor = node.scope, node.attr("value")
    if node.domain or scope.root.is_function or model.proto.ir_version < IR_FREE or not hasattr(tensor, "dims"):
        return
    if len(node.outputs) != 1 or node.outputs[0] in scope.outputs or not tensor.dims:
        return
    reader = next(iter(_weight_readers(node)), None)
    size = byte_size(tensor.data_type, tensor.dims)
    if reader is None or math.prod(tensor.dims) < 2:
        return
    report("weight", node, node=node.title(), size=readable(size), reader=reader.title(), fixes={"move": edit("OPT007", "move", node, model)})


def _weight_readers(node: Node) -> Iterator[Node]:
    for reader in node.scope.consumers.get(node.outputs[0], ()):
        if any(number < len(reader.inputs) and reader.inputs[number] == node.outputs[0] for number in WEIGHT_INPUTS.get(reader.op, ())):
            yield reader


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


@check("OPT010", op="BatchNormalization")
def unfused_batch_norm(node: Node, constants: Constants, report: Report) -> None:
    scope = node.scope
    before = scope.producers.get(node.inputs[0]) if node.inputs and not node.domain else None
    if before is None or before.domain or before.op not in ("Conv", "ConvTranspose", "Gemm"):
        return
    if node.attr("training_mode", 0) or scope.consumers.get(node.inputs[0]) != [node] or node.inputs[0] in scope.outputs:
        return
    if all(scope.home(name) is not None and name in scope.home(name).initializers for name in (before.inputs[1], *node.inputs[1:])):
        report("conv", node, node=node.title(), before=before.title())


GELU_OPSET, LAYER_NORM_OPSET, NEAR = 20, 17, 1e-3
SQRT_2 = 2**0.5


@check("OPT011", op=("Erf", "Sqrt"))
def decomposed(node: Node, model: Model, constants: Constants, report: Report) -> None:
    opset, scope = model.imports(node.scope).get("", 0), node.scope
    before = scope.producers.get(node.inputs[0]) if node.inputs and not node.domain else None
    if before is None or len(before.inputs) != 2:
        return
    if node.op == "Erf" and opset >= GELU_OPSET:
        found = constants.of(before, 1) or constants.of(before, 0)
        wanted = {"Div": SQRT_2, "Mul": 1 / SQRT_2}.get(before.op)
        after = scope.consumers.get(node.outputs[0], ())
        if wanted and found and len(found.values) == 1 and abs(found.values[0] - wanted) < NEAR and [item.op for item in after] == ["Add"]:
            report("op", node, node=node.title(), op="Gelu", since=GELU_OPSET)
    if node.op == "Sqrt" and opset >= LAYER_NORM_OPSET and before.op == "Add":
        mean = scope.producers.get(before.inputs[0])
        square = scope.producers.get(mean.inputs[0]) if mean is not None and mean.op == "ReduceMean" else None
        if square is None or square.op not in ("Pow", "Mul"):
            return
        centred = scope.producers.get(square.inputs[0])
        after = scope.consumers.get(node.outputs[0], ())
        if centred is not None and centred.op == "Sub" and [item.op for item in after] == ["Div"]:
            report("op", node, node=node.title(), op="LayerNormalization", since=LAYER_NORM_OPSET)


@check("OPT012")
def foldable(model: Model, constants: Constants, shapes: Shapes, report: Report) -> None:
    for scope in model.scopes:
        known: dict[str, bool] = {}
        for node in scope.nodes:
            if node.op == "Constant" and not node.domain:
                continue
            folds = not node.domain and not node.bodies and node.op not in RANDOM | GROWING and bool(node.inputs)
            folds = folds and (_static_shape(node, shapes) or all(known.get(name) or _constant(scope, name) for name in node.inputs if name))
            known.update(dict.fromkeys(node.outputs, folds))
        for node in scope.nodes:
            if not any(known.get(name) for name in node.outputs) or node.op == "Identity":
                continue
            readers = [reader for name in node.outputs for reader in scope.consumers.get(name, ())]
            if readers and not all(reader.scope is scope and known.get(reader.outputs[0]) for reader in readers):
                report("constant", node, node=node.title())


def _constant(scope: Scope, name: str) -> bool:
    home = scope.home(name)
    if home is None or name in home.inputs:
        return False
    node = home.producers.get(name)
    return name in home.initializers or node is not None and node.op == "Constant" and not node.domain


def _static_shape(node: Node, shapes: Shapes) -> bool:
    given = shapes.type(node.scope, node.inputs[0]) if node.op in ("Shape", "Size") else None
    return given is not None and given.dims is not None and all(isinstance(dim, int) for dim in given.dims)


@check("OPT013", op="Concat")
def grown_cache(node: Node, model: Model, report: Report) -> None:
    graph = model.graph
    if node.scope is not graph or node.domain or not node.outputs or node.outputs[0] not in graph.outputs:
        return
    past = next((name for name in node.inputs if name in graph.inputs and name not in graph.initializers), None)
    if past is not None and any(word in past.lower() for word in ("past", "cache", "key", "value")):
        report("grows", node, node=node.title(), past=past, present=node.outputs[0])
