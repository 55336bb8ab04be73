"""What a call gives, and what a function takes: arguments, parameters, and how the ones become the others."""

from __future__ import annotations

from onnx_lsp.script.grammar import Node, first_expression
from onnx_lsp.script.options import click_options, typer_default
from onnx_lsp.script.source import Source
from onnx_lsp.script.state import Frame, frozen
from onnx_lsp.script.values import DEFAULT, UNKNOWN, Function, Map, Partial, Seq, Value, const


class Arguments:
    """The arguments of a call, evaluated: values with the nodes that wrote them. `open`: a splat may add others."""

    __slots__ = ("positional", "keywords", "nodes", "open", "splat")

    def __init__(self) -> None:
        self.positional: list[Value] = []
        self.keywords: dict[str, Value] = {}
        self.nodes: dict[int | str, Node] = {}
        self.splat: set[str] = set()
        self.open = False

    def get(self, position: int, name: str) -> Value | None:
        """An argument by position or name; None when it is not given."""
        if name in self.keywords:
            return self.keywords[name]
        return self.positional[position] if position < len(self.positional) else None

    @property
    def all(self) -> list[Value]:
        return [*self.positional, *self.keywords.values()]


def open_arguments() -> Arguments:
    """Arguments of which nothing is known."""
    given = Arguments()
    given.open = True
    return given


def frozen_arguments(given: Arguments, frame: Frame) -> Arguments:
    """The arguments of a call as they are now."""
    heap = frame.state.heap
    copy = Arguments()
    copy.positional = [frozen(value, heap) for value in given.positional]
    copy.keywords = {name: frozen(value, heap) for name, value in given.keywords.items()}
    copy.nodes, copy.open, copy.splat = given.nodes, given.open, given.splat
    return copy


def combined(partial: Partial, given: Arguments) -> Arguments:
    """The arguments of a call of a `functools.partial`."""
    result = Arguments()
    first = partial.args.positional
    result.positional = [*first, *given.positional]
    result.keywords = {**partial.args.keywords, **given.keywords}
    shifted = {len(first) + key if isinstance(key, int) else key: node for key, node in given.nodes.items()}
    result.nodes = {**partial.args.nodes, **shifted}
    result.splat = (set(partial.args.keywords) | partial.args.splat | given.splat) - set(given.keywords)
    result.open = partial.args.open or given.open
    return result


def bind_parameters(flow, function: Function, given: Arguments | None, frame: Frame) -> None:
    """Binds what a call gives to the names of the parameters."""
    positional = list(given.positional) if given else []
    keywords = dict(given.keywords) if given else {}
    sure = given is not None and not given.open
    if function.bound is not None:
        positional.insert(0, function.bound)
    names_only = False
    options = click_options(flow, function)
    for parameter in parameters_of(function.node):
        kind, name, default = parameter_parts(flow.source, parameter)
        if options is not None and not kind:
            value = options.get(name, UNKNOWN)
        elif kind == "*":
            names_only = True
            value = Value((Seq("tuple", tuple(positional), parameter, not sure),)) if name else UNKNOWN
            positional = []
        elif kind == "**":
            entries = tuple((const(key), item) for key, item in keywords.items())
            value = frame.new(Map(entries, parameter, not sure), parameter)
        elif positional and not names_only:
            value = positional.pop(0)
        elif name in keywords:
            value = keywords.pop(name)
        elif default is not None and given is None:
            value = typer_default(flow.evaluate(default, function.frame).assumed(DEFAULT))
        elif default is not None:
            value = flow.evaluate(default, function.frame)
            value = value if sure else value.loosened()
        else:
            value = UNKNOWN
        if name:
            frame.state.names[name] = value


def parameters_of(function: Node) -> list[Node]:
    """The parameter nodes of a function or lambda."""
    node = function.child_by_field_name("parameters")
    return [child for child in node.named_children if child.type != "comment"] if node is not None else []


def parameter_parts(source: Source, node: Node) -> tuple[str, str, Node | None]:
    """A parameter's kind (`""`, `*` or `**`), name and default."""
    if node.type == "typed_parameter":
        node = node.named_children[0]
    if node.type in ("list_splat_pattern", "dictionary_splat_pattern"):
        inner = first_expression(node)
        return ("*" if node.type == "list_splat_pattern" else "**", source.of(inner) if inner else "", None)
    if node.type == "keyword_separator":
        return ("*", "", None)
    if node.type in ("default_parameter", "typed_default_parameter"):
        name = node.child_by_field_name("name")
        return ("", source.of(name), node.child_by_field_name("value"))
    return ("", source.of(node) if node.type == "identifier" else "", None)
