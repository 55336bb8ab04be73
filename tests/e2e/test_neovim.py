"""A real editor: headless Neovim opens the example script, takes the quick fix and saves."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lsp.rulebook import rulebook

DRIVER = Path(__file__).with_name("neovim.lua")
NEOVIM = shutil.which("nvim")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NEOVIM is None, reason="Neovim is not installed (`apt-get install neovim`)"),
]


def drive(script: Path, code: str, fix: str) -> dict:
    """Lets Neovim take the fix `fix` of the finding `code` and save; returns the codes it saw before and after."""
    seen = script.with_suffix(".json")
    environment = {
        **os.environ,
        "ONNX_LSP": json.dumps([sys.executable, "-m", "onnx_lsp.server"]),
        "ONNX_CODE": code,
        "ONNX_FIX": fix,
        "ONNX_SEEN": str(seen),
        "XDG_STATE_HOME": str(script.parent / "state"),
        "XDG_CACHE_HOME": str(script.parent / "cache"),
    }
    command = [NEOVIM, "--headless", "--clean", "-n", script.name, "-S", str(DRIVER)]
    done = subprocess.run(command, cwd=script.parent, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(seen.read_text())


def test_the_quick_fix_adds_dynamic_axes_to_the_example(repository, tmp_path):
    script = tmp_path / "export.py"
    shutil.copy(repository / "examples" / "export.py", script)
    title = rulebook().card("EXP206").cases["static"].fixes["axes"].title
    saw = drive(script, "EXP206", title)
    assert "EXP206" in saw["before"] and "EXP206" not in saw["after"]
    axes = dynamic_axes(script.read_text())
    assert axes and all(0 in dims for dims in axes.values()), "the first dim of every input and output is dynamic"


def dynamic_axes(text: str) -> dict | None:
    """What the first call with `dynamic_axes=` in a script says, as a literal."""
    for node in ast.walk(ast.parse(text)):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg == "dynamic_axes":
                return ast.literal_eval(keyword.value)
    return None
