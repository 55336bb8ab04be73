"""What an expression can be: small immutable facts, and sets of them.

A `Value` is the set of things that an expression may be at run time, as far as the file tells: its *atoms*, and
`partial` when it may be something else as well. `UNKNOWN` is the value of which nothing is known. Branches join:
`opset = 11 if old else 17` is a value of two atoms. Every atom remembers the node that wrote it, so that a fix can
edit the value where it is written, and how it got here (`via`): written in the code, the default of a parameter, or the
default of a command-line option; the latter two may be overridden by somebody out of sight.
"""

from __future__ import annotations

from collections.abc import Iterable

from onnx_lsp.script.grammar import Node

WRITTEN, DEFAULT, OPTION = "written", "default", "option"
MOST_ATOMS = 12
# Two containers with more than this in them are equal only when they are one: comparing them could take for ever.
HEAVIEST = 20_000


class Atom:
    """One thing that an expression can be. Subclasses list their facts in `__slots__`."""

    __slots__ = ("node", "via", "weight")

    def __init__(self, node: Node | None, via: str = WRITTEN, weight: int = 1) -> None:
        self.node = node
        self.via = via
        self.weight = weight

    def assumed(self, via: str) -> Atom:
        """The same atom, reached through a default."""
        copy = object.__new__(type(self))
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.node, copy.via, copy.weight = self.node, via, self.weight
        return copy

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or self.via != other.via or not same_node(self.node, other.node):
            return False
        if self.weight != other.weight or self.weight > HEAVIEST:
            return False
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(repr(getattr(self, name)) for name in self.__slots__)})"


def weight_of(values: Iterable[Value]) -> int:
    """How many things there are in these values, counted as often as they are reached."""
    return min(1 + sum([atom.weight for value in values for atom in value.atoms]), HEAVIEST + 1)


def same_node(one: Node | None, other: Node | None) -> bool:
    """Both are the same place of the text."""
    return one is other or (one is not None and other is not None and one.start_byte == other.start_byte)


class Const(Atom):
    """A Python constant: None, a bool, a number, a string or bytes."""

    __slots__ = ("value",)

    def __init__(self, value: object, node: Node | None = None, via: str = WRITTEN) -> None:
        super().__init__(node, via)
        self.value = value

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(other) is Const
            and type(self.value) is type(other.value)
            and self.value == other.value
            and self.via == other.via
            and same_node(self.node, other.node)
        )

    __hash__ = None


class Seq(Atom):
    """A list, tuple or set (`kind`). `open`: further items may follow."""

    __slots__ = ("kind", "items", "open")

    def __init__(self, kind: str, items: tuple[Value, ...], node: Node | None = None, open: bool = False) -> None:
        super().__init__(node, weight=weight_of(items))
        self.kind, self.items, self.open = kind, items, open


class Map(Atom):
    """A dict: its entries in order. `open`: it may have others."""

    __slots__ = ("entries", "open")

    def __init__(self, entries: tuple[tuple[Value, Value], ...], node: Node | None = None, open: bool = False) -> None:
        super().__init__(node, weight=weight_of([item for entry in entries for item in entry]))
        self.entries, self.open = entries, open

    def get(self, key: object) -> Value | None:
        """The value under a constant key; None when it surely has none, UNKNOWN when that is not known."""
        found, sure = None, not self.open
        for name, value in self.entries:
            atom = name.only
            if not isinstance(atom, Const):
                sure = False
            elif atom.value == key:
                found = value
        return found if found is not None or sure else UNKNOWN


class Tensor(Atom):
    """A tensor of `torch`, or an array of `numpy`.

    `shape` is None when nothing is known of it; `open`: these are its first dims, others may follow.
    """

    __slots__ = ("shape", "library", "open")

    def __init__(
        self, shape: tuple[Value, ...] | None, node: Node | None = None, library: str = "torch", open: bool = False
    ) -> None:
        super().__init__(node)
        self.shape, self.library, self.open = shape, library, open


class Ref(Atom):
    """Something imported, or a builtin, by its full dotted name: `torch.onnx.export`, `open`."""

    __slots__ = ("name",)

    def __init__(self, name: str, node: Node | None = None) -> None:
        super().__init__(node)
        self.name = name


class Made(Atom):
    """What a call of something imported gave: `callee` by its dotted name, with the arguments.

    `mode` is what became of it as a torch module: `train`, `eval`, or None where that is unknown.
    """

    __slots__ = ("callee", "args", "keywords", "id", "mode")

    def __init__(self, callee: str, args: tuple[Value, ...], keywords: dict[str, Value], node: Node, id: tuple) -> None:
        super().__init__(node, weight=weight_of((*args, *keywords.values())))
        self.callee, self.args, self.keywords, self.id = callee, args, keywords, id
        self.mode: str | None = None

    def argument(self, position: int, name: str) -> Value | None:
        """An argument by its position or its name."""
        return self.keywords.get(name) or (self.args[position] if position < len(self.args) else None)


class Function(Atom):
    """A function or lambda of this file: where it was defined, and for a method its class and its object."""

    __slots__ = ("frame", "owner", "bound")

    def __init__(self, node: Node, frame: object, owner: Class | None = None, bound: Value | None = None) -> None:
        super().__init__(node)
        self.frame, self.owner, self.bound = frame, owner, bound

    def __eq__(self, other: object) -> bool:
        return type(other) is Function and same_node(self.node, other.node) and self.bound == other.bound

    __hash__ = None


