"""The extension in a real VS Code, with the real server in this Python."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.e2e.vscode.processes import servers_in

pytestmark = pytest.mark.slow
SCRIPT = """\
import torch
from torch import nn

model = nn.Linear(4, 2).eval()
torch.onnx.export(model, torch.randn(1, 4), "one.onnx")
torch.onnx.export(model, torch.randn(1, 4), "two.onnx", input_names="x", dynamic_axes=None)
"""
BROKEN = "`logit` of Softmax `softmax` is produced by nothing"


@pytest.fixture
def folder(repository, tmp_path):
    """A workspace with an export script and a broken model."""
    place = tmp_path / "project"
    place.mkdir()
    (place / "export.py").write_text(SCRIPT)
    shutil.copy(repository / "examples" / "classifier.onnx", place)
    return place


def test_a_quick_fix_repairs_the_script(open_folder, folder):
    window = open_folder(folder)
    window.open("export.py")
    window.show_problems()
    expect(window.problem("EXP206")).to_have_count(1)
    expect(window.problem("EXP504")).to_have_count(1)
    expect(window.problem(BROKEN)).to_have_count(1)
    expect(window.squiggles("info")).to_have_count(1)
    window.quick_fix("EXP206", "Add `dynamic_axes`")
    expect(window.problem("EXP206")).to_have_count(0)
    window.save()
    assert keywords(folder / "export.py", line=5)["dynamic_axes"] == {"input": {0: "batch"}, "output": {0: "batch"}}


def test_fix_all_applies_the_safe_fixes_and_only_those(open_folder, folder):
    window = open_folder(folder)
    window.open("export.py")
    window.show_problems()
    expect(window.problem("EXP504")).to_be_visible()
    window.open("export.py")
    window.run("ONNX: Fix All Safe Problems in This Script")
    expect(window.problem("EXP504")).to_have_count(0)
    expect(window.problem("EXP206")).to_be_visible()
    window.save()
    assert (folder / "export.py").read_text() == SCRIPT.replace('"x"', '["x"]')


def test_models_are_linted_and_linted_again_when_they_are_written(open_folder, folder):
    window = open_folder(folder)
    window.show_problems()
    expect(window.problem(BROKEN)).to_have_count(1)
    (folder / "classifier.onnx").rename(folder / "better.onnx")
    expect(window.problem("better.onnx")).to_be_visible()
    expect(window.problem("classifier.onnx")).to_have_count(0)
    (folder / "better.onnx").write_bytes(b"")
    expect(window.problem("FIL002")).to_be_visible()
    expect(window.problem(BROKEN)).to_have_count(0)


def test_the_status_names_the_interpreter_and_restart_brings_the_findings_back(open_folder, folder):
    window = open_folder(folder)
    window.open("export.py")
    window.show_problems()
    expect(window.problem(BROKEN)).to_be_visible()
    window.language_status(sys.executable)
    window.run("ONNX: Restart Language Server")
    expect(window.problem(BROKEN)).to_have_count(0)
    expect(window.problem(BROKEN)).to_have_count(1)


def test_a_server_that_dies_comes_back_without_a_pop_up(open_folder, folder):
    window = open_folder(folder)
    window.open("export.py")
    window.show_problems()
    expect(window.problem(BROKEN)).to_be_visible()
    (server,) = servers_in(folder)
    (folder / "classifier.onnx").write_bytes(b"")
    os.kill(server, signal.SIGKILL)
    expect(window.problem("FIL002")).to_be_visible()
    expect(window.problem("EXP206")).to_be_visible()
    assert len(servers_in(folder)) == 1 and server not in servers_in(folder)
    expect(window.notifications()).to_have_count(0)


def test_a_server_that_cannot_start_runs_after_a_restart_once_it_can(open_folder, folder):
    obstacle = folder / "obstacle"
    obstacle.touch()
    python = wrapper(folder, f'[ "$1" = -c ] || [ ! -e "{obstacle}" ] || exit 1')
    window = open_folder(folder, interpreter=python)
    window.open("export.py")
    window.language_status("The server keeps ending")
    expect(window.notifications()).to_contain_text("The server keeps ending")
    obstacle.unlink()
    window.run("ONNX: Restart Language Server")
    window.show_problems()
    expect(window.problem("EXP206")).to_be_visible()
    window.language_status(python)


def test_settings_count_at_once(open_folder, folder):
    window = open_folder(folder)
    window.show_problems()
    expect(window.problem(BROKEN)).to_be_visible()
    workspace_settings(folder, {"onnx-lint.ignore": ["ONX010"], "onnx-lint.nativeTimeout": 30})
    expect(window.problem(BROKEN)).to_have_count(0)
    workspace_settings(folder, {})
    expect(window.problem(BROKEN)).to_be_visible()
    expect(window.notifications()).to_have_count(0)


def test_a_finding_opens_its_rule(open_folder, folder):
    window = open_folder(folder)
    window.show_problems()
    window.problem(BROKEN).get_by_text("ONX010").click(modifiers=["Control"])
    expect(window.page.locator(".tab.active")).to_contain_text("ONX010")
    card = window.page.locator(".webview").content_frame.locator("iframe").content_frame
    expect(card.get_by_role("heading", name="What it does")).to_be_visible()


def test_a_missing_server_is_told_once_with_the_command_that_installs_it(open_folder, folder):
    python = empty_environment(folder)
    window = open_folder(folder, interpreter=python)
    window.open("export.py")
    window.language_status("onnx-lint does not run")
    expect(window.notifications()).to_contain_text(f"{python} -m pip install onnx-lsp")
    window.reload()
    window.open("export.py")
    window.language_status(f"{python} -m pip install onnx-lsp")
    expect(window.notifications()).to_have_count(0)


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_trusted_workspace_chooses_the_interpreter(open_folder, folder, trusted):
    witness = folder / "started"
    wrapper(folder, f'touch "{witness}"')
    workspace_settings(folder, {"onnx-lint.interpreter": "${workspaceFolder}/python"})
    window = open_folder(folder, trusted=trusted)
    restricted = window.page.locator(".statusbar-item", has_text="Restricted Mode")
    window.show_problems()
    expect(window.problem(BROKEN)).to_be_visible()
    expect(restricted).to_have_count(0 if trusted else 1)
    assert witness.exists() == trusted


def keywords(script, line: int) -> dict:
    """The literal keyword arguments of the call that begins in a line of a script."""
    calls = (node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Call))
    return {item.arg: ast.literal_eval(item.value) for node in calls if node.lineno == line for item in node.keywords}


def workspace_settings(folder, settings: dict) -> None:
    place = folder / ".vscode"
    place.mkdir(exist_ok=True)
    (place / "settings.json").write_text(json.dumps(settings))


def wrapper(folder, action: str) -> str:
    """A program `python` in the folder, which does something first and then is this Python."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\n{action}\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)
    return str(program)


def empty_environment(folder) -> str:
    """A Python without the server."""
    place = folder.parent / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    return str(place / "bin" / "python")
