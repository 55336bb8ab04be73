"""Text, positions and pieces: bad input costs the findings of the piece that is bad, and no others."""

from __future__ import annotations

import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Position
from onnx_lsp.script.source import Source
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests.script.helpers import codes, lint

EXPORT = 'torch.onnx.export(m, torch.randn(1, 2), "m.onnx", opset_version=11, dynamic_axes=None)\n'
GOOD = f"import torch\n\ndef first(m):\n    {EXPORT}"
LAST = f"\ndef last(m):\n    {EXPORT}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("abc\nx = '😀'; y", Position(1, 9)),
        ("abc\r\nx = '😀'; y", Position(1, 9)),
        ("abc\rx = 'é'; y", Position(1, 9)),
        ("\n\n\ty", Position(2, 1)),
        ("a\x0cb\u2028c\ny", Position(1, 0)),
    ],
)
def test_positions_count_characters_and_python_lines(text: str, place: Position) -> None:
    source = Source(text)
    offset = source.data.rindex(b"y")
    assert source.position(offset) == place
    assert source.offset(place) == offset


def test_a_position_past_the_end_of_a_line_is_its_end() -> None:
    source = Source("ab\r\ncd")
    assert source.offset(Position(0, 9)) == 2
    assert source.offset(Position(9, 9)) == len(source.data)


BROKEN = {
    "half-typed call": "def mid(m):\n    torch.onnx.export(m, (x\n",
    "half-typed def": "def mid(m\n",
    "open string": "def mid(m):\n    x = '''\n    y = 1\n",
    "open string, docstrings below": "x = '''\n",
    "stray bracket": "def mid(m):\n    return x]\n",
    "bad indentation": "def mid(m):\n      x = 1\n    y = 2\n",
    "merge conflict": "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
    "nothing but operators": "+ * / )\n",
    "a shell command": "pip install torch onnx\n",
    "deep nesting": "x = " + "f(" * 2000 + ")" * 2000 + "\n",
    "a byte of zero": "x = '\0'\n",
    "half a surrogate": "x = '\udc80'\n",
}


@pytest.mark.parametrize("middle", BROKEN.values(), ids=BROKEN)
def test_findings_around_an_error_stay(middle: str) -> None:
    found = [item for item in codes(lint(GOOD + middle + LAST)) if item[0] == "EXP301"]
    count = GOOD.count("\n") + middle.count("\n")
    assert found == [("EXP301", 4), ("EXP301", count + 3)]


def test_an_error_is_where_python_says() -> None:
    (problem,) = [item for item in lint("import onnx\n\nx = '😀' )\n") if item.code == "FIL009"]
    assert problem.severity.label == "error"
    assert problem.range.start == Position(2, 8)
    assert "unmatched ')'" in problem.message


def test_an_error_in_a_file_without_onnx_is_information() -> None:
    (problem,) = lint("x = )\n")
    assert (problem.code, problem.severity.label) == ("FIL009", "info")


def test_python_2_is_followed() -> None:
    text = f"import torch\nprint 'exporting'\nexec 'x = 1'\n{EXPORT}"
    assert ("EXP301", 4) in codes(lint(text))


def test_line_ends_do_not_matter() -> None:
    lines = GOOD + LAST
    wanted = codes(lint(lines))
    assert wanted
    assert codes(lint(lines.replace("\n", "\r\n"))) == wanted
    assert codes(lint(lines.replace("\n", "\r"))) == wanted
    assert codes(lint(lines.replace("    ", "\t"))) == wanted


def test_a_script_that_is_not_utf8(tmp_path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(("# naïve\n" + GOOD).encode("latin-1"))
    found = engine.lint_script(str(path), Settings(torch="2.13"), Workspace())
    assert {"FIL008", "EXP301"} <= {item.code for item in found}


def test_a_coding_line_is_obeyed(tmp_path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(("# -*- coding: latin-1 -*-  naïve\n" + GOOD).encode("latin-1"))
    found = engine.lint_script(str(path), Settings(torch="2.13"), Workspace())
    assert "EXP301" in {item.code for item in found}
    assert "FIL008" not in {item.code for item in found}


def test_a_vanished_script(tmp_path) -> None:
    found = engine.lint_script(str(tmp_path / "gone.py"), Settings(), Workspace())
    assert [item.code for item in found] == ["FIL001"]


def repeated(line: str, count: int) -> str:
    return "".join(line.replace("#", str(number)) for number in range(count))


HUGE = {
    "10,000 lines": repeated("x# = f(a#, b=#) + #\n", 10_000),
    "2,000 functions": repeated("def f#(a):\n    for b in a:\n        a.append(b)\n    return a\n", 2000),
    "5,000 calls": "def f(a):\n    return [a, a]\ny0 = 1\n" + repeated("y# = f(y#)\n", 5000),
    "a long dict": "d = {" + repeated('"k#": [#, #], ', 40_000) + "}\n",
    "a long string": "s = '" + "x" * 1_000_000 + "'\n",
    "a long sum": "y = " + "+".join(["1"] * 5000) + "\n",
    "branches": repeated("if a#:\n    x# = 1\nelse:\n    x# = 2\n", 1000),
    "elif": "if a:\n    pass\n" + repeated("elif a == #:\n    z = #\n", 2000),
    "nested loops": "".join("  " * level + f"for a{level} in b:\n" for level in range(18)) + "  " * 18 + "c = [c]\n",
    "short loops in loops": "rows = []\n"
    + "".join("    " * level + f"for a{level} in (1, 2, 3, 4):\n" for level in range(6))
    + "    " * 6 + "if c:\n" + "    " * 7 + "continue\n" + "    " * 6 + "rows.append(dict(a=a0, b=f(a5)))\n",
    "twins that double": "def f():\n    a = (1, 2)\n" + "    a = (a, a)\n" * 60 + "    return a\ny = f() if c else f()\n",
    "calls that double": "def f30(a):\n    pass\n" + repeated("def f#(a):\n    g(a)\n    f30(a)\n    f30(a)\n", 30),
    "comprehensions": "x = [[[[(a, b) for a in range(60)] for b in range(60)] for c in range(60)] for d in range(60)]\n",
    "big numbers": "x = 9**9**9**9\ny = 'a' * 10**12\nz = [0] * 10**12\n",
}  # fmt: skip


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_size_and_shape_do_not_cost_the_findings(text: str) -> None:
    found = codes(lint(f"import torch\n{text}\nm = object()\n{EXPORT}"))
    assert "EXP301" in [code for code, _ in found]
