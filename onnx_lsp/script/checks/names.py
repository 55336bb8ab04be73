"""`input_names` and `output_names`."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.axes_order import input_entries
from onnx_lsp.script.checks.returned import returned_names, returned_outputs
from onnx_lsp.script.signature import forward_parameters, given_parameters
from onnx_lsp.script.values import WRITTEN, Atom, Const, Seq, Tensor

BOTH = ("input_names", "output_names")


@check("EXP504")
def names_as_string(call: ExportCall, report: Report) -> None:
    """A string where a list of strings belongs: every letter becomes a name."""
    for name in BOTH:
        argument = call.arguments.get(name)
        atom = argument.value.only if argument else None
        if not isinstance(atom, Const) or not isinstance(atom.value, str):
            continue
        text = call.source.of(argument.node)
        fixes = {} if argument.splat else {"wrap": edits.replace(call.source, argument.node, f"[{text}]")}
        report("string", argument.node, fixes=fixes, argument=name, value=atom.value)


def _names(call: ExportCall) -> dict[str, list[str] | None]:
    """The names of inputs and outputs by argument: empty when none are given, None when they are not known."""
    return {"input_names": call.input_names, "output_names": call.output_names}


@check("EXP503")
def names_count(call: ExportCall, report: Report) -> None:
    """As many names as inputs, and as outputs, where both numbers are known."""
    inputs = call.inputs
    if inputs is not None and not call.exports_program and all(isinstance(value.only, Tensor) for value in inputs):
        _compare(call, report, "input_names", len(inputs), len(inputs))
    outputs = returned_outputs(call)
    if outputs is not None:
        _compare(call, report, "output_names", *outputs)


def _compare(call: ExportCall, report: Report, argument_name: str, least: int, most: int | None) -> None:
    names, argument = _names(call)[argument_name], call.arguments.get(argument_name)
    if not names or argument is None or (least <= len(names) and (most is None or len(names) <= most)):
        return
    kind = argument_name.partition("_")[0]
    given, count = len(names), least if len(names) < least else most
    fixes = _trimmed(call, argument.value.only, count) if given > count else {}
    report(
        _case(call, argument_name, names, count),
        argument.keyword or argument.node,
        fixes=fixes,
        argument=argument_name,
        given=f"{given} name{'' if given == 1 else 's'}",
        count=f"{count} {kind}{'' if count == 1 else 's'}",
        result=_result(call, kind, given > count),
    )


def _case(call: ExportCall, argument: str, names: list[str], count: int) -> str:
    """`refused` where the export stops: too many outputs for the old exporter, axes by position for the new one."""
    if argument == "output_names":
        return "refused" if call.exporter == "legacy" and len(names) > count else "count"
    value = call.get("dynamic_axes")
    entries = input_entries(call, value.only) if value is not None and value.only is not None else None
    by_position = call.exporter == "new" and call.given("dynamic_shapes") is False
    return "refused" if by_position and entries and set(entries) <= set(names) else "count"


def _result(call: ExportCall, kind: str, too_many: bool) -> str:
    if not too_many:
        return f"the other {kind}s keep names that the exporter makes up"
    if kind == "input" and call.exporter == "legacy":
        return "the rest name weights"
    return "the rest are dropped silently"


def _trimmed(call: ExportCall, atom: Atom | None, count: int) -> dict[str, edits.Edits]:
    """A literal list without the names that are too many."""
    node = atom.node if atom is not None else None
    if node is None or node.type not in ("list", "tuple") or count == 0:
        return {}
    items = [child for child in node.named_children if child.type != "comment"]
    if len(items) <= count or any(item.type != "string" for item in items):
        return {}
    end = items[-1].end_byte
    keep_comma = node.type == "tuple" and count == 1
    return {"trim": edits.replace(call.source, (items[count - 1].end_byte, end), "," if keep_comma else "")}


@check("EXP505")
def name_collision(call: ExportCall, report: Report) -> None:
    """Every name once: the new exporter stops, or writes an invalid model; the old one renames silently."""
    given = _names(call)
    exporter = "new" if call.exporter == "new" else "legacy"
    for argument, names in given.items():
        twice = sorted({name for name in names or () if names.count(name) > 1}, key=names.index if names else None)
        if twice:
            node = call.arguments[argument].keyword or call.arguments[argument].node
            fixes = _renamed(call, argument, twice[0], f"{twice[0]}_2", last=True)
            report(f"twice-{exporter}", node, fixes=fixes, argument=argument, name=twice[0])
    shared = [name for name in given["output_names"] or () if name in (given["input_names"] or ())]
    if shared:
        argument = call.arguments["output_names"]
        fixes = _renamed(call, "output_names", shared[0], f"{shared[0]}_out", last=False)
        report(f"both-{exporter}", argument.keyword or argument.node, fixes=fixes, name=shared[0])


def _renamed(call: ExportCall, argument: str, name: str, other: str, last: bool) -> dict[str, edits.Edits]:
    """One of the names in a literal list changed to another, which must be free."""
    value = call.arguments[argument].value.only
    taken = {*(call.input_names or ()), *(call.output_names or ())}
    if not isinstance(value, Seq) or other in taken:
        return {}
    nodes = [item.only.node for item in value.items if item.constant == name and item.only.node is not None]
    if not nodes or any(node.type != "string" for node in nodes):
        return {}
    node = nodes[-1 if last else 0]
    return {"rename": edits.replace(call.source, node, edits.literal(other, call.source.of(node)[-1]))}


@check("EXP506")
def unnamed_io(call: ExportCall, report: Report) -> None:
    """Nothing has a name: the exporter's inventions become the model's interface."""
    if not all(_surely_absent(call, name) for name in BOTH):
        return
    case = "legacy" if call.exporter == "legacy" else "new"
    report(case, call.node.child_by_field_name("function"), fixes=_named(call))


def _surely_absent(call: ExportCall, name: str) -> bool:
    """The argument is not given, or is a None that somebody wrote: not a default, nor what an empty method returns."""
    value = call.get(name)
    if value is None:
        return True
    written = all(atom.via == WRITTEN and atom.node is not None for atom in value.atoms)
    return value.must_be(None) and written


def _named(call: ExportCall) -> dict[str, edits.Edits]:
    """Names of forward's parameters, and of what it returns."""
    parameters = forward_parameters(call)
    inputs = given_parameters(call, parameters) if parameters is not None else None
    if not inputs or any(name in call.arguments for name in BOTH):
        return {}
    added: dict[str, object] = {"input_names": inputs}
    if outputs := returned_names(call, inputs):
        added["output_names"] = outputs
    return {"name": edits.insert_arguments(call.source, call.node, added)}
