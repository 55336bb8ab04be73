"""The parameters of the exported model's `forward`, where the class is in this file."""

from __future__ import annotations

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.parameters import parameter_parts, parameters_of
from onnx_lsp.script.values import Atom, Function, Obj

# Decorators of forward that leave its parameters as they are.
TRANSPARENT = ("torch.", "typing.", "override", "torch.no_grad", "torch.inference_mode")


class Parameter:
    """One parameter of `forward`: `required` has no default, `named` can only be given by name."""

    __slots__ = ("name", "named", "required")

    def __init__(self, name: str, required: bool, named: bool) -> None:
        self.name, self.required, self.named = name, required, named


def forward_function(call) -> Function | None:
    """The `forward` of the exported object, when it is one of this file's and nobody put another in its place."""
    value = call.get("model")
    atom: Atom | None = value.only if value else None
    if not isinstance(atom, Obj) or isinstance(atom.cls, str) or {"forward", "__call__"} & set(atom.attributes):
        return None
    for cls in atom.cls.lineage():
        if isinstance(cls, str):
            return None
        if "forward" in cls.body:
            function = cls.body["forward"].only
            return function if isinstance(function, Function) and not _decorated(call, function.node) else None
    return None


def _decorated(call, node: Node) -> bool:
    parent = node.parent
    if parent is None or parent.type != "decorated_definition":
        return False
    texts = [call.source.of(child).lstrip("@ ") for child in parent.children if child.type == "decorator"]
    return not all(text.startswith(TRANSPARENT) for text in texts)


def forward_parameters(call) -> list[Parameter] | None:
    """The parameters without `self`; None when they are not known, or there are `*args` or `**kwargs`."""
    function = forward_function(call)
    if function is None:
        return None
    found: list[Parameter] = []
    named = False
    for node in parameters_of(function.node):
        kind, name, default = parameter_parts(call.source, node)
        if kind == "*" and not name:
            named = True
        elif kind:
            return None
        elif name:
            found.append(Parameter(name, default is None, named))
    return found[1:]


def given_parameters(call, parameters: list[Parameter]) -> list[str] | None:
    """The parameters that the example inputs are for: by position, then by keyword; None when that is not known."""
    inputs, named = call.inputs, call.keyword_inputs
    if inputs is None or named is None:
        return None
    places = [parameter.name for parameter in parameters if not parameter.named]
    return [*places[: len(inputs) - len(named)], *named]
