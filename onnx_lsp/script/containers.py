"""Lists, tuples, sets and dicts: their items and entries, as far as they are known."""

from __future__ import annotations

from onnx_lsp.script.state import Frame, contents
from onnx_lsp.script.values import UNKNOWN, Const, Made, Map, Obj, Seq, Value, const

LONGEST_RANGE = 64


def elements(value: Value, frame: Frame) -> list[Value] | None:
    """The items that iterating over a value gives, when they are all known."""
    atom = contents(value, frame.state.heap).only
    if isinstance(atom, Seq):
        return None if atom.open else list(atom.items)
    if isinstance(atom, Map):
        return None if atom.open else [key for key, _ in atom.entries]
    if isinstance(atom, Made) and atom.callee in ("range", "enumerate", "zip", "reversed", "sorted"):
        return made_elements(atom, frame)
    return None


def held(value: Value, frame: Frame) -> tuple[Value, ...]:
    """Items that are known to be in what may hold others."""
    atom = contents(value, frame.state.heap).only
    return atom.items if isinstance(atom, Seq) else ()


def made_elements(atom: Made, frame: Frame) -> list[Value] | None:
    """The items of `range(…)`, `enumerate(…)`, `zip(…)`, `reversed(…)`, `sorted(…)` over known things."""
    if atom.callee == "range":
        bounds = [argument.constant for argument in atom.args]
        if not bounds or not all(type(bound) is int for bound in bounds) or len(range(*bounds[:3])) > LONGEST_RANGE:
            return None
        return [const(number, atom.node) for number in range(*bounds[:3])]
    columns = [elements(argument, frame) for argument in atom.args]
    if not columns or any(column is None for column in columns):
        return None
    if atom.callee == "zip":
        return [Value((Seq("tuple", row, atom.node),)) for row in zip(*columns, strict=False)]
    if atom.callee == "enumerate":
        return [Value((Seq("tuple", (const(i, atom.node), item), atom.node),)) for i, item in enumerate(columns[0])]
    return columns[0][::-1] if atom.callee == "reversed" else None


def put(entries: dict[object, tuple[Value, Value]], key: Value, value: Value) -> None:
    """Sets a dict entry; a key that is not one known constant is kept as an entry of its own."""
    constant = key.constant
    try:
        name = (type(constant), constant) if constant is not ... else object()
        hash(name)
    except TypeError:
        name = object()
    entries[name] = (entries[name][0] if name in entries else key, value)


def entries_of(atom: Map) -> dict[object, tuple[Value, Value]]:
    """The entries of a dict in the form that `put` changes."""
    entries: dict[object, tuple[Value, Value]] = {}
    for key, value in atom.entries:
        put(entries, key, value)
    return entries


def item(atom, key: object) -> Value:
    """`atom[key]` for a constant key."""
    if isinstance(atom, Map):
        return atom.get(key) or UNKNOWN
    if isinstance(atom, Seq) and type(key) is int and not atom.open and -len(atom.items) <= key < len(atom.items):
        return atom.items[key]
    if isinstance(atom, Const) and isinstance(atom.value, str) and type(key) is int and abs(key) < len(atom.value):
        return const(atom.value[key], atom.node)
    return UNKNOWN


def with_attribute(atom, name: str, value: Value):
    """An object with an attribute set."""
    if not isinstance(atom, Obj):
        return atom
    return Obj(atom.cls, {**atom.attributes, name: value}, atom.node, atom.mode)


def with_loose_attributes(atom, names: set[str]):
    """An object of which these attributes may be something else by now."""
    if not isinstance(atom, Obj):
        return atom
    loose = {name: value.loosened() for name, value in atom.attributes.items() if name in names}
    return Obj(atom.cls, {**atom.attributes, **loose}, atom.node, atom.mode)


def with_item(atom, key: Value, value: Value):
    """A dict or list with an item set."""
    if isinstance(atom, Map):
        entries = entries_of(atom)
        put(entries, key, value)
        return Map(tuple(entries.values()), atom.node, atom.open or key.constant is ...)
    if isinstance(atom, Seq):
        at = key.constant
        if type(at) is int and -len(atom.items) <= at < len(atom.items):
            items = list(atom.items)
            items[at] = value
            return Seq(atom.kind, tuple(items), atom.node, atom.open)
        return Seq(atom.kind, atom.items, atom.node, True)
    return atom
