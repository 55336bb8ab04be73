"""What an export call reaches: the exported object, its parts and their modes, through classes of other modules."""

from __future__ import annotations

import re

from onnx_lsp.script.eval_state import EVAL, FACTORIES, HARMLESS, TRAIN, Layer, builds_module, is_class
from onnx_lsp.script.library import PARALLEL, PURE
from onnx_lsp.script.values import Class, Const, Function, Made, Obj, Value

MOST_OPENED = 200
# What arguments that are not known are called: a module, by a keyword; anything but a setting, by its position.
MODEL_LIKE = re.compile(r"model$|net(?:work)?$|backbone$|encoder$|decoder$|module$|head$|generator$", re.IGNORECASE)
SETTING_LIKE = re.compile(
    r"co?n?fi?g|arg|opt|param|num|size|dim|path|name|type|device|class|chan|shape|scale|^n_|^in_|^out_|hidden|dict|state|len"
    r"|^\w$", re.IGNORECASE
)  # fmt: skip
MODES = re.compile(r"\b(?:eval|train|freeze|training)\b")
GIVES_SELF = re.compile(r"[(,=]\s*self\s*[,)]")
DROPOUTS = frozenset({"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"})
# Layers with dropout inside: the position and name of the argument that says how much, and what it is when not given.
INNER_DROPOUT = {
    "MultiheadAttention": (2, "dropout", 0.0),
    "TransformerEncoderLayer": (3, "dropout", 0.1),
    "TransformerDecoderLayer": (3, "dropout", 0.1),
    "Transformer": (5, "dropout", 0.1),
    "DropPath": (0, "drop_prob", 0.0),
    "StochasticDepth": (0, "p", 0.5),
    "DropBlock2d": (0, "p", 0.5),
}
# Where layers come from whose names say whether they mind.
LIBRARIES = ("torch.nn.", "torchvision.ops.", "timm.layers.", "timm.models.layers.")
RECURRENT = ("LSTM", "GRU", "RNN")


class Reach:
    """What one export call exports, on one way that leads to it.

    Attributes:
        root: the exported object.
        live: layers that do something else in training mode, and are in it, each with its text.
        norms: a batch norm is in training mode.
        evaluated: some part is in evaluation mode.
        unsure: some part is not known.
        visible: the class of the exported object is in sight, or that of a library.
    """

    def __init__(self, script, root: Layer) -> None:
        self.script = script
        self.root = root
        self.live: list[Layer] = []
        self.norms = self.evaluated = self.unsure = False
        self.visible = True
        self._seen: set[int] = set()
        self._opened: dict[int, Layer] = {}
        self.root = self.opened(root)
        self._look(self.root)

    def opened(self, layer: Layer) -> Layer:
        """A layer whose class is imported from the workspace, as an object of that class."""
        if isinstance(layer.atom, Made) and is_class(layer.callee) and len(self._opened) < MOST_OPENED:
            if id(layer) not in self._opened:
                self._opened[id(layer)] = self._instance(layer, layer.atom)
            return self._opened[id(layer)]
        return layer

    def _instance(self, layer: Layer, atom: Made) -> Layer:
        found = self.script.modules.find(atom.callee, layer.source.path)
        inner = found[0].instance(found[1], atom) if found is not None else None
        if inner is None:
            return layer
        if layer.mode != TRAIN:
            inner.mode = _mode_after(layer, found[1], found[0].source)
        return inner

    def _look(self, layer: Layer) -> None:
        if id(layer) in self._seen:
            return
        self._seen.add(id(layer))
        if layer.mode == EVAL:
            self.evaluated = True
        elif isinstance(layer.atom, Obj):
            self._look_at_object(layer)
        else:
            self._look_at_made(layer)

    def _look_at_object(self, layer: Layer) -> None:
        if isinstance(layer.atom.cls, str):
            return
        if layer.mode is None:
            self.unsure = True
            return
        used = _used_as_modules(layer) if layer.unsure else ()
        self.unsure = self.unsure or any(name in used for name in layer.unsure)
        for parts in layer.parts.values():
            for part in parts:
                self._look(self.opened(part))

    def _look_at_made(self, layer: Layer) -> None:
        name = layer.callee.rpartition(".")[2]
        if layer.callee.startswith(PURE) and not builds_module(layer.callee, layer.atom.args):
            return
        if layer.mode not in (TRAIN, EVAL) or not builds_module(layer.callee, layer.atom.args):
            self.unsure = True
            return
        if layer.callee.startswith(LIBRARIES):
            if is_live(layer.atom):
                self.live.append(layer)
            self.norms = self.norms or "BatchNorm" in name
            if name == "Sequential" or name.startswith("Module") or layer.callee in PARALLEL:
                self.unsure = self.unsure or bool(layer.unsure)
        elif layer.callee.startswith((*FACTORIES, "torch.hub.")):
            self.visible = False
        elif is_class(layer.callee):
            self.visible = self.visible and layer is not self.root
            self.unsure = self.unsure or layer is not self.root or _may_wrap(layer)
        for parts in layer.parts.values():
            for part in parts:
                self._look(self.opened(part))