class Class(Atom):
    """A class of this file: its bases, and what its body binds (methods are `Function`s)."""

    __slots__ = ("name", "bases", "body")

    def __init__(self, node: Node, name: str, bases: tuple[Value, ...], body: dict[str, Value]) -> None:
        super().__init__(node)
        self.name, self.bases, self.body = name, bases, body

    def lineage(self) -> list[Class | str]:
        """This class and its bases, nearest first: classes of this file, and dotted names of others."""
        found: list[Class | str] = [self]
        for base in self.bases:
            atom = base.only
            if isinstance(atom, Class) and len(found) < 32:
                found += atom.lineage()
            else:
                found.append(atom.name if isinstance(atom, Ref) else "?")
        return found

    def find(self, name: str) -> Value | None:
        """What the class or a base of this file binds this name to; None where neither does."""
        for cls in self.lineage():
            if isinstance(cls, Class) and name in cls.body:
                return cls.body[name]
        return None

    @property
    def is_module(self) -> bool:
        """It is a `torch.nn.Module`, as far as the bases tell."""
        return any(isinstance(cls, str) and cls.endswith(("nn.Module", "LightningModule")) for cls in self.lineage())

    def __eq__(self, other: object) -> bool:
        return type(other) is Class and same_node(self.node, other.node)

    __hash__ = None


class Obj(Atom):
    """An instance of a class of this file, or of a library class that is understood (`cls` is then its dotted name)."""

    __slots__ = ("cls", "attributes", "mode")

    def __init__(
        self, cls: Class | str, attributes: dict[str, Value], node: Node | None, mode: str | None = None
    ) -> None:
        super().__init__(node, weight=weight_of(attributes.values()))
        self.cls, self.attributes, self.mode = cls, attributes, mode


class Cell(Atom):
    """Something that can change: its contents are in the state of the flow, under `id`. Rules never see one."""

    __slots__ = ("id",)

    def __init__(self, id: tuple, node: Node | None = None) -> None:
        super().__init__(node)
        self.id = id


class Partial(Atom):
    """`functools.partial(target, …)`."""

    __slots__ = ("target", "args", "keywords")

    def __init__(self, target: Value, args: tuple, keywords: dict, node: Node | None) -> None:
        super().__init__(node)
        self.target, self.args, self.keywords = target, args, keywords


class Value:
    """The set of things that an expression may be; see the module's text."""

    __slots__ = ("atoms", "partial")

    def __init__(self, atoms: tuple[Atom, ...], partial: bool = False) -> None:
        self.atoms = atoms
        self.partial = partial

    @property
    def only(self) -> Atom | None:
        """The one thing that this surely is, or None."""
        return self.atoms[0] if len(self.atoms) == 1 and not self.partial else None

    @property
    def constant(self) -> object:
        """The one constant that this surely is, or `...` (a constant that no rule looks for)."""
        if len(self.atoms) != 1 or self.partial:
            return ...
        atom = self.atoms[0]
        return atom.value if type(atom) is Const else ...

    @property
    def constants(self) -> list[object] | None:
        """All constants that this can be, or None when it may be something else."""
        if self.partial or not self.atoms or not all(isinstance(atom, Const) for atom in self.atoms):
            return None
        return [atom.value for atom in self.atoms]

    def can_be(self, *constants: object) -> bool:
        """It may be one of these constants: it is not surely something else."""
        return self.partial or any(isinstance(atom, Const) and _among(atom.value, constants) for atom in self.atoms)

    def must_be(self, *constants: object) -> bool:
        """It surely is one of these constants."""
        found = self.constants
        return found is not None and all(_among(value, constants) for value in found)

    def __or__(self, other: Value) -> Value:
        if self is other:
            return self
        fresh = tuple(atom for atom in other.atoms if atom not in self.atoms)
        partial = self.partial or other.partial
        if not fresh and partial == self.partial:
            return self
        atoms = self.atoms + fresh
        return Value(atoms[:MOST_ATOMS], partial or len(atoms) > MOST_ATOMS)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Value) and self.partial == other.partial and self.atoms == other.atoms
        )

    __hash__ = None

    def __repr__(self) -> str:
        return f"Value({', '.join(map(repr, self.atoms))}{' …' if self.partial else ''})"

    def assumed(self, via: str) -> Value:
        """The same value, reached through a default."""
        return Value(tuple(atom.assumed(via) for atom in self.atoms), self.partial)

    def loosened(self) -> Value:
        """This, or something else."""
        return self if self.partial else Value(self.atoms, True)


def _among(value: object, constants: tuple) -> bool:
    return any(type(value) is type(constant) and value == constant for constant in constants)


UNKNOWN = Value((), True)


def const(value: object, node: Node | None = None) -> Value:
    """The value that is surely this constant."""
    return Value((Const(value, node),))


def join(values: list[Value]) -> Value:
    """One of these values; UNKNOWN for none."""
    if not values:
        return UNKNOWN
    result = values[0]
    for value in values[1:]:
        result = result | value
    return result


def strings(value: Value | None) -> list[str] | None:
    """The strings of a list or tuple that is surely one known sequence of known strings, else None."""
    atom = value.only if value else None
    if not isinstance(atom, Seq) or atom.open or atom.kind == "set":
        return None
    found = [item.constant for item in atom.items]
    return found if all(isinstance(item, str) for item in found) else None
