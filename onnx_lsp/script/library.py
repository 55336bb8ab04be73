"""What is known of things that the script imports: constructors of tensors, containers, argument parsers, paths.

`call` gives the value of calling something by its dotted name, `method` that of calling a method of a value. A call
that is not understood gives a `Made`, which remembers what was called with what; arguments that go to code out of sight
escape.
"""

from __future__ import annotations

from onnx_lsp.script.containers import elements, entries_of, put, with_attribute
from onnx_lsp.script.eval_state import EVAL, HARMLESS, SELECTS_MODE, TRAIN, builds_module, mode_after, set_mode
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.options import add_argument, parsed
from onnx_lsp.script.state import Frame, contents
from onnx_lsp.script.statements import extended, updated, without_item
from onnx_lsp.script.tensors import TENSOR_CALLS, of_any, tensor_attribute, tensor_method
from onnx_lsp.script.values import (
    OPTION,
    UNKNOWN,
    Atom,
    Cell,
    Const,
    Made,
    Map,
    Obj,
    Partial,
    Seq,
    Tensor,
    Value,
    const,
)  # fmt: skip

# Calls into these leave their arguments as they are.
PURE = (
    "torch.", "torchvision.", "numpy.", "onnx.", "onnxruntime.", "onnxsim.", "os.", "sys.", "logging.", "json.",
    "time.", "pathlib.", "warnings.", "math.", "random.", "loguru.", "rich.", "tqdm.", "PIL.", "cv2.", "typing.",
    "super.",
)  # fmt: skip
# Methods that rebuild a module and give it back, in a mode of their own.
FUSING = ("fuse", "switch_to_deploy")
PARALLEL = ("torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel")
EXITS = ("sys.exit", "exit", "quit", "os._exit")
SAME = frozenset(
    "to cuda cpu float half double bfloat16 type requires_grad_ share_memory to_empty xpu mps npu "
    "apply".split()
)
STRING_METHODS = frozenset(
    "lower upper strip lstrip rstrip replace split rsplit removesuffix removeprefix title capitalize "
    "startswith endswith zfill".split()
)
PATH_METHODS = frozenset("as_posix resolve absolute expanduser __str__ __fspath__".split())


def call(flow, name: str, given, node: Node, frame: Frame) -> Value:
    """What calling the imported or builtin thing `name` gives."""
    if name in EXITS:
        frame.state.dead = True
        return UNKNOWN
    if name.endswith(SELECTS_MODE):
        for value in given.all:
            flow.escape(value, frame)
    known = CALLS.get(name)
    if known is None and name.startswith(("torch.", "numpy.")):
        known = TENSOR_CALLS.get(name)
    if known is not None:
        value = known(flow, given, node, frame)
        if value is not None:
            return value
    if "." in name.lstrip(".") and not name.startswith(PURE):
        for value in given.all:
            flow.escape(value, frame)
    return made(name, given, node, frame)


def made(name: str, given, node: Node, frame: Frame) -> Value:
    """The result of a call out of sight."""
    atom = Made(name, tuple(given.positional), dict(given.keywords), node, frame.identity(node, "made"))
    if builds_module(name, atom.args):
        atom.args += (UNKNOWN,) if given.open else ()
        frame.state.heap[("mode", atom.id)] = const(TRAIN)
    return Value((atom,))


def attribute(atom: Atom, name: str, node: Node) -> Value:
    """`atom.name` for something that is neither of this file nor imported."""
    if isinstance(atom, Tensor):
        return tensor_attribute(atom, name, node)
    if isinstance(atom, Const) and isinstance(atom.value, str):
        return path_attribute(atom, name, node)
    if isinstance(atom, Made) and name == "module" and atom.callee in PARALLEL:
        return atom.argument(0, "module") or UNKNOWN
    return UNKNOWN


def path_attribute(atom: Const, name: str, node: Node) -> Value:
    """`name`, `stem`, `suffix` and `parent` of a path, which is a string here."""
    head, slash, tail = atom.value.rpartition("/")
    stem, dot, suffix = tail.rpartition(".")
    suffix = dot + suffix if stem else ""
    found = {"name": tail, "parent": head or ".", "stem": stem or tail, "suffix": suffix}.get(name)
    return UNKNOWN if found is None else Value((Const(found, node, atom.via),))


def method(flow, atom: Atom, owner: Value, name: str, given, node: Node, frame: Frame) -> Value:
    """What `atom.name(…)` gives; `owner` is the value that holds the atom (a cell where it can change)."""
    if isinstance(atom, Tensor):
        return tensor_method(atom, name, given, node, frame)
    if isinstance(atom, Const):
        return string_method(atom, name, given, node, frame)
    if isinstance(atom, Map):
        return map_method(flow, atom, owner, name, given, node, frame)
    if isinstance(atom, Seq):
        return sequence_method(flow, atom, owner, name, given, node, frame)
    if isinstance(atom, Obj) and isinstance(atom.cls, str):
        return parser_method(flow, atom, owner, name, given, node, frame)
    if isinstance(atom, (Made, Obj)):
        return module_method(flow, atom, owner, name, given, node, frame)
    return UNKNOWN


def module_method(flow, atom: Made | Obj, owner: Value, name: str, given, node: Node, frame: Frame) -> Value:
    """Methods of what may be a torch module: the mode it is in, and those that give the module back."""
    plain = Value(owner.atoms)
    if name in ("eval", "train"):
        mode = given.get(0, "mode")
        training = name == "train" and (mode is None or mode.constant is True)
        known = name == "eval" or mode is None or isinstance(mode.constant, bool)
        set_mode(owner, (TRAIN if training else EVAL) if known else None, frame.state.heap)
        return plain
    if name in SAME:
        return plain
    if name in FUSING:
        set_mode(owner, None, frame.state.heap)
        return plain
    if name in ("add_module", "register_module") and isinstance(atom, Obj):
        set_attribute(flow, owner, given.get(0, "name"), given.get(1, "module"), frame)
        return const(None, node)
    if name not in HARMLESS and not (isinstance(atom, Made) and atom.callee.startswith(PURE)):
        after = mode_after(atom, name, owner, frame.state.heap)
        set_mode(owner, None, frame.state.heap)
        if after is not None:
            frame.state.heap[("mode", atom.id)] = after
    if isinstance(atom, Made) and not atom.callee.startswith(PURE):
        for value in given.all:
            flow.escape(value, frame)
    tensor = of_any(name, given, node, frame)
    if tensor.atoms:
        return tensor
    return made(f"{atom.callee}().{name}" if isinstance(atom, Made) else f"?.{name}", given, node, frame)


def set_attribute(flow, owner: Value, name: Value | None, value: Value | None, frame: Frame) -> None:
    """An attribute set by its name, where that is known."""
    text = name.constant if name is not None else ...
    if isinstance(text, str):
        flow.change(owner, lambda atom: with_attribute(atom, text, value or UNKNOWN), frame)


def _setattr(flow, given, node: Node, frame: Frame) -> Value | None:
    if len(given.positional) == 3:
        set_attribute(flow, given.positional[0], given.positional[1], given.positional[2], frame)
    return const(None, node)


def string_method(atom: Const, name: str, given, node: Node, frame: Frame) -> Value:
    """Methods of strings, and of paths."""
    text = atom.value
    if name == "open":
        return made("pathlib.Path.open", given, node, frame)
    arguments = [value.constant for value in given.positional]
    if not isinstance(text, str) or ... in arguments or given.keywords:
        return UNKNOWN
    if name == "join" and len(given.positional) == 1:
        items = elements(given.positional[0], frame)
        parts = [item.constant for item in items] if items is not None else [...]
        joined = all(isinstance(part, str) for part in parts)
        return Value((Const(text.join(parts), node, atom.via),)) if joined else UNKNOWN
    try:
        if name == "format":
            result = text.format(*arguments)
        elif name in STRING_METHODS:
            result = getattr(text, name)(*arguments)
        elif name in PATH_METHODS:
            result = text
        elif name == "joinpath":
            result = "/".join([text, *arguments])
        elif name == "with_suffix":
            result = text.rpartition(".")[0] + arguments[0] if "." in text.rpartition("/")[2] else text + arguments[0]
        elif name == "with_name":
            result = "/".join([*text.split("/")[:-1], arguments[0]])
        else:
            return UNKNOWN
    except (TypeError, ValueError, IndexError, KeyError, AttributeError):
        return UNKNOWN
    if isinstance(result, list):
        return frame.new(Seq("list", tuple(const(part, node) for part in result), node), node)
    return Value((Const(result, node, atom.via),))


def map_method(flow, atom: Map, owner: Value, name: str, given, node: Node, frame: Frame) -> Value:
    """Methods of dicts."""
    if name == "update":
        other = contents(given.positional[0], frame.state.heap).only if given.positional else Map(())
        named = Map(tuple((const(key), value) for key, value in given.keywords.items()), node, given.open)
        flow.change(owner, lambda old: updated(updated(old, other), named), frame)
        return const(None, node)
    if name in ("get", "pop", "setdefault"):
        return _looked_up(flow, atom, owner, name, given, frame)
    if name == "keys":
        return Value((Seq("tuple", tuple(key for key, _ in atom.entries), node, atom.open),))
    if name == "values":
        return Value((Seq("tuple", tuple(value for _, value in atom.entries), node, atom.open),))
    if name == "items":
        pairs = tuple(Value((Seq("tuple", entry, node),)) for entry in atom.entries)
        return Value((Seq("tuple", pairs, node, atom.open),))
    if name == "copy":
        return frame.new(Map(atom.entries, atom.node, atom.open), node)
    if name == "clear":
        flow.change(owner, lambda old: Map((), old.node), frame)
        return const(None, node)
    flow.escape(owner, frame)
    return UNKNOWN


def _looked_up(flow, atom: Map, owner: Value, name: str, given, frame: Frame) -> Value:
    key = given.positional[0] if given.positional else UNKNOWN
    default = given.get(1, "default") or const(None)
    found = atom.get(key.constant) if key.constant is not ... else UNKNOWN
    if name == "pop":
        flow.change(owner, lambda old: without_item(old, key), frame)
    if found is None and name == "setdefault":
        flow.change(owner, lambda old: updated(old, Map(((key, default),))), frame)
    return default if found is None else found


def sequence_method(flow, atom: Seq, owner: Value, name: str, given, node: Node, frame: Frame) -> Value:
    """Methods of lists, and those of tuples."""
    if name == "append" and given.positional:
        flow.change(owner, lambda old: extended(old, [given.positional[0]]), frame)
    elif name == "add":
        flow.change(owner, lambda old: extended(old, given.positional), frame)
    elif name in ("extend", "update") and given.positional:
        items = elements(given.positional[0], frame)
        flow.change(owner, lambda old: extended(old, items), frame)
    elif name == "insert" and len(given.positional) == 2 and type(given.positional[0].constant) is int:
        at = given.positional[0].constant
        flow.change(owner, lambda old: _inserted(old, at, given.positional[1]), frame)
    elif name == "copy":
        return frame.new(Seq(atom.kind, atom.items, atom.node, atom.open), node)
    elif name == "index":
        names = [item.constant for item in atom.items]
        wanted = given.positional[0].constant if given.positional else ...
        return const(names.index(wanted), node) if wanted is not ... and wanted in names else UNKNOWN
    elif name == "pop" and not given.positional and atom.items and not atom.open:
        flow.change(owner, lambda old: without_item(old, const(-1)), frame)
        return atom.items[-1]
    elif name == "clear":
        flow.change(owner, lambda old: Seq(old.kind, (), old.node), frame)
    elif name == "reverse":
        flow.change(owner, lambda old: Seq(old.kind, old.items[::-1], old.node, old.open), frame)
    elif name not in ("count",):
        flow.escape(owner, frame)
        return UNKNOWN
    return const(None, node)


def _inserted(atom: Atom, at: int, value: Value) -> Atom:
    if not isinstance(atom, Seq):
        return atom
    items = list(atom.items)
    items.insert(at, value)
    return Seq(atom.kind, tuple(items), atom.node, atom.open)


def parser_method(flow, atom: Obj, owner: Value, name: str, given, node: Node, frame: Frame) -> Value:
    """Methods of argument parsers and of what they parse."""
    if atom.cls == "argparse.ArgumentParser":
        if name == "add_argument":
            flow.change(owner, lambda old: add_argument(old, given, frame), frame)
            return const(None, node)
        if name in ("add_argument_group", "add_mutually_exclusive_group"):
            return owner
        if name == "set_defaults":
            values = {key: value.assumed(OPTION) for key, value in given.keywords.items()}
            flow.change(owner, lambda old: Obj(old.cls, {**old.attributes, **values}, old.node), frame)
            return const(None, node)
        if name in ("parse_args", "parse_known_args"):
            namespace = frame.new(parsed(atom, node), node)
            return namespace if name == "parse_args" else Value((Seq("tuple", (namespace, UNKNOWN), node),))
        if name == "add_subparsers":
            return made("argparse.add_subparsers", given, node, frame)
        if name in ("print_help", "print_usage", "format_help"):
            return UNKNOWN
        if name in ("error", "exit"):
            frame.state.dead = True
            return UNKNOWN
    flow.escape(owner, frame)
    return UNKNOWN


def _list(kind: str):
    def construct(flow, given, node: Node, frame: Frame) -> Value | None:
        items = elements(given.positional[0], frame) if given.positional else []
        atom = Seq(kind, tuple(items or ()), node, items is None)
        return Value((atom,)) if kind == "tuple" else frame.new(atom, node)

    return construct


def _dict(flow, given, node: Node, frame: Frame) -> Value | None:
    entries: dict = {}
    open_ = given.open
    for value in given.positional:
        atom = contents(value, frame.state.heap).only
        if isinstance(atom, Map):
            entries, open_ = entries_of(atom), open_ or atom.open
            continue
        rows = elements(value, frame)
        pairs = [elements(row, frame) for row in rows] if rows is not None else [None]
        if any(pair is None or len(pair) != 2 for pair in pairs):
            open_ = True
            continue
        for key, item in pairs:
            put(entries, key, item)
    for key, value in given.keywords.items():
        put(entries, const(key), value)
    return frame.new(Map(tuple(entries.values()), node, open_), node)


def _from_keys(flow, given, node: Node, frame: Frame) -> Value | None:
    """`dict.fromkeys(keys, value)`."""
    keys = elements(given.get(0, "iterable") or UNKNOWN, frame)
    entries: dict = {}
    for key in keys or ():
        put(entries, key, given.get(1, "value") or const(None, node))
    return frame.new(Map(tuple(entries.values()), node, keys is None), node)


def _len(flow, given, node: Node, frame: Frame) -> Value | None:
    value = given.positional[0] if given.positional else UNKNOWN
    items = elements(value, frame)
    if items is not None:
        return const(len(items), node)
    return const(len(value.constant), node) if isinstance(value.constant, str) else UNKNOWN


def _convert(kind: type):
    def convert(flow, given, node: Node, frame: Frame) -> Value | None:
        atom = given.positional[0].only if len(given.positional) == 1 else None
        if not isinstance(atom, Const) or not isinstance(atom.value, (str, int, float)):
            return UNKNOWN
        try:
            return Value((Const(kind(atom.value), atom.node if kind is type(atom.value) else node, atom.via),))
        except (ValueError, OverflowError):
            return UNKNOWN

    return convert


def _getattr(flow, given, node: Node, frame: Frame) -> Value | None:
    name = given.positional[1].constant if len(given.positional) > 1 else ...
    if not isinstance(name, str):
        return UNKNOWN
    found = flow.attribute(given.positional[0], name, node, frame)
    return found | given.positional[2] if len(given.positional) > 2 else found


def _vars(flow, given, node: Node, frame: Frame) -> Value | None:
    atom = contents(given.positional[0], frame.state.heap).only if given.positional else None
    if not isinstance(atom, Obj):
        return UNKNOWN
    return frame.new(Map(tuple((const(key), value) for key, value in atom.attributes.items()), node), node)


def _path(flow, given, node: Node, frame: Frame) -> Value | None:
    atoms = [value.only for value in given.positional]
    parts = [atom.value if isinstance(atom, Const) else ... for atom in atoms]
    if not parts or not all(isinstance(part, str) for part in parts):
        return None
    via = next((atom.via for atom in atoms if atom.via != "written"), "written")
    source = atoms[0].node if len(atoms) == 1 else node
    return Value((Const("/".join(part.rstrip("/") or "/" for part in parts), source, via),))


def _pure_string(function):
    def apply(flow, given, node: Node, frame: Frame) -> Value | None:
        value = given.positional[0].constant if len(given.positional) == 1 else ...
        return const(function(value), node) if isinstance(value, str) else None

    return apply


def _partial(flow, given, node: Node, frame: Frame) -> Value | None:
    if not given.positional:
        return UNKNOWN
    rest = type(given)()
    rest.positional, rest.keywords = given.positional[1:], given.keywords
    rest.nodes = {key - 1 if isinstance(key, int) else key: value for key, value in given.nodes.items() if key != 0}
    rest.open, rest.splat = given.open, given.splat
    return Value((Partial(given.positional[0], rest, {}, node),))


def _copy(flow, given, node: Node, frame: Frame) -> Value | None:
    value = given.positional[0] if given.positional else UNKNOWN
    if not isinstance(value.only, Cell):
        return value
    content = frame.state.heap.get(value.only.id, UNKNOWN)
    copied = frame.new(content.atoms[0], node) if content.atoms else UNKNOWN
    if isinstance(copied.only, Cell):
        frame.state.heap[copied.only.id] = content
    return copied


def _parser(flow, given, node: Node, frame: Frame) -> Value | None:
    return frame.new(Obj("argparse.ArgumentParser", {}, node), node)


def _opaque(flow, given, node: Node, frame: Frame) -> Value | None:
    return UNKNOWN


def _identity(flow, given, node: Node, frame: Frame) -> Value | None:
    return given.positional[0] if given.positional else UNKNOWN


CALLS = {
    "list": _list("list"),
    "tuple": _list("tuple"),
    "set": _list("set"),
    "dict": _dict,
    "dict.fromkeys": _from_keys,
    "collections.OrderedDict": _dict,
    "len": _len,
    "int": _convert(int),
    "float": _convert(float),
    "str": _convert(str),
    "getattr": _getattr,
    "setattr": _setattr,
    "torch.compile": _identity,
    "vars": _vars,
    "isinstance": _opaque,
    "hasattr": _opaque,
    "input": _opaque,
    "os.path.join": _path,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "os.path.abspath": _identity,
    "os.path.expanduser": _identity,
    "os.fspath": _identity,
    "os.path.basename": _pure_string(lambda text: text.rpartition("/")[2]),
    "os.path.dirname": _pure_string(lambda text: text.rpartition("/")[0]),
    "functools.partial": _partial,
    "copy.copy": _copy,
    "copy.deepcopy": _copy,
    "argparse.ArgumentParser": _parser,
}
