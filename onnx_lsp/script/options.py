"""Command-line options: what `argparse` makes of `add_argument`, as far as an export call can depend on it."""

from __future__ import annotations

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.state import Frame
from onnx_lsp.script.values import OPTION, UNKNOWN, Const, Obj, Ref, Value

# Pseudo-class of what `parse_args()` returns.
NAMESPACE = "argparse.Namespace"


def add_argument(parser, given, frame: Frame):
    """The parser with one more argument: its destination and what it is when nobody says anything else."""
    if not isinstance(parser, Obj):
        return parser
    flags = [value.constant for value in given.positional]
    named = given.keywords.get("dest")
    name = named.constant if named else destination(flags)
    if not isinstance(name, str):
        return parser
    return Obj(parser.cls, {**parser.attributes, name: default_of(flags, given)}, parser.node)


def destination(flags: list[object]) -> str | None:
    """The attribute that `add_argument(*flags)` sets: the first long flag, else the first, with `_` for `-`."""
    names = [flag for flag in flags if isinstance(flag, str)]
    if len(names) != len(flags) or not names:
        return None
    chosen = next((name for name in names if name.startswith("--")), names[0])
    return chosen.lstrip("-").replace("-", "_")


def default_of(flags: list[object], given) -> Value:
    """What an argument is when it is not given: unknown where it must be given."""
    positional = not str(flags[0]).startswith("-") if flags else False
    default = given.keywords.get("default")
    required = given.keywords.get("required")
    if given.open or (required is not None and required.constant is not False) or (positional and default is None):
        return UNKNOWN
    action = given.keywords.get("action")
    name = action.constant if action else None
    if default is None:
        value = {"store_true": False, "store_false": True, "count": 0}.get(name)
        node = next(iter(given.nodes.values()), None)
        return Value((Const(value, None if value is None else node, OPTION),))
    kind = given.keywords.get("type")
    return Value(tuple(_typed(atom, kind) for atom in default.assumed(OPTION).atoms), default.partial)


def _typed(atom, kind: Value | None):
    """A default given as a string goes through `type`, as argparse does it."""
    reference = kind.only if kind else None
    if isinstance(atom, Const) and isinstance(atom.value, str) and isinstance(reference, Ref):
        try:
            return Const({"int": int, "float": float}.get(reference.name, str)(atom.value), atom.node, OPTION)
        except ValueError:
            return atom
    return atom


def parsed(parser: Obj, node: Node) -> Obj:
    """What `parse_args()` gives."""
    return Obj(NAMESPACE, parser.attributes, node)
