"""onnx's own checker and inference, run on a copy of the skeleton that makes them tell everything, with addresses.

In the copy every node is named by its path, so that native messages come back with exact places. Tensors without their
data become typed graph inputs (in function bodies: ConstantOfShape), or the checker would look for files. A node with a
fault is made opaque, and the run repeated: so one fault does not hide the next.

Opaque is an op that takes and gives anything. Custom ops become opaque too: inference stops telling faults once it has
met an op without a schema, and goes on behind one whose schema says nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from onnx_lsp.model import proto
from onnx_lsp.model.graph import GRAPH, GRAPHS, Model, Scope
from onnx_lsp.model.dataflow import Dataflow, sorted_nodes
from onnx_lsp.model.operators import Outdated
from onnx_lsp.model.signatures import domains

OPAQUE = "onnx-lsp.opaque"
MAX_ROUNDS = 20
MAX_FILL = 64 << 20  # bytes
MAX_PROPAGATED = 1 << 20  # elements; data propagation makes a dim of every element of a vector that meets a Concat
MAX_RANK = 1 << 16  # elements of a vector that may be a shape; inference makes a dim of each one
EXTERNAL = proto.TensorProto.EXTERNAL
TENSOR = proto.AttributeProto.TENSOR

KNOWN_DOMAINS = frozenset(
    {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training", OPAQUE}
)

NODE_FAULT = re.compile(r"\(op_type:([^,)]*)(?:, node name: (.*?))?\): ")
NODE_CONTEXT = re.compile(r"Bad node spec for node\. Name: (.*) OpType: ")
CANNOT_INFER = re.compile(r"^Cannot infer type and shape for node name (.*?)\. ")
PREFIX = re.compile(r"^\[(?:Shape|Type)InferenceError\]\s*")
DECLARED = re.compile(r"[Ii]nferred (shape and|elem type differs from) existing")
# What inference says in the expansion of an operator with a default for an attribute, which it forgets.
UNBOUND = re.compile(r"[Oo]ne and only one of the attributes 'value'")
FOLLOW_ON = re.compile(r"expected to have type but instead is null|inputs are expected to have tensor type|Inference error\(s\):\s*$")


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


# Bits of one element in TensorProto.raw_data; onnx.proto, TensorProto.DataType.
ITEM_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2, 27: 6, 28: 6,
}  # fmt: skip


def byte_size(data_type: int, dims) -> int:
    """Bytes of a tensor's data; 0 for strings and unknown types."""
    return (ITEM_BITS.get(data_type, 0) * math.prod(dims) + 7) // 8


def bodies(node: proto.NodeProto) -> Iterator[tuple[proto.GraphProto, str]]:
    """The subgraphs of a node with the label that paths give them."""
    for attribute in node.attribute[:]:
        if attribute.type == GRAPH:
            yield attribute.g, attribute.name
        elif attribute.type == GRAPHS:
            for number, graph in enumerate(attribute.graphs):
                yield graph, f"{attribute.name}[{number}]"


def checker_faults(copy: Copy) -> list[Fault]:
    """Everything that `onnx.checker` refuses."""
    errors = (proto.native.checker.ValidationError,)
    return _rounds(copy, lambda data: proto.native.checker.check_model(data, False, False, False), errors, _refusal)


def infer(copy: Copy) -> tuple[list[Fault], proto.ModelProto | None]:
    """Strict shape inference with type checks and data propagation.

    Returns:
        Every fault, and the model with the inferred types (where faults are, of what remains), or None.
    """
    native = proto.native.shape_inference
    errors = (native.InferenceError, proto.native.checker.ValidationError)
    inferred: list[bytes] = []
    _forget_lengths(copy.message.graph)
    data_prop = _longest_vector(copy.message.graph) <= MAX_PROPAGATED
    faults = _rounds(copy, lambda data: inferred.append(native.infer_shapes(data, True, True, data_prop)), errors, _faulty)
    if not inferred:
        try:
            inferred.append(native.infer_shapes(copy.message.SerializeToString(), False, False, data_prop))
        except (*errors, RuntimeError, ValueError):
            return faults, None
    return faults, proto.ModelProto.FromString(inferred[0])


def _forget_lengths(graph: proto.GraphProto) -> None:
    """Takes the lengths of absurdly long vectors of integers away, which could be taken for shapes."""
    for item in (*graph.input, *graph.value_info):
        given = item.type.tensor_type
        if given.elem_type == proto.TensorProto.INT64 and len(given.shape.dim) == 1 and given.shape.dim[0].dim_value > MAX_RANK:
            given.shape.dim[0].Clear()


def _longest_vector(graph: proto.GraphProto) -> int:
    """Elements of the longest one-dimensional value that is declared."""
    shapes = (item.type.tensor_type.shape.dim for item in (*graph.input, *graph.value_info))
    return max((dims[0].dim_value for dims in shapes if len(dims) == 1), default=0)


def _rounds(copy: Copy, run: Callable, errors: tuple[type[Exception], ...], read: Callable) -> list[Fault]:
    found: dict[Fault, None] = {}
    for _ in range(MAX_ROUNDS):
        try:
            run(copy.message.SerializeToString())
        except (*errors, RuntimeError, ValueError) as error:
            faults = read(str(error))
            if copy.undeclare([fault for fault in faults if DECLARED.search(fault.text)]):
                continue  # the other faults of this round may only follow from the declaration
            found.update(dict.fromkeys(faults))
            if not (_hide(copy, [fault for fault in faults if not _only_context(fault)]) or _hide(copy, faults)):
                break
        else:
            break
    return [fault for fault in found if not _only_context(fault)]


def _only_context(fault: Fault) -> bool:
    """Whether the words only lead to another fault, inside of the node or before it."""
    return not fault.text or bool(FOLLOW_ON.search(fault.text))


def _hide(copy: Copy, faults: list[Fault]) -> bool:
    """Makes the nodes of faults opaque; False if all are already."""
    return any([copy.hide(fault.path) for fault in faults if fault.path])


def _refusal(message: str) -> list[Fault]:
    text, *contexts = message.split("\n\n==> Context: ")
    paths = [match[1] for context in contexts if (match := NODE_CONTEXT.search(context))]
    return [Fault(paths[0] if paths else None, _clean(text))]


def _faulty(message: str) -> list[Fault]:
    message = PREFIX.sub("", message)
    marks = list(NODE_FAULT.finditer(message))
    if not marks:
        match = CANNOT_INFER.match(message)
        return [Fault(match[1] if match else None, _clean(message[match.end() :] if match else message))]
    ends = [mark.start() for mark in marks[1:]] + [len(message)]
    faults: list[Fault] = []
    for mark, end in zip(marks, ends, strict=True):
        text, inside = _clean(message[mark.end() : end]), not mark[2] and bool(faults)
        if not (inside and UNBOUND.search(text)):
            # a node without a name is one of onnx's own expansion of the operator before it
            faults.append(Fault(faults[-1].path if inside else mark[2], text))
    return faults


def _clean(text: str) -> str:
    text = PREFIX.sub("", text.strip())
    return " ".join(text.split()).rstrip(".")
