"""Usage: the nodes of a model as a runtime's table sees them, those alike together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from onnx_lsp import targets
from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.shapes import Shapes

RECURRENT = frozenset({"GRU", "LSTM", "RNN"})
Elements = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Nodes that are the same to a table.

    Attributes:
        op, domain: the operator; ai.onnx is the empty domain.
        opset: what the model, or the function body, imports of the domain.
        types: element types by type variable and parameter name; None for an operator that onnx does not know.
        layout: the attribute of that name, which some runtimes refuse.
    """

    op: str
    domain: str
    opset: int
    types: targets.Binding | None
    layout: int

    @property
    def title(self) -> str:
        return f"{self.domain}.{self.op}" if self.domain else self.op

    def on(self, target: targets.Target) -> targets.Answer:
        """What the target does with these nodes."""
        answer = targets.runs(self.op, self.domain, self.opset, self.types, target)
        if answer.verdict.runs and self.layout:
            refused = targets.refused_attribute(self.op, self.domain, {"layout": self.layout}, target)
            if refused:
                return targets.Answer(targets.Verdict.REFUSES, f"does not take `{refused}`", target.sure)
        return answer


class Usage:
    """What a model asks of a runtime. Nodes of functions that nothing calls, and calls of the model's own functions, are left out."""

    def __init__(self, model: Model, shapes: Shapes) -> None:
        self._model = model
        self._shapes = shapes

    @cached_property
    def kinds(self) -> dict[Kind, list[Node]]:
        """The nodes by kind, each list in file order."""
        found: dict[tuple, list[Node]] = {}
        local = self._model.function_ops
        for scope, opsets in self._scopes():
            element = self._elements(scope)
            for node in scope.nodes:
                domain = node.domain
                if domain in opsets and (domain, node.op) not in local:
                    elements = tuple(map(element, node.inputs)), tuple(map(element, node.outputs))
                    layout = node.attr("layout", 0) if node.op in RECURRENT else 0
                    found.setdefault((node.op, domain, opsets[domain], elements, layout), []).append(node)
        return {
            Kind(op, domain, opset, binding(op, domain, opset, elements), layout): nodes
            for (op, domain, opset, elements, layout), nodes in found.items()
        }

    def _elements(self, scope: Scope) -> Callable[[str], int]:
        """Gives the element type of a value as a scope sees it, 0 where unknown."""
        known: dict[str, int] = {}

        def element(name: str) -> int:
            if name not in known:
                found = self._shapes.type(scope, name)
                known[name] = found.element if found else 0
            return known[name]

        return element

    def _scopes(self) -> Iterator[tuple[Scope, dict[str, int]]]:
        """The scopes that run, each with its opset imports."""
        called = {(node.domain, node.op) for node in self._model.nodes()}
        for scope in self._model.scopes:
            function = next((around.proto for around in scope.around() if around.is_function), None)
            if function is None:
                yield scope, self._model.opsets
            elif (plain(function.domain), function.name) in called:
                yield scope, {plain(item.domain): item.version for item in function.opset_import}


def plain(domain: str) -> str:
    """The domain as the index writes it: ai.onnx is empty."""
    return "" if domain == "ai.onnx" else domain


@lru_cache(maxsize=4096)
def binding(op: str, domain: str, opset: int, elements: Elements) -> targets.Binding | None:
    """Element types by type variable and parameter name of the operator's schema; None where onnx has none."""
    defs = proto.native.defs
    try:
        schema = defs.get_schema(op, opset, domain)
    except defs.SchemaError:
        return None
    found: dict[str, set[str]] = {}
    for numbers, formal in zip(elements, (schema.inputs, schema.outputs), strict=True):
        for place, number in enumerate(numbers):
            if number and formal:
                parameter = formal[min(place, len(formal) - 1)]
                for name in (parameter.type_str, parameter.name):
                    found.setdefault(name, set()).add(element_name(number))
    return targets.binding(found)


def element_name(number: int) -> str:
    """`float` for 1; empty for a number that this onnx does not know."""
    try:
        return proto.TensorProto.DataType.Name(number).lower()
    except ValueError:
        return ""
