"""What onnx's own checker and inference say, each at its node. What our own checks have already told is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onnx_lsp.checks import Report, check
from onnx_lsp.model.dataflow import Dataflow
from onnx_lsp.model.graph import Model, Node
from onnx_lsp.model.prepared import Fault
from onnx_lsp.model.shapes import Shapes
from onnx_lsp.model.told import Told

MAX_INPUTS = 4  # that a message shows

@check("ONX001")
def checker_refuses(model: Model, flow: Dataflow, refusals: list[Fault], told: Told, report: Report) -> None:
    known = _told(flow)
    for fault in refusals:
        if fault.path not in known and not told.covers(fault.path, fault.text):
            _say(model, fault, report)


@check("SHP001")
def inference_fails(
    model: Model, flow: Dataflow, conflicts: list[Fault], shapes: Shapes, told: Told, report: Report
) -> None:
    known = _told(flow)
    for fault in conflicts:
        if fault.path not in known and not told.covers(fault.path, fault.text):
            _say(model, fault, report, shapes)


def _told(flow: Dataflow) -> set[str | None]:
    paths: set[str | None] = {node.path for node, _ in flow.undefined}
    return paths | {node.path for nodes in flow.cycles for node in nodes}


def _say(model: Model, fault: Fault, report: Report, shapes: Shapes | None = None) -> None:
    node = model.by_path.get(fault.path) if fault.path else None
    if node is None:
        report("model", problem=_lowered(_named(fault.text, model, ())))
        return
    text = _named(fault.text, model, (fault.path,))
    report("node", node, node=node.title(), problem=_lowered(text) + (_inputs(node, shapes) if shapes else ""))


def _inputs(node: Node, shapes: Shapes) -> str:
    """What a node reads, with types, as far as they are known."""
    found = [(name, shapes.type(node.scope, name)) for name in dict.fromkeys(node.inputs) if name]
    listed = [f"`{name}` {type_}" for name, type_ in found if type_ is not None][:MAX_INPUTS]
    return f" ({', '.join(listed)})" if listed else ""


def _named(text: str, model: Model, hidden: Iterable[str]) -> str:
    """Native words with our paths replaced by what the author calls the node."""

    def title(match: re.Match) -> str:
        node = model.by_path.get(match[0])
        return match[0] if node is None else node.title()

    for path in hidden:
        text = text.replace(f"Node({path})", "the node").replace(f"({path})", "")
    return re.sub(r"(?:graph|function\(.*?\))/node\[\d+\](?:\.\w+(?:\[\d+\])?/node\[\d+\])*", title, text)


def _lowered(text: str) -> str:
    """The text as the second half of a sentence."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
