"""What operators give for values that are known: arithmetic, comparisons, truth."""

from __future__ import annotations

import re

from onnx_lsp.script.containers import entries_of, put
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.state import Frame, contents
from onnx_lsp.script.values import UNKNOWN, WRITTEN, Class, Const, Function, Map, Obj, Seq, Tensor, Value, const

LARGEST = 10**9
LONGEST_PRODUCT = 64


def truth_of_value(value: Value, frame: Frame) -> bool | None:
    flat = contents(value, frame.state.heap)
    if flat.partial or not flat.atoms:
        return None
    found = {truth_of_atom(atom, frame) for atom in flat.atoms}
    return found.pop() if len(found) == 1 else None


def truth_of_atom(atom, frame: Frame, assumed: bool = False) -> bool | None:
    if atom.via != WRITTEN and not assumed:
        return None
    if isinstance(atom, Const):
        return bool(atom.value)
    if isinstance(atom, Seq) and not atom.open:
        return bool(atom.items)
    if isinstance(atom, Map) and not atom.open:
        return bool(atom.entries)
    if isinstance(atom, (Function, Class, Obj)):
        return True
    return None


def membership(name: str, atom: Seq | Map, operator: str, node: Node) -> Value:
    items = atom.items if isinstance(atom, Seq) else [key for key, _ in atom.entries]
    names = [item.constant for item in items]
    if name not in names and (atom.open or ... in names):
        return UNKNOWN
    return const((name in names) == (operator == "in"), node)


COMPARE = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
}  # fmt: skip


def binary(operator: str, left: Value, right: Value, node: Node, frame: Frame) -> Value:
    """`left operator right` for numbers, strings, sequences, paths and tensors."""
    one, other = (contents(value, frame.state.heap).only for value in (left, right))
    if isinstance(one, Const) and isinstance(other, Const):
        via = one.via if one.via != WRITTEN else other.via
        result = arithmetic(operator, one.value, other.value)
        return UNKNOWN if result is ... else Value((Const(result, node, via),))
    if isinstance(one, Seq) and isinstance(other, Seq) and operator == "+" and one.kind == other.kind:
        return fresh(Seq(one.kind, one.items + other.items, node, one.open or other.open), node, frame)
    if isinstance(one, Map) and isinstance(other, Map) and operator == "|":
        entries = entries_of(one)
        for key, value in other.entries:
            put(entries, key, value)
        return frame.new(Map(tuple(entries.values()), node, one.open or other.open), node)
    if isinstance(one, Seq) and isinstance(other, Const) and operator == "*" and type(other.value) is int:
        if len(one.items) * other.value <= LONGEST_PRODUCT:
            return fresh(Seq(one.kind, one.items * other.value, node, one.open), node, frame)
    if isinstance(one, Tensor) and isinstance(other, Const) and operator in ("+", "-", "*", "/", ">", "<", "**"):
        return Value((Tensor(one.shape, node, one.library, one.open),))
    if isinstance(one, Const) and isinstance(other, Tensor) and operator in ("+", "-", "*", "/"):
        return Value((Tensor(other.shape, node, other.library, other.open),))
    return UNKNOWN


def _formatted(template: str, value: object) -> object:
    """`"input_%d" % 3`, or `...`: only plain placeholders, whose result is not longer than what goes in."""
    if not isinstance(value, (str, int)) or re.search(r"%[^sd%]", template):
        return ...
    try:
        return template % value
    except (TypeError, ValueError):
        return ...


def fresh(atom: Seq, node: Node, frame: Frame) -> Value:
    return Value((atom,)) if atom.kind == "tuple" else frame.new(atom, node)


def arithmetic(operator: str, one: object, other: object) -> object:
    """The constant that an operation gives, or `...`."""
    if isinstance(one, str) and operator == "%":
        return _formatted(one, other)
    if operator == "/" and isinstance(one, str) and isinstance(other, str):
        return f"{one.rstrip('/')}/{other}"
    if isinstance(one, str) != isinstance(other, str) or one is None or other is None:
        return ...
    if not isinstance(one, str) and (abs(one) > LARGEST or abs(other) > LARGEST):
        return ...
    try:
        match operator:
            case "+":
                return one + other
            case "-":
                return one - other
            case "*":
                return one * other
            case "//":
                return one // other
            case "/":
                return one / other
            case "%":
                return one % other
            case "**" if abs(other) <= 32 and abs(one) <= 1024:
                return one**other
    except (TypeError, ZeroDivisionError, OverflowError, ValueError):
        pass
    return ...
