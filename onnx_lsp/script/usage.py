"""What a script does with models beside exporting them: sessions, checkers, other exporters, and uses of a path.

A `Use` is a recorded call with its values; the functions below it look at the text, where values do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lsp.script.flow import Flow, Observation
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.guards import expects_failure
from onnx_lsp.script.source import Source
from onnx_lsp.script.values import Made, Value, join

USING = (
    rb"InferenceSession|check_model|convert_version|from_keras|from_function|convert_sklearn|to_onnx|main_export"
    rb"|onnx_export_from_model|\.export\s*\("
)
NOT_CODE = ("comment", "string", "string_content", "string_start", "string_end")


class Use:
    """A watched call: its node, its dotted callee, its arguments over all ways that lead to it, and its owner."""

    def __init__(self, source: Source, seen: list[Observation]) -> None:
        self.source = source
        self.node: Node = seen[0].node
        self.callee = seen[0].callee
        self.owner: Value | None = None if seen[0].owner is None else join([one.owner for one in seen if one.owner])
        self._seen = seen

    @property
    def open(self) -> bool:
        """A splat may carry further arguments."""
        return any(one.arguments.open for one in self._seen)

    def get(self, position: int, name: str) -> Value | None:
        """An argument by position (-1 for none) or name; None when it is not given on any way."""
        found = [_argument(one, position, name) for one in self._seen]
        given = [value for value in found if value is not None]
        if not given:
            return None
        value = join(given)
        return value if len(given) == len(found) else value.loosened()

    def place(self, position: int, name: str) -> Node:
        """The expression of an argument; the call where it has none of its own."""
        nodes = self._seen[0].arguments.nodes
        return nodes.get(name) or nodes.get(position) or self.node


def _argument(seen: Observation, position: int, name: str) -> Value | None:
    given = seen.arguments
    if name in given.keywords:
        return given.keywords[name]
    return given.positional[position] if 0 <= position < len(given.positional) else None


def find_uses(script) -> list[Use]:
    """The watched calls of a script, in the order of the text."""
    source: Source = script.source
    nodes = [source.node_at(match.start(), match.start() + 1) for match in re.finditer(USING, source.data)]
    nodes = [node for node in nodes if node is not None and node.type not in NOT_CODE]
    if not nodes:
        return []
    _ = script.calls
    if script.flow is None:
        script.flow = Flow(source)
        script.flow.run([])
    script.flow.also([function for node in nodes if (function := function_of(node)) is not None])
    uses = script.flow.uses
    return [Use(source, uses[span]) for span in sorted(uses) if not expects_failure(source, uses[span][0].node)]


def function_of(node: Node) -> Node | None:
    """The function around a node."""
    while node is not None and node.type != "function_definition":
        node = node.parent
    return node


def enclosing(node: Node, *kinds: str) -> Node | None:
    """The nearest ancestor of one of these types within the function."""
    node = node.parent
    while node is not None and node.type not in kinds:
        if node.type in ("function_definition", "class_definition"):
            return None
        node = node.parent
    return node


def names_in(source: Source, name: str, within: Node | None) -> Iterator[Node]:
    """The identifiers of this name in a function, or in the whole file."""
    data = source.data if within is None else source.data[: within.end_byte]
    start = 0 if within is None else within.start_byte
    for match in re.compile(rb"\b" + re.escape(name.encode()) + rb"\b").finditer(data, start):
        node = source.node_at(match.start(), match.end())
        if node is not None and node.type == "identifier":
            yield node


def call_around(node: Node) -> Node | None:
    """The call that has this expression as an argument, directly or inside a larger expression of the statement."""
    child = node
    while (parent := child.parent) is not None and parent.type not in ("block", "module"):
        if parent.type == "argument_list" and parent.parent is not None:
            return parent.parent
        child = parent
    return None


def paths(value: Value | None) -> set[str] | None:
    """The paths that this surely is one of; None where it may be another."""
    found = value.constants if value is not None else None
    if found is None or not all(isinstance(path, str) for path in found):
        return None
    return {path.removeprefix("./") for path in found}


def call_nodes(file, dotted: str) -> list[Node]:
    """The calls of an imported thing."""
    found = [use.parent for use in file.imports.uses(dotted)]
    return [node for node in found if node is not None and node.type == "call"]


def session_paths(use: Use) -> set[str] | None:
    """The paths of the session that `run` is called on."""
    atom = use.owner.only if use.owner else None
    return paths(atom.argument(0, "path_or_bytes")) if isinstance(atom, Made) else None
