"""The extension in a real VS Code, with the real server in this Python."""

from __future__ import annotations

import shutil
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(repository, tmp_path):
    """A workspace with an export script and a broken model."""
    place = tmp_path / "project"
    shutil.copytree(repository / "examples", place)
    return place


def test_a_model_that_lies_in_the_workspace_is_linted(open_folder, folder):
    (folder / "any.py").write_text("x = 1\n")
    window = open_folder(folder)
    window.show_problems()
    window.problem("`logit` of `Softmax` is produced by nothing").wait_for()
    window.open("any.py")
    assert sys.executable in window.language_status()
