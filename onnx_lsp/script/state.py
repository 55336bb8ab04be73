"""What is known at one point of a script: names, and the contents of what can change.

`names` are those of the function (or the module) being followed; `heap` holds the contents of lists, dicts and objects
by identity and goes along through calls, so that an alias, a helper or a method that changes one changes it for all.
Contents are themselves a `Value`: after a branch that appended, a list has two possible contents.
"""

from __future__ import annotations

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.values import UNKNOWN, Atom, Cell, Made, Map, Obj, Seq, Tensor, Value

DEEPEST = 12


class State:
    """Names and contents at a point; `dead` when the point is not reached."""

    __slots__ = ("names", "heap", "dead")

    def __init__(self, names: dict[str, Value], heap: dict[tuple, Value], dead: bool = False) -> None:
        self.names, self.heap, self.dead = names, heap, dead

    def copy(self) -> State:
        return State(self.names.copy(), self.heap.copy(), self.dead)

    def become(self, other: State) -> None:
        """Goes on as `other`."""
        self.names, self.heap, self.dead = other.names, other.heap, other.dead

    def differs(self, other: State) -> bool:
        """Some name or content is not the same value in both."""
        return self.names != other.names or self.heap != other.heap


def merge(states: list[State]) -> State:
    """The state after branches that ended in these states. A name that only some of them bind is what they bind."""
    alive = [state for state in states if not state.dead]
    if not alive:
        last = states[-1]
        return State(last.names, last.heap, True)
    names, heap = alive[0].names, alive[0].heap
    for state in alive[1:]:
        names, heap = _merged(names, state.names), _merged(heap, state.heap)
    return State(dict(names), dict(heap))


def _merged(one: dict, other: dict) -> dict:
    if one is other:
        return one
    result = dict(one)
    for key, value in other.items():
        old = result.get(key)
        if old is None:
            result[key] = value
        elif old is not value:
            result[key] = either(old, value)
    return result


def either(one: Value, other: Value) -> Value:
    """One of two contents. Two states of one object are one object whose attributes are either."""
    left, right = one.only, other.only
    if not isinstance(left, Obj) or not isinstance(right, Obj) or left.node is not right.node:
        return one | other
    attributes = _merged(left.attributes, right.attributes)
    return Value((Obj(left.cls, attributes, left.node, left.mode if left.mode == right.mode else None),))


def loosened_content(atom: Atom) -> Atom:
    """What contents may have become out of sight, or after any number of changes of the same kind."""
    if isinstance(atom, Map):
        return Map(atom.entries, atom.node, True)
    if isinstance(atom, Seq):
        return Seq(atom.kind, atom.items, atom.node, True)
    if isinstance(atom, Obj):
        return Obj(atom.cls, atom.attributes, atom.node, None)
    return atom


def widen(before: State, after: State) -> None:
    """Makes `after` hold whatever number of times the changes since `before` are made again."""
    for key, value in after.names.items():
        earlier = before.names.get(key)
        if earlier is not None and earlier is not value and earlier != value:
            after.names[key] = value.loosened()
    for key, value in after.heap.items():
        earlier = before.heap.get(key)
        if earlier is not None and earlier is not value and earlier != value:
            after.heap[key] = _widened(earlier, value)


def _widened(earlier: Value, value: Value) -> Value:
    old, new = earlier.only, value.only
    if isinstance(old, Obj) and isinstance(new, Obj):
        attributes = {
            name: item if (item == old.attributes.get(name)) else item.loosened()
            for name, item in new.attributes.items()
        }
        return Value((Obj(new.cls, attributes, new.node, new.mode if new.mode == old.mode else None),))
    if all(isinstance(atom, (Seq, Map)) for atom in earlier.atoms):
        return Value(tuple(loosened_content(atom) for atom in earlier.atoms), earlier.partial)
    return value.loosened()


