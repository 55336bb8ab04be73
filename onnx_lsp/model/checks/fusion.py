"""Groups of nodes that a runtime wants as one operator, or as a part of the layer before them."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.checks.several import by_scope, report_nodes
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node

NEAR = 1e-3
SQRT_2, SQRT_2_PI = 2**0.5, 0.7978845608
SINCE = {"Gelu": 20, "LayerNormalization": 17, "RMSNormalization": 23, "Attention": 23, "Swish": 24}
SCORING = ("Add", "Mul", "Div", "Cast")  # what may stand between the product of query and key, and Softmax
STEPS = 3


@check("OPT010")
def unfused_batch_norm(model: Model, report: Report) -> None:
    found = ((node, None) for node in model.by_op.get("BatchNormalization", ()) if _folds(node))
    for nodes in by_scope(found).values():
        report_nodes(report, nodes, {}, before=_before(nodes[0]).title())


def _folds(node: Node) -> bool:
    """Whether a normalisation can be part of the layer before it: nothing else reads that, and all weights are known."""
    scope, before = node.scope, _before(node)
    if before is None or before.op not in ("Conv", "ConvTranspose", "Gemm") or node.attr("training_mode", 0):
        return False
    if scope.consumers.get(node.inputs[0]) != [node] or node.inputs[0] in scope.outputs:
        return False
    homes = [(scope.home(name), name) for name in (*before.inputs[1:2], *node.inputs[1:])]
    return all(home is not None and name in home.initializers for home, name in homes)


@check("OPT011", op=("Erf", "Tanh", "Sqrt", "Sigmoid", "Softmax"))
def decomposed(node: Node, model: Model, constants: Constants, report: Report) -> None:
    after = node.scope.consumers.get(node.outputs[0], ()) if node.outputs else ()
    before = _before(node) if len(after) == 1 else None
    if len(after) != 1 or node.domain or not node.inputs or before is None and node.op != "Sigmoid":
        return
    op = GROUPS[node.op](node, before, after[0], constants)
    if op and model.imports(node.scope).get("", 0) >= SINCE[op]:
        report("op", node, node=node.title(), op=op, since=SINCE[op])


def _before(node: Node, number: int = 0) -> Node | None:
    """The standard node that computes an input."""
    found = node.scope.producers.get(node.inputs[number]) if number < len(node.inputs) and not node.domain else None
    return None if found is None or found.domain or not found.inputs else found


def _scaled_by(node: Node, wanted: float, constants: Constants) -> bool:
    found = constants.of(node, 1) or constants.of(node, 0)
    return found is not None and len(found.values) == 1 and abs(found.values[0] - wanted) < NEAR


def _gelu(node: Node, before: Node, after: Node, constants: Constants) -> str | None:
    """x * (1 + erf(x / sqrt(2))) / 2"""
    wanted = {"Div": SQRT_2, "Mul": 1 / SQRT_2}.get(before.op)
    return "Gelu" if wanted and after.op == "Add" and _scaled_by(before, wanted, constants) else None


def _gelu_of_tanh(node: Node, before: Node, after: Node, constants: Constants) -> str | None:
    """x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2"""
    return "Gelu" if before.op == "Mul" and after.op == "Add" and _scaled_by(before, SQRT_2_PI, constants) else None


def _norm(node: Node, before: Node, after: Node, constants: Constants) -> str | None:
    """(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon); without the mean it is RMSNormalization."""
    mean = _before(before) if before.op == "Add" else None
    square = _before(mean) if mean is not None and mean.op == "ReduceMean" else None
    if square is None or square.op not in ("Pow", "Mul") or after.op not in ("Div", "Reciprocal"):
        return None
    centred = _before(square)
    if centred is not None and centred.op == "Sub":
        return "LayerNormalization"
    return "RMSNormalization" if square.op == "Mul" and len(set(square.inputs)) == 1 or _squares(square, constants) else None


def _squares(node: Node, constants: Constants) -> bool:
    found = constants.of(node, 1) if node.op == "Pow" else None
    return found is not None and found.values == (2,)


def _swish(node: Node, before: Node | None, after: Node, constants: Constants) -> str | None:
    """x * sigmoid(x)"""
    return "Swish" if after.op == "Mul" and node.inputs[0] in after.inputs else None


def _attention(node: Node, before: Node, after: Node, constants: Constants) -> str | None:
    """softmax(query @ key * scale + mask) @ value"""
    if after.op != "MatMul" or after.inputs[:1] != node.outputs[:1]:
        return None
    reached = [before]
    for _ in range(STEPS):
        if any(item.op == "MatMul" for item in reached):
            return "Attention"
        steps = [_before(item, number) for item in reached if item.op in SCORING for number in range(len(item.inputs))]
        reached = [item for item in steps if item is not None]
    return None


GROUPS = {"Erf": _gelu, "Tanh": _gelu_of_tanh, "Sqrt": _norm, "Sigmoid": _swish, "Softmax": _attention}
