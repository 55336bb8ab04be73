"""What an expression is, given what is known where it stands: one small function per kind of expression.

Every evaluator takes the flow (for calls of the file's own functions), the node and the frame, and gives a `Value`.
What it does not understand is UNKNOWN; it never raises and never runs anything.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable

from onnx_lsp.script.containers import elements, item, put
from onnx_lsp.script.eval_state import CLASS_NAME
from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.operators import COMPARE, binary, fresh, membership, truth_of_atom, truth_of_value
from onnx_lsp.script.state import Frame, contents
from onnx_lsp.script.values import (
    UNKNOWN,
    Class,
    Const,
    Function,
    Map,
    Obj,
    Ref,
    Seq,
    Tensor,
    Value,
    const,
    join,
)  # fmt: skip

BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
# What these names are, when only `from utils import *` can have bound them.
STARRED = {"torch": "torch", "onnx": "onnx", "np": "numpy", "numpy": "numpy", "nn": "torch.nn", "os": "os"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "\n": "", "0": "\0"}
QUOTES, TRIPLE = ("'", '"'), ("'''", '"""')
MOST_STEPS = 200_000
DEEPEST_EXPRESSION = 60
# A longer literal is data, which no rule asks about.
MOST_ITEMS = 1000
DEEPEST_COMPREHENSION = 2


def evaluate(flow, node: Node | None, frame: Frame) -> Value:
    """The value of an expression."""
    evaluator = EVALUATORS.get(node.type) if node is not None else None
    if evaluator is None or flow.steps >= MOST_STEPS or flow.depth >= DEEPEST_EXPRESSION:
        return UNKNOWN
    flow.steps += 1
    flow.depth += 1
    value = evaluator(flow, node, frame)
    flow.depth -= 1
    return value


def _identifier(flow, node: Node, frame: Frame) -> Value:
    name = flow.source.of(node)
    found = frame.lookup(name)
    if found is not None:
        return found
    if name in BUILTINS:
        return Value((Ref(name, node),))
    everything = frame.lookup("*")
    if everything is None:
        return UNKNOWN
    if name in STARRED:
        return Value((Ref(STARRED[name], node),))
    if len(everything.atoms) == 1 and CLASS_NAME.match(name):  # nothing else can have bound it
        module = everything.atoms[0].name
        return Value((Ref(f"{module}{name}" if module.endswith(".") else f"{module}.{name}", node),))
    return UNKNOWN


def _none(flow, node, frame) -> Value:
    return const(None, node)


def _true(flow, node, frame) -> Value:
    return const(True, node)


def _false(flow, node, frame) -> Value:
    return const(False, node)


def _integer(flow, node: Node, frame: Frame) -> Value:
    try:
        return const(int(flow.source.of(node), 0), node)
    except ValueError:
        return UNKNOWN


def _float(flow, node: Node, frame: Frame) -> Value:
    try:
        return const(float(flow.source.of(node)), node)
    except ValueError:
        return UNKNOWN


def _string(flow, node: Node, frame: Frame) -> Value:
    text = flow.source.of(node)
    if text[:1] in QUOTES and text[:3] not in TRIPLE and "\\" not in text:
        return const(text[1:-1], node)
    parts: list[str] = []
    prefix = text.partition("'")[0].partition('"')[0].lower()
    for child in node.children[1:]:
        if child.type == "string_content":
            parts.append(unescaped(flow.source.of(child), raw="r" in prefix))
        elif child.type == "interpolation":
            value = evaluate(flow, child.child_by_field_name("expression"), frame).constant
            formatted = child.child_count > 3
            if formatted or not isinstance(value, (str, int)) or isinstance(value, bool):
                return UNKNOWN
            parts.append(str(value))
    body = "".join(parts)
    return const(body.encode("utf-8", "replace") if "b" in prefix else body, node)


def unescaped(text: str, raw: bool = False) -> str:
    """The characters that a string literal's body stands for; rare escapes stay as they are."""
    if raw or "\\" not in text:
        return text
    parts = []
    at = 0
    while (found := text.find("\\", at)) >= 0 and found + 1 < len(text):
        escape = ESCAPES.get(text[found + 1])
        parts += [text[at:found], text[found : found + 2] if escape is None else escape]
        at = found + 2
    return "".join([*parts, text[at:]])


def _concatenated(flow, node: Node, frame: Frame) -> Value:
    parts = [evaluate(flow, child, frame).constant for child in node.named_children if child.type == "string"]
    return const("".join(parts), node) if all(isinstance(part, str) for part in parts) else UNKNOWN


def _parenthesized(flow, node: Node, frame: Frame) -> Value:
    return evaluate(flow, first_expression(node), frame)


def _sequence(kind: str) -> Callable:
    def evaluator(flow, node: Node, frame: Frame) -> Value:
        items, open_ = sequence_items(flow, node, frame)
        atom = Seq(kind, tuple(items), node, open_)
        return Value((atom,)) if kind == "tuple" else frame.new(atom, node)

    return evaluator


