"""Calls in `forward` that become an operator which a target of the project does not run."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.forward import events, put
from onnx_lsp.script.forward import Event
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.written import answers, name_of

# Verdict and certainty of a table -> what is said of the target.
SAID = {
    ("refuses", True): "cannot run it", ("refuses", False): "may not run it",
    ("falls back", True): "leaves it to the CPU", ("falls back", False): "may leave it to the CPU",
}  # fmt: skip


@check("EXP305")
def op_not_in_target(call: ExportCall, file: Script, report: Report) -> None:
    """One finding per function, operator and target."""
    if not file.settings.targets or call.exporter is None or not any(walk.events for walk in call.walks):
        return
    from onnx_lsp.targets import table

    places: dict[str, list[Event]] = {}
    for event in events(call, "call"):
        name = name_of(event)
        if name is not None:
            places.setdefault(name, []).append(event)
    for name, found in places.items():
        for op, revision, target, answer in answers(name, call, file.settings.targets):
            said = SAID.get((answer.verdict.value, answer.sure))
            if said:
                put(
                    report, "target" if answer.sure else "target-maybe", call, found, name=_written(found[0]), op=op, opset=revision,
                    target=target.label, said=said, date=table(target.name).date,
                )  # fmt: skip


def _written(event: Event) -> str:
    """The function as the script calls it: `F.grid_sample`."""
    function = event.node.child_by_field_name("function")
    return event.source.of(function if function is not None else event.node).replace("\n", " ")
