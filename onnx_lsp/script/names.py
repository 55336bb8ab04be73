"""What the names of a file are imported from, without following it: for rules about imported things as such.

Unlike the flow, this looks at the whole text at once; a name that is also bound in some other way is left alone.
"""

from __future__ import annotations

import re

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.source import Source

IMPORT = re.compile(rb"^[ \t]*(?:from|import)\b|[;:][ \t]*(?:from|import)\b", re.MULTILINE)


class Import:
    """One imported name: the dotted name it stands for, the local name, and where it is written.

    `full` is what was imported: for `import onnx.optimizer` that, while the local `onnx` stands for `onnx`.
    """

    __slots__ = ("dotted", "full", "local", "node", "statement")

    def __init__(self, full: str, local: str, node: Node, statement: Node, dotted: str | None = None) -> None:
        self.full, self.local, self.node, self.statement = full, local, node, statement
        self.dotted = dotted or full


class Imports:
    """All imports of a file, and what expressions of dotted names resolve to by them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.all: list[Import] = []
        for match in IMPORT.finditer(source.data):
            at = match.end() - 1
            node = source.node_at(at, at + 1)
            statement = node.parent if node is not None and node.type in ("import", "from") else None
            if statement is not None and statement.type in ("import_statement", "import_from_statement"):
                self.all += _imports_of(source, statement)
        self._by_name: dict[str, str | None] = {}
        for item in self.all:
            known = self._by_name.get(item.local, item.dotted)
            self._by_name[item.local] = item.dotted if known == item.dotted else None

    def resolve(self, node: Node) -> str | None:
        """The dotted name that an attribute chain or identifier stands for, or None."""
        parts: list[str] = []
        while node.type == "attribute":
            parts.append(self.source.of(node.child_by_field_name("attribute")))
            node = node.child_by_field_name("object")
        if node.type != "identifier":
            return None
        base = self._by_name.get(self.source.of(node))
        return ".".join([base, *reversed(parts)]) if base else None

    def uses(self, dotted: str) -> list[Node]:
        """Every place that uses the imported thing of this dotted name, imports not among them, in order."""
        last = dotted.rpartition(".")[2]
        names = {last, *(item.local for item in self.all if item.dotted == dotted)}
        found: dict[int, Node] = {}
        for name in names:
            for match in re.finditer(rb"\b" + re.escape(name.encode()) + rb"\b", self.source.data):
                node = self.source.node_at(match.start(), match.end())
                if node is None or node.type != "identifier" or self.in_import(node):
                    continue
                parent = node.parent
                if parent.type == "attribute" and parent.child_by_field_name("attribute") == node:
                    node = parent
                if self.resolve(node) == dotted:
                    found[node.start_byte] = node
        return [found[start] for start in sorted(found)]

    def imported(self, dotted: str) -> list[Import]:
        """The imports of this dotted name."""
        return [item for item in self.all if item.dotted == dotted]

    def in_import(self, node: Node) -> bool:
        while node is not None and node.type not in ("module", "block"):
            if node.type in ("import_statement", "import_from_statement"):
                return True
            node = node.parent
        return False


def _imports_of(source: Source, statement: Node) -> list[Import]:
    prefix = ""
    if statement.type == "import_from_statement":
        module = statement.child_by_field_name("module_name")
        prefix = source.of(module).replace(" ", "") + "." if module is not None else ""
    found = []
    for child in statement.children_by_field_name("name"):
        if child.type == "aliased_import":
            dotted = prefix + source.of(child.child_by_field_name("name"))
            found.append(Import(dotted, source.of(child.child_by_field_name("alias")), child, statement))
        elif prefix:
            found.append(Import(prefix + source.of(child), source.of(child), child, statement))
        else:
            top = source.of(child).partition(".")[0]
            found.append(Import(source.of(child), top, child, statement, dotted=top))
    return found
