"""What each kind of statement does to what is known: one small function per kind."""

from __future__ import annotations

import re
from collections.abc import Callable

from onnx_lsp.script import evaluate as ev
from onnx_lsp.script.containers import elements, entries_of, put
from onnx_lsp.script.eval_state import set_mode
from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.operators import binary
from onnx_lsp.script.state import Frame, State, contents, merge, widen
from onnx_lsp.script.values import UNKNOWN, Class, Function, Map, Ref, Seq, Value, const, join

# Rounds of one loop that are followed one by one, and of loops within loops together.
LONGEST_UNROLLED, MOST_UNROLLED = 16, 64
DEEPEST_REPEATED = 2
# Methods of a module that give its parts, and what done to those may change what they do in an export.
VISITS = ("modules", "named_modules", "children", "named_children")
SWITCHES = re.compile(rb"\.(?:eval|train)\(|\.(?:training|p|track_running_stats)\s*=[^=]|\bsetattr\(")
NO_EFFECT = ("comment", "string", "identifier", "attribute", "ellipsis", "concatenated_string")


def _expression(flow, node: Node, frame: Frame) -> None:
    for child in node.named_children:
        if child.type == "assignment":
            _assign(flow, child, frame)
        elif child.type == "augmented_assignment":
            _augment(flow, child, frame)
        elif child.type not in NO_EFFECT and not _only_prints(flow, child):
            flow.evaluate(child, frame)


def _only_prints(flow, node: Node) -> bool:
    """`print` of things that are no calls."""
    text = flow.source.data[node.start_byte : node.end_byte]
    return text.startswith(b"print(") and text.count(b"(") == 1


def _assign(flow, node: Node, frame: Frame) -> Value:
    right = node.child_by_field_name("right")
    if right is None:
        return UNKNOWN
    value = _assign(flow, right, frame) if right.type == "assignment" else flow.evaluate(right, frame)
    flow.bind(node.child_by_field_name("left"), value, frame)
    return value


def _augment(flow, node: Node, frame: Frame) -> None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = flow.source.of(node.child_by_field_name("operator"))[:-1]
    old, added = flow.evaluate(left, frame), flow.evaluate(right, frame)
    current = contents(old, frame.state.heap).only
    if operator == "+" and isinstance(current, Seq) and current.kind == "list":
        items = elements(added, frame)
        flow.change(old, lambda atom: extended(atom, items), frame)
    elif operator == "|" and isinstance(current, Map):
        other = contents(added, frame.state.heap).only
        flow.change(old, lambda atom: updated(atom, other), frame)
    else:
        flow.bind(left, binary(operator, old, added, node, frame), frame)


def extended(atom, items: list[Value] | None):
    """A list with items added; None for items that are not known."""
    if not isinstance(atom, Seq):
        return atom
    return Seq(atom.kind, (*atom.items, *(items or ())), atom.node, atom.open or items is None)


def updated(atom, other):
    """A dict with the entries of another one put in."""
    if not isinstance(atom, Map):
        return atom
    entries = entries_of(atom)
    for key, value in other.entries if isinstance(other, Map) else ():
        put(entries, key, value)
    return Map(tuple(entries.values()), atom.node, atom.open or not isinstance(other, Map) or other.open)


def _return(flow, node: Node, frame: Frame) -> None:
    value = first_expression(node)
    if frame.function is None:  # cut off from its function by an error above it
        flow.evaluate(value, frame)
        return
    frame.returns.append(flow.evaluate(value, frame) if value is not None else const(None, node))
    frame.ends.append(frame.state.copy())
    frame.state.dead = True


def _raise(flow, node: Node, frame: Frame) -> None:
    frame.state.dead = True


def _leave(flow, node: Node, frame: Frame) -> None:
    frame.leaves.append(frame.state.copy())
    frame.state.dead = True


def _if(flow, node: Node, frame: Frame) -> None:
    """Every arm that may run, each with what its condition tells about names."""
    ends: list[State] = []
    arms = [node, *(child for child in node.children_by_field_name("alternative") if child.type == "elif_clause")]
    decided = False
    for arm in arms:
        test = arm.child_by_field_name("condition")
        truth = ev.truth_of(flow, test, frame)
        if truth is not False:

            def follow(arm=arm, test=test) -> None:
                flow.narrow(test, True, frame)
                flow.body(arm, "consequence", frame)

            ends.append(flow.branch(frame, frame.state, follow))
        if truth is True:
            decided = True
            break
        flow.narrow(test, False, frame)
    if not decided:
        for child in node.children_by_field_name("alternative"):
            if child.type == "else_clause":
                flow.body(child, "body", frame)
        ends.append(frame.state)
    frame.state = merge(ends)


