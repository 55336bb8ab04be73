"""Which files a run looks at: walking, .gitignore as git reads it, excluding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.tool import model, onnx_lint, script


def listed(*arguments: object, cwd: Path) -> list[str]:
    done = onnx_lint("check", "--show-files", *arguments, cwd=cwd)
    assert done.code == 0, done
    return done.out.splitlines()


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (model if name.endswith(".onnx") else script)(path)


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def test_folders_are_walked_in_order_and_each_file_comes_once(tmp_path: Path) -> None:
    tree(tmp_path, "b.py", "a/x.onnx", "a/x.py", "c.PY", "notes.txt", "a/.hidden/y.py")
    assert listed(cwd=tmp_path) == ["a/.hidden/y.py", "a/x.onnx", "a/x.py", "b.py", "c.PY"]
    assert listed("b.py", "a", "a/x.py", "./b.py", cwd=tmp_path) == ["b.py", "a/.hidden/y.py", "a/x.onnx", "a/x.py"]


GITIGNORES = {
    ".gitignore": "*.onnx\n!keep.onnx\n/top.py\nout/\n",
    "a/.gitignore": "!x.onnx\nonly_here.py\ndeep/*.py\n!deep/kept.py\n",
    "a/b/.gitignore": "*\n!y.py\n",
}


def test_git_and_the_walk_agree_on_what_is_ignored(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for name, text in GITIGNORES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / ".git" / "info" / "exclude").write_text("secret.py\n")
    tree(
        tmp_path, "top.py", "a/top.py", "m.onnx", "keep.onnx", "out/z.py", "a/x.onnx", "a/w.onnx", "a/only_here.py",
        "only_here.py", "a/deep/gone.py", "a/deep/kept.py", "a/b/y.py", "a/b/z.py", "secret.py", "a/secret.py", "a/out/q.py",
    )  # fmt: skip
    known = git(tmp_path, "ls-files", "--others", "--exclude-standard").splitlines()
    assert listed(cwd=tmp_path) == sorted(name for name in known if name.endswith((".py", ".onnx")))
    assert listed("a", cwd=tmp_path) == [name for name in listed(cwd=tmp_path) if name.startswith("a/")]
    assert listed(".", cwd=tmp_path / "a") == [name[2:] for name in listed(cwd=tmp_path) if name.startswith("a/")]


def test_a_named_file_or_folder_is_linted_even_where_git_ignores_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("gen/\n")
    tree(tmp_path, "gen/e.py")
    assert listed(cwd=tmp_path) == []
    assert listed("gen/e.py", cwd=tmp_path) == ["gen/e.py"]
    assert listed("gen", cwd=tmp_path) == ["gen/e.py"]
    assert listed("--no-respect-gitignore", cwd=tmp_path) == ["gen/e.py"]


def test_a_gitignore_outside_of_a_repository_counts_only_below_itself(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.py\n")
    tree(tmp_path, "sub/e.py", "sub/f.py")
    (tmp_path / "sub" / ".gitignore").write_text("f.py\n")
    assert listed("sub", cwd=tmp_path) == ["sub/e.py"]


EXCLUDES = [
    (["--exclude", "gen"], ["e.py", "venv/v.py"]),
    (["--extend-exclude", "gen"], ["e.py"]),
    (["--extend-exclude", "gen/e.py"], ["e.py", "gen/f.py"]),
    (["--extend-exclude", "*/f.py,e.py"], []),
    ([], ["e.py", "gen/e.py", "gen/f.py"]),
]


@pytest.mark.parametrize(("options", "names"), EXCLUDES, ids=lambda value: " ".join(value))
def test_excluding(tmp_path: Path, options: list[str], names: list[str]) -> None:
    tree(tmp_path, "e.py", "gen/e.py", "gen/f.py", "venv/v.py")
    assert listed(*options, cwd=tmp_path) == names


def test_excluded_files_are_linted_when_named_unless_force_exclude(tmp_path: Path) -> None:
    tree(tmp_path, "gen/e.py")
    assert listed("gen/e.py", "--extend-exclude", "gen", cwd=tmp_path) == ["gen/e.py"]
    assert listed("gen/e.py", "--extend-exclude", "gen", "--force-exclude", cwd=tmp_path) == []
    (tmp_path / "onnx-lint.toml").write_text('force-exclude = true\nextend-exclude = ["gen"]\n')
    assert listed("gen/e.py", cwd=tmp_path) == []


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, "real/e.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "link.py").symlink_to("real/e.py")
    assert listed(cwd=tmp_path) == ["link.py", "real/e.py"]
