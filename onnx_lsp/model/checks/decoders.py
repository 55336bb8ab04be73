"""Models that give one token after the other: what they keep of the tokens before."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.graph import Model, Node

CACHED = ("past", "cache", "key", "value")
MEMORIES = ("past", "cache", "mem", "state", "encoder")
TOKENS, SCORES = ("input_ids", "tokens", "token_ids"), ("logits",)
CAUSAL = ("Attention", "MultiHeadAttention", "GroupQueryAttention")


@check("OPT013", op="Concat")
def grown_cache(node: Node, model: Model, report: Report) -> None:
    graph = model.graph
    if node.scope is not graph or node.domain or not node.outputs or node.outputs[0] not in graph.outputs:
        return
    past = next((name for name in node.inputs if name in graph.inputs and name not in graph.initializers), None)
    if past is not None and any(word in past.lower() for word in CACHED):
        report("grows", node, node=node.title(), past=past, present=node.outputs[0])


@check("OPT016")
def no_cache(model: Model, report: Report) -> None:
    graph = model.graph
    tokens = next((name for name in graph.inputs if name.lower() in TOKENS), None)
    scores = next((name for name in graph.outputs if any(word in name.lower() for word in SCORES)), None)
    if tokens is None or scores is None or any(word in name.lower() for name in graph.inputs for word in MEMORIES):
        return
    mask = model.by_op.get("Trilu") or [node for op in CAUSAL for node in model.by_op.get(op, ()) if _is_causal(node)]
    if mask:
        report("none", graph.place("input", tokens), tokens=tokens, scores=scores, mask=mask[0].title())


def _is_causal(node: Node) -> bool:
    return node.op == "GroupQueryAttention" or node.attr("is_causal", 0) == 1 or node.attr("unidirectional", 0) == 1
