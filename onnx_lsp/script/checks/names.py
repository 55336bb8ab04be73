"""`input_names` and `output_names`."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.values import Const


@check("EXP504")
def names_as_string(call: ExportCall, report: Report) -> None:
    """A string where a list of strings belongs: every letter becomes a name."""
    for name in ("input_names", "output_names"):
        argument = call.arguments.get(name)
        atom = argument.value.only if argument else None
        if not isinstance(atom, Const) or not isinstance(atom.value, str):
            continue
        text = call.source.of(argument.node)
        fixes = {} if argument.splat else {"wrap": edits.replace(call.source, argument.node, f"[{text}]")}
        report("string", argument.node, fixes=fixes, argument=name, value=atom.value)
