"""Usage: the nodes of a model as the tables of targets see them, those alike together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache, partial

from onnx_lsp import targets
from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model, Node, Scope, attribute_value
from onnx_lsp.model.shapes import Shapes
from onnx_lsp.model.signatures import schema_of
from onnx_lsp.targets import Facts, Kind, Target

SQUEEZE_BY_INPUT = 13  # from this opset on, the axes are an input
ELEMENTWISE = frozenset({
    "Abs", "Add", "Clip", "Div", "Elu", "Exp", "Identity", "LeakyRelu", "Log", "Mul", "Neg", "Pow", "Relu", "Sigmoid", "Slice",
    "Sqrt", "Sub", "Tanh",
})  # fmt: skip
NOT_OF_VALUES = frozenset({"Shape", "Size"})  # constants wherever sizes are fixed
Elements = tuple[tuple[int, ...], tuple[int, ...]]


class Usage:
    """What a model asks of targets. Nodes of functions that nothing calls, and calls of the model's own functions, are left out."""

    def __init__(self, model: Model, shapes: Shapes, asked: Sequence[Target] = ()) -> None:
        self._model = model
        self._shapes = shapes
        self._asked = asked
        self.taken: dict[tuple, frozenset[int]] = {}  # what `model.opsets` has found out

    @cached_property
    def kinds(self) -> dict[Kind, list[Node]]:
        """The nodes by kind, each list in file order."""
        found: dict[tuple, list[Node]] = {}
        wanted: dict[tuple[str, str], frozenset[str]] = {}
        local = self._model.function_ops
        for scope, opsets in self._scopes():
            element = self._elements(scope)
            for node in scope.nodes:
                domain, op = node.domain, node.op
                if domain in opsets and (domain, op) not in local:
                    if (domain, op) not in wanted:
                        wanted[domain, op] = frozenset().union(*(targets.wanted(op, domain, one) for one in self._asked))
                    elements = tuple(map(element, node.inputs)), tuple(map(element, node.outputs))
                    facts = self._facts(node, opsets[domain], wanted[domain, op])
                    found.setdefault((op, domain, opsets[domain], elements, facts), []).append(node)
        return {
            Kind(op, domain, opset, binding(op, domain, opset, elements), facts): nodes
            for (op, domain, opset, elements, facts), nodes in found.items()
        }

    def elements(self, node: Node) -> tuple[int, ...]:
        """The element types of a node's inputs, 0 where unknown."""
        return tuple(map(self._elements(node.scope), node.inputs))

    def _elements(self, scope: Scope) -> Callable[[str], int]:
        """Gives the element type of a value as a scope sees it, 0 where unknown."""
        return lru_cache(maxsize=None)(partial(self._shapes.element, scope))

    def _scopes(self) -> Iterator[tuple[Scope, dict[str, int]]]:
        """The scopes that run, each with its opset imports."""
        called = {(node.domain, node.op) for node in self._model.nodes()}
        for scope in self._model.scopes:
            function = next((around.proto for around in scope.around() if around.is_function), None)
            if function is None:
                yield scope, self._model.opsets
            elif (plain(function.domain), function.name) in called:
                yield scope, {plain(item.domain): item.version for item in function.opset_import}

    def _facts(self, node: Node, opset: int, wanted: frozenset[str]) -> Facts:
        """What is known of a node of what the targets want to know."""
        if not wanted:
            return ()
        parameters, defaults = signature(node.op, node.domain, opset)
        found = {subject: self._fact(node, subject, parameters, defaults) for subject in sorted(wanted)}
        return tuple((subject, value) for subject, value in found.items() if value)

    def _fact(self, node: Node, subject: str, parameters: tuple[str, ...], defaults: dict[str, str]) -> str:
        """The value of one FACT (see `onnx_lsp.tables`); empty where it is not known."""
        if subject == "squeezed":
            return "yes" if any(self._is_squeezed(node.scope, name) for name in node.inputs) else "no"
        if subject == "outputs":
            return str(sum(1 for name in node.outputs if name))
        if subject.startswith("."):
            return _attribute(node, subject[1:], defaults)
        what, _, parameter = subject.rstrip(")").partition("(")
        number = parameters.index(parameter) if parameter in parameters else len(node.inputs)
        name = node.inputs[number] if number < len(node.inputs) else ""
        if what == "given":
            return "yes" if name else "no"
        if not name:
            return ""
        if what == "const":
            return "no" if self._is_computed(node.scope, name) else ""
        found = self._shapes.type(node.scope, name)
        return "" if found is None or found.rank is None else str(found.rank)

    def _is_squeezed(self, scope: Scope, name: str) -> bool:
        """Whether a value is what a Squeeze without axes left of sizes that are not known, or element by element computed from it."""
        if not self._squeezes:
            return False
        found, seen, waiting = False, set(), [name]
        while waiting:
            name = waiting.pop()
            producer = scope.producers.get(name)
            if name in seen or (value := self._shapes.type(scope, name)) is not None and value.rank == 0:
                continue
            seen.add(name)
            if producer in self._squeezes:
                found = True
            elif producer is not None and producer.op in ELEMENTWISE:
                waiting += producer.inputs
            else:
                return False
        return found

    @cached_property
    def _squeezes(self) -> frozenset[Node]:
        """Each Squeeze without axes of sizes that are not known; since opset 13, onnx infers nothing of it."""
        if self._model.opsets.get("", SQUEEZE_BY_INPUT) >= SQUEEZE_BY_INPUT:
            return frozenset()
        nodes = (node for node in self._model.by_op.get("Squeeze", ()) if "axes" not in node.attrs)
        types = {node: self._shapes.type(node.scope, node.inputs[0]) for node in nodes if node.inputs}
        return frozenset(node for node, value in types.items() if value and value.dims and set(map(type, value.dims)) != {int})

    def _is_computed(self, scope: Scope, name: str) -> bool:
        """Whether a value surely depends on what the model is given when it runs."""
        seen, waiting = set(), [(scope, name)]
        while waiting:
            scope, name = waiting.pop()
            home = scope.home(name)
            if home is None or (home.path, name) in seen:
                continue
            seen.add((home.path, name))
            if name in home.inputs and name not in home.initializers and not home.is_function:
                return True
            producer = home.producers.get(name)
            if producer is not None and producer.op not in NOT_OF_VALUES:
                waiting += [(home, item) for item in producer.inputs if item]
        return False


