"""Model: the skeleton with an index over it. One pass finds every scope, node, producer and consumer.

Paths are stable addresses: `graph/node[5]`, `graph/node[3].then_branch/node[1]`, `function(dom:name)/node[0]`,
`graph/initializer["w"]`, `graph/input["x"]`, `graph/output["y"]`, `graph/value_info["v"]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from onnx_lsp.model import proto
from onnx_lsp.model.wire import Skeleton

GRAPH, GRAPHS = proto.AttributeProto.GRAPH, proto.AttributeProto.GRAPHS
FEW = 16  # names that are as quickly compared as hashed
TENSOR, TENSORS = proto.AttributeProto.TENSOR, proto.AttributeProto.TENSORS


class Node:
    """One node, with its place in the model.

    Attributes:
        path: its address.
        scope: the graph or function body that it stands in.
        index: its position in that scope.
        proto: the NodeProto.
        domain: the operator's domain; `ai.onnx` is the empty one.
        inputs, outputs: value names; an empty one is an optional input or output left out.
        bodies: the subgraphs that its attributes hold.
    """

    __slots__ = ("path", "scope", "index", "proto", "domain", "op", "inputs", "outputs", "bodies")

    def __init__(self, scope: Scope, index: int, node: proto.NodeProto) -> None:
        self.path = f"{scope.path}/node[{index}]"
        self.scope = scope
        self.index = index
        self.proto = node
        self.domain = domain if (domain := node.domain) != "ai.onnx" else ""
        self.op = node.op_type
        self.inputs = tuple(node.input[:])  # protobuf copies a slice in half the time that it iterates
        self.outputs = tuple(node.output[:])
        self.bodies: tuple[Scope, ...] = ()

    @property
    def name(self) -> str:
        return self.proto.name

    @property
    def attrs(self) -> dict[str, proto.AttributeProto]:
        """Its attributes by name (a fresh dict)."""
        return {item.name: item for item in self.proto.attribute}

    def attr(self, name: str, default: object = None) -> object:
        """The value of one attribute: a number, bytes, a list, a tensor or a graph."""
        for item in self.proto.attribute:
            if item.name == name:
                return attribute_value(item)
        return default

    def ints(self, name: str) -> list[int]:
        """The value of an attribute that is a list of integers; empty where it is absent, or something else."""
        value = self.attr(name)
        return value if isinstance(value, list) and all(isinstance(item, int) for item in value) else []

    def integer(self, name: str, default: int) -> int:
        """The value of an attribute that is an integer."""
        value = self.attr(name, default)
        return value if isinstance(value, int) else default

    def title(self) -> str:
        """How a message calls it: the op, and the node's own name or else its first output."""
        label = self.name or next((name for name in self.outputs if name), "")
        return f"{self.op} `{label}`" if label else self.op

    def __repr__(self) -> str:
        return f"<{self.path} {self.op}>"


def bodies(node: proto.NodeProto) -> Iterator[tuple[proto.GraphProto, str]]:
    """The subgraphs of a node with the label that paths give them."""
    for attribute in node.attribute[:]:
        if attribute.type == GRAPH:
            yield attribute.g, attribute.name
        elif attribute.type == GRAPHS:
            for number, graph in enumerate(attribute.graphs):
                yield graph, f"{attribute.name}[{number}]"


def attribute_value(item: proto.AttributeProto) -> object:
    """What an attribute holds, by its declared type; None for a reference or an unknown type."""
    name = ATTRIBUTE_FIELDS.get(item.type)
    if name is None:
        return None
    value = getattr(item, name)
    return list(value) if name in ("floats", "ints", "strings") else value


ATTRIBUTE_FIELDS = {
    1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings", 9: "tensors", 10: "graphs",
    11: "sparse_tensor", 12: "sparse_tensors", 13: "tp", 14: "type_protos",
}  # fmt: skip


class Names(tuple):
    """Many names in order, quickly searched."""

    def __contains__(self, name: object) -> bool:
        return name in self._searched

    @cached_property
    def _searched(self) -> frozenset[str]:
        return frozenset(self)


