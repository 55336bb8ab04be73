"""Classes that a script imports from other modules of its workspace: found, read and followed, never executed.

`resolve` looks where Python would: beside the script, in the folders above it up to the project's top, and for relative
imports from the module that has them. Packages that are installed are not looked into. Every file that was read, and
every folder that was looked into, is a dependency of the script (`Workspace`). The number of modules and the work spent
on each are bounded, and a chain of imports that comes back to itself ends there.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from onnx_lsp.script.eval_state import Layer, picture
from onnx_lsp.script.evaluate import MOST_STEPS
from onnx_lsp.script.flow import Flow
from onnx_lsp.script.parameters import Arguments
from onnx_lsp.script.source import Source
from onnx_lsp.script.state import Frame, State
from onnx_lsp.script.values import UNKNOWN, Atom, Class, Const, Made, Ref, Seq, Value
from onnx_lsp.workspace import Workspace

MOST_MODULES = 24
LONGEST_TEXT = 1_000_000
LONGEST_CHAIN = 8
MOST_FOLDERS = 6
STEPS_PER_CLASS = 20_000
TOP = re.compile(r"\.git$|\.hg$")
# Installed packages that scripts import from most; the others are looked for and not found.
INSTALLED = frozenset(
    "torch torchvision torchaudio transformers timm numpy onnx onnxruntime onnxsim argparse pathlib typing os sys "
    "collections functools dataclasses PIL cv2 tqdm yaml json diffusers pytorch_lightning lightning ultralytics".split()
)


class Module:
    """A module of the workspace: its text, and what following it found. `names` are those that it binds."""

    def __init__(self, path: str, flow: Flow) -> None:
        self.path = path
        self.flow = flow

    @property
    def source(self) -> Source:
        return self.flow.source

    @property
    def names(self) -> dict[str, Value]:
        return self.flow.module.state.names

    def instance(self, cls: Class, made: Made) -> Layer | None:
        """The picture of an object of a class of this module, made with those arguments that are constants."""
        flow = self.flow
        flow.steps, flow.depth, flow.loops, flow.unrolled = MOST_STEPS - STEPS_PER_CLASS, 0, 0, 1
        flow.entered.clear()
        frame = Frame(State({}, flow.module.state.heap.copy()), flow.module, None, ("instance",))
        given = Arguments()
        given.positional = [_portable(value) for value in made.args]
        given.keywords = {name: _portable(value) for name, value in made.keywords.items()}
        try:
            value = flow.construct(cls, given, cls.node, frame)
        except RecursionError:
            return None
        found = picture(value, frame.state.heap, self.source)
        return found[0] if found else None


def _portable(value: Value) -> Value:
    """A value that means the same in another module: constants, and tuples of them."""
    atom = value.only
    if isinstance(atom, Const):
        return value
    if isinstance(atom, Seq) and atom.kind == "tuple" and not atom.open:
        return Value((Seq("tuple", tuple(_portable(item) for item in atom.items), atom.node),))
    return UNKNOWN


@lru_cache(maxsize=32)
def _followed(path: str, text: str) -> Module:
    """A module as its text has it. Cached by the text itself, so that an edit is a new entry."""
    flow = Flow(Source(text, path))
    flow.steps = MOST_STEPS - STEPS_PER_CLASS
    flow.run([])
    return Module(path, flow)


class Modules:
    """The modules that one script reaches."""

    def __init__(self, path: str, root: str | None, workspace: Workspace) -> None:
        self.workspace = workspace
        self.folders = _search_path(os.path.abspath(path), root, workspace)
        self.read: dict[str, Module | None] = {}

    def find(self, dotted: str, importer: str, kind: type[Atom] = Class) -> tuple[Module, Atom] | None:
        """The class (or function) that a name means in the module at `importer`, and the module that defines it."""
        for _ in range(LONGEST_CHAIN):
            place = self._locate(dotted, importer)
            module = self._module(place[0]) if place is not None else None
            if module is None or len(place[1]) != 1:
                return None
            value = module.names.get(place[1][0])
            atom = value.only if value is not None else None
            if isinstance(atom, kind):
                return module, atom
            if not isinstance(atom, Ref):
                return None
            dotted, importer = atom.name, module.path
        return None

    def _locate(self, dotted: str, importer: str) -> tuple[str, list[str]] | None:
        """The file of the module that a dotted name leads into, and what of the name is left."""
        name = dotted.lstrip(".")
        level = len(dotted) - len(name)
        parts = name.split(".")
        if level:
            folder = os.path.dirname(importer)
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            return self._descend(folder, parts)
        if parts[0] in INSTALLED or len(parts) < 2:
            return None
        for folder in (os.path.dirname(importer), *self.folders):
            found = self._descend(folder, parts)
            if found is not None:
                return found
        return None

    def _descend(self, folder: str, parts: list[str]) -> tuple[str, list[str]] | None:
        package = False
        for number, part in enumerate(parts):
            names = self.workspace.names(folder, re.compile(rf"(?:{re.escape(part)}(?:\.py)?|__init__\.py)$"))
            if f"{part}.py" in names:
                return os.path.join(folder, f"{part}.py"), parts[number + 1 :]
            if part not in names:
                known = "__init__.py" in names and (package or number == 0)
                return (os.path.join(folder, "__init__.py"), parts[number:]) if known and number else None
            folder, package = os.path.join(folder, part), True
        return None

    def _module(self, path: str) -> Module | None:
        if path not in self.read:
            if len(self.read) >= MOST_MODULES:
                return None
            self.read[path] = self._load(path)
        return self.read[path]

    def _load(self, path: str) -> Module | None:
        try:
            text = self.workspace.read(path).text
        except OSError:
            return None
        return _followed(path, text) if len(text) <= LONGEST_TEXT else None


def _search_path(path: str, root: str | None, workspace: Workspace) -> list[str]:
    """The folders that imports start from: the script's own, and those above it up to the project's top."""
    folders = [os.path.dirname(path)]
    while len(folders) < MOST_FOLDERS and folders[-1] != root and not workspace.names(folders[-1], TOP):
        parent = os.path.dirname(folders[-1])
        if parent == folders[-1]:
            break
        folders.append(parent)
    return folders
