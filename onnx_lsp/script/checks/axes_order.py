"""The new exporter and `dynamic_axes`: entries are laid over the inputs by position, whatever their names.

What it does (torch 2.13, `from_dynamic_axes_to_dynamic_shapes`): entries of outputs are dropped, the others keep the order
of the dict, inputs without an entry follow, and the n-th of these is taken for the n-th input.
"""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import Argument, ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.signature import forward_parameters
from onnx_lsp.script.values import Atom, Const, Map, Seq, Tensor, Value

Entries = dict[str, Value]


@check("EXP202")
def shifted_dynamic_axes(call: ExportCall, report: Report) -> None:
    """Axes that land on another input than the one they are named for."""
    argument = call.arguments.get("dynamic_axes")
    names = _input_names(call)
    if not _converts(call) or argument is None or argument.value.partial or names is None:
        return
    for atom in argument.value.atoms:
        entries = input_entries(call, atom)
        moved = landed(entries, names) if entries is not None else None
        if not moved:
            continue
        name, place = moved[0]
        report(
            "shifted",
            argument.keyword or argument.node,
            fixes={**_in_order(call, atom, names, entries), **keep_old_exporter(call)},
            related=_written_at(report, argument, atom),
            name=name,
            place=place,
        )
        return


@check("EXP203")
def dynamic_axes_deprecated(call: ExportCall, report: Report) -> None:
    """`dynamic_axes` in input order works, with two warnings; `dynamic_shapes` is the way to go."""
    argument = call.arguments.get("dynamic_axes")
    if not _converts(call) or argument is None or argument.value.partial or not argument.value.atoms:
        return
    if not all(_in_input_order(call, atom) for atom in argument.value.atoms):
        return
    fixes = {**_as_shapes(call, argument), **keep_old_exporter(call)}
    related = _written_at(report, argument, argument.value.atoms[0])
    report("deprecated", argument.keyword or argument.node, fixes=fixes, related=related)


def _converts(call: ExportCall) -> bool:
    """The call is one whose `dynamic_axes` the new exporter turns into `dynamic_shapes`."""
    return call.exporter == "new" and not call.exports_program and call.given("dynamic_shapes") is False


def _input_names(call: ExportCall) -> list[str] | None:
    """The names of the inputs in order: given, else those of `forward`."""
    given = call.input_names
    if given:
        return given if len(set(given)) == len(given) else None
    parameters = forward_parameters(call) if given is not None else None
    return [item.name for item in parameters] if parameters is not None else None


def input_entries(call: ExportCall, atom: Atom) -> Entries | None:
    """The entries of `dynamic_axes` that are not for outputs, in order; None when some key is not known."""
    outputs = call.output_names
    if not isinstance(atom, Map) or atom.open or outputs is None:
        return None
    entries = {key.constant: value for key, value in atom.entries}
    if not all(isinstance(key, str) for key in entries):
        return None
    return {key: value for key, value in entries.items() if key not in outputs}


def landed(entries: Entries, names: list[str]) -> list[tuple[str, str]]:
    """The entries that land on an input with other axes, each with that input; empty when one key is no input's."""
    if not set(entries) <= set(names):
        return []
    order = [*entries, *(name for name in names if name not in entries)]
    moved = []
    for given, place in zip(order, names, strict=False):
        if given != place and given in entries:
            one, other = _dims(entries[given]), _dims(entries.get(place))
            if one is None or other is None:
                return []
            if one != other:
                moved.append((given, place))
    return moved


def _dims(axes: Value | None) -> tuple[int, ...] | None:
    """The indices that an entry makes dynamic; None when they are not known."""
    atom = axes.only if axes is not None else Const(None)
    if isinstance(atom, Const) and atom.value is None:
        return ()
    if isinstance(atom, Map) and not atom.open:
        found = [key.constant for key, _ in atom.entries]
    elif isinstance(atom, Seq) and not atom.open:
        found = [item.constant for item in atom.items]
    else:
        return None
    return tuple(sorted(found)) if all(type(index) is int for index in found) else None


def _in_input_order(call: ExportCall, atom: Atom) -> bool:
    """The keys that are not outputs' are the first inputs, in order, and at least one has an entry."""
    value, outputs = call.get("input_names"), call.possible_names("output_names")
    if not isinstance(atom, Map) or atom.open or outputs is None:
        return False
    keys = [key.constant for key, _ in atom.entries]
    inputs = [key for key in keys if key not in outputs]
    if not inputs or not all(isinstance(key, str) for key in keys):
        return False
    if value is None or value.must_be(None):
        names = _input_names(call)
        return names is not None and names[: len(inputs)] == inputs
    if value.partial or not value.atoms:
        return False
    return all(_starts_with(names, inputs) for names in value.atoms)


