"""What the reachable `forward` methods do that an exporter minds, found by following them once with kinds (`kinds`).

    Walk(reach, inputs).events    every `Event`, in the order in which they are come to

The walk goes from the exported object's `forward` into the `forward` of its parts, its own methods and functions of
the same module. Branches under a test for tracing, exporting or training are followed silently: the author has thought
of them. Nothing is reported of a value whose kind is not certain.
"""

from __future__ import annotations

from onnx_lsp.script import kinds
from onnx_lsp.script.eval_state import Layer
from onnx_lsp.script.flow import TRANSPARENT
from onnx_lsp.script.forward_calls import layer_result
from onnx_lsp.script.forward_syntax import EXPRESSIONS, STATEMENTS, item, shortened
from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.kinds import CONST, PLAIN, TUPLE, UNKNOWN, Kind
from onnx_lsp.script.parameters import parameter_parts, parameters_of
from onnx_lsp.script.source import Source
from onnx_lsp.script.values import Class, Function, Made, Map, Obj, Seq, Tensor, Value

MOST_STEPS = 20_000
DEEPEST = 40
DEEPEST_CALL = 12
SCRIPTED = ("torch.jit.", "jit.", "script", "staticmethod", "property")


class Event:
    """One thing that an exporter minds.

    Attributes:
        what: `branch`, `number`, `array`, `index`, `loop`, `call`, `dropout`, `frozen-size`, `literal-size`.
        node, source: where it is.
        text: how it is written; of a call the dotted name, of a dropout what `self` is called.
    """

    __slots__ = ("what", "node", "source", "text")

    def __init__(self, what: str, node: Node, source: Source, text: str = "") -> None:
        self.what, self.node, self.source, self.text = what, node, source, text


class Scope:
    """One function being walked through: its names, its object, and what it has returned."""

    __slots__ = ("source", "frame", "layer", "self_name", "names", "returned", "over")

    def __init__(self, source: Source, function: Function, layer: Layer | None) -> None:
        self.source, self.frame, self.layer = source, function.frame, layer
        self.self_name = ""
        self.names: dict[str, Kind] = {}
        self.returned: list[Kind] = []
        self.over = False


class Given:
    """The arguments of a call inside `forward`."""

    __slots__ = ("positional", "keywords", "nodes", "open")

    def __init__(self) -> None:
        self.positional: list[Kind] = []
        self.keywords: dict[str, Kind] = {}
        self.nodes: dict[int | str, Node] = {}
        self.open = False


