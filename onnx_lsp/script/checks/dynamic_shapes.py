"""The form of `dynamic_shapes`, and `dynamic_axes` beside it."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import Argument, ExportCall
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.signature import Parameter, forward_parameters, given_parameters
from onnx_lsp.script.values import Const, Map, Seq


@check("EXP107")
def dynamic_shapes_form(call: ExportCall, report: Report) -> None:
    """One entry per input of `forward`, in a tuple or by parameter name; each a dict from dim to name."""
    argument = call.arguments.get("dynamic_shapes")
    atom = argument.value.only if argument is not None else None
    if not isinstance(atom, (Map, Seq)) or call.exports_program:
        return
    if call.exporter == "legacy":
        if (atom.entries if isinstance(atom, Map) else atom.items) and call.torch >= (2, 6):
            report("legacy", argument.keyword or argument.node, fixes=_use_new(call))
    elif call.exporter == "new" and not _sets(call, report, argument, atom):
        parameters = forward_parameters(call)
        if isinstance(atom, Seq):
            _count(call, report, argument, atom)
        elif parameters is not None and not atom.open:
            _keys(call, report, argument, atom, parameters)


def _use_new(call: ExportCall) -> dict[str, edits.Edits]:
    dynamo = call.arguments.get("dynamo")
    if dynamo is None or dynamo.keyword is None or dynamo.node.type != "false":
        return {}
    return {"dynamo": edits.replace(call.source, dynamo.node, "True")}


def _sets(call: ExportCall, report: Report, argument: Argument, atom: Map | Seq) -> bool:
    """Reports sets in place of dicts; whether there were any."""
    values = [value for _, value in atom.entries] if isinstance(atom, Map) else list(atom.items)
    sets = [value.only for value in values if isinstance(value.only, Seq) and value.only.kind == "set"]
    for item in sets:
        node = item.node if item.node is not None else argument.node
        fixes = _as_dict(call, node)
        report("set", node, fixes=fixes, text=call.source.of(node))
    return bool(sets)


def _as_dict(call: ExportCall, node: Node) -> dict[str, edits.Edits]:
    """`{0, "batch"}` as `{0: "batch"}`."""
    items = [child for child in node.named_children if child.type != "comment"]
    numbers = [item for item in items if item.type == "integer"]
    if node.type != "set" or len(items) != 2 or len(numbers) != 1:
        return {}
    label = next(item for item in items if item.type != "integer")
    return {"pair": edits.replace(call.source, node, f"{{{call.source.of(numbers[0])}: {call.source.of(label)}}}")}


def _count(call: ExportCall, report: Report, argument: Argument, atom: Seq) -> None:
    inputs = call.inputs
    if inputs is None or atom.open or atom.kind == "set" or call.keyword_inputs or len(atom.items) == len(inputs):
        return
    count, entries = len(inputs), len(atom.items)
    report(
        "count",
        argument.keyword or argument.node,
        entries=f"{entries} entr{'y' if entries == 1 else 'ies'}",
        inputs=f"{count} input{'' if count == 1 else 's'}",
    )


def _keys(call: ExportCall, report: Report, argument: Argument, atom: Map, parameters: list[Parameter]) -> None:
    """Keys that are no parameters of `forward`, or of one without an example; examples without an entry."""
    keys = [key.only for key, _ in atom.entries]
    if not all(isinstance(key, Const) and isinstance(key.value, str) for key in keys):
        return
    names = [item.name for item in parameters]
    wrong = [key for key in keys if key.value not in names]
    at = argument.keyword or argument.node
    if wrong:
        fixes = _renamed(call, wrong, names, {key.value for key in keys})
        listed = ", ".join(f"`{key.value}`" for key in wrong)
        report("keys", wrong[0].node or at, fixes=fixes, keys=listed, parameters=", ".join(f"`{n}`" for n in names))
        return
    given = given_parameters(call, parameters)
    if given is None or not keys:
        return
    unfed = [key for key in keys if key.value not in given]
    missing = [name for name in given if name not in {key.value for key in keys}]
    if unfed:
        pair = unfed[0].node.parent if unfed[0].node is not None else None
        drop = len(unfed) == 1 and pair is not None and pair.type == "pair"
        fixes = {"unfed": edits.remove_argument(call.source, pair)} if drop else {}
        report("unfed", unfed[0].node or at, fixes=fixes, name=unfed[0].value)
    elif missing:
        report("missing", at, names=", ".join(f"`{name}`" for name in missing), first=missing[0])


def _renamed(call: ExportCall, wrong: list[Const], names: list[str], keys: set[str]) -> dict[str, edits.Edits]:
    """The parameter that has this key as its input name; else the one with the closest name."""
    if any(key.node is None or key.node.type != "string" for key in wrong):
        return {}
    given = call.input_names or []
    free = [name for name in names if name not in keys]
    places = [given.index(key.value) if key.value in given else len(names) for key in wrong]
    if all(place < len(names) and names[place] in free for place in places):
        return {"position": _rename(call, wrong, [names[place] for place in places])}
    from difflib import get_close_matches

    close = [get_close_matches(key.value, free, 1, 0.6) for key in wrong]
    if not all(close) or len({names[0] for names in close}) < len(close):
        return {}
    return {"closest": _rename(call, wrong, [names[0] for names in close])}


def _rename(call: ExportCall, keys: list[Const], names: list[str]) -> edits.Edits:
    found: list = []
    for key, name in zip(keys, names, strict=True):
        found += edits.replace(call.source, key.node, edits.literal(name, call.source.of(key.node)[-1]))
    return tuple(found)


@check("EXP207")
def both_dynamic_specs(call: ExportCall, report: Report) -> None:
    """With `dynamic_shapes`, the new exporter does not look at `dynamic_axes`."""
    axes = call.arguments.get("dynamic_axes")
    if (
        call.exporter != "new"
        or axes is None
        or not (_filled(call, "dynamic_axes") and _filled(call, "dynamic_shapes"))
    ):
        return
    fixes = {} if axes.keyword is None else {"remove": edits.remove_argument(call.source, axes.keyword)}
    report("both", axes.keyword or axes.node, fixes=fixes)


def _filled(call: ExportCall, name: str) -> bool:
    """The argument surely holds something."""
    value = call.get(name)
    if value is None or value.partial or not value.atoms:
        return False
    return all(
        isinstance(atom, Map) and bool(atom.entries) or isinstance(atom, Seq) and bool(atom.items)
        for atom in value.atoms
    )
