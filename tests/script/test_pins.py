"""Which torch a project holds back to."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp.script.pins import newest_allowed, target
from onnx_lsp.workspace import Workspace

NEWEST = (2, 13)
TEXTS = {
    "torch==2.3.1\n": (2, 3),
    "numpy\ntorch == 2.3.1+cu118 ; python_version > '3.8'\n": (2, 3),
    "torch>=2.0\n": NEWEST,
    "torch>=1.9,<2.1\n": (2, 0),
    "torch<2\n": (1, 13),
    "torch<3\n": NEWEST,
    "torch~=2.4\n": NEWEST,
    "torch~=2.4.0\n": (2, 4),
    "torch\n": NEWEST,
    "torch[opt]==2.2.0\n": (2, 2),
    "torch @ https://download.pytorch.org/whl/cpu/torch-2.1.0%2Bcpu-cp311.whl\n": (2, 1),
    "torchvision==0.14\n": None,
    "torch-geometric==2.3\npytorch-lightning==1.9\n": None,
    "# torch==1.2\nonnx\n": None,
    '[project]\ndependencies = ["numpy", "torch>=2.0,<2.5"]\n': (2, 4),
    '[tool.poetry.dependencies]\ntorch = "^2.1"\n': NEWEST,
    '[tool.poetry.dependencies]\ntorch = "1.13.1"\n': (1, 13),
    '[tool.poetry.dependencies]\ntorch = {version = "~2.2.0", source = "pytorch"}\n': (2, 2),
    '[[package]]\nname = "torch"\nversion = "2.5.1"\n': (2, 5),
    '{"default": {"torch": {"hashes": ["a"], "version": "==2.0.1"}}}': (2, 0),
    "channels:\n  - pytorch\ndependencies:\n  - pytorch=1.12.1\n": (1, 12),
    "dependencies:\n  - pytorch::pytorch=1.13.0\n  - pip\n": (1, 13),
    "install_requires=['torch==1.8.0', 'onnx']\n": (1, 8),
}


@pytest.mark.parametrize(("text", "wanted"), TEXTS.items())
def test_a_requirement(text: str, wanted: tuple[int, int] | None) -> None:
    assert newest_allowed(text) == wanted


def test_the_nearest_folder_decides_and_in_it_the_first_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text('dependencies = ["torch==2.2"]\n')
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "setup.py").write_text("setup(name='tools')\n")
    script = str(tmp_path / "tools" / "export.py")
    workspace = Workspace()
    assert target(script, None, workspace) == (2, 2)
    assert str(tmp_path / "pyproject.toml") in workspace.dependencies

    (tmp_path / "tools" / "requirements.txt").write_text("torch>=2.0\n")
    (tmp_path / "tools" / "requirements-gpu.txt").write_text("torch==2.1\n")
    assert target(script, None, Workspace()) == NEWEST
    assert target(script, "2.6.1", Workspace()) == (2, 6)


def test_nothing_above_the_top_of_a_project_counts(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==1.9\n")
    (tmp_path / "project" / ".git").mkdir(parents=True)
    assert target(str(tmp_path / "project" / "export.py"), None, Workspace()) == NEWEST


def test_a_file_that_allows_the_newest_leaves_the_word_to_one_that_does_not(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('dependencies = ["torch>=2.1,<3.0"]\n')
    (tmp_path / "requirements.txt").write_text("torch==2.4.1\n")
    assert target(str(tmp_path / "export.py"), None, Workspace()) == (2, 4)
