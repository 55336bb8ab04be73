"""The hooks of this repository, run by the real pre-commit in a real git repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.tool import CLEAN_SCRIPT, SCRIPT, model, script

pytestmark = pytest.mark.slow


def git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "protocol.file.allow=always"]
    return subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True)


@pytest.fixture(scope="module")
def hooks(repository_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pre-commit would clone: this checkout as a repository of its own, committed."""
    source = tmp_path_factory.mktemp("hooks")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository_folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wanted = ("onnx_lsp/", "rules/", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
    for name in listed.stdout.split("\0"):
        if name.startswith(wanted) and (repository_folder / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository_folder / name, source / name)
    git(source, "init", "-q")
    git(source, "add", "-A")
    assert git(source, "commit", "-qm", "onnx-lint").returncode == 0
    return source


@pytest.fixture(scope="module")
def repository_folder() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(hooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that uses both hooks; pre-commit installs onnx-lsp into an environment of its own."""
    root = tmp_path_factory.mktemp("project")
    revision = git(hooks, "rev-parse", "HEAD").stdout.strip()
    (root / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: file://{hooks}\n  rev: {revision}\n  hooks:\n  - id: onnx-lint-fix\n  - id: onnx-lint\n"
    )
    (root / "pyproject.toml").write_text('[tool.onnx-lint]\nextend-exclude = ["third_party"]\n')
    git(root, "init", "-q")
    return root


def pre_commit(root: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=root, capture_output=True, text=True, env={**os.environ, "PRE_COMMIT_HOME": str(home), "NO_COLOR": "1"},
    )  # fmt: skip


def test_the_hooks_fix_scripts_and_stop_faulty_models(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("pre-commit")
    assert pre_commit(project, "install", home=home).returncode == 0
    script(project / "export.py")
    script(project / "third_party" / "export.py")
    model(project / "models" / "m.onnx")
    git(project, "add", "-A")
    first = git_commit(project, home)
    assert first.returncode == 1
    said = first.stdout + first.stderr
    assert "onnx-lint --fix" in said and "files were modified by this hook" in said, said
    assert "error[ONX010] undefined-tensor" in said, said
    assert (project / "export.py").read_text() == CLEAN_SCRIPT
    assert (project / "third_party" / "export.py").read_text() == SCRIPT, "excluded files are left alone"

    git(project, "add", "-A")
    second = git_commit(project, home)
    assert second.returncode == 1, "the model is still faulty"

    model(project / "models" / "m.onnx", metadata={"onnx-lint.ignore": "ONX010"})
    git(project, "add", "-A")
    third = git_commit(project, home)
    assert third.returncode == 0, third.stdout + third.stderr
    assert git(project, "status", "--porcelain").stdout == ""


def git_commit(root: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    return subprocess.run(
        ["git", *identity, "commit", "-qm", "x"], cwd=root, capture_output=True, text=True, env=environment
    )
