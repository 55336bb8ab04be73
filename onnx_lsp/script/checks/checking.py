"""Checks that check nothing: a flag that nobody reads, an `except` that goes on, a provider that may not be there."""

from __future__ import annotations

import re

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.usage import Use, call_around, call_nodes, enclosing, function_of, names_in
from onnx_lsp.script.values import Const, Seq, Value

COMPARES = ("InferenceSession", "allclose", "assert_close", "ReferenceEvaluator", "verify_onnx_program")
VERIFIES_SINCE, TOLERANCE = (2, 9), "1e-3"  # `verify_onnx_program` was run with torch 2.13
SAYS = r"(?:print|(?:\w+\.)*(?:info|debug|warning|warn|error|exception|echo|critical|success|print_exc)|logger)$"


@check("EXP602")
def simplify_check_ignored(file: Script, report: Report) -> None:
    """`onnxsim.simplify` gives the model and whether it still computes the same."""
    if "simplify" not in file.text or not file.mentions_onnx:
        return
    for call in call_nodes(file, "onnxsim.simplify"):
        parent = call.parent
        if parent.type == "subscript":
            if file.source.of(parent).endswith("[0]"):
                report("dropped", call)
        elif parent.type == "assignment" and parent.child_by_field_name("right") == call:
            _assigned(file, report, call, parent)


def _assigned(file: Script, report: Report, call: Node, assignment: Node) -> None:
    target = assignment.child_by_field_name("left")
    if target.type == "identifier":
        if _never_unpacked(file, target):
            report("dropped", call)
        return
    names = [child for child in target.named_children if child.type != "comment"]
    if target.type not in ("pattern_list", "tuple_pattern") or len(names) != 2 or names[1].type != "identifier":
        return
    name = file.source.of(names[1])
    within = function_of(call)
    uses = [node for node in names_in(file.source, name, within) if node.start_byte > assignment.end_byte]
    block = file.source.statement_of(assignment).parent
    bound = (node for node in uses if _is_bound(node) and file.source.statement_of(node).parent == block)
    again = next((node.start_byte for node in bound), len(file.source.data))
    uses = [node for node in uses if node.start_byte < again and not _is_bound(node)]
    if all(_only_said(file, node) for node in uses):
        report("printed" if uses else "unused", call, fixes=_asserted(file, assignment, name), name=name)


def _never_unpacked(file: Script, target: Node) -> bool:
    """The pair goes on as it is, which is no model: only where all its uses are `pair[0]`."""
    name = file.source.of(target)
    uses = [node for node in names_in(file.source, name, function_of(target)) if node.start_byte > target.end_byte]
    return bool(uses) and all(
        node.parent.type == "subscript" and file.source.of(node.parent).replace(" ", "") == f"{name}[0]" for node in uses
    )


def _is_bound(node: Node) -> bool:
    child, parent = node, node.parent
    while parent is not None and parent.type in ("pattern_list", "tuple_pattern"):
        child, parent = parent, parent.parent
    return parent is not None and parent.type == "assignment" and parent.child_by_field_name("left") == child


def _only_said(file: Script, node: Node) -> bool:
    """The flag is printed, or decides only what is printed."""
    statement = file.source.statement_of(node)
    if statement.type == "if_statement":
        if not _inside(node, statement.child_by_field_name("condition")):
            return _said(file, node)
        blocks = [child for child in statement.named_children if child.type == "block"]
        blocks += [child.child_by_field_name("body") for child in statement.named_children if child.type == "else_clause"]
        return all(block is not None and _only_says(file, block) for block in blocks) and not any(
            child.type == "elif_clause" for child in statement.named_children
        )
    return statement.type == "expression_statement" and _said(file, node)


def _said(file: Script, node: Node) -> bool:
    call = call_around(node)
    return call is not None and bool(re.match(SAYS, file.source.of(call.child_by_field_name("function"))))


def _only_says(file: Script, block: Node) -> bool:
    """Every statement of a block prints, logs or does nothing."""
    for statement in block.named_children:
        if statement.type in ("comment", "pass_statement", "import_statement"):
            continue
        call = statement.named_children[0] if statement.named_children else None
        if statement.type != "expression_statement" or call is None or call.type != "call":
            return False
        if not re.match(SAYS, file.source.of(call.child_by_field_name("function"))):
            return False
    return True


