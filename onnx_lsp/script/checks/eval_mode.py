"""Exports of models that are still in training mode."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import Related
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.eval_state import TRAIN, Layer
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.reachable import Reach

MOST_NAMED = 20


@check("EXP401")
def missing_eval(call: ExportCall, report: Report) -> None:
    """The exported object is built in sight, and on no way that leads here anything puts it into evaluation mode."""
    if call.exporter is None or call.exports_program or not call.reached:
        return
    if any(reach.root.mode != TRAIN for reach in call.reached):
        return
    live = _live(call.reached)
    sure = not any(reach.evaluated or reach.unsure for reach in call.reached)
    if not sure and not all(reach.live for reach in call.reached):
        return
    at = call.node.child_by_field_name("function")
    fixes = _evaluated(call)
    model = call.source.of(call.arguments["model"].node)
    model = model if "\n" not in model and len(model) < 60 else "the model"
    if call.exporter == "legacy":
        if call.get("training") is None and call.get("dynamo") is None:
            report("legacy", at, fixes=fixes, model=model)
        return
    if not live:
        case = "hidden" if not all(reach.visible for reach in call.reached) else "plain"
        case = "norm" if case == "plain" and any(reach.norms for reach in call.reached) else case
        report(case, at, fixes=fixes, model=model)
        return
    kinds = sorted({layer.callee.rpartition(".")[2] for layer in live})
    related = tuple(_place(call, report, layer) for layer in live[:MOST_NAMED])
    fixes |= keep_old_exporter(call)
    report("live", at, fixes=fixes, related=related, model=model, layers="`, `".join(kinds))


def _live(found: list[Reach]) -> list[Layer]:
    """The live layers of all ways, each place of the text once."""
    places = {(layer.source.path, layer.node.start_byte): layer for reach in found for layer in reach.live}
    return list(places.values())


def _place(call: ExportCall, report: Report, layer: Layer) -> Related:
    text = "this layer stays live"
    if layer.source is call.source:
        return report.related(layer.node, text)
    return Related(layer.source.path, text, layer.source.range(layer.node))


def _evaluated(call: ExportCall) -> dict[str, edits.Edits]:
    """`model.eval()` on a line before the statement; `.eval()` on a model that is made in the call itself."""
    argument = call.arguments["model"]
    if argument.splat:
        return {}
    node, source = argument.node, call.source
    if node.type == "call":
        return {"eval": edits.replace(source, (node.end_byte, node.end_byte), ".eval()")}
    if node.type not in ("identifier", "attribute"):
        return {}
    statement = source.statement_of(call.node)
    start = source.line_span(source.line_of(statement.start_byte))[0]
    indent = source.slice(start, statement.start_byte)
    if indent.strip() or _inside(call.node, statement):
        return {}
    text = f"{source.of(node)}.eval(){source.newline}{indent}"
    return {"eval": edits.replace(source, (statement.start_byte, statement.start_byte), text)}


def _inside(node: Node, statement: Node) -> bool:
    """The call is part of a lambda or a comprehension: what it exports may not exist before the statement."""
    while node is not None and node != statement:
        if node.type == "lambda" or node.type.endswith("comprehension") or node.type == "generator_expression":
            return True
        node = node.parent
    return False
