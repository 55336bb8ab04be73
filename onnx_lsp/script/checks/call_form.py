"""How `torch.onnx.export` is called: arguments by position, and a `dynamo` that is no bool."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.values import Const

# Up to `opset_version` the order by position was the same in all releases from 1.10 to 2.4, the last that had one.
SAME_ORDER = torch_api.FORMER_ORDER[: torch_api.FORMER_ORDER.index("opset_version") + 1]
NAMED_ONLY_SINCE: torch_api.Version = (2, 5)


@check("EXP103")
def positional_overflow(call: ExportCall, report: Report) -> None:
    """More than model, args and f by position."""
    if call.torch < NAMED_ONLY_SINCE or not call.overflow or call.guarded:
        return
    beyond = [argument for argument in call.arguments.values() if argument.node in call.overflow]
    names = [argument.name for argument in beyond]
    first = beyond[0].node
    fixes = {}
    if set(names) <= set(SAME_ORDER) and not call.opaque and not any(argument.splat for argument in beyond):
        fixes["name"] = tuple(edit for item in beyond for edit in _prefix(call, item.node, item.name))
    written = ", ".join(f"`{name}=`" for name in names if not name.startswith("#"))
    report("overflow", first, fixes=fixes, names=written or "the others")


def _prefix(call: ExportCall, node: Node, name: str) -> edits.Edits:
    return edits.replace(call.source, (node.start_byte, node.start_byte), f"{name}=")


@check("EXP108")
def dynamo_not_bool(call: ExportCall, report: Report) -> None:
    """Only `True` itself chooses the new exporter: a truthy value or None runs the old one."""
    argument = call.arguments.get("dynamo")
    if argument is None or call.torch < NAMED_ONLY_SINCE or call.exports_program or call.callee != "torch.onnx.export":
        return
    values = argument.value.constants
    if values is None or any(atom.via != "written" for atom in argument.value.atoms):
        return
    atom = argument.value.atoms[0]
    if all(value is None for value in values) and torch_api.default_exporter(call.torch) == "new":
        fixes = {"false": edits.replace(call.source, atom.node, "False")} if _is_literal(atom) else {}
        if argument.keyword is not None:
            fixes["default"] = edits.remove_argument(call.source, argument.keyword)
        report("none", argument.keyword or argument.node, fixes=fixes)
    elif all(value and not isinstance(value, bool) for value in values):
        fixes = {"true": edits.replace(call.source, atom.node, "True")} if _is_literal(atom) else {}
        report(
            "truthy", argument.keyword or argument.node, fixes=fixes, value=call.source.of(atom.node or argument.node)
        )


def _is_literal(atom: Const) -> bool:
    return atom.node is not None and atom.node.type in ("none", "integer", "float", "string")
