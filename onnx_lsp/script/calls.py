"""The export calls of a script: which exporter each uses, and every argument with its value and its place.

A rule asks an `ExportCall`:

    call.get("opset_version")     the Value; None when surely not given; UNKNOWN when a splat may carry it
    call.arguments["f"].node      the expression in the text
    call.exporter                 "new", "legacy", or None when that is not known
    call.inputs, call.input_names what the example inputs and their names are, or None
"""

from __future__ import annotations

import re
from functools import cached_property

from onnx_lsp.script import torch_api
from onnx_lsp.script.flow import Flow, Observation
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.guards import around, dynamic_flag, expects_failure
from onnx_lsp.script.signature import forward_parameters
from onnx_lsp.script.source import Source
from onnx_lsp.script.values import UNKNOWN, Class, Const, Made, Map, Obj, Seq, Value, join, strings

MENTION = re.compile(rb"\bexport\b|\bto_onnx\b")
ALIAS = re.compile(rb"\bexport\s+as\s+(\w+)|\b(\w+)\s*=\s*(?:[\w.]*\bpartial\(\s*)?[\w.]+\.export\b(?!\s*\()")
NOT_CODE = ("comment", "string", "string_content", "string_start", "string_end")
BRACKET, WORD = re.compile(rb"\s*\("), re.compile(rb"\w")
ROUNDS = 4


class Argument:
    """One argument of an export call.

    Attributes:
        value: what it is, over all ways that lead to the call.
        node: the expression in the text; the whole `**splat` for an argument that came with one.
        keyword: the `name=value` node, or None for an argument given by position or by a splat.
        splat: it came with a splat.
    """

    __slots__ = ("name", "value", "node", "keyword", "splat")

    def __init__(self, name: str, value: Value, node: Node, splat: bool) -> None:
        self.name, self.value, self.node, self.splat = name, value, node, splat
        parent = node.parent
        spelled = not splat and parent is not None and parent.type == "keyword_argument"
        self.keyword = parent if spelled else None


