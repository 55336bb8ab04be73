"""Notebooks on the command line: found, linted cell by cell, fixed in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.tool import check, onnx_lint
from tests.notebooks import EXPORT, KERNEL, code, notebook, prose, sources, write

SETUP = "%matplotlib inline\nimport torch\n\nmodel.eval()\nnames = 'x'"
BAD = "# 😀 é\n" + EXPORT.format(names='"😀"') + "\n!ls"
LATER = EXPORT.format(names="names")
GOOD = EXPORT.format(names='["x"]')


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write(tmp_path / "nb.ipynb", prose("# Export"), SETUP, "%%bash\ntorch.onnx.export('", prose("."), BAD, LATER)


def test_findings_name_the_cell_and_count_in_it(book: Path) -> None:
    bad, later = check(book, cwd=book.parent).found
    assert (bad["code"], bad["file"], bad["cell"]) == ("EXP504", "nb.ipynb", 3)
    column = EXPORT.index("{names}") + 1
    assert bad["range"] == {"start": {"line": 2, "column": column}, "end": {"line": 2, "column": column + 3}}
    assert (later["code"], later["cell"]) == ("EXP504", 4), "what `names` is, an earlier cell says"


def test_text_shows_the_line_of_the_cell(book: Path) -> None:
    done = onnx_lint("check", "--no-cache", "--output-format", "concise", book, cwd=book.parent)
    assert done.out.startswith("nb.ipynb:cell 3:2:54: error EXP504 [*] ")
    done = onnx_lint("check", "--no-cache", book, cwd=book.parent)
    assert "  --> nb.ipynb:cell 4:1:54\n" in done.out
    assert f"  1 | {LATER}\n" in done.out


def test_formats_that_know_only_lines_name_those_of_the_file(book: Path) -> None:
    line = next(number for number, text in enumerate(book.read_text().splitlines(), 1) if "input_names=names" in text)
    out = {
        name: onnx_lint("check", "--no-cache", "--output-format", name, book, cwd=book.parent).out
        for name in ("github", "gitlab", "sarif", "junit")
    }
    assert f"file=nb.ipynb,line={line},endLine={line}::cell 4, line 1: " in out["github"]
    assert json.loads(out["gitlab"])[1]["location"]["lines"] == {"begin": line, "end": line}
    place = json.loads(out["sarif"])["runs"][0]["results"][1]["locations"][0]
    assert place["physicalLocation"]["region"] == {"startLine": line, "endLine": line}
    assert place["logicalLocations"] == [{"fullyQualifiedName": "cell[4]", "kind": "element"}]
    assert f'line="{line}"' in out["junit"] and "nb.ipynb:cell 4:1:54" in out["junit"]


def test_fix_writes_the_lines_it_changes_and_nothing_else(book: Path) -> None:
    before = book.read_text()
    done = check("--fix", book, cwd=book.parent)
    assert (done.code, done.found) == (0, [])
    wanted = before.replace('input_names=\\"😀\\"', 'input_names=[\\"😀\\"]')
    assert book.read_text() == wanted.replace("input_names=names", "input_names=[names]")
    assert sources(book)[0] == SETUP


def test_a_compact_notebook_with_a_byte_order_mark_stays_so(tmp_path: Path) -> None:
    data = json.loads(notebook(SETUP, LATER))
    data["cells"][1]["source"] = LATER
    path = tmp_path / "nb.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(data).encode())
    before = path.read_bytes()
    assert check("--fix", path, cwd=tmp_path).found == []
    assert path.read_bytes() == before.replace(b"=names,", b"=[names],")


def test_diff_shows_the_json_and_writes_nothing(book: Path) -> None:
    before = book.read_bytes()
    done = onnx_lint("check", "--no-cache", "--diff", book, cwd=book.parent)
    assert done.code == 1 and "--- a/nb.ipynb\n+++ b/nb.ipynb\n" in done.out
    assert [line for line in done.out.splitlines() if line[0] == "+"][2].strip("+ ").startswith('"torch.onnx.export')
    assert book.read_bytes() == before


def test_notebooks_come_over_standard_input(book: Path) -> None:
    text = book.read_bytes()
    done = onnx_lint("check", "-", "--stdin-filename", "a.ipynb", "--output-format", "concise", cwd=book.parent, stdin=text)
    assert done.out.startswith("a.ipynb:cell 3:2:54: ")
    done = onnx_lint("check", "-", "--stdin-filename", "a.ipynb", "--fix", cwd=book.parent, stdin=text)
    assert json.loads(done.out)["cells"][4]["source"][1].count('["😀"]') == 1


def test_folders_and_the_cache_know_notebooks(book: Path) -> None:
    write(book.parent / "clean.ipynb", SETUP, GOOD)
    checkpoints = book.parent / ".ipynb_checkpoints"
    checkpoints.mkdir()
    (checkpoints / "nb-checkpoint.ipynb").write_bytes(book.read_bytes())
    runs = [
        onnx_lint("check", ".", "--output-format", "json", cwd=book.parent, XDG_CACHE_HOME=str(book.parent / "cache"))
        for _ in range(2)
    ]
    assert runs[0].out == runs[1].out
    assert [(item["file"], item["cell"]) for item in runs[1].found] == [("nb.ipynb", 3), ("nb.ipynb", 4)]


def test_comments_in_cells_suppress(tmp_path: Path) -> None:
    ignored = LATER + "  # onnx-lint: ignore[EXP504]"
    idle = "x = 1  # onnx-lint: ignore[EXP504]"
    path = write(tmp_path / "nb.ipynb", SETUP, ignored, "# onnx-lint: ignore[EXP504]\n" + LATER, idle)
    [found] = check(path, cwd=tmp_path).found
    assert (found["code"], found["cell"], found["range"]["start"]) == ("FIL010", 4, {"line": 1, "column": 8})
    path = write(tmp_path / "nb.ipynb", "# onnx-lint: ignore-file[EXP504]\n" + SETUP, LATER)
    assert check(path, cwd=tmp_path).found == []


def test_ignores_are_added_to_cells(book: Path) -> None:
    done = onnx_lint("check", "--add-ignores", book, cwd=book.parent)
    assert done.out.startswith("Added 2 ignores in 1 file.")
    assert sources(book)[3] == LATER + "  # onnx-lint: ignore[EXP504]"
    assert check(book, cwd=book.parent).found == []


def test_a_syntax_error_stays_in_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "nb.ipynb", SETUP, "def f(:\n", "await f()\n    ", LATER)
    found = check(path, cwd=tmp_path).found
    assert [(item["code"], item["cell"]) for item in found] == [("FIL009", 2), ("EXP504", 4)]
    path = write(tmp_path / "nb.ipynb", SETUP, "x = (1,\n", "x = 1")
    [found] = check(path, cwd=tmp_path).found
    assert (found["code"], found["cell"]) == ("FIL009", 2)


@pytest.mark.parametrize(
    ("text", "codes", "says"),
    [
        ("", [], ""),
        (notebook(), [], ""),
        (notebook(LATER + " (", metadata={"kernelspec": {"language": "julia"}}), [], ""),
        (notebook(SETUP, code(LATER, vscode={"languageId": "julia"})), [], ""),
        ("{", ["FIL012"], "not valid JSON: expecting property name enclosed in double quotes at line 1, column 2"),
        ("<<<<<<< HEAD\n" + notebook(), ["FIL012"], "not valid JSON"),
        ("[" * 100_000, ["FIL012"], "not valid JSON"),
        ('{"a": 1}', ["FIL012"], "not a notebook"),
        ('{"nbformat": 3, "worksheets": [{"cells": []}]}', ["FIL012"], "in format 3"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", ["FIL012"], "`git lfs pull`"),
    ],
)
def test_what_cannot_be_linted_is_one_finding_or_none(tmp_path: Path, text: str, codes: list[str], says: str) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_text(text, encoding="utf-8")
    done = check("--fix", path, cwd=tmp_path)
    assert done.codes == codes
    assert not codes or (says in done.found[0]["message"] and "cell" not in done.found[0])
    assert path.read_text(encoding="utf-8") == text


def test_a_notebook_that_is_not_utf_8_is_said(tmp_path: Path) -> None:
    path = tmp_path / "nb.ipynb"
    path.write_bytes(notebook("x = 'é'").encode("latin-1"))
    assert check(path, cwd=tmp_path).codes == ["FIL008"]


def test_the_kernel_may_be_named_in_many_ways(tmp_path: Path) -> None:
    named = ({"language_info": {"name": "python", "version": "3.12"}}, {"kernelspec": {"language": "Python3"}})
    for metadata in (KERNEL, {}, *named):
        path = write(tmp_path / "nb.ipynb", SETUP, LATER, metadata=metadata)
        assert check(path, cwd=tmp_path).codes == ["EXP504"]
