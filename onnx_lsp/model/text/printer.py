"""Writes a model, and notes on the way which line says what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model
from onnx_lsp.model.text.attributes import GRAPH, GRAPHS, Attributes
from onnx_lsp.model.text.extras import ALWAYS, extras, line, to_json
from onnx_lsp.model.text.layout import Layout, Text
from onnx_lsp.model.text.style import Style
from onnx_lsp.model.text.tensors import Tensors
from onnx_lsp.model.text.words import Names, operator, string, type_of
from onnx_lsp.model.wire import Skeleton

SHORT = 100  # characters of a subgraph's signature that stays on one line
HEADER = ("producer_name", "producer_version", "domain", "doc_string")
FLOAT_WORDS = frozenset({"inf", "infinity", "nan"})
NODE_EXTRAS = ALWAYS["NodeProto"]

Item = tuple[str, str, list[str]]  # path, text, comment lines above it


def render(model: Model, style: Style) -> Text:
    """The whole model as text.

    The same model and style give the same text. Fields that this protobuf library does not know are not shown.
    """
    printer = _Printer(model.skeleton, style)
    printer.model(model.proto)
    return Text(printer.layout.lines, printer.layout.spans)


def item(model: Model, path: str, style: Style) -> Text | None:
    """One item of a model, with what is inside it; None if there is none at that path."""
    printer = _Printer(model.skeleton, style)
    node = model.by_path.get(path)
    if node is not None:
        printer.nodes([node.proto], node.scope.path, 0, node.index)
        return Text(printer.layout.lines, printer.layout.spans)
    for scope in model.scopes:
        if scope.path == path:
            printer.scope(scope.proto, path)
            return Text(printer.layout.lines, printer.layout.spans)
        if path.startswith(f"{scope.path}/") and not scope.is_function:
            found = [each for each in printer.values(scope.proto, scope.path) if each[0] == path]
            if found:
                printer.items(found, 0)
                return Text(printer.layout.lines, printer.layout.spans)
    return None


class _Printer:
    def __init__(self, skeleton: Skeleton, style: Style) -> None:
        self.style = style
        self.layout = Layout()
        self.names = Names()
        self.tensors = Tensors(skeleton, style)
        self.attributes = Attributes(style, self.tensors)
        self.count = {"node": 0, "initializer": 0, "function": 0}

    def model(self, model: proto.ModelProto) -> None:
        lines = self.layout.lines
        lines.append("")  # the summary, known at the end
        self._extras(extras(model, self.style), 0)
        fields = [f"ir_version: {model.ir_version}", f"opset_import: {_opsets(model.opset_import)}"]
        fields += [f"{name}: {string(getattr(model, name))}" for name in HEADER[:3] if getattr(model, name)]
        if model.HasField("model_version"):
            fields.append(f"model_version: {model.model_version}")
        self._header(fields)
        if model.HasField("graph"):
            self.graph(model.graph, "graph", 0)
        for function in model.functions:
            lines.append("")
            self.function(function)
        lines[0] = self._summary()

    def _summary(self) -> str:
        parts = [f"{number:,} {kind}{'' if number == 1 else 's'}" for kind, number in self.count.items() if number]
        parts.append(f"{readable(self.tensors.bytes)} of weights")
        return f"# {', '.join(parts)}"

    def _header(self, fields: list[str]) -> None:
        self.layout.lines.append("<")
        for number, text in enumerate(fields):
            self.layout.add(text, 1, tail="," if number < len(fields) - 1 else "")
        self.layout.lines.append(">")

    def scope(self, container, path: str) -> None:
        """A graph, subgraph or function by itself."""
        if isinstance(container, proto.FunctionProto):
            self.function(container)
        else:
            self.graph(container, path, 0)

    def function(self, function: proto.FunctionProto) -> None:
        """A function, as ONNX writes it behind the graph."""
        self.count["function"] += 1
        path = ":".join(filter(None, (f"{function.domain}:{function.name}", function.overload)))
        path = f"function({path})"
        self._extras(extras(function, self.style), 0)
        fields = [f"domain: {string(function.domain)}"]
        if function.overload:
            fields.append(f"overload: {string(function.overload)}")
        self._header([*fields, f"opset_import: {_opsets(function.opset_import)}"])
        defaults = [self.attributes.write(each) for each in function.attribute_proto]
        for each, written in zip(function.attribute_proto, defaults, strict=True):
            if written is None:
                self._extras(line("attribute_proto", to_json(each), self.style), 0)
        words = [*map(self.attributes.name, function.attribute), *filter(None, defaults)]
        takes = f" <{', '.join(words)}>" if words else ""
        name, names = self.names[function.name], self.names
        inputs, outputs = (", ".join([names[each] for each in side]) for side in (function.input, function.output))
        self.layout.add(f"{name}{takes} ({inputs}) => ({outputs})", 0, path)
        self._block([self._value(each, path, "value_info") for each in function.value_info], 0)
        self._body(function.node, path, 0, "")

    def graph(self, graph: proto.GraphProto, path: str, depth: int, lead: str = "", tail: str = "") -> None:
        """A graph: signature, initializers and value infos, nodes. `lead` stands before its name."""
        self._extras(extras(graph, self.style), depth)
        name = self.names[graph.name]
        head = f"{lead}{string(graph.name) if depth and name.lower() in FLOAT_WORDS else name} "
        inputs = [self._value(each, path, "input") for each in graph.input]
        outputs = [self._value(each, path, "output") for each in graph.output]
        self._signature(head, inputs, outputs, path, depth)
        self._block(list(self._declarations(graph, path)), depth)
        self._body(graph.node, path, depth, tail)

    def values(self, graph: proto.GraphProto, path: str) -> Iterator[Item]:
        """Everything in a graph but nodes."""
        for kind in ("input", "output"):
            yield from (self._value(each, path, kind) for each in getattr(graph, kind))
        yield from self._declarations(graph, path)

    def _signature(self, head: str, inputs: list[Item], outputs: list[Item], path: str, depth: int) -> None:
        layout, signature = self.layout, [inputs, outputs]
        texts = [", ".join(text for _, text, _ in side) for side in signature]
        plain = not any(comments for side in signature for _, _, comments in side)
        if depth and plain and len(head) + sum(map(len, texts)) < SHORT:
            layout.add(f"{head}({texts[0]}) => ({texts[1]})", depth, path)
            column = len(layout.lines[-1].rpartition(f"({texts[0]}) => (")[0]) + 1
            for side, text in zip(signature, texts, strict=True):
                at = column
                for where, written, _ in side:
                    layout.spans.setdefault(where, (len(layout.lines) - 1, at, len(layout.lines) - 1, at + len(written)))
                    at += len(written) + 2
                column += len(text) + len(") => (")
            return
        layout.add(head.rstrip(), depth, path, " (")
        for number, side in enumerate(signature):
            self.items(side, depth + 1)
            if side:
                layout.add(")", depth)
            else:
                layout.append(")")
            layout.append(" => (" if number == 0 else "")

    def _declarations(self, graph: proto.GraphProto, path: str) -> Iterator[Item]:
        limit = self.style.items
        for each in graph.initializer[:limit]:
            text = f"{self.tensors.type(each)} {self.names[each.name]} = {self.tensors.data(each)}"
            yield f'{path}/initializer["{each.name}"]', text, extras(each, self.style)
        self.count["initializer"] += len(graph.initializer)
        yield from self._fold(graph.initializer, path, "initializer")
        for each in graph.value_info[:limit]:
            yield self._value(each, path, "value_info")
        yield from self._fold(graph.value_info, path, "value_info")

    def _fold(self, items, path: str, kind: str) -> Iterator[Item]:
        """The note that stands for items beyond the limit."""
        if len(items) > self.style.items:
            hidden = items[self.style.items :]
            yield f"{path}/{kind}", "", [f"# {len(hidden):,} more of {len(items):,} are not shown; {_hash(hidden)}"]

    def _value(self, each: proto.ValueInfoProto, path: str, kind: str) -> Item:
        written = f"{type_of(each.type)} {self.names[each.name]}".lstrip()
        return f'{path}/{kind}["{each.name}"]', written, extras(each, self.style)

    def _block(self, items: list[Item], depth: int) -> None:
        if items:
            self.layout.add("<", depth)
            self.items(items, depth + 1)
            self.layout.add(">", depth)

    def items(self, items: list[Item], depth: int) -> None:
        """Items one per line, with commas between them."""
        last = max((number for number, (_, text, _) in enumerate(items) if text), default=-1)
        for number, (path, text, comments) in enumerate(items):
            if text:
                self._extras(comments, depth)
                self.layout.add(text, depth, path, "," if number < last else "")
            else:
                self.layout.add(comments[0], depth, path)

    def _extras(self, comments: Iterable[str], depth: int) -> None:
        for text in comments:
            self.layout.add(text, depth)

    def _body(self, nodes, path: str, depth: int, tail: str) -> None:
        self.layout.add("{", depth)
        self.nodes(nodes[: self.style.items], path, depth + 1)
        for where, _, (note,) in self._fold(nodes, path, "node"):
            self.layout.add(note, depth + 1, where)
        self.layout.add("}" + tail, depth)

    def nodes(self, nodes, path: str, depth: int, first: int = 0) -> None:
        """Nodes, one per line; those with bodies take more."""
        names, layout = self.names, self.layout
        self.count["node"] += len(nodes)
        telling = self.style.metadata
        for index, node in enumerate(nodes, first):
            if telling or any([len(getattr(node, name)) for name in NODE_EXTRAS]):
                self._extras(extras(node, self.style), depth)
            name, domain, overload = node.name, node.domain, node.overload
            op = node.op_type if not domain and not overload and node.op_type.isidentifier() else None
            if op is None or not op.isascii():
                op = operator(domain, node.op_type, overload)
            outputs = ", ".join([names[each] for each in node.output])
            head = f"[{names[name]}] {outputs} = {op}" if name else f"{outputs} = {op}".lstrip()
            inputs = ", ".join([names[each] for each in node.input])
            where = f"{path}/node[{index}]"
            if not node.attribute:
                layout.add(f"{head}({inputs})", depth, where)
                continue
            words, bodies = self._attributes(node, depth)
            if bodies:
                layout.add(f"{head}({inputs})", depth, where, " <")
                self._bodies(words, where, depth + 1)
                layout.add(">", depth)
            else:
                between = f"<{', '.join(words)}>" if words else ""
                layout.add(f"{head}{between}({inputs})", depth, where)

    def _attributes(self, node: proto.NodeProto, depth: int) -> tuple[list[str | proto.AttributeProto], bool]:
        """A node's attributes as text, those with graphs as they are; and whether there are such."""
        found: list[str | proto.AttributeProto] = []
        bodies = False
        for each in node.attribute:
            kind = each.type
            if (kind == GRAPH or kind == GRAPHS and each.graphs) and not each.ref_attr_name:
                found.append(each)
                bodies = True
            elif (written := self.attributes.write(each)) is not None:
                found.append(written)
            else:
                self._extras(line("attribute", to_json(each), self.style), depth)
        return found, bodies

    def _bodies(self, attributes: list[str | proto.AttributeProto], path: str, depth: int) -> None:
        for number, each in enumerate(attributes):
            tail = "," if number < len(attributes) - 1 else ""
            if isinstance(each, str):
                self.layout.add(each, depth, tail=tail)
                continue
            name = self.attributes.name(each.name)
            if each.type == GRAPH:
                self.graph(each.g, f"{path}.{each.name}", depth, f"{name} = ", tail)
                continue
            self.layout.add(f"{name} = [", depth)
            for place, body in enumerate(each.graphs):
                comma = "," if place < len(each.graphs) - 1 else ""
                self.graph(body, f"{path}.{each.name}[{place}]", depth + 1, "", comma)
            self.layout.add(f"]{tail}", depth)


def _opsets(imports) -> str:
    return "[" + ", ".join(f"{string(each.domain)} : {each.version}" for each in imports) + "]"


def _hash(items) -> str:
    digest = hashlib.sha256()
    for each in items:
        digest.update(each.SerializeToString(deterministic=True))
    return f"digest {digest.hexdigest()[:16]}"


def readable(size: int) -> str:
    """A size in bytes for people."""
    if size < 1024:
        return f"{size} bytes"
    amount = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024:
            break
    return f"{amount:.1f} {unit}"
