"""What `torch.onnx.export` takes: unknown keywords, and an open file where a path belongs."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.calls import Argument, ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.values import Made

HANDLES = frozenset({"open", "io.open", "pathlib.Path.open", "tempfile.NamedTemporaryFile", "tempfile.TemporaryFile"})
PATHS = ("string", "identifier", "attribute", "binary_operator", "concatenated_string")


@check("EXP101")
def unknown_argument(call: ExportCall, report: Report) -> None:
    """A keyword that the target torch does not know."""
    doubtful = call.arguments.keys() - torch_api.known_by_heart(call.torch)
    if not doubtful or call.callee != "torch.onnx.export" or call.guarded:
        return
    known = torch_api.arguments(call.torch)
    if known is None:
        return
    version = ".".join(map(str, call.torch))
    for name, argument in call.arguments.items():
        if name in known or (argument.keyword is None and (not argument.splat or argument.value.partial)):
            continue
        former = name in torch_api.former_arguments()
        instead = torch_api.SUCCESSORS.get(name) if former else _closest(name, known)
        instead = instead if instead in known and instead not in call.arguments else None
        fixes = {}
        if argument.keyword is not None:
            if instead is not None:
                fixes["rename"] = edits.replace(call.source, argument.keyword.child_by_field_name("name"), instead)
            fixes["remove"] = edits.remove_argument(call.source, argument.keyword)
        case = ("renamed" if instead else "removed") if former else ("misspelt" if instead else "unknown")
        report(case, argument.keyword or argument.node, fixes=fixes, argument=name, instead=instead, version=version)


def _closest(name: str, known: frozenset[str]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), 1, 0.75)
    return close[0] if close else None


@check("EXP106")
def file_handle(call: ExportCall, report: Report) -> None:
    """The new exporter opens `f` by itself: it takes a path, not an open file."""
    argument = call.arguments.get("f")
    if call.exporter != "new" or argument is None:
        return
    atoms = argument.value.atoms
    callees = {atom.callee if isinstance(atom, Made) else None for atom in atoms}
    if argument.value.partial or not callees:
        return
    if callees == {"io.BytesIO"}:
        report("buffer", argument.node)
    elif callees <= HANDLES:
        report("handle", argument.node, fixes={**_path_fix(call, argument, atoms[0]), **keep_old_exporter(call)})


def _path_fix(call: ExportCall, argument: Argument, opened: Made) -> dict:
    """The path that `open` was given, where it means the same at the call."""
    if opened.callee not in ("open", "io.open"):
        return {}
    listed = opened.node.child_by_field_name("arguments")
    path = next((child for child in listed.named_children if child.type != "comment"), None)
    if path is None or path.type not in PATHS or argument.splat:
        return {}
    return {"path": edits.replace(call.source, argument.node, call.source.of(path))}
