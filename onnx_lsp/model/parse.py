"""ONNX text -> model, tolerant: every error with its place, and whatever could be read.

After an error, reading goes on at the next statement, so that one slip does not hide the next. The syntax is that of
`onnx.parser`, and our few extensions of it: docs/model-text.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from onnx_lsp.diagnostics import TextRange
from onnx_lsp.model import proto
from onnx_lsp.model.text.cursor import Cursor, Stop
from onnx_lsp.model.text.grammar import entries, is_type, read_attribute, read_tensor, read_type
from onnx_lsp.model.text.layout import outer
from onnx_lsp.model.text.restore import BadExtra, restore
from onnx_lsp.model.text.tokens import END, NAME, STRING, Tokens, tokens
from onnx_lsp.model.text.words import TYPE_WORDS

MAX_PROBLEMS = 100
OPEN = {"(": ")", "[": "]", "{": "}", "<": ">"}
CLOSE = {close: opening for opening, close in OPEN.items()}
WORD = r'(?:[A-Za-z_]\w*|e?"(?:[^"\\\n]|\\.)*")'
# What the line of a node looks like: names, an equals sign, an op with an opening bracket; and no `=>` of a subgraph.
STATEMENT = re.compile(
    rf'(?:\[[^\]\n]*\]\s*)?(?:{WORD}\s*(?:,\s*{WORD}\s*)*)?=\s*(?!(?:{"|".join(sorted(TYPE_WORDS))})\b)'
    rf"{WORD}(?:\.{WORD})*\s*[(<:](?![^\n]*=>)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in the text: what is wrong, and where."""

    message: str
    range: TextRange


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text gave.

    Attributes:
        message: the model, without the statements that could not be read.
        problems: the errors, in order.
        tokens: the text itself.
        spans: model path -> offsets of its item in the text.
    """

    message: proto.ModelProto
    problems: tuple[Problem, ...]
    tokens: Tokens
    spans: dict[str, tuple[int, int]]

    def find(self, path: str) -> TextRange | None:
        """Where the item at a model path stands, or else the item around it; of a long one its first line."""
        while path not in self.spans:
            path, separator, _ = outer(path)
            if not separator:
                return None
        start, end = self.spans[path]
        line_end = self.tokens.text.find("\n", start)
        return self.tokens.range(start, end if line_end < 0 else min(end, line_end))


def parse(text: str) -> Parsed:
    """Reads a model from ONNX text. Never raises."""
    parser = _Parser(tokens(text))
    try:
        parser.model()
    except RecursionError:
        parser.problem(Stop(parser.cursor.at, "nested too deeply"))
    return Parsed(parser.message, tuple(parser.problems), parser.cursor.tokens, parser.spans)


class _Parser:
    def __init__(self, found: Tokens) -> None:
        self.cursor = Cursor(found)
        self.message = proto.ModelProto()
        self.problems: list[Problem] = []
        self.spans: dict[str, tuple[int, int]] = {}

    def problem(self, stop: Stop) -> None:
        found = self.cursor.tokens
        start = found.starts[stop.token]
        length = len(found.texts[stop.token].partition("\n")[0])
        where = found.range(start, start + length)
        if len(self.problems) < MAX_PROBLEMS and not (self.problems and self.problems[-1].range == where):
            self.problems.append(Problem(str(stop), where))

    def span(self, path: str, first: int) -> None:
        """Notes that the item at a path is what was taken since token `first`."""
        found, last = self.cursor.tokens, self.cursor.at - 1
        self.spans.setdefault(path, (found.starts[first], found.starts[last] + len(found.texts[last])))

    def extras(self, number: int, message) -> None:
        """Puts into a message what the `#@` lines in front of a token say."""
        for start, text in self.cursor.tokens.extras.get(number, ()):
            try:
                restore(message, text)
            except BadExtra as error:
                end = self.cursor.tokens.text.find("\n", start)
                where = self.cursor.tokens.range(start, end if end >= 0 else len(self.cursor.tokens.text))
                self.problems.append(Problem(str(error), where))

    # Statements

    def model(self) -> None:
        cursor, model = self.cursor, self.message
        if cursor.kind == "<":
            self.extras(cursor.at, model)
            self._header(model, "ir_version model_version", "producer_name producer_version domain doc_string")
        try:
            self._graph(model.graph, "graph")
        except Stop as stop:
            self.problem(stop)
            if not self._skip_to_body():
                return
            self._nodes(model.graph.node, "graph")
        while cursor.kind != END:
            start = cursor.at
            try:
                self._function(model.functions.add())
            except Stop as stop:
                self.problem(stop)
                del model.functions[-1]
                if not self._skip_to_function(start):
                    return

    def _header(self, into, numbers: str, strings: str) -> None:
        """`<keyword: value, …>` in front of a model or function."""
        cursor = self.cursor
        numbers, strings = numbers.split(), strings.split()
        known = [*numbers, *strings, "opset_import", "metadata_props"]

        def entry() -> None:
            word = cursor.identifier()
            if word not in known:
                raise cursor.unknown("keyword of a header", word, known)
            cursor.expect(":")
            if word in numbers:
                setattr(into, word, cursor.integer())
            elif word in strings:
                setattr(into, word, cursor.string())
            elif word == "opset_import":
                self._opsets(into)
            else:
                self._metadata(into)

        cursor.expect("<")
        self._series(">", entry)

    def _opsets(self, into) -> None:
        cursor = self.cursor
        cursor.expect("[")
        if cursor.takes("]"):
            return
        while True:
            opset = into.opset_import.add(domain=cursor.string())
            cursor.expect(":")
            opset.version = cursor.integer()
            if not cursor.takes(","):
                break
        cursor.expect("]")

    def _metadata(self, into) -> None:
        self.cursor.expect("[")
        if not self.cursor.takes("]"):
            for key, value in entries(self.cursor):
                into.metadata_props.add(key=key, value=value)
            self.cursor.expect("]")

    def _graph(self, graph: proto.GraphProto, path: str, first: int | None = None) -> None:
        """Reads a graph; its item begins at token `first`: that of the attribute whose value it is."""
        cursor, start = self.cursor, self.cursor.at
        self.extras(start, graph)
        graph.name = cursor.name()
        self.span(path, start if first is None else first)
        if cursor.takes("("):
            self._series(")", lambda: self._value(graph.input, graph, path, "input"))
        cursor.expect("=>")
        cursor.expect("(")
        self._series(")", lambda: self._value(graph.output, None, path, "output"))
        if cursor.takes("<"):
            self._series(">", lambda: self._value(graph.value_info, graph, path, "value_info"))
        self._nodes(graph.node, path)

    def _value(self, values, graph: proto.GraphProto | None, path: str, kind: str) -> None:
        """`type name`, or with `= data` behind it an initializer (for an input: its default)."""
        cursor, start = self.cursor, self.cursor.at
        value = proto.ValueInfoProto()
        if is_type(cursor):
            read_type(cursor, value.type)
        elif cursor.kind == NAME and cursor.ahead() in ("[", NAME, STRING):
            cursor.at += 1
            raise cursor.unknown("type", cursor.texts[cursor.at - 1], TYPE_WORDS)
        value.name = cursor.name()
        data = graph is not None and cursor.takes("=")
        if data:
            tensor = proto.TensorProto(name=value.name)
            read_tensor(cursor, value.type, tensor)
            if kind == "value_info":
                self.extras(start, tensor)
            graph.initializer.append(tensor)
            self.span(f'{path}/initializer["{value.name}"]', start)
        if not data or kind == "input":
            self.extras(start, value)
            values.append(value)
            self.span(f'{path}/{kind}["{value.name}"]', start)

    def _function(self, function: proto.FunctionProto) -> None:
        cursor, start = self.cursor, self.cursor.at
        self.extras(start, function)
        if cursor.kind == "<":
            self._header(function, "", "domain overload doc_string")
        start = cursor.at
        function.name = cursor.name()
        path = ":".join(filter(None, (f"{function.domain}:{function.name}", function.overload)))
        path = f"function({path})"
        self.span(path, start)
        if cursor.takes("<"):
            self._series(">", lambda: self._parameter(function, path))
        for names in (function.input, function.output):
            cursor.expect("(")
            self._series(")", lambda names=names: self._function_value(names, function, path))
            if names is function.input:
                cursor.expect("=>")
        if cursor.takes("<"):
            self._series(">", lambda: self._value(function.value_info, None, path, "value_info"))
        self._nodes(function.node, path)

    def _parameter(self, function: proto.FunctionProto, path: str) -> None:
        """An attribute of a function: a name, or with `= value` its default."""
        if self.cursor.ahead() in (":", "="):
            read_attribute(
                self.cursor, function.attribute_proto.add(), lambda graph, label: self._graph(graph, f"{path}.{label}")
            )
        else:
            function.attribute.append(self.cursor.name())

    def _function_value(self, names, function: proto.FunctionProto, path: str) -> None:
        if is_type(self.cursor):
            self._value(function.value_info, None, path, "value_info")
            names.append(function.value_info[-1].name)
        else:
            names.append(self.cursor.name())

    def _nodes(self, nodes, path: str) -> None:
        cursor = self.cursor
        cursor.expect("{")
        while not cursor.takes("}"):
            if cursor.kind == END:
                self.problem(cursor.wrong("`}`"))
                return
            start = cursor.at
            try:
                self._node(nodes.add(), f"{path}/node[{len(nodes) - 1}]")
            except Stop as stop:
                self.problem(stop)
                del nodes[-1]
                self._next_statement(start, stop.token)

    def _node(self, node: proto.NodeProto, path: str) -> None:
        cursor, start = self.cursor, self.cursor.at
        if cursor.takes("["):
            if cursor.kind != "]":
                node.name = cursor.name()
            cursor.expect("]")
        self._names(node.output)
        cursor.expect("=")
        if cursor.kind not in (NAME, STRING, "("):
            raise cursor.wrong("an operator")
        parts = [cursor.name()] if cursor.kind != "(" else [""]  # ONNX lets it be empty
        while cursor.takes("."):
            parts.append(cursor.name())
        node.op_type = parts.pop()
        if parts:
            node.domain = ".".join(parts)
        if cursor.takes(":"):
            node.overload = cursor.name()
        self._attributes(node, path)
        cursor.expect("(")
        self._names(node.input)
        cursor.expect(")")
        self.span(path, start)
        if not node.attribute:
            self._attributes(node, path)
        self.extras(start, node)

    def _names(self, into) -> None:
        """Names with commas between them; nothing before a comma is the empty name."""
        cursor = self.cursor
        while True:
            if cursor.kind in (NAME, STRING):
                into.append(cursor.name())
            elif cursor.kind == ",":
                into.append("")
            else:
                return
            if not cursor.takes(","):
                return

    def _attributes(self, node: proto.NodeProto, path: str) -> None:
        cursor = self.cursor
        if not cursor.takes("<") or cursor.takes(">"):
            return
        while True:
            start = cursor.at

            def graph(into: proto.GraphProto, label: str, start: int = start) -> None:
                first = cursor.at if label.endswith("]") else start
                if first != cursor.at:
                    self.extras(first, into)
                self._graph(into, f"{path}.{label}", first)

            read_attribute(cursor, node.attribute.add(), graph)
            if not cursor.takes(","):
                break
        cursor.expect(">")

    # Going on after an error

    def _series(self, close: str, read: Callable[[], None]) -> None:
        """Items with commas between them up to `close`; an item with an error is left out."""
        cursor = self.cursor
        if cursor.takes(close):
            return
        while True:
            try:
                read()
                if cursor.kind not in (",", close):
                    raise cursor.wrong(f"`,` or `{close}`")
            except Stop as stop:
                self.problem(stop)
                cursor.at = max(cursor.at, stop.token)
                if not self._skip_to((",", close)):
                    return
            if cursor.takes(close):
                return
            cursor.expect(",")

    def _skip_to(self, marks: tuple[str, ...]) -> bool:
        """Goes to the next of the marks outside brackets; False, and stays before it, if a body begins first."""
        cursor, depth = self.cursor, 0
        while cursor.kind != END:
            kind = cursor.kind
            if depth <= 0 and kind in marks:
                return True
            if depth <= 0 and (kind == "{" and cursor.ahead(-1) != "=" or kind == "=>"):
                return False
            depth += (kind in OPEN) - (kind in CLOSE)
            cursor.at += 1
        return False

    def _skip_to_body(self) -> bool:
        """Goes to the opening brace of the nodes of a graph whose signature cannot be read."""
        cursor = self.cursor
        while cursor.kind != END:
            if cursor.kind == "{" and cursor.ahead(-1) != "=":
                return True
            cursor.at += 1
        return False

    def _skip_to_function(self, start: int) -> bool:
        """Goes behind the next closing brace that begins a line, where another function may follow."""
        cursor = self.cursor
        cursor.at = max(cursor.at, start + 1)
        while cursor.kind != END:
            cursor.at += 1
            if cursor.ahead(-1) == "}" and cursor.tokens.begins_line(cursor.at - 1):
                return True
        return False

    def _next_statement(self, start: int, wrong: int) -> None:
        """Goes to where the next node, or the end of the nodes, seems to be."""
        cursor, kinds = self.cursor, self.cursor.kinds
        opened = []
        at = start
        while kinds[at] != END:
            kind = kinds[at]
            if at > start and at >= wrong and self._begins_statement(at, opened):
                break
            if kind in OPEN:
                opened.append(kind)
            elif kind in CLOSE:
                if CLOSE[kind] in opened:
                    while opened.pop() != CLOSE[kind]:
                        pass
                elif kind == "}":
                    break
            at += 1
        cursor.at = at

    def _begins_statement(self, at: int, opened: list[str]) -> bool:
        found = self.cursor.tokens
        kind = found.kinds[at]
        if kind not in (NAME, STRING, "[", "="):
            return False
        if not opened and found.kinds[at - 1] == ")":
            return kind != "="
        return found.begins_line(at) and STATEMENT.match(found.text, found.starts[at]) is not None
