"""What is shipped works: the wheel carries the cards and lints, and the README's main command does what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run(*command: str, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, **options)


def checkout(repository: Path, target: Path) -> Path:
    """A copy of what git would hand to a stranger: tracked files, and new ones that are not ignored."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=repository, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (repository / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, target / name)
    return target


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Path(__file__).resolve().parent.parent
    source = checkout(repository, tmp_path_factory.mktemp("source"))
    out = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", str(out), ".", cwd=source)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_card_and_nothing_else_of_the_checkout(wheel: Path, repository: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    cards = {f"onnx_lsp/{path.relative_to(repository).as_posix()}" for path in (repository / "rules").rglob("*.md")}
    assert cards and cards <= names
    assert not [name for name in names if not name.startswith(("onnx_lsp/", "onnx_lsp-"))]


def test_the_installed_wheel_lints_from_its_own_cards(wheel: Path, repository: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", system_site_packages=False, with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", str(wheel), cwd=tmp_path, check=True)
    shutil.copytree(repository / "examples", tmp_path / "examples")
    done = run(str(python.parent / "onnx-lint"), "check", "examples", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    files = {item["file"] for item in json.loads(done.stdout)}
    assert {"examples/export.py", "examples/classifier.onnx"} <= files
    card = run(str(python.parent / "onnx-lint"), "rule", "EXP206", cwd=tmp_path, check=True).stdout
    assert "missing-dynamic-axes" in card


def test_the_main_command_of_the_readme_finds_faults_in_a_script_and_in_a_model(repository: Path, tmp_path: Path) -> None:
    block = re.search(r"^## Lint something now$.*?^```sh\n(.*?)^```$", (repository / "README.md").read_text(), re.M | re.S)
    done = run("sh", "-c", block[1], cwd=checkout(repository, tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"examples/export\.py\S*", done.stdout)
    assert re.search(r"examples/classifier\.onnx\S*", done.stdout)
    assert "EXP206" in done.stdout


def test_onnx_lint_lints_the_scripts_of_its_own_repository(repository: Path) -> None:
    done = run(sys.executable, "-m", "onnx_lsp.cli", "check", ".", "--fail-on", "info", cwd=repository)
    assert done.returncode == 0, done.stdout + done.stderr
