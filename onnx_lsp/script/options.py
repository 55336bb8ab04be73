"""Command-line options of argparse, click and typer: what they are when nobody says anything else."""

from __future__ import annotations

from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.state import Frame
from onnx_lsp.script.values import OPTION, UNKNOWN, Const, Function, Made, Obj, Ref, Value

# Pseudo-class of what `parse_args()` returns.
NAMESPACE = "argparse.Namespace"
CLICK = ("click.option", "click.argument")
TYPER = ("typer.Option", "typer.Argument")


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


def click_options(flow, function: Function) -> dict[str, Value] | None:
    """What click gives to the parameters of a command, whoever calls it; None for any other function."""
    parent = function.node.parent
    if parent is None or parent.type != "decorated_definition":
        return None
    found: dict[str, Value] = {}
    for decorator in parent.children:
        call = first_expression(decorator) if decorator.type == "decorator" else None
        callee = call.child_by_field_name("function") if call is not None and call.type == "call" else None
        if callee is None or not flow.source.of(callee).endswith(("option", "argument")):
            continue
        atom = flow.evaluate(callee, function.frame).only
        if isinstance(atom, Ref) and atom.name in CLICK:
            given = flow.arguments(call.child_by_field_name("arguments"), function.frame)
            flags = [value.constant for value in given.positional]
            found[_click_name(flags)] = _click_default(flags, given)
    return found or None


def _click_name(flags: list[object]) -> str:
    """The parameter of a click option: the name without dashes, else the first long flag, else the first one."""
    plain = next((flag for flag in flags if isinstance(flag, str) and not flag.startswith("-")), None)
    return plain or (destination(flags) or "").partition("/")[0].lower()


def _click_default(flags: list[object], given) -> Value:
    flag = given.keywords.get("is_flag")
    if flag is not None and flag.constant is True and "default" not in given.keywords:
        return Value((Const(False, given.nodes["is_flag"], OPTION),))
    return UNKNOWN if "multiple" in given.keywords or "callback" in given.keywords else default_of(flags, given)


def typer_default(value: Value) -> Value:
    """The default inside `typer.Option(…)`; any other default as it is."""
    atom = value.only
    if not isinstance(atom, Made) or atom.callee not in TYPER:
        return value
    default = atom.argument(0, "default")
    return default.assumed(OPTION) if default is not None else UNKNOWN
