"""The copy of the skeleton that onnx's native code gets to see.

Every node is named by its path, so that native messages come back with exact places. Tensors without their data become
typed graph inputs (in function bodies: ConstantOfShape), or the checker would look for files. A node with a fault is made
opaque: an op that takes and gives anything. Custom ops become opaque too: inference stops telling faults once it has
met an op without a schema, and goes on behind one whose schema says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from onnx_lsp.model import proto
from onnx_lsp.model.dataflow import Dataflow, sorted_nodes
from onnx_lsp.model.graph import Model, Scope, bodies
from onnx_lsp.model.operators import Outdated
from onnx_lsp.model.signatures import domains
from onnx_lsp.model.sizes import ITEM_BITS, byte_size

OPAQUE = "onnx-lsp.opaque"
MAX_FILL = 64 << 20  # bytes
EXTERNAL = proto.TensorProto.EXTERNAL
TENSOR = proto.AttributeProto.TENSOR
KNOWN_DOMAINS = frozenset(
    {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training", OPAQUE}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that native code said: the path it is about (None: the model), and its words."""

    path: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A declaration that inference contradicts.

    Attributes:
        path: the node that produces the value.
        name: the value.
        is_output: whether the declaration is one of an output of the graph, not of an inner value.
        text: what inference said.
    """

    path: str
    name: str
    is_output: bool
    text: str


@cache
def _register_opaque() -> None:
    """Tells onnx of the op that takes and gives anything; once per process, in a domain of our own."""
    defs = proto.native.defs
    schema, many = defs.OpSchema, defs.OpSchema.FormalParameterOption.Variadic
    anything = {"type_str": "T", "param_option": many, "is_homogeneous": False, "min_arity": 0}
    defs.set_domain_to_version(OPAQUE, 1, 1)
    defs.register_schema(
        schema(
            "Opaque", OPAQUE, 1,
            inputs=[schema.FormalParameter("inputs", **anything)],
            outputs=[schema.FormalParameter("outputs", **anything)],
            type_constraints=[("T", [], "any type")],
        )
    )  # fmt: skip


class Copy:
    """The prepared copy.

    Attributes:
        message: the ModelProto to check.
        nodes: path -> NodeProto in `message`.
        functions: path -> FunctionProto in `message`.
        contradicted: the declarations that were dropped because inference found something else.
    """

    def __init__(self, model: Model, flow: Dataflow, told: Iterable[str] = (), outdated: Iterable[Outdated] = ()) -> None:
        self.message = proto.ModelProto.FromString(model.skeleton.data)
        self.nodes: dict[str, proto.NodeProto] = {}
        self._inputs: dict[str, tuple] = {}
        self._sizeless: set[str] = set()
        self._declared = {item.name for item in self.message.graph.input}
        self.contradicted: list[Contradiction] = []
        self._mend()
        self._name_all(model)
        for item in outdated:
            owner = self._function(item.path) if item.path else self.message
            next(entry for entry in owner.opset_import if entry.domain == item.domain).version = item.wanted
        if not flow.clean:
            self._order(model, flow)
        if told or not KNOWN_DOMAINS.issuperset(model.opsets):
            self._hide_strangers(model)
        self.hide_all(told)
        self._drop_repeats(model)
        self._drop_told(model, set(told))
        for scope in model.scopes:
            if scope.is_function or scope.path == "graph":
                container = self._function(scope.path) if scope.is_function else self.message.graph
                self._detach(container, scope.is_function)

    def _mend(self) -> None:
        """Takes away what our own checks tell about the top of the model, and what would end the native run at once."""
        message = self.message
        known = domains()
        newest = max(proto.pb.Version.values())
        message.ir_version = min(message.ir_version, newest) if message.ir_version > 2 else 8
        if message.functions:
            message.ir_version = max(message.ir_version, 10)
        del message.metadata_props[:]
        if not message.graph.name:
            message.graph.name = "graph"
        for owner in (message, *message.functions):
            self._mend_imports(owner.opset_import, known)
        if not message.opset_import:
            message.opset_import.add(domain="", version=known[""][1])

    def _mend_imports(self, imports, known: dict[str, tuple[int, int]]) -> None:
        last = {("" if item.domain == "ai.onnx" else item.domain): item.version for item in imports}
        del imports[:]
        for domain, version in last.items():
            lowest, highest = known.get(domain, (version, version))
            imports.add(domain=domain, version=min(max(version, lowest), highest))

    def _name_all(self, model: Model) -> None:
        functions = [scope.path for scope in model.functions]
        self.functions = dict(zip(functions, self.message.functions, strict=True))
        self._name(model.graph, self.message.graph.node)
        for scope, function in zip(model.functions, self.message.functions, strict=True):
            self._name(scope, function.node)

    def _function(self, path: str) -> proto.FunctionProto:
        return self.functions[path]

    def _name(self, scope: Scope, nodes) -> None:
        for node, copied in zip(scope.nodes, nodes, strict=True):
            copied.name = node.path
            self.nodes[node.path] = copied
            if not node.domain and copied.domain:  # `ai.onnx` is the same as the empty one, but not to the checker
                copied.domain = ""
            if node.bodies:
                for inner, (body, _) in zip(node.bodies, bodies(copied), strict=True):
                    self._name(inner, body.node)

    def _drop_repeats(self, model: Model) -> None:
        for scope in model.scopes:
            if not scope.is_function and len(scope.initializers) < len(scope.proto.initializer):
                initializers = self._container(scope.path).initializer
                last = {item.name: number for number, item in enumerate(initializers)}
                for number in sorted(set(range(len(initializers))) - set(last.values()), reverse=True):
                    del initializers[number]

    def _order(self, model: Model, flow: Dataflow) -> None:
        """Puts late producers first, and takes away what our own checks have told.

        Readers of undefined values become opaque, outputs that nothing produces go.
        """
        for path in sorted({reader.scope.path for reader, _, _ in flow.late}):
            scope = next(item for item in model.scopes if item.path == path)
            ordered, stuck = sorted_nodes(scope)
            place = {node.path: number for number, node in enumerate([*ordered, *stuck])}
            self._container(scope.path).node.sort(key=lambda node: place[node.name])
        for node, _ in flow.undefined:
            self.hide(node.path)
        gone: dict[str, set[str]] = {}
        for scope, name in flow.missing:
            if scope.owner is not None:
                self.hide(scope.owner.path)  # it counts the outputs of its bodies
            else:
                gone.setdefault(scope.path, set()).add(name)
        for path, names in gone.items():
            outputs = self._container(path).output
            kept = [item for item in outputs if getattr(item, "name", item) not in names]
            del outputs[:]
            outputs.extend(kept)
        for cycle in flow.cycles:
            for node in cycle:
                self.hide(node.path)

    def _container(self, path: str):
        if path == "graph":
            return self.message.graph
        if path in self.functions:
            return self.functions[path]
        owner, _, label = path.rpartition(".")
        found = bodies(self.nodes[owner]) if owner in self.nodes else ()
        return next((body for body, name in found if name == label), proto.GraphProto())  # none below an opaque node

    def _hide_strangers(self, model: Model) -> None:
        """Makes the nodes of domains opaque that onnx does not know, or the model does not import."""
        for scope in model.scopes:
            imports = model.imports(scope)
            for node in scope.nodes:
                known = node.domain in KNOWN_DOMAINS or (node.domain, node.op) in model.function_ops
                if not known or node.domain not in imports:
                    self.hide(node.path)

    def _drop_told(self, model: Model, told: set[str]) -> None:
        """Drops declarations that are told to be wrong, and turns such initializers into values of their type and rank.

        Those without a type go.
        """
        for scope in model.scopes if told else ():
            if scope.is_function or any(self._is_hidden(around) for around in scope.around()):
                continue
            declared = self._container(scope.path).value_info
            for number in reversed([i for i, item in enumerate(declared) if scope.place("value_info", item.name) in told]):
                del declared[number]
            wrong = {name for name in scope.initializers if scope.place("initializer", name) in told or not name}
            initializers = self._container(scope.path).initializer if wrong else ()
            for number in reversed([i for i, item in enumerate(initializers) if item.name in wrong]):
                tensor = initializers[number]
                if tensor.name and tensor.data_type in ITEM_BITS and min(tensor.dims, default=0) >= 0:
                    tensor.data_location = EXTERNAL
                    self._sizeless.add(tensor.name)
                    continue
                for reader in scope.consumers.get(tensor.name, ()):
                    self.hide(reader.path)
                    inputs = [name for name in reader.inputs if name and name != tensor.name]
                    del self.nodes[reader.path].input[:]
                    self.nodes[reader.path].input.extend(inputs)
                del initializers[number]

    def _is_hidden(self, scope: Scope) -> bool:
        return scope.owner is not None and self.nodes[scope.owner.path].domain == OPAQUE

    def undeclare(self, faults: list[Fault]) -> bool:
        """Drops what the model declares about the outputs of nodes where inference found something else.

        Returns:
            Whether anything was dropped; `contradicted` then says what.
        """
        dropped = False
        for fault in faults:
            node = self.nodes.get(fault.path or "")
            for name in filter(None, node.output if node is not None else ()):
                is_output = self._undeclare(fault.path.rpartition("/")[0], name)
                if is_output is not None:
                    dropped = True
                    self.contradicted.append(Contradiction(fault.path, name, is_output, fault.text))
        return dropped

    def _undeclare(self, path: str, name: str) -> bool | None:
        """Drops one declaration in a graph, or around it; returns whether it was one of an output, None if there is none."""
        around = path
        while around:
            declared = self._container(around).value_info
            places = [number for number, item in enumerate(declared) if item.name == name]
            for number in reversed(places):
                del declared[number]
            if places:
                return False
            around = around.rpartition(".")[0].rpartition("/")[0]
        container = self._container(path)
        for item in () if isinstance(container, proto.FunctionProto) else container.output:
            if item.name == name and item.HasField("type"):
                item.ClearField("type")
                return True
        return None

    def hide_all(self, paths: Iterable[str]) -> None:
        """Makes those of the nodes opaque that are told already; other paths do nothing."""
        for path in sorted(paths):
            self.hide(path)

    def hide(self, path: str) -> bool:
        """Makes a node opaque; False if it is already, or is none."""
        node = self.nodes.get(path)
        if node is None or node.domain == OPAQUE:
            return False
        if not any(item.domain == OPAQUE for item in self.message.opset_import):
            _register_opaque()
            for owner in (self.message, *self.message.functions):
                owner.opset_import.add(domain=OPAQUE, version=1)
        node.domain = OPAQUE
        node.op_type = "Opaque"
        del node.attribute[:]
        return True

    def _detach(self, container, local: bool) -> None:
        """Replaces tensors without data in this graph or function and in everything below it."""
        initializers = [] if isinstance(container, proto.FunctionProto) else list(container.initializer)
        kept = [item for item in initializers if item.data_location != EXTERNAL]
        fresh = []
        if len(kept) < len(initializers):
            del container.initializer[:]
            container.initializer.extend(kept)
            for tensor in initializers:
                if tensor.data_location == EXTERNAL:
                    fresh += self._stand_in(tensor, tensor.name, local)
        if not isinstance(container, proto.FunctionProto):
            for sparse in container.sparse_initializer:  # runtimes make dense tensors of them; inference does not
                dense = proto.TensorProto(data_type=sparse.values.data_type, dims=sparse.dims)
                fresh += self._stand_in(dense, sparse.values.name, local)
            del container.sparse_initializer[:]
        gone = []
        for number, node in enumerate(container.node):
            if not node.attribute:
                continue
            for attribute in node.attribute[:]:
                if attribute.type == TENSOR and attribute.t.data_location == EXTERNAL:
                    if node.op_type == "Constant" and node.output:
                        fresh += self._stand_in(attribute.t, node.output[0], local)
                        gone.append(number)
                    elif not _fill(attribute.t):
                        self.hide(node.name)
                        break
            for body, _ in bodies(node):
                self._detach(body, local)
        for number in reversed(gone):
            del container.node[number]
        if fresh:
            rest = list(container.node)
            del container.node[:]
            container.node.extend(fresh + rest)
            for node in container.node:
                if node.name in self.nodes:
                    self.nodes[node.name] = node

    def _stand_in(self, tensor: proto.TensorProto, name: str, local: bool) -> list:
        """A value of the same type without data: a graph input, or nodes where none can be seen or the name is taken."""
        signature = (tensor.data_type, tuple(tensor.dims))
        if not local and self._inputs.get(name, signature) == signature:
            if name not in self._inputs and name not in self._declared:
                value = self.message.graph.input.add(name=name)
                value.type.tensor_type.elem_type = tensor.data_type
                value.type.tensor_type.shape.SetInParent()
                for dim in tensor.dims:
                    value.type.tensor_type.shape.dim.add(**({} if name in self._sizeless else {"dim_value": dim}))
            self._inputs[name] = signature
            return []
        shape = proto.NodeProto(op_type="Constant", output=[f"{name}.dims"])
        shape.attribute.add(name="value", type=TENSOR).t.CopyFrom(
            proto.TensorProto(data_type=7, dims=[len(tensor.dims)], int64_data=list(tensor.dims))
        )
        fill = proto.NodeProto(op_type="ConstantOfShape", input=[f"{name}.dims"], output=[name])
        zero = proto.TensorProto(data_type=tensor.data_type, dims=[1], raw_data=bytes(byte_size(tensor.data_type, (1,))))
        fill.attribute.add(name="value", type=TENSOR).t.CopyFrom(zero)
        return [shape, fill]


def _fill(tensor: proto.TensorProto) -> bool:
    """Gives a tensor inside an attribute zeros for data (the tables of a tree ensemble); False if it is too big."""
    size = byte_size(tensor.data_type, tensor.dims)
    if size > MAX_FILL:
        return False
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
    tensor.raw_data = bytes(size)
    return True
