"""Attributes of `torch.onnx` that the target torch no longer has."""

from __future__ import annotations

import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.guards import guarded_use
from onnx_lsp.script.syntax import Script

INSTEAD = {"_export": "torch.onnx.export", "dynamo_export": "torch.onnx.export(…, dynamo=True)"}

# What scripts mostly use of `torch.onnx` and of `onnx`: nothing that ever went. A file that uses no more needs no table.
STAYS = frozenset(
    "export register_custom_op_symbolic TrainingMode OperatorExportTypes is_in_onnx_export ONNXProgram operators load save "
    "checker helper numpy_helper shape_inference version_converter TensorProto ModelProto".split()
)
USES = re.compile(r"\bonnx\s*\.\s*(\w+)")
IMPORTS = re.compile(r"\bonnx\s+as\b|\bfrom\s+torch\s*\.\s*onnx\b")


@check("EXP102")
def removed_api(file: Script, report: Report) -> None:
    """A use of a removed name, resolved through the imports: one finding per name, at its first use."""
    if not file.mentions_onnx or "torch" not in file.text:
        return
    if not IMPORTS.search(file.text) and STAYS.issuperset(USES.findall(file.text)):
        return
    version = ".".join(map(str, file.torch))
    for name, last in torch_api.removed_names(file.torch).items():
        if name.rpartition(".")[2] not in file.text:
            continue
        dotted = f"torch.onnx.{name}"
        imported = [item.node for item in file.imports.all if f"{item.full}.".startswith(f"{dotted}.")]
        places = [node for node in [*imported, *file.imports.uses(dotted)] if not guarded_use(file.source, node)]
        if not places:
            continue
        report(
            "replaced" if name in INSTEAD else "removed",
            places[0],
            fixes=_rewrite(file, places) if name == "_export" else None,
            related=tuple(report.related(node, "also here") for node in places[1:21]),
            name=dotted,
            instead=INSTEAD.get(name),
            version=version,
            last=last,
        )


def _rewrite(file: Script, places: list[Node]) -> dict:
    """`torch.onnx._export` took what `export` takes: only the name changes."""
    found = []
    for node in places:
        if node.type != "attribute":
            return {}
        found += edits.replace(file.source, node.child_by_field_name("attribute"), "export")
    return {"rewrite": tuple(found)}
