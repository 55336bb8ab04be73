"""Which mode a module is in: what `.eval()` and `.train()` change, and what of the exported object minds.

While a script is followed, the mode of what it builds is kept in the heap: `Obj.mode` for classes of this file, an
entry `("mode", id)` for what a call of something imported gave. Where an export call is come to, `picture` takes down
the exported object and all modules that it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.source import Source
from onnx_lsp.script.values import UNKNOWN, Atom, Cell, Made, Map, Obj, Seq, Value, const

TRAIN, EVAL = "train", "eval"
MOST_PARTS = 400
MOST_LAYERS = 3000
CLASS_NAME = re.compile(r"[A-Z]\w*[a-z0-9]\w*$")
NOT_MODULES = ("torch.", "numpy.", "PIL.", "pathlib.", "argparse.", "collections.", "typing.", "onnx.", "onnxruntime.")
FACTORIES = ("torchvision.models.", "timm.create_model", "timm.models.")
# What the methods of `torch.nn.Module` that leave modes alone are called, apart from those that give the module back.
HARMLESS = frozenset(
    "state_dict load_state_dict parameters named_parameters modules named_modules children named_children buffers "
    "named_buffers zero_grad register_buffer register_parameter register_module add_module register_forward_hook "
    "register_forward_pre_hook register_full_backward_hook get_submodule get_parameter forward __call__ __init__ "
    "requires_grad_ to_onnx to_torchscript extra_repr set_swish save_hyperparameters log".split()
)
SELECTS_MODE = "select_model_mode_for_export"


def builds_module(callee: str, args: tuple[Value, ...] = ()) -> bool:
    """A call of this gives a new module, which is then in training mode: a class, or a factory that is known to."""
    if callee.startswith("torch.nn.") and ".functional." not in callee:
        return callee.rpartition(".")[2][:1].isupper() and not callee.endswith(("Parameter", "Buffer"))
    if callee.startswith(FACTORIES):
        return True
    if callee == "torch.hub.load":
        return bool(args) and isinstance(args[0].constant, str) and args[0].constant.startswith("pytorch/vision")
    return is_class(callee)


def is_class(callee: str) -> bool:
    """A dotted name is that of an imported class, by the way it is written."""
    if "." not in callee or callee.startswith(NOT_MODULES):
        return False
    return CLASS_NAME.match(callee.rpartition(".")[2]) is not None


def parts(value: Value, heap: dict) -> Iterator[tuple[Cell | Made, Atom]]:
    """Every module that a value holds, itself first, each once: what to change it by, and what it is."""
    seen: set[tuple] = set()
    waiting = list(value.atoms)
    while waiting and len(seen) < MOST_PARTS:
        atom = waiting.pop(0)
        if not isinstance(atom, (Cell, Made, Seq)) or (not isinstance(atom, Seq) and atom.id in seen):
            continue
        if isinstance(atom, Seq):
            waiting += [item for value in atom.items for item in value.atoms]
            continue
        seen.add(atom.id)
        for content in heap.get(atom.id, UNKNOWN).atoms if isinstance(atom, Cell) else (atom,):
            if isinstance(content, (Obj, Made)):
                yield atom, content
            waiting += [item for value in _held(content) for item in value.atoms]


def _held(atom: Atom) -> list[Value]:
    if isinstance(atom, Obj):
        return list(atom.attributes.values())
    if isinstance(atom, Made):
        return [*atom.args, *atom.keywords.values()] if builds_module(atom.callee, atom.args) else []
    if isinstance(atom, Map):
        return [value for _, value in atom.entries]
    return list(atom.items) if isinstance(atom, Seq) else []


def set_mode(value: Value, mode: str | None, heap: dict) -> None:
    """The module, and all that it holds, is in this mode from here on; None when that is not known."""
    for holder, content in parts(value, heap):
        if isinstance(content, Made):
            old, new = heap.get(("mode", content.id)), const(mode) if mode else UNKNOWN
            heap[("mode", content.id)] = new | old if value.partial and old else new
        elif isinstance(holder, Cell):
            old = heap[holder.id]
            fresh = Value(tuple(_in_mode(atom, mode) for atom in old.atoms), old.partial)
            heap[holder.id] = old | fresh if value.partial else fresh


def mode_after(atom: Atom, method: str, owner: Value, heap: dict) -> Value | None:
    """The mode of an imported class's object in training mode after a method that is not in sight: `train method`.

    Where the class turns out to lie in the workspace, the method can be looked at; anywhere else that is no mode.
    """
    if not isinstance(atom, Made) or owner.partial or not is_class(atom.callee):
        return None
    before = heap.get(("mode", atom.id), UNKNOWN).constant
    return const(f"{before} {method}") if isinstance(before, str) and before.startswith(TRAIN) else None


def _in_mode(atom: Atom, mode: str | None) -> Atom:
    return Obj(atom.cls, atom.attributes, atom.node, mode) if isinstance(atom, Obj) else atom


class Layer:
    """A module of the exported object, as it was when it was exported.

    Attributes:
        atom: the `Obj` or `Made` that it is.
        mode: `train`, `eval`, or None where that is not known.
        parts: the modules in its attributes (of an `Obj`), or in its arguments (of a `Made`), by name.
        unsure: the attributes or arguments of which nothing, or not everything, is known.
        source: the text that `atom` is written in.
    """

    __slots__ = ("atom", "mode", "parts", "unsure", "source")

    def __init__(self, atom: Obj | Made, mode: str | None, source: Source) -> None:
        self.atom, self.mode, self.source = atom, mode, source
        self.parts: dict[str, list[Layer]] = {}
        self.unsure: set[str] = set()

    @property
    def callee(self) -> str:
        """The dotted name of what was called to make it; empty for a class that is in sight."""
        return self.atom.callee if isinstance(self.atom, Made) else ""

    @property
    def node(self) -> Node:
        return self.atom.node


def picture(value: Value | None, heap: dict, source: Source) -> list[Layer] | None:
    """What the exported object can be, with all that it holds; None when it may be something that is not known."""
    if value is None or value.partial:
        return None
    camera = _Camera(heap, source)
    found: list[Layer] = []
    sure = camera.take(value, found)
    return found if sure and found else None


class _Camera:
    def __init__(self, heap: dict, source: Source) -> None:
        self.heap, self.source = heap, source
        self.taken: dict[tuple, list[Layer]] = {}

    def take(self, value: Value, found: list[Layer]) -> bool:
        """Adds the modules of a value, through lists and dicts; False when it may hold others."""
        sure = not value.partial
        for atom in value.atoms:
            if isinstance(atom, Cell):
                sure = self._cell(atom, found) and sure
            else:
                sure = self._atom(atom, ("made", atom.id) if isinstance(atom, Made) else None, found) and sure
        return sure

    def _cell(self, cell: Cell, found: list[Layer]) -> bool:
        content = self.heap.get(cell.id, UNKNOWN)
        sure = not content.partial
        for number, atom in enumerate(content.atoms):
            sure = self._atom(atom, (cell.id, number), found) and sure
        return sure

    def _atom(self, atom: Atom, key: tuple | None, found: list[Layer]) -> bool:
        if isinstance(atom, (Seq, Map)):
            items = atom.items if isinstance(atom, Seq) else [value for _, value in atom.entries]
            known = [self.take(item, found) for item in items] if len(self.taken) < MOST_LAYERS else [False]
            return all(known) and not atom.open
        if not isinstance(atom, (Obj, Made)):
            return True
        if key not in self.taken and len(self.taken) < MOST_LAYERS:
            self._layer(atom, key)
        found += self.taken.get(key, ())
        return key in self.taken

    def _layer(self, atom: Obj | Made, key: tuple | None) -> None:
        if isinstance(atom, Obj):
            held, mode = atom.attributes, atom.mode
        else:
            held = {**{str(number): value for number, value in enumerate(atom.args)}, **atom.keywords}
            state = self.heap.get(("mode", atom.id))
            mode = state.constant if state is not None and isinstance(state.constant, str) else None
        layer = Layer(atom, mode, self.source)
        self.taken[key] = [layer]
        for name, value in held.items():
            inner: list[Layer] = []
            if not self.take(value, inner):
                layer.unsure.add(name)
            if inner:
                layer.parts[name] = inner