class Walk:
    """Follows one exported object. `batch` is the size of the example's batch, where it is known."""

    def __init__(self, reach, inputs: list[Kind], named: dict[str, Kind], batch: int | None) -> None:
        self.reach = reach
        self.batch = batch
        self.events: list[Event] = []
        self.quiet = 0
        self.steps = self.depth = 0
        self.memory: dict[tuple, Kind] = {}
        self.active: list[tuple] = []
        given = Given()
        given.positional, given.keywords = list(inputs), dict(named)
        try:
            self.enter(reach.root, "forward", given)
        except RecursionError:
            self.active.clear()

    def event(self, what: str, node: Node, scope: Scope, text: str = "") -> None:
        if not self.quiet:
            self.events.append(Event(what, node, scope.source, text))

    # Calls into functions

    def enter(self, layer: Layer, name: str, given: Given) -> Kind:
        """Calls a method of a module whose class is in sight, or what the script has put in its place."""
        atom = layer.atom
        if not isinstance(atom, Obj) or isinstance(atom.cls, str):
            return UNKNOWN
        patched = atom.attributes.get(name)
        found = atom.cls.find(name) if patched is None else patched
        function = found.only if found is not None else None
        if not isinstance(function, Function):
            return UNKNOWN
        unbound = patched is not None and function.bound is None
        return self.function(function, given, None if unbound else layer, layer.source)

    def function(self, function: Function, given: Given, layer: Layer | None, source: Source | None = None) -> Kind:
        """Walks through a function with these arguments; once for each set of kinds."""
        source = layer.source if layer is not None else source
        given_key = (tuple(kind.key for kind in given.positional), tuple((n, k.key) for n, k in given.keywords.items()))
        key = (source.path, function.node.start_byte, id(layer), self.quiet > 0, given_key)
        if key in self.memory:
            return self.memory[key]
        place = key[:2]
        if place in self.active or len(self.active) >= DEEPEST_CALL or not _followed(function.node, source):
            return UNKNOWN
        before = self.quiet
        self.active.append(place)
        scope = Scope(source, function, layer)
        self._bind(function, given, scope)
        self.block(function.node.child_by_field_name("body"), scope)
        self.active.pop()
        self.quiet = before
        result = scope.returned[0] if scope.returned else PLAIN
        for other in scope.returned[1:]:
            result = kinds.either(result, other)
        self.memory[key] = result
        return result

    def imported(self, name: str, given: Given, scope: Scope) -> Kind | None:
        """Calls a function of another module of the workspace; None where the name is none."""
        found = self.reach.script.modules.find(name, scope.source.path, Function) if "." in name else None
        return self.function(found[1], given, None, found[0].source) if found is not None else None

    def _bind(self, function: Function, given: Given, scope: Scope) -> None:
        positional = list(given.positional)
        for number, parameter in enumerate(parameters_of(function.node)):
            kind, name, default = parameter_parts(scope.source, parameter)
            if number == 0 and scope.layer is not None and not kind:
                scope.self_name = name
                continue
            if kind:
                positional = [] if kind == "*" else positional
                value = UNKNOWN
            elif positional:
                value = positional.pop(0)
            elif name in given.keywords:
                value = given.keywords[name]
            elif default is not None and not given.open:
                value = self.expression(default, scope)
            else:
                value = UNKNOWN
            if name:
                scope.names[name] = value

    # Statements

    def block(self, block: Node | None, scope: Scope) -> None:
        for statement in block.named_children if block is not None else ():
            if scope.over:
                return
            handler = STATEMENTS.get(statement.type)
            if handler is not None:
                handler(self, statement, scope)

    def branch(self, follow, scope: Scope, quiet: bool) -> tuple[dict[str, Kind], bool]:
        """The names after a branch, and whether it has left; the scope is as before."""
        names, over, before = scope.names, scope.over, self.quiet
        scope.names = dict(names)
        self.quiet += quiet
        follow()
        self.quiet = before
        result = scope.names, scope.over
        scope.names, scope.over = names, over
        return result

    def assign(self, target: Node, kind: Kind, scope: Scope) -> None:
        if target.type == "identifier":
            scope.names[scope.source.of(target)] = kind
        elif target.type in ("pattern_list", "tuple_pattern", "list_pattern", "tuple", "list"):
            children = [child for child in target.named_children if child.type != "comment"]
            starred = any(child.type == "list_splat_pattern" for child in children)
            for number, child in enumerate(children):
                self.assign(child, UNKNOWN if starred else item(kind, number), scope)
        elif target.type == "subscript":
            base = self.expression(target.child_by_field_name("value"), scope)
            for key in target.children_by_field_name("subscript"):
                self.expression(key, scope)
            if base.is_tensor:
                self.event("index", target, scope, scope.source.of(target.child_by_field_name("value")))
        elif target.type == "list_splat_pattern":
            self.assign(first_expression(target), UNKNOWN, scope)

    def condition(self, test: Node, scope: Scope) -> bool | None:
        """Looks at a condition; whether it surely holds, where that is a matter of constants."""
        kind = self.expression(test, scope)
        if kind.is_tensor:
            self.event("branch", test, scope, shortened(scope.source, test))
        return bool(kind.value) if kind.name == CONST else None

    # Expressions

    def expression(self, node: Node | None, scope: Scope) -> Kind:
        """The kind of an expression."""
        evaluate = EXPRESSIONS.get(node.type) if node is not None else None
        if evaluate is None or self.steps >= MOST_STEPS or self.depth >= DEEPEST:
            return UNKNOWN
        self.steps += 1
        self.depth += 1
        result = evaluate(self, node, scope)
        self.depth -= 1
        return result

    def attribute_of(self, layer: Layer, name: str) -> Kind:
        """`self.name` of a module."""
        atom = layer.atom
        if isinstance(atom, Made):
            return kinds.tensor() if name in ("weight", "bias") and atom.callee.startswith("torch.nn.") else UNKNOWN
        if name in atom.attributes:
            if name in layer.parts:
                return kinds.modules(layer.parts[name]) if name not in layer.unsure else UNKNOWN
            return kinds.of_value(atom.attributes[name])
        found = atom.cls.find(name) if isinstance(atom.cls, Class) else None
        if found is not None and isinstance(found.only, Function):
            return kinds.method(layer, found.only)
        return kinds.of_value(found) if found is not None else UNKNOWN

    def arguments(self, node: Node | None, scope: Scope) -> Given:
        given = Given()
        for child in node.named_children if node is not None and node.type == "argument_list" else ():
            if child.type == "keyword_argument":
                name = scope.source.of(child.child_by_field_name("name"))
                value = child.child_by_field_name("value")
                given.keywords[name] = self.expression(value, scope)
                given.nodes[name] = value
            elif child.type in ("list_splat", "dictionary_splat"):
                kind = self.expression(first_expression(child), scope)
                given.open = given.open or kind.name != TUPLE
                given.positional += kind.items
            elif child.type != "comment":
                given.nodes[len(given.positional)] = child
                given.positional.append(self.expression(child, scope))
        return given

    def call_layers(self, layers: list[Layer], given: Given, node: Node, scope: Scope) -> Kind:
        """What calling a module gives: one of those that it may be."""
        results = [self._call_layer(self.reach.opened(layer), given, node, scope) for layer in layers]
        result = results[0] if results else UNKNOWN
        for other in results[1:]:
            result = kinds.either(result, other)
        return result

    def _call_layer(self, layer: Layer, given: Given, node: Node, scope: Scope) -> Kind:
        if isinstance(layer.atom, Obj):
            return self.enter(layer, "forward", given)
        if layer.callee == "torch.nn.Sequential":
            for part in (part for found in layer.parts.values() for part in found):
                result = self._call_layer(self.reach.opened(part), given, node, scope)
                given = Given()
                given.positional = [result]
            return given.positional[0] if given.positional and not layer.unsure else UNKNOWN
        return layer_result(self, layer, given, node, scope)