def _starts_with(names: Atom, wanted: list[str]) -> bool:
    """A list of names starts with these; whatever may follow does not matter."""
    if not isinstance(names, Seq) or names.kind == "set" or len(names.items) < len(wanted):
        return False
    return [item.constant for item in names.items[: len(wanted)]] == wanted


def _written_at(report: Report, argument: Argument, atom: Atom) -> tuple:
    """The place of a dict that is not written in the call."""
    node, inside = atom.node, argument.node
    if node is None or (inside.start_byte <= node.start_byte and node.end_byte <= inside.end_byte):
        return ()
    return (report.related(node, "`dynamic_axes` is built here"),)


def _pairs(call: ExportCall, atom: Atom) -> dict[str, Node] | None:
    """The entries of a dict that is written as one, by key; None when it is made in another way or holds comments."""
    node = atom.node
    if node is None or node.type != "dictionary" or not isinstance(atom, Map):
        return None
    pairs = [child for child in node.named_children if child.type != "comment"]
    keys = [key.constant for key, _ in atom.entries]
    written = [pair.child_by_field_name("key") for pair in pairs if pair.type == "pair"]
    same = len(written) == len(pairs) == len(keys)
    if not same or any(
        key.type != "string" or call.source.of(key)[1:-1] != name for key, name in zip(written, keys, strict=True)
    ):
        return None
    return dict(zip(keys, pairs, strict=True))


def _in_order(call: ExportCall, atom: Atom, names: list[str], entries: Entries) -> dict[str, edits.Edits]:
    """The dict with its entries in the order of the inputs, and `name: {}` for those without one in between."""
    pairs = _pairs(call, atom)
    if pairs is None:
        return {}
    source = call.source
    last = max(number for number, name in enumerate(names) if name in entries)
    wanted = names[: last + 1]
    slots = [pairs[key] for key in pairs if key in entries]
    present = [name for name in wanted if name in entries]
    permuted = present != list(entries)
    if permuted and any(child.type == "comment" for child in atom.node.named_children):
        return {}
    quote = source.of(slots[0].child_by_field_name("key"))[-1]
    texts: list[str] = []
    ahead = ""
    for name in wanted:
        if name in entries:
            texts.append(ahead + source.of(pairs[name]))
            ahead = ""
        else:
            ahead += f"{edits.literal(name, quote)}: {{}}, "
    found: list = []
    for slot, text in zip(slots, texts, strict=True):
        if text != source.of(slot):
            found += edits.replace(source, slot, _broken(call, slot, text))
    return {"order": tuple(found)}


def _broken(call: ExportCall, slot: Node, text: str) -> str:
    """Entries put in front of another get lines of their own where the dict has one entry per line."""
    line = call.source.line_of(slot.start_byte)
    start = call.source.starts[line]
    if call.source.data[start : slot.start_byte].strip():
        return text
    return text.replace(": {}, ", ": {}," + call.source.newline + edits.leading(call.source, slot.start_byte))


def _as_shapes(call: ExportCall, argument: Argument) -> dict[str, edits.Edits]:
    """`dynamic_shapes=(…)` by position, for a dict in the call, and one tensor per input."""
    atom, inputs, names = argument.value.only, call.inputs, _input_names(call)
    if argument.keyword is None or argument.node.type != "dictionary" or inputs is None or names is None:
        return {}
    pairs, entries = _pairs(call, atom), input_entries(call, atom)
    tensors = all(isinstance(value.only, Tensor) or not value.atoms for value in inputs)
    if pairs is None or entries is None or call.keyword_inputs or not tensors or len(inputs) != len(names):
        return {}
    if any(child.type == "comment" for child in argument.node.named_children):
        return {}
    shapes: list[edits.Raw | None] = []
    for name in names:
        value = pairs[name].child_by_field_name("value") if name in entries else None
        if value is not None and value.type not in ("dictionary", "identifier"):
            return {}
        text = call.source.of(value) if value is not None else "{}"
        shapes.append(edits.Raw(text) if text != "{}" else None)
    return {"shapes": edits.replace(call.source, argument.keyword, _spelled(call, argument.keyword, tuple(shapes)))}


def _spelled(call: ExportCall, keyword: Node, shapes: tuple) -> str:
    """`dynamic_shapes=…` on one line, or with an entry per line where that would be too long."""
    source = call.source
    quote = edits.preferred_quote(source, call.node)
    indent = edits.leading(source, keyword.start_byte)
    text = f"dynamic_shapes={edits.literal(shapes, quote)}"
    if len(indent) + len(text) < edits.WIDTH or len(shapes) < 2:
        return text
    return "dynamic_shapes=" + edits.spread(shapes, quote, indent, source.indent).replace(
        "\n", source.newline
    )
