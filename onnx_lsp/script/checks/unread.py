"""Arguments and calls that the new exporter takes and never reads, or that leave a file without weights."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import Argument, ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.syntax import Script

# Those with `unread_by_new` in rules/targets/torch.toml, apart from `training` (EXP402); tests/script compares them.
UNREAD = frozenset(
    {"operator_export_type", "do_constant_folding", "custom_opsets", "export_modules_as_functions", "autograd_inlining"}
)
REGISTRATIONS = (
    "torch.onnx.register_custom_op_symbolic",
    "torch.onnx.utils.register_custom_op_symbolic",
)


@check("EXP110")
def weightless_export(call: ExportCall, report: Report) -> None:
    """The new exporter leaves the weights out and declares nothing in their place."""
    argument = call.arguments.get("export_params")
    if call.exporter != "new" or argument is None or not argument.value.must_be(False) or call.given("f") is False:
        return
    report(
        "weightless", argument.keyword or argument.node, fixes={**removal(call, argument), **keep_old_exporter(call)}
    )


@check("EXP402")
def training_ignored(call: ExportCall, report: Report) -> None:
    """The mode is that of the model: `training=` says nothing."""
    argument = call.arguments.get("training")
    if call.exporter == "new" and argument is not None and is_named(argument):
        fixes = {**removal(call, argument), **keep_old_exporter(call)}
        report("training", argument.keyword or argument.node, fixes=fixes)


@check("EXP501")
def ignored_argument(call: ExportCall, report: Report) -> None:
    """An argument without effect; worth a warning only where it asks for something that will not happen."""
    if call.exporter != "new":
        return
    for name, argument in call.arguments.items():
        if name not in UNREAD or not is_named(argument):
            continue
        at = argument.keyword or argument.node
        if name == "do_constant_folding" and argument.value.must_be(False):
            report("folded", at, fixes={**removal(call, argument), **keep_old_exporter(call)})
        else:
            report("ignored", at, fixes=removal(call, argument), argument=name)


def is_named(argument: Argument) -> bool:
    """It is surely given, and by its name: by position it is another rule's."""
    return argument.keyword is not None or (argument.splat and bool(argument.value.atoms))


def removal(call: ExportCall, argument: Argument) -> dict[str, edits.Edits]:
    """The fix `remove`, for an argument that is written in the call itself."""
    return {} if argument.keyword is None else {"remove": edits.remove_argument(call.source, argument.keyword)}


@check("EXP111")
def symbolic_ignored(file: Script, report: Report) -> None:
    """A symbolic function belongs to the old exporter; the new one never calls it."""
    if "register_custom_op_symbolic" not in file.text or not file.calls:
        return
    if any(call.exporter != "new" or call.given("custom_translation_table") is not False for call in file.calls):
        return
    places = [node.parent for name in REGISTRATIONS for node in file.imports.uses(name) if node.parent.type == "call"]
    if not places:
        return
    places.sort(key=lambda node: node.start_byte)
    kept = [keep_old_exporter(call) for call in file.calls]
    fixes = {"keep": tuple(edit for fix in kept for edit in fix["keep"])} if all(kept) else {}
    also = tuple(report.related(node, "also registered here") for node in places[1:21])
    report("symbolic", places[0], fixes=fixes, related=also)