class ExportCall:
    """One call of `torch.onnx.export` in the text.

    Attributes:
        node: the call.
        arguments: by name, in the order in which they are written.
        opaque: a splat may carry arguments that are not known.
        torch: the version that the call is judged against.
        exporter: `new`, `legacy` or None.
    """

    def __init__(self, script, observations: list[Observation]) -> None:
        self.script = script
        self.source: Source = script.source
        self.observations = observations
        self.node = observations[0].node
        self.callee = observations[0].callee
        self.torch = script.torch
        self.opaque = any(seen.arguments.open for seen in observations)
        self.overflow: list[Node] = []
        self.arguments = self._joined([self._bound(seen) for seen in observations])
        self.exporter = self._exporter()

    @cached_property
    def reached(self) -> list:
        """What is exported (`reachable.Reach`), on each way that leads here; empty where that is not known."""
        from onnx_lsp.script.reachable import reached

        return reached(self)

    @cached_property
    def walks(self) -> list:
        """What the reachable `forward` methods do (`forward.Walk`), for each way that leads here."""
        from onnx_lsp.script.forward import walks

        return walks(self)

    @property
    def list_node(self) -> Node:
        """The argument list, with its parentheses."""
        return self.node.child_by_field_name("arguments")

    def _bound(self, seen: Observation) -> dict[str, Argument]:
        given = seen.arguments
        order = torch_api.POSITIONAL if self.torch >= (2, 5) else torch_api.FORMER_ORDER
        bound = {}
        for position, value in enumerate(given.positional):
            node = given.nodes[position]
            splat = node.type == "list_splat"
            name = torch_api.FORMER_ORDER[position] if position < len(torch_api.FORMER_ORDER) else f"#{position}"
            bound[name] = Argument(name, value, node, splat)
            if position >= len(order):
                self.overflow.append(node)
        for name, value in given.keywords.items():
            bound[name] = Argument(name, value, given.nodes[name], name in given.splat)
        return bound

    def _joined(self, seen: list[dict[str, Argument]]) -> dict[str, Argument]:
        joined = {}
        for name in dict.fromkeys(name for bound in seen for name in bound):
            found = [bound[name] for bound in seen if name in bound]
            value = join([argument.value for argument in found])
            if len(found) < len(seen):
                value = value.loosened()
            joined[name] = Argument(name, value, found[0].node, found[0].splat)
        return joined

    def get(self, name: str) -> Value | None:
        """The value of an argument: None when it is surely not given, UNKNOWN when it may be."""
        argument = self.arguments.get(name)
        if argument is not None:
            return argument.value
        return UNKNOWN if self.opaque else None

    def given(self, name: str) -> bool | None:
        """Whether an argument is given and is not None; None when that is not known."""
        value = self.get(name)
        if value is None or value.must_be(None):
            return False
        return None if value.can_be(None) else True

    def _exporter(self) -> str | None:
        if self.callee == "torch.onnx.utils.export":
            return "legacy"
        if self.exports_program:
            return "new"
        value = self.get("dynamo")
        if value is None:
            guarded = any(kind != "signature" for kind in around(self.source, self.node, self.torch))
            return None if guarded else torch_api.default_exporter(self.torch)
        if value.partial or any(atom.via != "written" for atom in value.atoms):
            return None
        kinds = {"new" if isinstance(atom, Const) and atom.value is True else "legacy" for atom in value.atoms}
        unknown = not all(isinstance(atom, Const) for atom in value.atoms)
        return None if unknown or len(kinds) != 1 else kinds.pop()

    @property
    def exports_program(self) -> bool:
        """The model is an `ExportedProgram`: the new exporter takes it, whatever `dynamo` says, without examples."""
        model = self.get("model")
        return model is not None and isinstance(model.only, Made) and model.only.callee.startswith("torch.export.")

    @property
    def guarded(self) -> bool:
        """The call only runs where something about the installed torch was tested, or another export failed."""
        return bool(around(self.source, self.node, self.torch))

    @property
    def under_dynamic_flag(self) -> bool:
        """A condition around the call, or one before it that leaves, asks whether the model shall be dynamic."""
        return dynamic_flag(self.source, self.node)

    @property
    def path(self) -> str:
        """The path of the script."""
        return self.script.path

    @property
    def keyword_inputs(self) -> dict[str, Value] | None:
        """The example inputs given by `kwargs=`; None when they are not known, empty when there are none."""
        value = self.get("kwargs")
        if value is None or value.must_be(None):
            return {}
        atom = value.only
        if not isinstance(atom, Map) or atom.open:
            return None
        found = {key.constant: item for key, item in atom.entries}
        return found if all(isinstance(name, str) for name in found) else None

    @property
    def inputs(self) -> list[Value] | None:
        """The example inputs in order, those given by keyword last, or None when their number is not known."""
        value, named = self.get("args"), self.keyword_inputs
        if named is None or (value is None and not named):
            return None
        atoms = value.atoms if value is not None else (Seq("tuple", ()),)
        if value is not None and value.partial:
            return None
        if not all(isinstance(atom, Seq) for atom in atoms):
            several = any(isinstance(atom, (Seq, Map, Made)) for atom in atoms)
            return None if several else [value, *named.values()]
        if len({len(atom.items) for atom in atoms}) != 1 or not all(map(_lists_inputs, atoms)):
            return None
        return [*map(join, zip(*(atom.items for atom in atoms), strict=True)), *named.values()]

    @property
    def input_labels(self) -> list[str] | None:
        """The variables that hold the example inputs, where each is written as one."""
        argument = self.arguments.get("args")
        node = argument.node if argument else None
        if node is None or node.type not in ("tuple", "identifier"):
            return None
        items = [child for child in node.named_children if child.type != "comment"] if node.type == "tuple" else [node]
        names = [self.source.of(item) for item in items if item.type == "identifier"]
        return [*names, *(self.keyword_inputs or ())] if len(names) == len(items) else None

    @property
    def input_names(self) -> list[str] | None:
        """The names given to the inputs: empty when none are given, None when they are not known."""
        return self._names("input_names")

    @property
    def output_names(self) -> list[str] | None:
        """The names given to the outputs: empty when none are given, None when they are not known."""
        return self._names("output_names")

    def _names(self, argument: str) -> list[str] | None:
        value = self.get(argument)
        if value is None or value.must_be(None):
            return []
        return strings(value)

    def possible_names(self, argument: str) -> list[str] | None:
        """All names that this argument holds on any way that leads here; None when some are not known."""
        value = self.get(argument)
        if value is None:
            return []
        found: dict[str, None] = {}
        for atom in value.atoms:
            names = [] if isinstance(atom, Const) and atom.value is None else strings(Value((atom,)))
            if names is None:
                return None
            found.update(dict.fromkeys(names))
        return None if value.partial else list(found)

    @property
    def model_class(self) -> Class | None:
        """The class of the exported object, when it is one of this file."""
        value = self.get("model")
        atom = value.only if value else None
        return atom.cls if isinstance(atom, Obj) and isinstance(atom.cls, Class) else None

    @property
    def forward_parameters(self) -> list[str] | None:
        """The parameters of the model's `forward` without `self`; None when not known, or there are `*args`."""
        found = forward_parameters(self)
        return None if found is None else [parameter.name for parameter in found]