def sequence_items(flow, node: Node, frame: Frame) -> tuple[list[Value], bool]:
    """The items written between brackets, `*starred` ones opened up, and whether others may be among them."""
    items: list[Value] = []
    open_ = node.named_child_count > MOST_ITEMS
    for child in node.named_children if not open_ else ():
        if child.type == "list_splat":
            inner = elements(evaluate(flow, first_expression(child), frame), frame)
            items += inner or []
            open_ = open_ or inner is None
        elif child.type == "ERROR":
            open_ = True
        elif child.type != "comment":
            items.append(evaluate(flow, child, frame))
    return items, open_


def _dictionary(flow, node: Node, frame: Frame) -> Value:
    entries: dict[object, tuple[Value, Value]] = {}
    open_ = node.named_child_count > MOST_ITEMS
    for child in node.named_children if not open_ else ():
        if child.type == "pair":
            key = evaluate(flow, child.child_by_field_name("key"), frame)
            put(entries, key, evaluate(flow, child.child_by_field_name("value"), frame))
        elif child.type == "dictionary_splat":
            inner = contents(evaluate(flow, first_expression(child), frame), frame.state.heap).only
            open_ = open_ or not isinstance(inner, Map) or inner.open
            for key, value in inner.entries if isinstance(inner, Map) else ():
                put(entries, key, value)
        elif child.type == "ERROR":
            open_ = True
    return frame.new(Map(tuple(entries.values()), node, open_), node)


def _comprehension(flow, node: Node, frame: Frame) -> Value:
    """A comprehension over known items is followed item by item; any other is open."""
    body = node.child_by_field_name("body")
    clauses = [child for child in node.named_children if child.type in ("for_in_clause", "if_clause")]
    is_map = node.type == "dictionary_comprehension"
    rows: list | None = []
    saved = dict(frame.state.names)
    flow.loops += 1
    if flow.loops <= DEEPEST_COMPREHENSION:
        _comprehend(flow, body, clauses, frame, rows)
    else:
        rows.append(None)
    flow.loops -= 1
    frame.state.names = saved
    known = not rows or rows[-1] is not None
    rows = [row for row in rows if row is not None]
    if is_map:
        entries: dict[object, tuple[Value, Value]] = {}
        for key, value in rows:
            put(entries, key, value)
        return frame.new(Map(tuple(entries.values()), node, not known), node)
    kind = {"set_comprehension": "set", "generator_expression": "tuple"}.get(node.type, "list")
    return frame.new(Seq(kind, tuple(rows), node, not known), node)


def _comprehend(flow, body: Node, clauses: list[Node], frame: Frame, rows: list) -> None:
    """Adds what the comprehension gives to `rows`; a last None says that there may be any number of those."""
    if rows and rows[-1] is None:
        return
    if not clauses:
        if body.type == "pair":
            names = ("key", "value")
            rows.append(tuple(evaluate(flow, body.child_by_field_name(name), frame) for name in names))
        else:
            rows.append(evaluate(flow, body, frame))
        return
    clause, rest = clauses[0], clauses[1:]
    if clause.type == "if_clause":
        truth = truth_of(flow, first_expression(clause), frame)
        if truth is None:
            rows.append(None)
        elif truth:
            _comprehend(flow, body, rest, frame, rows)
        return
    items = elements(evaluate(flow, clause.child_by_field_name("right"), frame), frame)
    for element in items if items is not None else (UNKNOWN,):
        flow.bind(clause.child_by_field_name("left"), element, frame)
        _comprehend(flow, body, rest, frame, rows)
    if items is None:
        rows.append(None)


def _conditional(flow, node: Node, frame: Frame) -> Value:
    yes, test, no = [child for child in node.named_children if child.type != "comment"][:3]
    truth = truth_of(flow, test, frame)
    if truth is not None:
        return evaluate(flow, yes if truth else no, frame)
    return flow.narrowed(test, True, frame, yes) | flow.narrowed(test, False, frame, no)


def _boolean(flow, node: Node, frame: Frame) -> Value:
    """`a or b` and `a and b`: each side as far as it can be the result."""
    left = evaluate(flow, node.child_by_field_name("left"), frame)
    is_or = node.child_by_field_name("operator").type == "or"
    truth = truth_of_value(left, frame)
    if truth is not None and truth == is_or:
        return left
    right = evaluate(flow, node.child_by_field_name("right"), frame)
    if truth is not None:
        return right
    kept = tuple(atom for atom in left.atoms if truth_of_atom(atom, frame, assumed=True) is not (not is_or))
    return Value(kept, left.partial) | right


def _not(flow, node: Node, frame: Frame) -> Value:
    truth = truth_of(flow, node.child_by_field_name("argument"), frame)
    return UNKNOWN if truth is None else const(not truth, node)


def truth_of(flow, test: Node | None, frame: Frame) -> bool | None:
    """Whether a condition surely holds; None when that is open. A default that may be overridden decides nothing."""
    return truth_of_value(evaluate(flow, test, frame), frame)