def _names(found: Iterable[str]) -> tuple[str, ...]:
    names = tuple(found)
    return names if len(names) < FEW else Names(names)


@dataclass(eq=False, slots=True)
class Scope:
    """A graph, a subgraph or a function body.

    Attributes:
        path: `graph`, `graph/node[3].then_branch`, `function(dom:name)`.
        proto: the GraphProto or FunctionProto.
        owner: the node whose attribute this subgraph is.
        nodes: in file order.
        inputs, outputs: declared names.
        initializers: name -> TensorProto (the last one, where there are several).
        producers: value name -> the first node that writes it.
        consumers: value name -> nodes of this scope and of nested ones that read this scope's value.
    """

    path: str
    proto: proto.GraphProto | proto.FunctionProto
    owner: Node | None = None
    nodes: list[Node] = field(default_factory=list)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    initializers: dict[str, proto.TensorProto] = field(default_factory=dict)
    sparse: dict[str, object] = field(default_factory=dict)
    producers: dict[str, Node] = field(default_factory=dict)
    consumers: dict[str, list[Node]] = field(default_factory=dict)

    @property
    def parent(self) -> Scope | None:
        """The scope around this one, whose values are visible here."""
        return self.owner.scope if self.owner else None

    @property
    def root(self) -> Scope:
        """The main graph or the function that this scope is, or stands in."""
        scope = self
        while scope.owner is not None:
            scope = scope.owner.scope
        return scope

    @property
    def is_function(self) -> bool:
        return isinstance(self.proto, proto.FunctionProto)

    def defines(self, name: str) -> bool:
        """Whether this very scope (not one around it) has a value of that name."""
        return name in self.producers or name in self.initializers or name in self.inputs or name in self.sparse

    def around(self) -> Iterator[Scope]:
        """This scope and those around it, inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def home(self, name: str) -> Scope | None:
        """The scope, from here outwards, that defines the value; None if none does."""
        scope: Scope | None = self
        while scope is not None and not scope.defines(name):
            scope = scope.parent
        return scope

    def place(self, kind: str, name: str) -> str:
        """The path of a named part: `place("initializer", "w")`."""
        return f'{self.path}/{kind}["{name}"]'

    def can_bypass(self, source: str, target: str) -> bool:
        """Whether readers of `target` can read `source` instead, and the interface of the scope stays as it is."""
        if not source or not target:
            return False
        if target not in self.outputs:
            return True
        return source in self.producers and source not in self.outputs and self.outputs.count(target) == 1

    def place_of(self, name: str) -> str:
        """The path of whatever defines a value of this scope."""
        if name in self.producers:
            return self.producers[name].path
        if name in self.inputs:
            return self.place("input", name)
        return self.place("initializer", name)


class Model:
    """A model and its index.

    Attributes:
        skeleton: what was read.
        proto: the ModelProto without weights.
        graph: the main graph's scope.
        functions: function bodies.
        with_tensors: nodes with tensors in their attributes, in order.
        scopes: every scope; outer before inner.
        opsets: domain -> version, as imported (the last one, where a domain is imported twice).
    """

    def __init__(self, skeleton: Skeleton, message: proto.ModelProto) -> None:
        self.skeleton = skeleton
        self.proto = message
        self.scopes: list[Scope] = []
        self.with_tensors: list[Node] = []
        self.opsets = {_domain(item.domain): item.version for item in message.opset_import}
        self.graph = self._graph(message.graph, "graph", None)
        self.functions = [self._function(item) for item in message.functions]
        for scope in self.scopes:
            _consume(scope)

    def nodes(self) -> Iterator[Node]:
        """Every node, in branches and functions too."""
        for scope in self.scopes:
            yield from scope.nodes

    def imports(self, scope: Scope) -> dict[str, int]:
        """Domain -> opset version that holds in a scope: a function brings its own."""
        root = scope.root
        return self._imports[root.path] if root.is_function else self.opsets

    @cached_property
    def _imports(self) -> dict[str, dict[str, int]]:
        return {
            scope.path: {_domain(item.domain): item.version for item in scope.proto.opset_import}
            for scope in self.functions
        }

    @cached_property
    def by_op(self) -> dict[str, list[Node]]:
        """Every node, by its operator's name."""
        found: dict[str, list[Node]] = {}
        for scope in self.scopes:
            for node in scope.nodes:
                found.setdefault(node.op, []).append(node)
        return found

    def is_text(self) -> bool:
        """Whether every name is text. Protobuf gives `bytes` for a string that is not UTF-8."""
        names: set[object] = set(self.opsets)
        for scope in self.scopes:
            names.update(scope.producers, scope.consumers, scope.inputs, scope.outputs, scope.initializers)
            names.update(scope.sparse, (node.domain for node in scope.nodes))
        names.update(self.by_op)
        names.update(text for item in self.proto.functions for text in (item.name, item.domain, *item.input))
        names.update(item.domain for function in self.proto.functions for item in function.opset_import)
        names.update(text for entry in self.proto.metadata_props for text in (entry.key, entry.value))
        return all(isinstance(name, str) for name in names)

    @cached_property
    def generic(self) -> set[str]:
        """The paths of nodes with attributes that only a call of their function gives."""
        scopes = (scope for scope in self.scopes if scope.root.is_function) if self.functions else ()
        return {node.path for scope in scopes for node in scope.nodes if any(item.ref_attr_name for item in node.proto.attribute)}

    @cached_property
    def by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self.nodes()}

    @cached_property
    def function_ops(self) -> set[tuple[str, str]]:
        """(domain, name) of the model's own functions."""
        return {(_domain(item.domain), item.name) for item in self.proto.functions}

    def _graph(self, graph: proto.GraphProto, path: str, owner: Node | None) -> Scope:
        scope = Scope(
            path,
            graph,
            owner,
            inputs=_names(item.name for item in graph.input),
            outputs=_names(item.name for item in graph.output),
            initializers={item.name: item for item in graph.initializer},
            sparse={item.values.name: item for item in graph.sparse_initializer},
        )
        self._fill(scope, graph.node)
        return scope

    def _function(self, function: proto.FunctionProto) -> Scope:
        path = f"function({function.domain}:{function.name})"
        if function.overload:
            path = f"function({function.domain}:{function.name}:{function.overload})"
        scope = Scope(path, function, None, inputs=_names(function.input), outputs=_names(function.output))
        self._fill(scope, function.node)
        return scope

    def _fill(self, scope: Scope, nodes) -> None:
        self.scopes.append(scope)
        add, produce = scope.nodes.append, scope.producers.setdefault
        for index, item in enumerate(nodes):
            node = Node(scope, index, item)
            add(node)
            for name in node.outputs:
                if name:
                    produce(name, node)
            for attribute in item.attribute[:] if item.attribute else ():
                kind = attribute.type
                if kind == GRAPH or kind == GRAPHS:
                    node.bodies += tuple(self._bodies(node, attribute))
                elif kind == TENSOR or kind == TENSORS:
                    self.with_tensors.append(node)

    def _bodies(self, node: Node, attribute: proto.AttributeProto) -> Iterator[Scope]:
        if attribute.type == GRAPH:
            yield self._graph(attribute.g, f"{node.path}.{attribute.name}", node)
            return
        for number, graph in enumerate(attribute.graphs):
            yield self._graph(graph, f"{node.path}.{attribute.name}[{number}]", node)


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _consume(scope: Scope) -> None:
    outer = scope.parent
    for node in scope.nodes:
        for name in node.inputs:
            if name:
                home = scope if outer is None or scope.defines(name) else scope.home(name) or scope
                readers = home.consumers.setdefault(name, [])
                if not readers or readers[-1] is not node:
                    readers.append(node)
    if outer is not None:
        for name in scope.outputs:  # a branch may hand out a value of the graph around it
            home = scope.home(name)
            if home is not None and home is not scope:
                home.consumers.setdefault(name, []).append(scope.owner)
