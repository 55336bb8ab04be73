"""`opset_version`."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import Related
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.calls import Argument, ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.values import OPTION, Atom, Const

# legacy_max of rules/targets/torch.toml: 20 from torch 2.4 on, and nowhere below 13; tests/script compares them.
LEGACY_MAX, LEGACY_MAX_SINCE, NO_MAX_BELOW = 20, (2, 4), 13
# The highest that the old exporter still writes, unsupported, with a warning: run with torch 2.13.
LEGACY_WRITES, RUN_SINCE = 23, (2, 9)


@check("EXP301")
def opset_not_guaranteed(call: ExportCall, report: Report) -> None:
    """The new exporter writes opset 18 and converts down only where it can."""
    argument = call.arguments.get("opset_version")
    if call.exporter != "new" or argument is None or argument.value.partial:
        return
    low = [atom for atom in argument.value.atoms if is_opset(atom) and 0 < atom.value < torch_api.OPSET_FLOOR]
    if not low:
        return
    fixes = {**changed(call, "raise", low, torch_api.OPSET_FLOOR), **keep_old_exporter(call)}
    related = _set_here(report, argument, low)
    report("floor", argument.keyword or argument.node, fixes=fixes, related=related, asked=_asked(low))


@check("EXP302")
def opset_too_high(call: ExportCall, report: Report) -> None:
    """The old exporter knows the operators up to opset 20, and refuses to go above 23; the new one goes back to 18."""
    argument = call.arguments.get("opset_version")
    if call.exporter is None or argument is None or argument.value.partial or call.guarded:
        return
    if not all(is_opset(atom) and atom.value > NO_MAX_BELOW for atom in argument.value.atoms):
        return
    if call.exporter == "new":
        _beyond_onnx(call, argument, report)
        return
    highest = _legacy_max(call.torch)
    above = [atom for atom in argument.value.atoms if highest is not None and atom.value > highest]
    if not above:
        return
    refused = call.torch >= RUN_SINCE and all(atom.value > LEGACY_WRITES for atom in argument.value.atoms)
    report(
        "refused" if refused else "unsupported",
        argument.keyword or argument.node,
        fixes=changed(call, "lower", above, highest),
        related=_set_here(report, argument, above),
        asked=_asked(above),
        highest=highest,
        version=".".join(map(str, call.torch)),
    )


def _beyond_onnx(call: ExportCall, argument: Argument, report: Report) -> None:
    """An opset that no release of onnx defines: the new exporter cannot convert to it, and writes its own."""
    if not argument.value.atoms or min(atom.value for atom in argument.value.atoms) <= torch_api.OPSET_FLOOR:
        return
    from onnx_lsp import tables

    release, facts = list(tables.read("versions")["onnx"].items())[-1]
    above = [atom for atom in argument.value.atoms if atom.value > facts["opset"]]
    if above:
        fixes, related = changed(call, "lower", above, facts["opset"]), _set_here(report, argument, above)
        words = {"asked": _asked(above), "highest": facts["opset"], "release": release}
        report("beyond", argument.keyword or argument.node, fixes=fixes, related=related, **words)


def _legacy_max(version: torch_api.Version) -> int | None:
    if version >= LEGACY_MAX_SINCE:
        return LEGACY_MAX
    facts = torch_api.table()["exporter"].get(".".join(map(str, version)), {})
    return facts.get("legacy_max")


@check("EXP303")
def opset_not_int(call: ExportCall, report: Report) -> None:
    """A string, a float or a bool: the one stops, the others give another opset than was meant."""
    argument = call.arguments.get("opset_version")
    if argument is None or argument.value.partial:
        return
    atoms = argument.value.atoms
    if not atoms or not all(isinstance(atom, Const) and type(atom.value) in (str, float, bool) for atom in atoms):
        return
    atom = atoms[0]
    report(
        "not-int",
        argument.keyword or argument.node,
        fixes=_as_int(call, atoms),
        related=_set_here(report, argument, list(atoms)),
        value=repr(atom.value),
        kind=type(atom.value).__name__,
    )


def _as_int(call: ExportCall, atoms: tuple[Atom, ...]) -> dict[str, edits.Edits]:
    """The number as an int, where it is written; for a command-line option, `type=int`."""
    found: list = []
    for atom in atoms:
        number = str(atom.value).removesuffix(".0")
        if isinstance(atom.value, bool) or not number.isdecimal() or atom.node is None:
            return {}
        if atom.via == OPTION:
            option = _add_argument(atom.node)
            if option is None or b"type=" in call.source.data[option.start_byte : option.end_byte]:
                return {}
            found += edits.insert_arguments(call.source, option, {"type": edits.Raw("int")})
        elif atom.node.type in ("string", "float"):
            found += edits.replace(call.source, atom.node, number)
        else:
            return {}
    return {"int": tuple(dict.fromkeys(found))}


def _add_argument(node: Node | None) -> Node | None:
    """The call around a default."""
    while node is not None and node.type != "call":
        node = node.parent
    return node


def is_opset(atom: Atom) -> bool:
    return isinstance(atom, Const) and type(atom.value) is int


def _asked(atoms: list[Atom]) -> str:
    return ", ".join(map(str, sorted({atom.value for atom in atoms})))


def changed(call: ExportCall, key: str, atoms: list[Atom], opset: int) -> dict[str, edits.Edits]:
    """The fix that writes another opset wherever these are written."""
    if not all(atom.node is not None and atom.node.type == "integer" for atom in atoms):
        return {}
    changed = [edit for atom in atoms for edit in edits.replace(call.source, atom.node, str(opset))]
    return {key: tuple(dict.fromkeys(changed))}


def _set_here(report: Report, argument: Argument, atoms: list[Atom]) -> tuple[Related, ...]:
    """The places of the values that are not written in the call."""
    elsewhere = [atom.node for atom in atoms if atom.node is not None and not _within(atom.node, argument.node)]
    return tuple(report.related(node, "the opset is set here") for node in elsewhere[:20])


def _within(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte
