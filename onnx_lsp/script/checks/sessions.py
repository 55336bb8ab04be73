"""Sessions and checkers on the exported file: the names and numbers fed, and whether it is that file at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.usage import Use, call_nodes, function_of, names_in, paths, session_paths
from onnx_lsp.script.values import Const, Map, Tensor, Value

OPENERS = {"onnxruntime.InferenceSession": "path_or_bytes", "onnx.load": "f", "onnx.checker.check_model": "model"}
REWRITES = ("onnx.save", "quantize_", "simplify", "slim")
DOUBLES = r"numpy\.random\.(?:rand|randn|random|random_sample|normal|uniform|standard_normal)$"
FLOATS = r"torch\.(?:rand|randn|zeros|ones)$"
# What only a module has; tensors and dicts have `float`, `to`, `items`.
MODULE_ONLY = frozenset(
    ["eval", "train", "parameters", "named_parameters", "modules", "named_modules", "children", "state_dict", "load_state_dict", "fuse"]
)
# A checkpoint's item under such a key is a module or its weights, which are a dict: that has no `float`.
MODULE_KEY = r"(?:\[|\.get\()\s*([\"'])(?:model|ema)\1\s*[\])]"
CASTS, MOVES = frozenset({"float", "half"}), frozenset({"to", "cpu", "cuda"})


def _exported(file: Script, use: Use) -> ExportCall | None:
    """The one export that surely writes the file which this session opened."""
    opened = session_paths(use)
    if opened is None or len(opened) != 1 or any(word in file.text for word in REWRITES):
        return None
    found = [call for call in file.calls if paths(call.get("f")) == opened]
    return found[0] if len(found) == 1 and all(paths(call.get("f")) is not None for call in file.calls) else None


def _feeds(file: Script) -> Iterator[tuple[Use, ExportCall, Map]]:
    """The dicts fed to sessions on files whose export is in sight."""
    if "InferenceSession" not in file.text or not file.calls:
        return
    for use in file.uses:
        value = use.get(1, "input_feed") if use.callee == "onnxruntime.InferenceSession().run" else None
        atom = value.only if value else None
        call = _exported(file, use) if isinstance(atom, Map) and not atom.open else None
        if call is not None:
            yield use, call, atom


def fed_sizes(call: ExportCall, place: int, axis: int, size: int) -> Iterator[tuple[int, Node]]:
    """Other sizes than this one that a session on the exported file is fed with for an axis of an input, and where."""
    file, names = call.script, call.input_names or call.forward_parameters
    if "InferenceSession" not in file.text or not names or place >= len(names):
        return
    for use in file.uses:
        value = use.get(1, "input_feed") if use.callee == "onnxruntime.InferenceSession().run" else None
        if value is None or _exported(file, use) is not call:
            continue
        for atom in (atom for atom in value.atoms if isinstance(atom, Map)):
            given = atom.get(names[place])
            yield from ((fed, use.node) for fed in _sizes(given, axis) if fed != size)


def fed_batch(file: Script, path: str | None, batch: int) -> tuple[int, Node] | None:
    """Another batch size that a session on this file is fed with, and where; the file has one input."""
    if path is None or "InferenceSession" not in file.text or file.calls or any(word in file.text for word in REWRITES):
        return None
    for use in file.uses:
        value = use.get(1, "input_feed") if use.callee == "onnxruntime.InferenceSession().run" else None
        atom = value.only if value is not None and session_paths(use) == {path.removeprefix("./")} else None
        if isinstance(atom, Map) and not atom.open and len(atom.entries) == 1:
            other = next((fed for fed in _sizes(atom.entries[0][1], 0) if fed != batch), None)
            if other is not None:
                return other, use.node
    return None


def _sizes(fed: Value | None, axis: int) -> Iterator[int]:
    """The sizes that what is fed has along an axis, on the ways on which they are known."""
    for tensor in fed.atoms if fed is not None else ():
        dims = tensor.shape if isinstance(tensor, Tensor) else None
        size = dims[axis].constant if dims is not None and axis < len(dims) else None
        if type(size) is int:
            yield size


@check("EXP604")
def feed_name(file: Script, report: Report) -> None:
    """The session knows the inputs by the names they were exported with."""
    for _, call, fed in _feeds(file):
        names = call.input_names
        if not names or not _names_hold(call, names):
            continue
        keys = [(key.only, key.constant) for key, _ in fed.entries]
        unknown = [(atom, key) for atom, key in keys if isinstance(key, str) and key not in names]
        missing = [name for name in names if name not in {key for _, key in keys}]
        for atom, key in unknown:
            renamed = len(unknown) == 1 and len(missing) == 1 and atom.node is not None and atom.node.type == "string"
            quote = file.source.of(atom.node)[-1] if renamed else '"'
            fixes = {"rename": edits.replace(file.source, atom.node, edits.literal(missing[0], quote))} if renamed else {}
            report("unknown", atom.node or call.node, fixes=fixes, name=key, names="`, `".join(names))


def _names_hold(call: ExportCall, names: list[str]) -> bool:
    """The names are the file's: as many as there are inputs, so that none keeps the name that forward gives it."""
    inputs = call.inputs
    return inputs is not None and len(inputs) == len(names)


@check("EXP607")
def double_feed(file: Script, report: Report) -> None:
    """numpy's numbers are float64, torch's float32."""
    for _, call, fed in _feeds(file):
        names, inputs = call.input_names, call.inputs
        if not names or inputs is None or len(names) != len(inputs) or b".double()" in file.source.data:
            continue
        for node, key in _pairs(file, fed):
            example = inputs[names.index(key)].only if key in names else None
            made = _double(file, node)
            if made is None or not isinstance(example, Tensor) or not _is_float(file, example.node):
                continue
            dtype = f"{_numpy(file)}.float32"
            fixes = {"cast": edits.replace(file.source, (made.end_byte, made.end_byte), f".astype({dtype})")}
            report("double", node, fixes=fixes, name=key, dtype=dtype)


def _pairs(file: Script, fed: Map) -> Iterator[tuple[Node, str]]:
    """The expressions that the dict feeds, where it is written out."""
    for pair in fed.node.named_children if fed.node is not None and fed.node.type == "dictionary" else ():
        key = next((name.constant for name, _ in fed.entries if _written(file, name.only, pair)), ...)
        if pair.type == "pair" and isinstance(key, str):
            yield pair.child_by_field_name("value"), key


def _written(file: Script, atom, pair: Node) -> bool:
    key = pair.child_by_field_name("key") if pair.type == "pair" else None
    return isinstance(atom, Const) and key is not None and atom.node is not None and atom.node.start_byte == key.start_byte


def _double(file: Script, node: Node) -> Node | None:
    """The call that makes this float64 array, written here or assigned once to this name."""
    if node.type == "identifier":
        within = function_of(node)
        bound = [use.parent for use in names_in(file.source, file.source.of(node), within) if _is_target(use)]
        node = bound[0].child_by_field_name("right") if len(bound) == 1 else None
    if node is None or node.type != "call":
        return None
    name = file.imports.resolve(node.child_by_field_name("function"))
    return node if name and re.match(DOUBLES, name) else None


def _is_target(node: Node) -> bool:
    parent = node.parent
    return parent.type == "assignment" and parent.child_by_field_name("left") == node


def _is_float(file: Script, node: Node | None) -> bool:
    if node is None or node.type != "call" or "dtype" in file.source.of(node) or "set_default_dtype" in file.text:
        return False
    name = file.imports.resolve(node.child_by_field_name("function"))
    return bool(name and re.match(FLOATS, name))


def _numpy(file: Script) -> str:
    return next((item.local for item in file.imports.all if item.dotted == "numpy"), "numpy")


@check("EXP605")
def checks_another_file(file: Script, report: Report) -> None:
    """A literal path that nothing here writes, and that is nearly one that is written."""
    if not file.calls or any(word in file.text for word in ("subprocess", "os.system", "rename(", "copy", "move(")):
        return
    written = [paths(call.get("f")) for call in file.calls]
    if None in written:
        return
    known = sorted(set().union(*written))
    for use in file.uses:
        name = OPENERS.get(use.callee)
        value = use.get(0, name) if name else None
        atom = value.only if value else None
        if not isinstance(atom, Const) or not isinstance(atom.value, str) or atom.value.removeprefix("./") in known:
            continue
        near = _nearly(atom.value.removeprefix("./"), known)
        quoted = re.compile(rf"[\"']{re.escape(atom.value)}[\"']")
        if near and len(quoted.findall(file.text)) == 1 and atom.node is not None and atom.node.type == "string":
            quote = file.source.of(atom.node)[-1]
            fixes = {"path": edits.replace(file.source, atom.node, edits.literal(near, quote))}
            report("another", atom.node, fixes=fixes, path=atom.value, near=near)


def _nearly(path: str, known: list[str]) -> str | None:
    """The written path that this one is a slip of: its folder is missing, or it has nearly the same letters.

    None where one is a longer name of the other.
    """
    from difflib import get_close_matches

    if not path.endswith(".onnx"):
        return None
    within = next((other for other in known if other.endswith(f"/{path}")), None)
    if within is not None:
        return within
    close = get_close_matches(path, known, 1, 0.85)
    if not close:
        return None
    one, other = path.removesuffix(".onnx"), close[0].removesuffix(".onnx")
    derived = one.startswith(other) or other.startswith(one) or re.sub(r"\d", "", one) == re.sub(r"\d", "", other)
    return None if derived else close[0]


@check("EXP603")
def whole_model_load(file: Script, report: Report) -> None:
    """Since torch 2.6, `torch.load` reads no pickled modules unless told to."""
    if not file.mentions_onnx or not file.calls or file.torch < (2, 6) or _loads_otherwise(file):
        return
    for call in _loads(file):
        text = file.source.of(call.child_by_field_name("arguments"))
        if "weights_only" in text or "**" in text:
            continue
        if _becomes_module(file, call):
            fixes = {"whole": edits.insert_arguments(file.source, call, {"weights_only": False})}
            report("refused", call, fixes=fixes)


def _loads_otherwise(file: Script) -> bool:
    """Something here may make `torch.load` read modules, as importing some releases of ultralytics does."""
    if any(word in file.text for word in ("safe_globals", "TORCH_FORCE_NO_WEIGHTS_ONLY", "torch.load =")):
        return True
    return any(item.full.partition(".")[0] == "ultralytics" for item in file.imports.all)


def _loads(file: Script) -> list[Node]:
    """The calls of `torch.load`; also where `torch` comes with a star import, from which the exports have theirs."""
    if any(item.local == "torch" for item in file.imports.all):
        return call_nodes(file, "torch.load")
    places = re.compile(rb"\btorch\.load(?=\s*\()").finditer(file.source.data)
    nodes = [file.source.node_at(match.start(), match.end()) for match in places]
    return [node.parent for node in nodes if node is not None and node.type == "attribute" and node.parent.type == "call"]


def _becomes_module(file: Script, node: Node) -> bool:
    """The loaded object, or an item of it, is used as only a module can be."""
    node = _chained(file, node)
    if node is None:
        return True
    parent = node.parent
    if parent is None or parent.type != "assignment" or parent.child_by_field_name("right") != node:
        return False
    target = parent.child_by_field_name("left")
    if target.type != "identifier":
        return False
    exported = {call.arguments["model"].node.start_byte for call in file.calls if "model" in call.arguments}
    return any(use.start_byte in exported or _chained(file, use) is None for use in _uses_of(file, target))


def _uses_of(file: Script, target: Node) -> list[Node]:
    """Where what is assigned to this name is surely used: up to where the same block assigns to it again."""
    uses = list(names_in(file.source, file.source.of(target), function_of(target)))
    bindings = [use for use in uses if _is_target(use)]
    statements = [file.source.statement_of(use) for use in bindings]
    if any(statement.parent != statements[0].parent for statement in statements):
        return []
    later = (statement.end_byte for statement in statements if statement.start_byte > target.start_byte)
    end = next(later, len(file.source.data))
    return [use for use in uses if target.parent.end_byte < use.start_byte < end and use not in bindings]


def _chained(file: Script, node: Node) -> Node | None:
    """The end of `(node.get('ema') or node['model']).to(…)`; None where a method on the way is only a module's."""
    module_or_dict = False  # what a checkpoint holds under such a key
    while (parent := node.parent) is not None:
        if parent.type in ("parenthesized_expression", "boolean_operator"):
            node = parent
            continue
        if parent.type == "subscript" and parent.child_by_field_name("value") == node:
            method, whole = "", parent
        elif parent.type == "attribute" and parent.parent is not None and parent.parent.type == "call":
            method, whole = file.source.of(parent.child_by_field_name("attribute")), parent.parent
        else:
            return node
        if method in MODULE_ONLY or (module_or_dict and method in CASTS):
            return None
        keyed = re.match(MODULE_KEY, file.source.slice(node.end_byte, whole.end_byte))
        module_or_dict = keyed is not None or (module_or_dict and method in MOVES)
        node = whole
    return node