def _inside(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte


def _asserted(file: Script, assignment: Node, name: str) -> dict[str, edits.Edits]:
    if name == "_":
        return {}
    statement = file.source.statement_of(assignment)
    indent = edits.leading(file.source, statement.start_byte)
    end = statement.end_byte
    return {"assert": edits.replace(file.source, (end, end), f"{file.source.newline}{indent}assert {name}")}


@check("EXP610")
def check_swallowed(file: Script, report: Report) -> None:
    """The checker raises; an `except` that prints and goes on makes it say nothing."""
    if "check_model" not in file.text:
        return
    calls = call_nodes(file, "onnx.checker.check_model")
    if len(calls) != 1 or any(word in file.text for word in ("InferenceSession", "allclose")):
        return
    statement = enclosing(calls[0], "try_statement")
    if statement is None or not _inside(calls[0], statement.child_by_field_name("body")):
        return
    if any(_inside(call.node, statement) for call in file.calls):
        return  # the whole export may fail here, and the check is only a part of it
    handlers = [child for child in statement.named_children if child.type == "except_clause"]
    blocks = [child for clause in handlers for child in clause.named_children if child.type == "block"]
    broad = all(re.match(r"except\s*(?::|\(?[\w., ]*(?:Exception|ValidationError))", file.source.of(clause)) for clause in handlers)
    if handlers and broad and all(_only_says(file, block) for block in blocks):
        report("swallowed", calls[0], fixes={"raise": ()})


@check("EXP609")
def verify_not_enforced(call: ExportCall, file: Script, report: Report) -> None:
    """`verify=True` writes a report, and raises nothing."""
    argument = call.arguments.get("verify")
    if call.exporter != "new" or argument is None or argument.splat or not argument.value.must_be(True):
        return
    if any(word in file.text for word in COMPARES):
        return
    report("report-only", argument.keyword or argument.node, fixes=_enforced(file, call))


def _enforced(file: Script, call: ExportCall) -> dict[str, edits.Edits]:
    """What `verify=True` measures, measured again and asserted; nothing where the exported program can get no name."""
    start = call.node.start_byte
    imported = _after_import_of_torch(file, "from torch.onnx.verification import verify_onnx_program")
    bare = call.node.parent.type == "expression_statement"
    if bare and re.search(rb"\bprogram\b", file.source.data):
        return {}
    name = "program" if bare else _bound_to(file, call.node)
    if name is None or imported is None or call.torch < VERIFIES_SINCE:
        return {}
    line = f"assert all(output.max_abs_diff < {TOLERANCE} for output in verify_onnx_program({name}))"
    asserted = edits.insert_after(file.source, call.node, line)
    bound = edits.replace(file.source, (start, start), f"{name} = ") if bare else ()
    return {"enforce": (*imported, *bound, *asserted)} if asserted else {}


def _after_import_of_torch(file: Script, line: str) -> edits.Edits | None:
    """A line after the first import of torch; None where that is not at the top, or shares its line."""
    first = next((item.statement for item in file.imports.all if item.dotted.partition(".")[0] == "torch"), None)
    if first is None or first.parent.type != "module" or first.start_point[1]:
        return None
    return edits.insert_after(file.source, first, line) or None


def _bound_to(file: Script, call: Node) -> str | None:
    """The name, or the attribute, that a call is assigned to."""
    target = call.parent.child_by_field_name("left") if call.parent.type == "assignment" else None
    return file.source.of(target) if target is not None and target.type in ("identifier", "attribute") else None


@check("EXP608")
def provider_not_checked(file: Script, report: Report) -> None:
    """A session whose accelerator is not there runs on the CPU, with only a warning."""
    text = file.text
    if "InferenceSession" not in text or "ExecutionProvider" not in text:
        return
    if any(word in text for word in ("get_providers", "disable_fallback", "get_available_providers", "get_device")):
        return
    for use in file.uses:
        if use.callee == "onnxruntime.InferenceSession" and (provider := _accelerator(use)):
            fixes = _provider_asserted(file, use.node, provider)
            report("unchecked", use.node.child_by_field_name("function"), fixes=fixes, provider=provider)


def _provider_asserted(file: Script, call: Node, provider: str) -> dict[str, edits.Edits]:
    """An `assert` below the session, where that has a name."""
    name = _bound_to(file, call)
    quoted = edits.literal(provider, edits.preferred_quote(file.source, call))
    added = edits.insert_after(file.source, call, f"assert {quoted} in {name}.get_providers()") if name else ()
    return {"assert": added} if added else {}


def _accelerator(use: Use) -> str | None:
    """The first provider that is asked for by name, unless it may be the CPU's."""
    value = use.get(2, "providers")
    atom = value.only if value else None
    if not isinstance(atom, Seq) or not atom.items:
        return None
    name = _name(atom.items[0])
    return name if name and name.endswith("ExecutionProvider") and not name.startswith("CPU") else None


def _name(value: Value) -> str | None:
    atom = value.only
    if isinstance(atom, Seq) and atom.items:
        atom = atom.items[0].only
    return atom.value if isinstance(atom, Const) and isinstance(atom.value, str) else None
