"""What becomes of the exported file: whether anybody opens it, and whether its weights stay with it."""

from __future__ import annotations

import os
import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.checks.keep import keep_old_exporter
from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.source import Source
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.usage import NOT_CODE, call_around, function_of, names_in
from onnx_lsp.script.values import Made

# Patterns are compiled when they are first asked: few scripts need them.
OPENS = (
    rb"InferenceSession|check_model|onnx\.load\w*|load_onnx|readNet\w*|read_model|quantize_(?:dynamic|static)|simplify\(|onnxslim"
    rb"|subprocess|os\.system|OnnxParser|parser\.parse\(|parse_from_file|\.convert_model|onnx2\w+|from_onnx|allclose|assert_close"
    rb"|ReferenceEvaluator|import_model|rknn|\bct\.convert|trt_builder|build_engine"
)
# Calls that only say, make or measure a path.
NEUTRAL = (
    r"^(?:print|str|len|repr|\w*log\w*(?:\.\w+)*|logging\.\w+|console\.\w+|os\.path\.\w+|os\.makedirs|os\.stat|os\.remove|os\.unlink"
    r"|Path|pathlib\.Path|(?:\w+\.)*onnx\.(?:utils\.)?export|export|(?:\w+\.)*(?:info|debug|echo|mkdir|add_argument|append|write|stat|exists"
    r"|format|getsize))$"
)
COPIES = r"(?:^|\.)(?:copy|copy2|copyfile|move|rename|upload_file|upload_fileobj|fput_object|log_artifact|upload_from_filename)$"
MEASURES = r"(?:^|\.)getsize$"
PATHS = ("string", "identifier", "attribute", "concatenated_string")  # which mean the same a line below


@check("EXP601")
def never_checked(file: Script, report: Report) -> None:
    """Nothing in this file opens the exported path."""
    if not file.calls or is_test(file.path) or _may_open(file):
        return
    for call in file.calls:
        argument = call.arguments.get("f")
        if argument is None or argument.splat or call.given("f") is False or _leaves(call, argument.node):
            continue
        path = " ".join(call.source.of(argument.node).split())
        report("unchecked", call.node.child_by_field_name("function"), fixes=_with_check(file, call), path=path)


def _with_check(file: Script, call: ExportCall) -> dict[str, edits.Edits]:
    """`onnx.checker.check_model(path)` after the export, with the import that it needs."""
    argument, source = call.arguments["f"], file.source
    names = [item.local for item in file.imports.imported("onnx") if item.statement.parent.type == "module"]
    imported = () if names else _import_of_onnx(file)
    if argument.node.type not in PATHS or imported is None:
        return {}
    if any(isinstance(atom, Made) for atom in argument.value.atoms):  # a buffer, or an open file
        return {}
    name = names[0] if names else "onnx"
    line = f"{name}.checker.check_model({source.of(argument.node)})"
    added = edits.insert_after(source, call.node, line)
    return {"check": (*imported, *added)} if added else {}


def _import_of_onnx(file: Script) -> edits.Edits | None:
    """`import onnx` before the first import of torch; None where the name is taken, or that import is not at the top."""
    if any(item.local == "onnx" for item in file.imports.all) or b"\nonnx =" in file.source.data:
        return None
    torch = [item.statement for item in file.imports.all if item.dotted.partition(".")[0] == "torch"]
    first = torch[0] if torch else None
    if first is None or first.parent.type != "module" or first.start_point[1]:
        return None
    return edits.replace(file.source, (first.start_byte, first.start_byte), f"import onnx{file.source.newline}")


def _may_open(file: Script) -> bool:
    """Some code here opens models, whichever."""
    source = file.source
    nodes = (source.node_at(match.start(), match.start() + 1) for match in re.finditer(OPENS, source.data))
    return any(node is not None and node.type not in NOT_CODE and not file.imports.in_import(node) for node in nodes)


def is_test(path: str) -> bool:
    """A file is called as tests are."""
    name = os.path.basename(path)
    return name.startswith("test_") or name.endswith(("_test.py", "_tests.py")) or name == "conftest.py"


