"""Notebooks: cells joined into one script, findings back in their cells, and sources rewritten in place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lsp.diagnostics import Position, TextRange
from onnx_lsp.script import notebook
from tests.notebooks import code, prose
from tests.notebooks import notebook as written

LINES = st.text(alphabet="ab\\\"'\n\r\té😀\u2028\ud800/", max_size=30)


def span(*numbers: int) -> TextRange:
    return TextRange(Position(*numbers[:2]), Position(*numbers[2:]))


def test_code_cells_are_joined_in_order() -> None:
    book = notebook.parse(written("import torch\n%cd ..", prose("# no"), "", "y = 1\n", code("ls", vscode={"languageId": "bash"})))
    assert book.text == "import torch\n      \n\ny = 1\n\n  "
    assert book.starts == (0, 2, 3, 5)
    assert book.place(span(3, 0, 3, 5)) == (3, span(0, 0, 0, 5))


def test_a_span_ends_with_its_cell() -> None:
    book = notebook.parse(written("ab", "cd\nef"))
    assert book.place(span(0, 1, 1, 0)) == (1, span(0, 1, 0, 2))
    assert book.is_whole(span(0, 1, 1, 0)) and book.is_whole(span(1, 0, 2, 2))
    assert not book.is_whole(span(0, 0, 1, 1))


@given(st.lists(LINES, max_size=4), st.integers(0, 3), LINES, st.booleans(), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_a_rewritten_cell_is_read_back_and_all_others_stay(cells, at, new, as_text, indent, ascii_only) -> None:
    listed = [{**code(""), "source": cell if as_text else cell.splitlines(keepends=True)} for cell in cells]
    data = {"metadata": {"a": "source"}, "cells": [prose("x"), *listed], "nbformat": 4}
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    assert notebook.rewrite(text, {}) == text
    assert notebook.rewrite(text, dict(enumerate(cells, 1))) == text
    if at < len(cells):
        changed = notebook.rewrite(text, {at + 1: new})
        assert notebook.parse(changed).sources == (*cells[:at], new, *cells[at + 1 :])
        kept = json.loads(changed)
        for cell in [*kept["cells"], *data["cells"]]:
            del cell["source"]
        assert kept == data


def test_only_the_lines_that_differ_are_written_anew() -> None:
    text = '{"nbformat":4, "cells" : [ {"cell_type":"code","source":["a = \\"\\u00e9\\"\\n" ,  "b\\n",\t"c\\/d"]} ]}'
    assert notebook.rewrite(text, {1: 'a = "é"\nB\nB2\nc/d'}) == text.replace('"b\\n"', '"B\\n",\t"B2\\n"')
    text = '{"cells":[{"cell_type":"code","source":"a\\u0041\\nb\\\\n\\nc"}],"nbformat":4}'
    assert notebook.rewrite(text, {1: "aA\nx\nc"}) == text.replace("b\\\\n\\n", "x\\n")


def test_the_lines_of_the_file() -> None:
    text = written("a\nb", "c\nd\n")
    listed = text.splitlines()
    for cell, line, wanted in [(1, 0, '"a\\n",'), (1, 1, '"b"'), (2, 0, '"c\\n",'), (2, 1, '"d\\n"'), (2, 2, '"d\\n"')]:
        first, last = notebook.file_lines(text, cell, span(line, 0, line, 1))
        assert listed[first - 1].strip() == wanted and first == last
    assert notebook.file_lines(text, 3, span(0, 0, 0, 1)) == (1, 1)


@pytest.mark.parametrize(
    "text",
    ["", " \n", '{"cells": []}', written(), written("x ="), written("1", metadata={}),
     written("using X; f(", metadata={"kernelspec": {"language": "julia"}}),
     written("x <- f(", metadata={"language_info": {"name": "R"}}),
     '{"cells": [1, null, {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3}], "metadata": []}'],
)  # fmt: skip
def test_odd_notebooks_are_read(text: str) -> None:
    assert isinstance(notebook.parse(text), notebook.Notebook)


@pytest.mark.parametrize(
    ("text", "case"),
    [("{", "json"), ('{"cells": [', "json"), ("<<<<<<< HEAD\n{}", "json"), ("[" * 100_000, "json"), ("[]", "other"),
     ("{}", "other"), ("3", "other"), ('{"cells": {}}', "other"), ('{"worksheets": [], "nbformat": 3}', "old"),
     ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "pointer"), ("1" * 5000, "json")],
)  # fmt: skip
def test_what_is_no_notebook_is_said(text: str, case: str) -> None:
    with pytest.raises(notebook.NotANotebook) as error:
        notebook.parse(text)
    assert error.value.case == case