def _comparison(flow, node: Node, frame: Frame) -> Value:
    operands = [child for child in node.named_children if child.type != "comment"]
    operators = [flow.source.of(child) for child in node.children if not child.is_named]
    values = [evaluate(flow, operand, frame) for operand in operands]
    if len(values) != 2 or any(atom.via != "written" for value in values for atom in value.atoms):
        return UNKNOWN
    left, right = (contents(value, frame.state.heap) for value in values)
    operator = " ".join(operators)
    if operator in ("is", "is not", "==", "!=") and right.constant is None and left.only is not None:
        same = isinstance(left.only, Const) and left.only.value is None
        known = isinstance(left.only, (Const, Seq, Map, Tensor, Function, Class, Obj))
        return const(same == (operator in ("is", "==")), node) if known else UNKNOWN
    one, other = left.constant, right.constant
    if isinstance(one, str) and isinstance(right.only, (Seq, Map)) and operator in ("in", "not in"):
        return membership(one, right.only, operator, node)
    if one is ... or other is ... or operator not in COMPARE:
        return UNKNOWN
    try:
        return const(COMPARE[operator](one, other), node)
    except TypeError:
        return UNKNOWN


def _binary(flow, node: Node, frame: Frame) -> Value:
    left = evaluate(flow, node.child_by_field_name("left"), frame)
    right = evaluate(flow, node.child_by_field_name("right"), frame)
    return binary(node.child_by_field_name("operator").type, left, right, node, frame)


def _unary(flow, node: Node, frame: Frame) -> Value:
    atom = evaluate(flow, node.child_by_field_name("argument"), frame).only
    if not isinstance(atom, Const) or not isinstance(atom.value, (int, float)):
        return UNKNOWN
    operator = node.child_by_field_name("operator").type
    result = {"-": lambda n: -n, "+": lambda n: +n}.get(operator, lambda n: ...)(atom.value)
    return UNKNOWN if result is ... else Value((Const(result, node, atom.via),))


def _subscript(flow, node: Node, frame: Frame) -> Value:
    base = contents(evaluate(flow, node.child_by_field_name("value"), frame), frame.state.heap)
    keys = node.children_by_field_name("subscript")
    if len(keys) != 1:
        return UNKNOWN
    if keys[0].type == "slice":
        return _sliced(flow, base, keys[0], node, frame)
    key = evaluate(flow, keys[0], frame).constant
    if key is ...:
        return UNKNOWN
    found = [item(atom, key) for atom in base.atoms]
    result = join(found) if found else UNKNOWN
    return result.loosened() if base.partial else result


def _sliced(flow, base: Value, node: Node, whole: Node, frame: Frame) -> Value:
    atom = base.only
    if not isinstance(atom, Seq) or atom.open:
        return UNKNOWN
    bounds: list[object] = [None, None, None]
    place = 0
    for child in node.children:
        if child.type == ":":
            place += 1
        elif child.is_named:
            bounds[place] = evaluate(flow, child, frame).constant
    if any(bound is not None and type(bound) is not int for bound in bounds) or bounds[2] == 0:
        return UNKNOWN
    return fresh(Seq(atom.kind, atom.items[slice(*bounds)], whole), whole, frame)


def _lambda(flow, node: Node, frame: Frame) -> Value:
    return Value((Function(node, frame),))


def _named(flow, node: Node, frame: Frame) -> Value:
    value = evaluate(flow, node.child_by_field_name("value"), frame)
    flow.bind(node.child_by_field_name("name"), value, frame)
    return value


def _await(flow, node: Node, frame: Frame) -> Value:
    return evaluate(flow, first_expression(node), frame)


def _attribute(flow, node: Node, frame: Frame) -> Value:
    base = evaluate(flow, node.child_by_field_name("object"), frame)
    return flow.attribute(base, flow.source.of(node.child_by_field_name("attribute")), node, frame)


def _call(flow, node: Node, frame: Frame) -> Value:
    return flow.call(node, frame)


EVALUATORS: dict[str, Callable] = {
    "identifier": _identifier,
    "none": _none,
    "true": _true,
    "false": _false,
    "integer": _integer,
    "float": _float,
    "string": _string,
    "concatenated_string": _concatenated,
    "parenthesized_expression": _parenthesized,
    "list": _sequence("list"),
    "tuple": _sequence("tuple"),
    "expression_list": _sequence("tuple"),
    "set": _sequence("set"),
    "dictionary": _dictionary,
    "list_comprehension": _comprehension,
    "set_comprehension": _comprehension,
    "dictionary_comprehension": _comprehension,
    "generator_expression": _comprehension,
    "conditional_expression": _conditional,
    "boolean_operator": _boolean,
    "not_operator": _not,
    "comparison_operator": _comparison,
    "binary_operator": _binary,
    "unary_operator": _unary,
    "subscript": _subscript,
    "lambda": _lambda,
    "named_expression": _named,
    "await": _await,
    "attribute": _attribute,
    "call": _call,
}