def _attribute(node: Node, name: str, defaults: dict[str, str]) -> str:
    """An attribute's value as tables write it; a list of equal numbers is one number."""
    item = node.attrs.get(name)
    if item is None:
        return defaults.get(name, "")
    value = attribute_value(item)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return ",".join(map(str, value if len(set(value)) > 1 else value[:1]))
    return f"{value:g}" if isinstance(value, int | float) else ""


def plain(domain: str) -> str:
    """The domain as the index writes it: ai.onnx is empty."""
    return "" if domain == "ai.onnx" else domain


@lru_cache(maxsize=1024)
def signature(op: str, domain: str, opset: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of an operator's inputs, and the defaults of its attributes as tables write values."""
    schema = schema_of(op, domain, opset)
    if schema is None:
        return (), {}
    defaults = {}
    for name, attribute in schema.attributes.items():
        value = attribute_value(proto.AttributeProto.FromString(attribute._default_value))
        if isinstance(value, bytes | int | float):
            defaults[name] = value.decode() if isinstance(value, bytes) else f"{value:g}"
    return tuple(item.name for item in schema.inputs), defaults


@lru_cache(maxsize=4096)
def binding(op: str, domain: str, opset: int, elements: Elements) -> targets.Binding | None:
    """Element types by type variable and parameter name of the operator's schema; None where onnx has none."""
    schema = schema_of(op, domain, opset)
    if schema is None:
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