def _switches_modules(flow, node: Node, frame: Frame) -> None:
    """`for part in model.modules(): part.eval()`: which parts are in which mode is no longer known."""
    call = node.child_by_field_name("right")
    while call is not None and call.type == "call":
        function = call.child_by_field_name("function")
        if function.type == "attribute" and flow.source.of(function.child_by_field_name("attribute")) in VISITS:
            body = node.child_by_field_name("body")
            if SWITCHES.search(flow.source.data, body.start_byte, body.end_byte):
                set_mode(flow.evaluate(function.child_by_field_name("object"), frame), None, frame.state.heap)
            return
        call = first_expression(call.child_by_field_name("arguments"))  # enumerate(…), list(…)


def _for(flow, node: Node, frame: Frame) -> None:
    _switches_modules(flow, node, frame)
    target = node.child_by_field_name("left")
    items = elements(flow.evaluate(node.child_by_field_name("right"), frame), frame)
    outer, frame.leaves = frame.leaves, []
    rounds = flow.unrolled * len(items) if items else 0
    if items is not None and len(items) <= LONGEST_UNROLLED and rounds <= MOST_UNROLLED:
        before, flow.unrolled = flow.unrolled, max(rounds, 1)
        for item in items:
            flow.bind(target, item, frame)
            flow.body(node, "body", frame)
            frame.state = merge([frame.state, *frame.leaves])
            frame.leaves = []
        flow.unrolled = before
    else:
        element = join(items) if items else UNKNOWN
        _loop(flow, node, frame, lambda: flow.bind(target, element, frame))
    frame.leaves = outer
    _else(flow, node, frame)


def _while(flow, node: Node, frame: Frame) -> None:
    test = node.child_by_field_name("condition")
    truth = ev.truth_of(flow, test, frame)
    if truth is False:
        return
    outer, frame.leaves = frame.leaves, []
    _loop(flow, node, frame, lambda: flow.evaluate(test, frame))
    frame.leaves = outer
    _else(flow, node, frame)


def _loop(flow, node: Node, frame: Frame, enter: Callable[[], object]) -> None:
    """A loop of unknown length: its body is followed twice, and what keeps changing is no longer known.

    Loops within loops within loops are followed once: each level would double the work.
    """
    before = frame.state.copy()
    flow.loops += 1
    for _ in range(2 if flow.loops <= DEEPEST_REPEATED else 1):
        start = frame.state.copy()
        enter()
        flow.body(node, "body", frame)
        frame.state = merge([start, frame.state, *frame.leaves])
        frame.leaves = []
        widen(before, frame.state)
    flow.loops -= 1


def _else(flow, node: Node, frame: Frame) -> None:
    alternative = node.child_by_field_name("alternative")
    if alternative is not None and not frame.state.dead:
        flow.body(alternative, "body", frame)


def _try(flow, node: Node, frame: Frame) -> None:
    before = frame.state.copy()
    flow.body(node, "body", frame)
    interrupted = frame.state.copy()
    interrupted.dead = False
    entry = merge([before, interrupted])
    ends = []
    last = None
    for child in node.named_children:
        if child.type in ("except_clause", "except_group_clause"):
            ends.append(flow.branch(frame, entry, lambda child=child: _handler(flow, child, frame)))
        elif child.type == "else_clause" and not frame.state.dead:
            flow.body(child, "body", frame)
        elif child.type == "finally_clause":
            last = child
    frame.state = merge([frame.state, *ends])
    if last is not None:
        dead, frame.state.dead = frame.state.dead, False
        flow.block([child for block in last.named_children for child in block.children], frame)
        frame.state.dead = frame.state.dead or dead


def _handler(flow, node: Node, frame: Frame) -> None:
    for child in node.named_children:
        if child.type == "block":
            flow.block(child.children, frame)


def _with(flow, node: Node, frame: Frame) -> None:
    for clause in node.named_children:
        for item in clause.named_children if clause.type == "with_clause" else ():
            value = item.child_by_field_name("value") if item.type == "with_item" else None
            if value is not None and value.type == "as_pattern":
                given = flow.evaluate(first_expression(value), frame)
                target = value.child_by_field_name("alias")
                flow.bind(first_expression(target) if target is not None else None, given, frame)
            else:
                flow.evaluate(value, frame)
    flow.body(node, "body", frame)


def _match(flow, node: Node, frame: Frame) -> None:
    ends = [frame.state]
    block = node.child_by_field_name("body")
    for case in block.named_children if block is not None else ():
        if case.type == "case_clause":
            ends.append(flow.branch(frame, frame.state, lambda case=case: flow.body(case, "consequence", frame)))
    frame.state = merge(ends)