class Frame:
    """One function, or the module, being followed.

    Attributes:
        state: where it is.
        scope: the frame whose names are global here; the module's own frame has itself.
        function: its definition, or None for the module.
        context: the calls that led here, as start offsets; part of the identity of what is created here.
        returns: what it has returned so far, and `ends`, the states in which it did.
        leaves: the states in which the innermost loop is left by `break` or restarted by `continue`.
    """

    __slots__ = ("state", "scope", "function", "context", "returns", "ends", "leaves", "global_names", "outer")

    def __init__(
        self, state: State, scope: Frame | None, function: Node | None, context: tuple, outer: Frame | None = None
    ) -> None:
        self.state = state
        self.scope = scope or self
        self.function = function
        self.context = context
        self.outer = outer
        self.returns: list[Value] = []
        self.ends: list[State] = []
        self.leaves: list[State] = []
        self.global_names: set[str] = set()

    def lookup(self, name: str) -> Value | None:
        """What a name is here: local, of an enclosing function, or global."""
        frame: Frame | None = self
        while frame is not None:
            found = frame.state.names.get(name)
            if found is not None:
                return found
            frame = frame.outer
        return self.scope.state.names.get(name)

    def bind(self, name: str, value: Value) -> None:
        if name in self.global_names:
            old = self.scope.state.names.get(name)
            self.scope.state.names[name] = old | value if old else value
        else:
            self.state.names[name] = value

    def identity(self, node: Node, kind: str = "") -> tuple:
        """The identity of what `node` creates here."""
        return (self.context, node.start_byte, kind)

    def new(self, content: Atom, node: Node, kind: str = "") -> Value:
        """Something that can change, with this content."""
        cell = Cell(self.identity(node, kind or type(content).__name__), node)
        self.state.heap[cell.id] = Value((content,))
        return Value((cell,))


def contents(value: Value, heap: dict[tuple, Value]) -> Value:
    """A value with its cells replaced by what they hold, one level deep."""
    atoms = value.atoms
    if len(atoms) == 1 and not value.partial:
        return heap.get(atoms[0].id, UNKNOWN) if type(atoms[0]) is Cell else value
    if not any(type(atom) is Cell for atom in atoms):
        return value
    result = Value((), value.partial)
    for atom in value.atoms:
        result = result | (heap.get(atom.id, UNKNOWN) if isinstance(atom, Cell) else Value((atom,)))
    return result


def frozen(value: Value, heap: dict[tuple, Value], depth: int = 0) -> Value:
    """A value as it is now, all the way down: what rules look at."""
    if depth > DEEPEST:
        return UNKNOWN
    flat = contents(value, heap)
    return Value(tuple(_frozen_atom(atom, heap, depth + 1) for atom in flat.atoms), flat.partial)


def _frozen_atom(atom: Atom, heap: dict, depth: int) -> Atom:
    if isinstance(atom, Seq):
        copy = Seq(atom.kind, tuple(frozen(item, heap, depth) for item in atom.items), atom.node, atom.open)
    elif isinstance(atom, Map):
        entries = tuple((frozen(key, heap, depth), frozen(item, heap, depth)) for key, item in atom.entries)
        copy = Map(entries, atom.node, atom.open)
    elif isinstance(atom, Obj):
        attributes = {name: frozen(item, heap, depth + 2) for name, item in atom.attributes.items()}
        copy = Obj(atom.cls, attributes, atom.node, atom.mode)
    elif isinstance(atom, Tensor) and atom.shape:
        copy = Tensor(tuple(frozen(dim, heap, depth) for dim in atom.shape), atom.node, atom.library, atom.open)
    elif isinstance(atom, Made):
        arguments = tuple(frozen(item, heap, depth) for item in atom.args)
        keywords = {name: frozen(item, heap, depth) for name, item in atom.keywords.items()}
        copy = Made(atom.callee, arguments, keywords, atom.node, atom.id)
        mode = heap.get(("mode", atom.id))
        copy.mode = mode.constant if mode and isinstance(mode.constant, str) else None
    else:
        return atom
    copy.via = atom.via
    return copy
