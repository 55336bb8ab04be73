"""Keys of `dynamic_axes` that name no input and no output."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.values import Atom, Const, Map


@check("EXP201")
def unknown_axes_key(call: ExportCall, report: Report) -> None:
    """A key that is neither an input's nor an output's name, where all names are known."""
    names = known_names(call)
    keys = axes_keys(call)
    if names is None or keys is None or call.given("dynamic_shapes") is not False:
        return
    taken = {key.value for key in keys if isinstance(key, Const)}
    for key in keys:
        if not isinstance(key, Const) or not isinstance(key.value, str) or key.value in names:
            continue
        closest = _closest(key.value, [name for name in names if name not in taken])
        report(
            "new" if call.exporter == "new" else "legacy",
            key.node if key.node is not None else call.arguments["dynamic_axes"].node,
            fixes=_fixes(call, key, closest),
            key=key.value,
            closest=closest,
            names=", ".join(f"`{name}`" for name in names) or "none",
        )


def axes_keys(call: ExportCall) -> list[Atom | None] | None:
    """The keys of `dynamic_axes` on any way that leads to the call; None where it may have others."""
    value = call.get("dynamic_axes")
    if value is None or value.partial or not value.atoms:
        return None
    found: list[Atom | None] = []
    for atom in value.atoms:
        if not isinstance(atom, Map) or atom.open:
            return None
        found += [key.only for key, _ in atom.entries if key.only not in found]
    return found


def known_names(call: ExportCall) -> list[str] | None:
    """All names of inputs and outputs, or None when some are not known."""
    inputs, outputs = call.possible_names("input_names"), call.possible_names("output_names")
    if inputs is None or outputs is None:
        return None
    examples = call.inputs
    if examples is None or len(examples) > len(inputs):
        parameters = call.forward_parameters
        if parameters is None:
            return None
        inputs = [*inputs, *parameters[len(inputs) :]]
    return [*inputs, *outputs]


def _closest(key: str, names: list[str]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(key, names, 1, 0.6)
    return close[0] if close else None


def _fixes(call: ExportCall, key: Const, closest: str | None) -> dict:
    """The closest name in its place; the entry left out, where it is written in a dict in the text."""
    fixes = {}
    node = key.node
    if node is None or node.type != "string":
        return fixes
    if closest is not None:
        quote = call.source.of(node)[-1]
        fixes["rename"] = edits.replace(call.source, node, edits.literal(closest, quote))
    pair = node.parent
    if pair is not None and pair.type == "pair" and pair.parent.type == "dictionary":
        fixes["drop"] = edits.remove_argument(call.source, pair)
    return fixes