def _function(flow, node: Node, frame: Frame) -> None:
    function = Function(node, frame)
    flow.functions[node.start_byte] = function
    frame.bind(flow.source.of(node.child_by_field_name("name")), Value((function,)))


def _class(flow, node: Node, frame: Frame) -> None:
    """A class: its body is followed for what it binds; methods know their class."""
    superclasses = node.child_by_field_name("superclasses")
    bases = []
    for child in superclasses.named_children if superclasses is not None else ():
        if child.type not in ("keyword_argument", "comment"):
            bases.append(flow.evaluate(child, frame))
    name = flow.source.of(node.child_by_field_name("name"))
    inner = Frame(State({}, frame.state.heap), frame.scope, frame.function, (*frame.context, node.start_byte), frame)
    flow.body(node, "body", inner)
    cls = Class(node, name, tuple(bases), inner.state.names)
    for value in inner.state.names.values():
        function = value.only
        if isinstance(function, Function) and function.frame is inner:
            function.frame, function.owner = frame, cls
            flow.functions[function.node.start_byte] = function
    frame.bind(name, Value((cls,)))


def _decorated(flow, node: Node, frame: Frame) -> None:
    definition = node.child_by_field_name("definition")
    if definition is not None:
        flow.block([definition], frame)


def _import(flow, node: Node, frame: Frame) -> None:
    for child in node.children_by_field_name("name"):
        if child.type == "aliased_import":
            dotted = flow.source.of(child.child_by_field_name("name"))
            frame.bind(flow.source.of(child.child_by_field_name("alias")), Value((Ref(dotted, child),)))
        else:
            top = flow.source.of(child).partition(".")[0]
            frame.bind(top, Value((Ref(top, child),)))


def _import_from(flow, node: Node, frame: Frame) -> None:
    module = flow.source.of(node.child_by_field_name("module_name")).replace(" ", "")
    prefix = module if module.endswith(".") else module + "."
    for child in node.children_by_field_name("name"):
        if child.type == "aliased_import":
            dotted = flow.source.of(child.child_by_field_name("name"))
            local = flow.source.of(child.child_by_field_name("alias"))
        else:
            dotted = local = flow.source.of(child)
        frame.bind(local, Value((Ref(prefix + dotted, child),)))
    if any(child.type == "wildcard_import" for child in node.children):
        known = frame.lookup("*")
        frame.bind("*", Value((*(known.atoms if known else ()), Ref(module, node)), True))


def _error(flow, node: Node, frame: Frame) -> None:
    """What is being typed: whether it leaves the block that it seems to stand in is not known."""
    flow.block(node.children, frame)
    frame.state.dead = False


def _global(flow, node: Node, frame: Frame) -> None:
    frame.global_names.update(flow.source.of(child) for child in node.named_children if child.type == "identifier")


def _delete(flow, node: Node, frame: Frame) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            frame.state.names.pop(flow.source.of(child), None)
        elif child.type == "subscript":
            base = flow.evaluate(child.child_by_field_name("value"), frame)
            key = flow.evaluate(child.child_by_field_name("subscript"), frame)
            flow.change(base, lambda atom, key=key: without_item(atom, key), frame)


def without_item(atom, key: Value):
    """A dict or list with an item taken out."""
    constant = key.constant
    if isinstance(atom, Map) and constant is not ...:
        entries = tuple(entry for entry in atom.entries if entry[0].constant != constant)
        return Map(entries, atom.node, atom.open)
    if isinstance(atom, Seq) and type(constant) is int and -len(atom.items) <= constant < len(atom.items):
        items = list(atom.items)
        del items[constant]
        return Seq(atom.kind, tuple(items), atom.node, atom.open)
    return Map((), atom.node, True) if isinstance(atom, Map) else UNKNOWN_SEQ


UNKNOWN_SEQ = Seq("list", (), None, True)

STATEMENTS: dict[str, Callable] = {
    "expression_statement": _expression,
    "return_statement": _return,
    "raise_statement": _raise,
    "break_statement": _leave,
    "continue_statement": _leave,
    "if_statement": _if,
    "for_statement": _for,
    "while_statement": _while,
    "try_statement": _try,
    "with_statement": _with,
    "match_statement": _match,
    "function_definition": _function,
    "class_definition": _class,
    "decorated_definition": _decorated,
    "import_statement": _import,
    "import_from_statement": _import_from,
    "global_statement": _global,
    "nonlocal_statement": _global,
    "delete_statement": _delete,
    "ERROR": _error,
}
