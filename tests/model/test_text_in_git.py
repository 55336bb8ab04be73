"""`onnx-lint view`, by itself and as git's textconv driver, in a real repository."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from tests.model.test_text import BRANCHES, TEXT_OF_BRANCHES

VIEW = [sys.executable, "-m", "onnx_lsp.cli", "view"]


def view(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([*VIEW, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.parser.parse_model(BRANCHES).SerializeToString())
    return path


def test_it_prints_the_model(model: Path) -> None:
    done = view(model)
    assert (done.returncode, done.stdout, done.stderr) == (0, TEXT_OF_BRANCHES, "")


def test_it_prints_one_item(model: Path) -> None:
    assert view(model, "--path", "graph/node[1].then_branch/node[0]").stdout == "p = Add(h, u)\n"
    missing = view(model, "--path", "graph/node[2]")
    assert missing.returncode == 2
    assert missing.stderr == f"onnx-lint: {model} has no `graph/node[2]`; `graph` has 2 nodes, counted from 0\n"


def test_its_full_text_is_a_model_that_is_linted(model: Path) -> None:
    text = model.with_suffix(".onnxtxt")
    text.write_text(view(model, "--full").stdout)
    assert view(text).stdout == TEXT_OF_BRANCHES
    checked = subprocess.run([*VIEW[:-1], "check", "--isolated", text], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_is_no_model_is_one_comment_and_no_failure(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    for content, said in {b"": "the file is empty", b"<html></html>": "the file is an HTML page"}.items():
        broken.write_bytes(content)
        done = view(broken)
        assert done.returncode == 0 and done.stdout.startswith(f"# no ONNX model: {said}")
    assert view(tmp_path / "gone.onnx").returncode == 2


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository set up as docs/git.md says, with one model committed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / ".gitattributes").write_text("*.onnx diff=onnx\n")
    (folder / "m.onnx").write_bytes(onnx.parser.parse_model(BRANCHES).SerializeToString())
    git(folder, "init", "-q")
    git(folder, "config", "diff.onnx.textconv", shlex.join(VIEW))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "a model")
    return folder


def git(folder: Path, *arguments: str) -> str:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def changed_lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_git_diff_shows_what_changed_in_a_model(repository: Path) -> None:
    text = BRANCHES.replace("factor = 2.0", "factor = 3.0").replace("{1, 2}", "{1, 4}")
    (repository / "m.onnx").write_bytes(onnx.parser.parse_model(text).SerializeToString())
    assert changed_lines(git(repository, "diff")) == [
        "-  [first] h = my.ops.Scale<factor = 2.0>(x)",
        "+  [first] h = my.ops.Scale<factor = 3.0>(x)",
        "-      float[2] u = {1.0, 2.0}",
        "+      float[2] u = {1.0, 4.0}",
    ]


def test_a_changed_weight_changes_its_line_alone(repository: Path) -> None:
    weights = []
    for number in range(3):
        data = bytes([number]) * 4096
        weights.append(onnx.TensorProto(name=f"w{number}", data_type=onnx.TensorProto.INT8, dims=[4096], raw_data=data))
    path = repository / "weights.onnx"
    for change in (False, True):
        if change:
            weights[0].raw_data = b"\x07" + weights[0].raw_data  # and every weight behind it moves
            weights[0].dims[0] += 1
        path.write_bytes(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], weights)).SerializeToString())
        git(repository, "add", ".")
        if not change:
            git(repository, "commit", "-qm", "weights")
    lines = changed_lines(git(repository, "diff", "--cached"))
    assert [line.split(" = ")[0].strip("+- ") for line in lines if "w" in line.split(" = ")[0].split()[-1]][-2:] == [
        "int8[4096] w0", "int8[4097] w0"]  # fmt: skip
    assert not any(" w1 " in line or " w2 " in line for line in lines)


def test_a_broken_model_in_the_history_does_not_end_the_log(repository: Path) -> None:
    (repository / "m.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    git(repository, "commit", "-qam", "a pointer")
    (repository / "m.onnx").unlink()
    git(repository, "commit", "-qam", "gone")
    log = git(repository, "log", "-p")
    assert "+# no ONNX model: the file is a Git LFS pointer; run `git lfs pull`" in log
    assert "+  [first] h = my.ops.Scale<factor = 2.0>(x)" in log
