"""What only IPython understands is taken out of a cell, and everything else stays where it is."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lsp.script.magics import blank

# A cell, and what of it remains; spaces count only in front of text.
CELLS = [
    ("%matplotlib inline\nx = 1", "\nx = 1"),
    ("!pip install torch", ""),
    ("!pip install a \\\n  b\nx", "\n\nx"),
    ("if x:\n    !ls\n    %cd ..", "if x:\n    _\n    _"),
    ("files = !ls *.py\nf(files)", "files = _\nf(files)"),
    ("a, b = %env OPSET", "a, b = _"),
    ("torch.onnx.export?", ""),
    ("?torch.onnx.export\nx??\n!!ls", "\n\n"),
    ("%time y = model(x)", ""),
    ("%%bash\ntorch.onnx.export('", "\n"),
    ("\n%%writefile a.py\nx", "\n\n"),
    ("%%time\nx = 1", "\nx = 1"),
    ("%%capture out\n%cd ..\nx = 1", "\n\nx = 1"),
    ("%%html", ""),
]
PYTHON = [
    "x = '''\n%d items\n!ls\n?\n'''",
    "x = f(a\n  % b)",
    "x = a \\\n  % b",
    "x %= 3\na != b\nif a == b: pass",
    "# is it so?\nx = 'why?'  # what = !ls ?",
    "print('%s'\n      % x)",
    "x = '\\\n!ls'",
    "x = {\n  'a': 1,\n  'b': 2\n}",
    "await f()\ny = [i async for i in g()]",
]


@pytest.mark.parametrize(("cell", "remains"), CELLS)
def test_magics_become_white_space(cell: str, remains: str) -> None:
    found = blank(cell)
    assert [len(line) for line in found.split("\n")] == [len(line) for line in cell.split("\n")]
    assert [line.rstrip() for line in found.split("\n")] == remains.split("\n")
    ast.parse(found)


@pytest.mark.parametrize("cell", PYTHON)
def test_python_stays_as_it_is(cell: str) -> None:
    assert blank(cell) == cell


@given(st.text(alphabet="x=%!?'\"\\()[]#\n \té😀", max_size=60))
def test_nothing_ever_moves(cell: str) -> None:
    found = blank(cell)
    assert len(found) == len(cell)
    assert all(new == old or (new in " _" and old not in "\r\n") for new, old in zip(found, cell, strict=True))
    assert re.findall(r"\n", found) == re.findall(r"\n", cell)
