"""What an entry of `dynamic_axes` may hold, and entries that only outputs have."""

from __future__ import annotations

import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.axes_order import input_entries
from onnx_lsp.script.checks.fixed_batch import example_shapes, meant_static
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.values import Atom, Const, Map, Seq, Tensor, Value

BATCH = re.compile(r"batch|^(?:n|b|bs|bsz|bz|N|B)$", re.IGNORECASE)


@check("EXP204")
def bad_axis_index(call: ExportCall, report: Report) -> None:
    """An entry that is no dict of indices and names and no list of indices, or an index that no dim has."""
    argument = call.arguments.get("dynamic_axes")
    atom = argument.value.only if argument is not None else None
    if not isinstance(atom, Map) or call.exports_program or call.given("dynamic_shapes") is not False:
        return
    inputs = call.input_names
    outputs = call.possible_names("output_names") or []
    for key, value in atom.entries:
        name = key.constant
        if not isinstance(name, str) or (name in outputs and call.exporter != "legacy"):
            continue  # the new exporter drops the entries of outputs unread
        at = value.only.node if value.only is not None and value.only.node is not None else argument.node
        rank = _rank(call, inputs.index(name)) if inputs and name in inputs else None
        _check_entry(call, report, name, value.only, at, None if name in outputs else rank)


def _check_entry(call: ExportCall, report: Report, name: str, axes: Atom | None, at: Node, rank: int | None) -> None:
    if isinstance(axes, Const):
        if axes.value is not None:
            report("form", at, fixes=_listed(call, axes), name=name, what=f"`{call.source.of(at)}`")
        elif call.exporter == "legacy":
            fixes = {"empty": edits.replace(call.source, at, "{}")} if at.type == "none" else {}
            report("gap", at, fixes=fixes, name=name)
    elif isinstance(axes, Seq) and axes.kind in ("set", "tuple"):
        report("form", at, fixes=_listed(call, axes), name=name, what=f"a {axes.kind}")
    elif isinstance(axes, (Seq, Map)):
        pairs = axes.entries if isinstance(axes, Map) else [(item, None) for item in axes.items]
        for index, label in pairs:
            _check_index(call, report, name, index, label, rank, at)


def _check_index(
    call: ExportCall, report: Report, name: str, index: Value, label: Value | None, rank: int | None, at: Node
) -> None:
    atom = index.only
    if not isinstance(atom, Const) or isinstance(atom.value, bool):
        return
    place = atom.node or at
    if isinstance(atom.value, str):
        report("not-index", place, fixes=_number(call, atom, label), name=name, index=repr(atom.value))
    elif not isinstance(atom.value, int):
        report("not-index", place, name=name, index=repr(atom.value))
    elif atom.value < 0 and (rank is None or atom.value >= -rank):
        counted = rank + atom.value if rank is not None else None
        literal = counted is not None and atom.node is not None and atom.node.type == "unary_operator"
        fixes = {"count": edits.replace(call.source, atom.node, str(counted))} if literal else {}
        report("negative", place, fixes=fixes, name=name, index=atom.value, counted=counted)
    elif rank is not None and not -rank <= atom.value < rank:
        report("past", place, name=name, index=atom.value, rank=rank, s="" if rank == 1 else "s")


def _rank(call: ExportCall, place: int) -> int | None:
    """The number of dims of the example for this input, where it surely is one tensor."""
    inputs = call.inputs
    if inputs is None or place >= len(inputs):
        return None
    before = [value.only for value in inputs[: place + 1]]
    if not all(isinstance(atom, Tensor) for atom in before) or before[-1].shape is None or before[-1].open:
        return None
    return len(before[-1].shape)


def _listed(call: ExportCall, axes: Atom) -> dict[str, edits.Edits]:
    """`{0, "batch"}` as `{0: "batch"}`; a set or tuple of indices, or one index, as a list."""
    node = axes.node
    if node is None or node.type not in ("set", "tuple", "integer"):
        return {}
    if node.type == "integer":
        return {"write": edits.replace(call.source, node, f"[{call.source.of(node)}]")}
    items = [child for child in node.named_children if child.type != "comment"]
    texts = [call.source.of(item) for item in items]
    kinds = [item.type for item in items]
    if sorted(kinds) == ["integer", "string"]:
        index = kinds.index("integer")
        return {"write": edits.replace(call.source, node, f"{{{texts[index]}: {texts[1 - index]}}}")}
    if kinds and set(kinds) == {"integer"}:
        return {"write": edits.replace(call.source, node, f"[{', '.join(texts)}]")}
    return {}


def _number(call: ExportCall, atom: Const, label: Value | None) -> dict[str, edits.Edits]:
    """`"0"` as `0`; `"batch": 0` the other way round."""
    node, other = atom.node, label.only if label is not None else None
    if node is None or node.type != "string":
        return {}
    if atom.value.isdecimal():
        return {"number": edits.replace(call.source, node, str(int(atom.value)))}
    pair = node.parent
    if isinstance(other, Const) and type(other.value) is int and pair.type == "pair" and pair.named_child_count == 2:
        swapped = f"{call.source.of(pair.named_children[1])}: {call.source.of(node)}"
        return {"swap": edits.replace(call.source, pair, swapped)}
    return {}


@check("EXP205")
def dynamic_output_only(call: ExportCall, report: Report) -> None:
    """The batch of an output is declared, that of the inputs, on which it depends, is not."""
    argument = call.arguments.get("dynamic_axes")
    atom = argument.value.only if argument is not None else None
    entries = input_entries(call, atom) if atom is not None else None
    if entries or entries is None or call.exports_program or call.given("dynamic_shapes") is not False:
        return
    batched = [key.constant for key, axes in atom.entries if _batch_name(axes) is not None]
    shapes = example_shapes(call)
    if not batched or not shapes or meant_static(call):
        return
    sizes = [shape[0] if shape else None for shape in shapes]
    if not all(type(size) is int for size in sizes) or len(set(sizes)) != 1:
        return
    names = call.input_names
    first = names[0] if names else "the first input"
    label = next(label for _, axes in atom.entries if (label := _batch_name(axes)) is not None)
    fixes = _with_inputs(call, atom, names, len(sizes), label)
    case = "new" if call.exporter == "new" else "legacy"
    report(case, argument.keyword or argument.node, fixes=fixes, output=batched[0], input=first, size=sizes[0])


def _batch_name(axes: Value) -> str | None:
    """What dim 0 of an output is called, when that means a batch."""
    atom = axes.only
    if not isinstance(atom, Map):
        return None
    label = atom.get(0)
    name = label.constant if label is not None else None
    return name if isinstance(name, str) and BATCH.search(name) else None


def _with_inputs(
    call: ExportCall, atom: Map, names: list[str] | None, count: int, label: str
) -> dict[str, edits.Edits]:
    """Entries for the inputs, in their order, ahead of those of the outputs."""
    node = atom.node
    if not names or len(names) < count or node is None or node.type != "dictionary":
        return {}
    source = call.source
    first = next((child for child in node.named_children if child.type == "pair"), None)
    if first is None:
        return {}
    quote = edits.preferred_quote(source, node)
    alone = source.line_of(first.start_byte) > source.line_of(node.start_byte)
    between = "," + (source.newline + edits.leading(source, first.start_byte) if alone else " ")
    text = "".join(
        f"{edits.literal(name, quote)}: {edits.literal({0: label}, quote)}{between}" for name in names[:count]
    )
    return {"inputs": edits.replace(source, (first.start_byte, first.start_byte), text)}
