"""Edits in the layout of the author: `before` becomes `after`, and nothing else moves."""

from __future__ import annotations

import pytest

from onnx_lsp.diagnostics import Applicability, Fix, Position, TextEdit, TextRange
from onnx_lsp.script.edits import OverlappingEdits, apply_edits, apply_fixes, insert_arguments, literal, remove_argument
from onnx_lsp.script.source import Source
from tests.script.helpers import lint

INSERTED = {
    "one line": ("f(a, b)", "f(a, b, k='v')"),
    "no arguments": ("f()", "f(k='v')"),
    "trailing comma": ("f(a, b,)", "f(a, b, k='v',)"),
    "broken, trailing comma": ("f(\n    a,\n    b,\n)", "f(\n    a,\n    b,\n    k='v',\n)"),
    "broken, no comma": ("f(\n    a,\n    b\n)", "f(\n    a,\n    b,\n    k='v'\n)"),
    "hanging": ("f(a,\n  b)", "f(a,\n  b,\n  k='v')"),
    "comment after the comma": ("f(\n    a,  # x\n)", "f(\n    a,  # x\n    k='v',\n)"),
    "comment without comma": ("f(\n    a  # x\n)", "f(\n    a,  # x\n    k='v'\n)"),
    "comment of its own": ("f(\n    a,\n    # k=1,\n)", "f(\n    a,\n    k='v',\n    # k=1,\n)"),
    "several on a line": ("f(\n    a, b,\n    c, d,\n)", "f(\n    a, b,\n    c, d,\n    k='v',\n)"),
    "tabs": ("f(\n\ta,\n)", "f(\n\ta,\n\tk='v',\n)"),
    "carriage returns": ("f(\r\n    a,\r\n)", "f(\r\n    a,\r\n    k='v',\r\n)"),
    "a splat": ("f(a, **b)", "f(a, **b, k='v')"),
    "a value over lines": ("f(a, {\n    1: 2,\n})", "f(a, {\n    1: 2,\n}, k='v')"),
    "in a call": ("g(f(a), b)", "g(f(a, k='v'), b)"),
    "emoji before": ("x = '😀'; f(a)", "x = '😀'; f(a, k='v')"),
}

REMOVED = {
    "last": ("f(a, k=1)", "f(a)"),
    "first": ("f(k=1, a=2)", "f(a=2)"),
    "middle": ("f(a, k=1, b=2)", "f(a, b=2)"),
    "only": ("f(k=1)", "f()"),
    "trailing comma": ("f(a, k=1,)", "f(a, )"),
    "on its line": ("f(\n    a,\n    k=1,\n    b=2,\n)", "f(\n    a,\n    b=2,\n)"),
    "with its comment": ("f(\n    a,\n    k=1,  # x\n    b=2,\n)", "f(\n    a,\n    b=2,\n)"),
    "last of lines": ("f(a,\n  k=1)", "f(a)"),
    "after a comment": ("f(a,  # x\n  k=1)", "f(a,  # x\n  )"),
}


def find(source: Source, kind: str, text: str):
    """The first node of a kind whose text starts like this."""
    todo = list(source.statements)
    while todo:
        node = todo.pop(0)
        if node.type == kind and source.of(node).startswith(text):
            return node
        todo += node.children
    raise AssertionError(f"no {kind} {text}")


@pytest.mark.parametrize(("before", "after"), INSERTED.values(), ids=INSERTED)
def test_inserting(before: str, after: str) -> None:
    source = Source(before + "\nquote = 'single'\n")
    edits = insert_arguments(source, find(source, "call", "f("), {"k": "v"})
    assert apply_edits(source.text, edits) == after + "\nquote = 'single'\n"


@pytest.mark.parametrize(("before", "after"), REMOVED.values(), ids=REMOVED)
def test_removing(before: str, after: str) -> None:
    source = Source(before + "\n")
    edits = remove_argument(source, find(source, "keyword_argument", "k="))
    assert apply_edits(source.text, edits) == after + "\n"


def test_a_call_that_gets_too_long_is_spread() -> None:
    source = Source("def g():\n  f(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, (bbbbbbbbbbbbbbbbbbbbbbbbbbb, c), d)\n")
    axes = {name: {0: "batch"} for name in ("first_input", "second_input", "third_input", "fourth_input")}
    edits = insert_arguments(source, find(source, "call", "f("), {"names": ["x"], "axes": axes})
    wanted = """def g():
  f(
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
    (bbbbbbbbbbbbbbbbbbbbbbbbbbb, c),
    d,
    names=["x"],
    axes={
      "first_input": {0: "batch"},
      "second_input": {0: "batch"},
      "third_input": {0: "batch"},
      "fourth_input": {0: "batch"},
    },
  )
"""
    assert apply_edits(source.text, edits) == wanted


def test_literals() -> None:
    assert literal({"a": [1, None, ("b",)], 0: True}, '"') == '{"a": [1, None, ("b",)], 0: True}'
    assert literal("it's", "'") == "'it\\'s'"


def edit(start: int, end: int, text: str) -> TextEdit:
    return TextEdit(TextRange(Position(0, start), Position(0, end)), text)


def fix(*edits: TextEdit) -> Fix:
    return Fix("", Applicability.SAFE, edits)


def test_edits_are_about_the_text_as_it_was() -> None:
    assert apply_edits("abcdef", [edit(4, 5, "E"), edit(0, 1, ""), edit(2, 2, "+")]) == "b+cdEf"
    with pytest.raises(OverlappingEdits):
        apply_edits("abcdef", [edit(0, 3, ""), edit(2, 4, "")])


def test_fixes_are_made_wholly_or_not_at_all() -> None:
    one, other, third = fix(edit(0, 1, "A"), edit(5, 6, "F")), fix(edit(5, 6, "G")), fix(edit(2, 3, "C"))
    assert apply_fixes("abcdef", [one, other, third]) == ("AbCdeF", [one, third])


def test_an_inserted_line_keeps_the_files_line_ends() -> None:
    text = "import torch\r\nm = torch.nn.ReLU().eval()\r\ntorch.onnx.export(m, torch.ones(1, 2), 'm.onnx')\r\n"
    for item in lint(text):
        for repair in item.fixes:
            fixed = apply_edits(text, repair.edits)
            assert fixed.count("\n") == fixed.count("\r\n")
