"""`LightningModule.to_onnx`: hands its keywords on to `torch.onnx.export`, in whatever mode the module is."""

from __future__ import annotations

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.parameters import Arguments
from onnx_lsp.script.values import UNKNOWN, Atom, Class, Made, Obj, Seq, Tensor, Value

TO_ONNX = "LightningModule.to_onnx"
PACKAGES = ("lightning.", "pytorch_lightning.")
OWN = {0: "file_path", 1: "input_sample"}


def is_lightning(atom: Atom) -> bool:
    """An object of a class in sight that derives from Lightning's module, or one that Lightning's own way loaded."""
    if isinstance(atom, Made):
        return atom.callee.endswith(".load_from_checkpoint")
    return isinstance(atom, Obj) and _derives(atom.cls)


def loads(atom: Atom) -> Class | None:
    """The class in sight whose `load_from_checkpoint` this has: it makes an object of it, in training mode."""
    cls = atom.cls if isinstance(atom, Obj) else atom
    return cls if _derives(cls) else None


def _derives(cls: Atom | str) -> bool:
    bases = [base for base in cls.lineage() if isinstance(base, str)] if isinstance(cls, Class) else ()
    return any(base.startswith(PACKAGES) and base.endswith(".LightningModule") for base in bases)


def export_arguments(given: Arguments, model: Value, node: Node) -> Arguments:
    """What `to_onnx` gives to `torch.onnx.export`: the module, its two own arguments under their names there, the rest.

    A sample that is left out is the module's `example_input_array`, and one that is no tensor or tuple goes through
    the module's own hooks: both are unknown.
    """
    passed = Arguments()
    passed.open = given.open or len(given.positional) > len(OWN)
    passed.splat = given.splat - set(OWN.values())
    passed.keywords["model"] = model
    passed.nodes["model"] = node.child_by_field_name("function").child_by_field_name("object")
    for position, (own, name) in enumerate((("input_sample", "args"), ("file_path", "f"))):
        place = 1 - position
        value = given.get(place, own)
        passed.keywords[name] = UNKNOWN if value is None or (name == "args" and not _plain(value)) else value
        passed.nodes[name] = given.nodes.get(own) or given.nodes.get(place) or node
    for name, value in given.keywords.items():
        if name not in OWN.values():
            passed.keywords[name], passed.nodes[name] = value, given.nodes[name]
    return passed


def _plain(value: Value) -> bool:
    kinds = (isinstance(atom, Tensor) or (isinstance(atom, Seq) and atom.kind == "tuple") for atom in value.atoms)
    return bool(value.atoms) and not value.partial and all(kinds)
