"""The terminal and the editor say the same about the same file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from tests.conftest import REPOSITORY
from tests.server.session import capabilities, session

pytestmark = pytest.mark.asyncio

EXAMPLES = sorted(path for path in (REPOSITORY / "examples").iterdir() if path.suffix in (".py", ".onnx"))
CODE_POINTS = capabilities(encodings=("utf-32",), watch=True)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("configuration", ["", 'ignore = ["EXP206", "ONX"]\nseverity = {EXP301 = "error"}\n'])
async def test_the_editor_agrees_with_the_terminal(tmp_path, example, configuration):
    (tmp_path / "onnx-lint.toml").write_text(configuration)
    file = Path(shutil.copy(example, tmp_path))
    terminal = onnx_lint(file)
    async with session(CODE_POINTS, root=tmp_path) as editor:
        if file.suffix == ".py":
            uri = editor.open(file, file.read_text())
        else:
            uri = editor.touched(file)
        expected = sorted(map(of_terminal, terminal))
        push = await editor.pushed_like(uri, lambda items: sorted(of_editor(items)) == expected)
        assert push


def onnx_lint(file: Path) -> list[dict]:
    command = [sys.executable, "-m", "onnx_lsp.cli", "check", "--output-format", "json", str(file)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    return json.loads(done.stdout)


def of_terminal(item: dict) -> tuple:
    message = f"{item['message']} (at `{item['location']}`)" if item["location"] else item["message"]
    at = item["range"] and [
        (item["range"][end]["line"] - 1, item["range"][end]["column"] - 1) for end in ("start", "end")
    ]
    return item["code"], item["severity"], message, tuple(at or [(0, 0), (0, 0)])


def of_editor(items: list[types.Diagnostic]) -> list[tuple]:
    """Without hints: the terminal shows those only when they are asked for."""
    names = {1: "error", 2: "warning", 3: "info"}
    return [
        (
            item.code,
            names[item.severity],
            item.message,
            tuple((at.line, at.character) for at in (item.range.start, item.range.end)),
        )
        for item in items
        if item.severity in names
    ]