def _mode_after(layer: Layer, cls: Class, source) -> str | None:
    """The mode after methods that its class turns out to have: what it was, when none of them speaks of modes."""
    mode, *methods = (layer.mode or "").split(" ")
    functions = [found.only if (found := cls.find(name)) is not None else None for name in methods]
    known = all(isinstance(item, Function) and _leaves_mode(source.of(item.node)) for item in functions)
    return mode if mode and known else None


def _leaves_mode(method: str) -> bool:
    """The text of a method speaks of no mode, calls no other method of its own, and hands its object to nobody."""
    body = method.partition(":")[2]
    called = set(re.findall(r"\bself\.(\w+)\(", body))
    return not MODES.search(body) and not GIVES_SELF.search(body) and called <= HARMLESS


def is_live(atom: Made) -> bool:
    """A layer of `torch.nn` that does something else in training mode, a batch norm apart."""
    name = atom.callee.rpartition(".")[2]
    if name in DROPOUTS:
        return not _is_zero(atom.argument(0, "p"))
    if name in INNER_DROPOUT:
        position, keyword, default = INNER_DROPOUT[name]
        amount = atom.argument(position, keyword)
        return default > 0 if amount is None else isinstance(amount.constant, (int, float)) and amount.constant > 0
    if name in RECURRENT:
        amount, layers = atom.argument(5, "dropout"), atom.argument(2, "num_layers")
        many = layers is not None and type(layers.constant) is int and layers.constant > 1
        return many and amount is not None and isinstance(amount.constant, (int, float)) and amount.constant > 0
    tracked = atom.argument(4, "track_running_stats")
    return name.startswith("InstanceNorm") and tracked is not None and tracked.constant is True


def _is_zero(value: Value | None) -> bool:
    return value is not None and any(isinstance(atom, Const) and not atom.value for atom in value.atoms)


def _may_wrap(layer: Layer) -> bool:
    """An argument of a class that is not in sight may be the module that does the work."""
    if any(part.mode != TRAIN or not isinstance(part.atom, Made) for found in layer.parts.values() for part in found):
        return True
    for name in layer.unsure:
        number = int(name) if name.isdecimal() else None
        if number is None and MODEL_LIKE.search(name):
            return True
        if number is not None and not SETTING_LIKE.search(_written(layer, number)):
            return True
    return False


def _written(layer: Layer, number: int) -> str:
    """The last name of a positional argument as it is written."""
    listed = layer.node.child_by_field_name("arguments")
    children = [child for child in listed.named_children if child.type != "comment"] if listed is not None else []
    if number >= len(children) or children[number].type not in ("identifier", "attribute", "subscript", "call"):
        return ""
    return layer.source.of(children[number]).partition("(")[0].rpartition(".")[2]


def _used_as_modules(layer: Layer) -> set[str]:
    """The attributes that the class calls, or calls something of: they may be modules."""
    found: set[str] = set()
    for cls in layer.atom.cls.lineage():
        if isinstance(cls, Class):
            found.update(re.findall(r"self\.(\w+)(?:\[[^\]\n]*\])?(?:\.\w+)?\(", layer.source.of(cls.node)))
            found.update(re.findall(r"\bin (?:enumerate\(|zip\(|reversed\()*self\.(\w+)", layer.source.of(cls.node)))
    return found


def reached(call) -> list[Reach]:
    """What an export call exports, on all ways; empty where that is not known."""
    found = []
    for seen in call.observations:
        if seen.layers is None:
            return []
        found += [Reach(call.script, layer) for layer in seen.layers]
    return found
