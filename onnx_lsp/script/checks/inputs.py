"""What is exported, and with which example inputs."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits, torch_api
from onnx_lsp.script.calls import Argument, ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.signature import forward_parameters, given_parameters
from onnx_lsp.script.values import Atom, Class, Made, Map, Obj, Seq

SCRIPTING = {
    "torch.jit.script": "is scripted",
    "torch.jit.trace": "is traced",
    "torch.jit.trace_module": "is traced",
    "torch.jit.load": "is loaded as TorchScript",
    "torch.jit.freeze": "is frozen TorchScript",
    "torch.jit.optimize_for_inference": "is optimized TorchScript",
}


@check("EXP104")
def scriptmodule(call: ExportCall, report: Report) -> None:
    """TorchScript is the old exporter's: the new one cannot look into it."""
    argument = call.arguments.get("model")
    if call.exporter != "new" or argument is None or argument.value.partial or call.torch < torch_api.DEFAULT_IS_NEW:
        return
    found = [_scripted(atom) for atom in argument.value.atoms]
    if not found or None in found:
        return
    fixes = keep_old_exporter(call)
    atom = argument.value.atoms[0]
    if isinstance(atom, Made) and atom.callee != "torch.jit.load":
        fixes["module"] = ()
    made = atom.node if atom.node is not None and not _within(atom.node, argument.node) else None
    related = (report.related(made, "it becomes TorchScript here"),) if made is not None else ()
    report("scripted", argument.keyword or argument.node, fixes=fixes, related=related, how=found[0])


def _scripted(atom: Atom) -> str | None:
    if isinstance(atom, Made):
        return SCRIPTING.get(atom.callee)
    if isinstance(atom, Obj) and isinstance(atom.cls, Class) and "torch.jit.ScriptModule" in atom.cls.lineage():
        return "is a `ScriptModule`"
    return None


def _within(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte


@check("EXP105")
def args_form(call: ExportCall, report: Report) -> None:
    """The new exporter takes a tuple of inputs, or one tensor: never a list, and a dict only as `kwargs`."""
    argument = call.arguments.get("args")
    if call.exporter != "new" or argument is None or call.exports_program or argument.value.partial:
        return
    kinds = {_kind(atom) for atom in argument.value.atoms}
    at = argument.keyword or argument.node
    if kinds == {"list"}:
        report("list", at, fixes=_list_fixes(call, argument))
    elif kinds == {"dict"}:
        report("dict", at, fixes={**_dict_fixes(call, argument), **keep_old_exporter(call)})


def _kind(atom: Atom) -> str | None:
    if isinstance(atom, Map):
        return "dict"
    return "list" if isinstance(atom, Seq) and atom.kind == "list" else None


def _list_fixes(call: ExportCall, argument: Argument) -> dict[str, edits.Edits]:
    """A tuple of the items, or the list as the one input: `forward` decides where it is known."""
    node = argument.node
    if argument.splat or node.type not in ("list", "identifier"):
        return {}
    text, count = call.source.of(node), _count(argument)
    unpacked = f"tuple({text})"
    if node.type == "list":
        items = call.source.slice(node.start_byte + 1, node.end_byte - 1)
        unpacked = f"({items},)" if count == 1 and not items.rstrip().endswith(",") else f"({items})"
    fixes = {
        "unpack": edits.replace(call.source, node, unpacked),
        "wrap": edits.replace(call.source, node, f"({text},)"),
    }
    parameters = forward_parameters(call)
    if parameters is None or count is None:
        return fixes
    one = sum(parameter.required for parameter in parameters) <= 1
    if count > 1:
        del fixes["unpack" if one and len(parameters) == 1 else "wrap"]
    return fixes


def _count(argument: Argument) -> int | None:
    atom = argument.value.only
    return len(atom.items) if isinstance(atom, Seq) and not atom.open else None


def _dict_fixes(call: ExportCall, argument: Argument) -> dict[str, edits.Edits]:
    """`kwargs=` takes what the old exporter took from the dict."""
    if argument.splat or call.get("kwargs") is not None:
        return {}
    text = call.source.of(argument.node)
    if argument.keyword is not None:
        return {"kwargs": edits.replace(call.source, argument.keyword, f"kwargs={text}")}
    moved = edits.insert_arguments(call.source, call.node, {"kwargs": edits.Raw(text)})
    return {"kwargs": (*edits.replace(call.source, argument.node, "()"), *moved)} if len(moved) == 1 else {}


@check("EXP109")
def missing_argument(call: ExportCall, report: Report) -> None:
    """`forward` needs an input for which there is no example."""
    if call.opaque or call.exports_program or ("args" not in call.arguments and "kwargs" not in call.arguments):
        return
    parameters = forward_parameters(call)
    given = given_parameters(call, parameters) if parameters is not None else None
    if given is None:
        return
    missing = [item.name for item in parameters if item.required and item.name not in given]
    if not missing:
        return
    at = call.arguments.get("args") or call.arguments["kwargs"]
    names = ", ".join(f"`{name}`" for name in missing)
    report("missing", at.keyword or at.node, names=names, given=len(given), s="" if len(given) == 1 else "s")