def _followed(node: Node, source: Source) -> bool:
    """A function whose decorators leave its body to the exporter."""
    if node.type != "function_definition":
        return False
    parent = node.parent
    texts = [source.of(child).lstrip("@ ") for child in parent.children if child.type == "decorator"]
    return all(text.startswith(TRANSPARENT) and not text.startswith(SCRIPTED) for text in texts)


def walks(call) -> list[Walk]:
    """One walk for each way that leads to an export call."""
    if call.exports_program:
        return []
    inputs, named = call.inputs, call.keyword_inputs or {}
    positional = inputs[: len(inputs) - len(named)] if inputs is not None else []
    dynamic = _dynamic_inputs(call)
    found = [_input_kind(value, number in dynamic) for number, value in enumerate(positional)]
    sizes = {_first_dim(value) for number, value in enumerate(positional) if number in dynamic}
    batch = sizes.pop() if len(sizes) == 1 else None
    others = {name: _input_kind(value, False) for name, value in named.items()}
    return [Walk(reach, found, others, batch) for reach in call.reached]


def _input_kind(value: Value, dynamic: bool) -> Kind:
    known = bool(value.atoms) and not value.partial
    tensors = known and all(isinstance(atom, Tensor) and atom.library == "torch" for atom in value.atoms)
    return kinds.tensor(dynamic) if tensors else kinds.of_value(value)


def _first_dim(value: Value) -> int | None:
    atom = value.only
    size = atom.shape[0].constant if isinstance(atom, Tensor) and atom.shape else None
    return size if type(size) is int else None


def _dynamic_inputs(call) -> set[int]:
    """The inputs whose dim 0 is surely declared dynamic, by their place."""
    shapes = call.get("dynamic_shapes")
    if shapes is not None:
        atom = shapes.only
        if isinstance(atom, Seq):
            return {number for number, dims in enumerate(atom.items) if _names_dim_0(dims)}
        names = call.forward_parameters or []
        return _named_dynamic(atom, names)
    axes = call.get("dynamic_axes")
    if axes is None or call.inputs is None:
        return set()
    return _named_dynamic(axes.only, call.input_names or call.forward_parameters or [])


def _named_dynamic(atom: object, names: list[str]) -> set[int]:
    if not isinstance(atom, Map):
        return set()
    found = {key.constant for key, dims in atom.entries if _names_dim_0(dims)}
    return {number for number, name in enumerate(names) if name in found}


def _names_dim_0(value: Value) -> bool:
    atom = value.only
    if isinstance(atom, Map):
        return any(_is_zero(key) and dim.constant is not None for key, dim in atom.entries)
    return isinstance(atom, Seq) and any(_is_zero(dim) for dim in atom.items)


def _is_zero(value: Value) -> bool:
    return type(value.constant) is int and value.constant == 0
