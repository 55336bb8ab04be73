"""Example inputs that are Python numbers: no inputs to the new exporter."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script.calls import ExportCall


@check("EXP703")
def python_scalar_input(call: ExportCall, report: Report) -> None:
    """A number or a bool among the inputs is written into the model, and the names move up."""
    inputs = call.inputs
    if call.exporter != "new" or call.exports_program or inputs is None or len(inputs) < 2:
        return
    named = call.keyword_inputs or {}
    argument = call.arguments.get("args")
    written = [child for child in argument.node.named_children if child.type != "comment"] if argument is not None else []
    for number, value in enumerate(inputs[: len(inputs) - len(named)]):
        found = value.constants
        if not found or not all(type(constant) in (bool, int, float) for constant in found):
            continue
        literal = argument.node.type == "tuple" and len(written) == len(inputs) - len(named)
        at = written[number] if literal else argument.keyword or argument.node
        report("frozen", at, fixes={"tensor": ()}, value=call.source.of(at) if literal else repr(found[0]))
