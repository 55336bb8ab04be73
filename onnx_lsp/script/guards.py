"""Guards: code that runs only where something is installed, old enough, or failed before."""

from __future__ import annotations

import re

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.source import Source
from onnx_lsp.script.torch_api import Version
from onnx_lsp.script.version_tests import holds, says_version

EXPECTED = ("AttributeError", "ImportError", "ModuleNotFoundError")
TESTS = ("version", "hasattr", "signature", "find_spec")
RAISES = re.compile(r"\b(?:raises|assertRaises\w*)\s*\(")
COMMENT = re.compile(r"#[^\n]*")
EXPORTS_AGAIN = re.compile(r"\b(?:_export|export|to_onnx|dynamo_export)\s*\(")


def tests_installation(source: Source, text: str) -> bool:
    """A condition asks what is installed, by itself or by a name that is bound to such a question."""
    lowered = text.lower()
    return any(word in lowered for word in TESTS) or says_version(source, text, TESTS)


def guarded_use(source: Source, node: Node) -> bool:
    """The use of a name is prepared for its absence: a handler for that error, or a test of what is installed."""
    child = node
    while (parent := child.parent) is not None:
        if parent.type in ("if_statement", "elif_clause", "conditional_expression", "boolean_operator"):
            test = parent.child_by_field_name("condition")
            if tests_installation(source, source.of(test if test is not None else parent)):
                return True
        elif parent.type == "try_statement" and child.type == "block" and _expects_absence(source, parent):
            return True
        elif parent.type == "except_clause":
            return True
        child = parent
    return False


def expects_failure(source: Source, node: Node) -> bool:
    """A test that this raises: `with pytest.raises(…)`, `with self.assertRaises(…)`."""
    while (node := node.parent) is not None and node.type != "function_definition":
        if node.type == "with_statement":
            clause = next((child for child in node.children if child.type == "with_clause"), None)
            if clause is not None and RAISES.search(source.of(clause)):
                return True
    return False


def _tries_exporters(source: Source, statement: Node) -> bool:
    """A `try` exports, and exports otherwise when that fails, by another exporter or for another torch."""
    handlers = [source.of(item) for item in statement.children if item.type == "except_clause"]
    again = any(EXPORTS_AGAIN.search(text) for text in handlers)
    code = COMMENT.sub("", source.of(statement))
    return again and ("dynamo" in code or any("TypeError" in text for text in handlers))


def _expects_absence(source: Source, statement: Node) -> bool:
    for clause in statement.children:
        if clause.type == "except_clause":
            text = source.of(clause)
            head = text.partition(":")[0].strip()
            if head == "except" or any(name in head for name in EXPECTED) or EXPORTS_AGAIN.search(text):
                return True
    return False


def around(source: Source, node: Node, torch: Version) -> list[str]:
    """What the statements around a call say about when it runs: `version`, `signature`, `except`, `retried`.

    An arm that is surely the one taken under this version of torch says nothing.
    """
    found = []
    child = node
    while (parent := child.parent) is not None and parent.type not in ("function_definition", "class_definition"):
        if parent.type in ("if_statement", "elif_clause", "conditional_expression"):
            test = parent.child_by_field_name("condition")
            text = source.of(test if test is not None else parent)
            taken = test is not None and holds(source, text, torch) is _is_consequence(parent, child)
            if not taken and tests_installation(source, text):
                found.append("signature" if "signature" in text and "dynamo" not in text else "version")
        elif parent.type == "try_statement" and _tries_exporters(source, parent):
            found.append("retried" if child.type == "block" else "except")
        child = parent
    return found


def _is_consequence(statement: Node, child: Node) -> bool:
    """A child of an `if` is what runs where its condition holds."""
    block = statement.child_by_field_name("consequence")
    return block is not None and block.start_byte == child.start_byte


def dynamic_flag(source: Source, node: Node) -> bool:
    """A condition around a node asks for a dynamic model, or one above it in the same block that ends by leaving."""
    child = node
    while (parent := child.parent) is not None and parent.type not in ("function_definition", "class_definition"):
        if parent.type in ("if_statement", "elif_clause", "conditional_expression") and _asks_dynamic(source, parent):
            return True
        if parent.type in ("block", "module"):
            above = (item for item in parent.children if item.end_byte <= child.start_byte)
            if any(item.type == "if_statement" and _asks_dynamic(source, item) and _leaves(item) for item in above):
                return True
        child = parent
    return False


def _asks_dynamic(source: Source, statement: Node) -> bool:
    test = statement.child_by_field_name("condition")
    return "dynamic" in source.of(test if test is not None else statement).lower()


def _leaves(statement: Node) -> bool:
    block = statement.child_by_field_name("consequence")
    last = block.named_children[-1] if block is not None and block.named_children else None
    return last is not None and last.type in ("return_statement", "raise_statement", "continue_statement")