def _leaves(call: ExportCall, node: Node) -> bool:
    """The path goes to code that may open it: its name, or the same expression, stands in a call that is not neutral."""
    text = call.source.of(node)
    within = function_of(call.node)
    if node.type == "identifier":
        places = list(names_in(call.source, text, within))
    else:
        end = len(call.source.data) if within is None else within.end_byte
        pattern = re.compile(re.escape(text.encode("utf-8", "surrogatepass")))
        found = pattern.finditer(call.source.data, 0 if within is None else within.start_byte, end)
        places = [place for match in found if (place := call.source.node_at(match.start(), match.end())) is not None]
    return any(not _inside(place, call.node) and not _harmless(call, place) for place in places)


def _inside(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte


def _harmless(call: ExportCall, use: Node) -> bool:
    around = call_around(use)
    if around is not None:
        function = call.source.of(around.child_by_field_name("function"))
        return function.endswith(".format") or bool(re.match(NEUTRAL, function))
    node = use
    while node.parent is not None and node.parent.type not in ("block", "module"):
        node = node.parent
        if node.type in ("return_statement", "yield", "lambda", "dictionary", "list"):
            return False
    return True


@check("EXP502")
def sidecar_lost(call: ExportCall, file: Script, report: Report) -> None:
    """The new exporter writes `x.onnx.data` beside `x.onnx`; what moves or measures only the one loses the other."""
    argument = call.arguments.get("f")
    if call.exporter != "new" or argument is None or argument.splat or call.get("external_data") is not None:
        return
    path = _spelled_path(call.source, argument.node)
    if call.given("f") is False or path.type not in ("identifier", "string", "attribute"):
        return
    if file.remember(_keeps_together):
        return
    lost = {kind: node for node in _same_path(call, path) if (kind := _loses(call, node))}
    kind = next((kind for kind in ("moved", "measured") if kind in lost), None)
    if kind is None:
        return
    inline = edits.insert_arguments(call.source, call.node, {"external_data": False})
    fixes = {"inline": inline, **keep_old_exporter(call)}
    related = (report.related(lost[kind], "here"),)
    report(kind, call.node.child_by_field_name("function"), fixes=fixes, related=related)


def _spelled_path(source: Source, node: Node) -> Node:
    """The path in `str(path)`."""
    if node.type == "call" and source.of(node.child_by_field_name("function")) in ("str", "os.fspath"):
        return first_expression(node.child_by_field_name("arguments")) or node
    return node


def _keeps_together(text: str) -> bool:
    return ".data" in re.sub(r"(?:utils|torch|optim)\.data\b", "", text) and "onnx.data" in text or any(
        word in text for word in ("external_data", "onnx.save", "save_model(", "onnxslim", "copytree", "'.data'", '".data"')
    )


def _same_path(call: ExportCall, node: Node) -> list[Node]:
    """The later places of the same function where the path stands."""
    source, text = call.source, call.source.of(node)
    within = function_of(call.node)
    end = len(source.data) if within is None else within.end_byte
    found = []
    for match in re.compile(re.escape(text.encode())).finditer(source.data, call.node.end_byte, end):
        place = source.node_at(match.start(), match.end())
        if place is not None and place.type == node.type and source.of(place) == text:
            found.append(place)
    return found


def _loses(call: ExportCall, node: Node) -> str | None:
    """What happens to the path here: `moved`, `measured`, or None."""
    source = call.source
    parent = node.parent
    if parent is not None and parent.type == "attribute":
        method = source.of(parent.child_by_field_name("attribute"))
        return {"stat": "measured", "rename": "moved", "read_bytes": "moved"}.get(method)
    while parent is not None and parent.type not in ("argument_list", "block", "module"):
        parent = parent.parent
    if parent is None or parent.type != "argument_list":
        return None
    text = source.of(parent.parent.child_by_field_name("function"))
    arguments = [child for child in parent.named_children if child.type != "comment"]
    if text == "open" and len(arguments) > 1 and "rb" in source.of(arguments[1]):
        return "moved"
    if re.search(MEASURES, text):
        return "measured"
    first = bool(arguments) and _inside(node, arguments[0])
    return "moved" if re.search(COPIES, text) and (first or "upload" in text) else None