def _lists_inputs(atom: Seq) -> bool:
    """A sequence has one item for every input: a dict at its end would be keywords, and what a call made may be one."""
    last = atom.items[-1].only if atom.items else None
    return not atom.open and atom.kind != "set" and not isinstance(last, (Map, Made))


def find_calls(script) -> list[ExportCall]:
    """The export calls that a script can reach, in the order of the text."""
    functions = _exporting_functions(script.source)
    if functions is None:
        return []
    script.flow = Flow(script.source)
    found = script.flow.run(functions)
    found = {span: seen for span, seen in found.items() if not expects_failure(script.source, seen[0].node)}
    return [ExportCall(script, found[span]) for span in sorted(found)]


def _exporting_functions(source: Source) -> list[Node] | None:
    """The functions that mention an export or lead to one, callers first; None when nothing mentions one."""
    mentions = [match.start() for match in MENTION.finditer(source.data)]
    for match in ALIAS.finditer(source.data):
        name = match[1] or match[2]
        mentions += _calls_of(name, source.data)
    nodes = [source.node_at(at, at + 1) for at in mentions]
    nodes = [node for node in nodes if node is not None and node.type not in NOT_CODE]
    if not nodes:
        return None
    found: dict[int, Node] = {}
    fresh = nodes
    for _ in range(ROUNDS):
        functions = [function for node in fresh for function in _enclosing(node) if function.start_byte not in found]
        fresh = []
        for function in functions:
            if function.start_byte in found:
                continue
            found[function.start_byte] = function
            name = source.of(function.child_by_field_name("name")).encode()
            for at in _calls_of(name, source.data):
                node = source.node_at(at, at + 1)
                if node is not None and node.type == "identifier":
                    fresh.append(node)
    return list(found.values())[::-1]


def _calls_of(name: bytes, data: bytes) -> list[int]:
    """Where a name stands in front of a bracket. A pattern per name would take longer to compile than to search."""
    found, at = [], data.find(name)
    while at >= 0:
        end = at + len(name)
        if BRACKET.match(data, end) and not (at and WORD.match(data, at - 1)):
            found.append(at)
        at = data.find(name, end)
    return found


def _enclosing(node: Node) -> list[Node]:
    """The functions around a node, innermost first."""
    found = []
    while node is not None:
        if node.type == "function_definition":
            found.append(node)
        node = node.parent
    return found
