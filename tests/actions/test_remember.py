"""Sizes are written into a configuration, and nothing else in it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp.actions.crew import ActionError
from onnx_lsp.actions.remember import remember
from onnx_lsp.settings import Resolver

CASES = [
    ("onnx-lint.toml", "", '[dims]\nbatch = "1,8"\n"x:0" = "4"\n'),
    (
        "onnx-lint.toml",
        'ignore = ["EXP506"]  # why\n',
        'ignore = ["EXP506"]  # why\n\n[dims]\nbatch = "1,8"\n"x:0" = "4"\n',
    ),
    (
        "onnx-lint.toml",
        '[dims]\nseq = "16" # long\nbatch = "2"\n\n[severity]\nEXP206 = "hint"\n',
        '[dims]\nseq = "16" # long\nbatch = "1,8"\n"x:0" = "4"\n\n[severity]\nEXP206 = "hint"\n',
    ),
    ("onnx-lint.toml", '[dims] # sizes\n"x:0" = "5"', '[dims] # sizes\n"x:0" = "4"\nbatch = "1,8"\n'),
    (
        "pyproject.toml",
        '[project]\nname = "p"\n[tool.onnx-lint]\ntorch = "2.9"\n',
        '[project]\nname = "p"\n[tool.onnx-lint]\ntorch = "2.9"\n\n[tool.onnx-lint.dims]\nbatch = "1,8"\n"x:0" = "4"\n',
    ),
]


@pytest.mark.parametrize(("name", "before", "after"), CASES)
def test_sizes_are_remembered(tmp_path: Path, name: str, before: str, after: str) -> None:
    if before:
        (tmp_path / name).write_text(before)
    model = str(tmp_path / "m.onnx")
    path = remember(Resolver().resolve(model), model, {"batch": "1,8", "x:0": "4"})
    assert Path(path) == tmp_path / name
    assert Path(path).read_text() == after
    dims = Resolver().resolve(model).dims
    assert (dims["batch"], dims["x:0"]) == ("1,8", "4")


def test_an_inline_table_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "onnx-lint.toml").write_text('dims = { batch = "2" }\n')
    model = str(tmp_path / "m.onnx")
    with pytest.raises(ActionError, match="by hand"):
        remember(Resolver().resolve(model), model, {"batch": "1"})
    assert (tmp_path / "onnx-lint.toml").read_text() == 'dims = { batch = "2" }\n'
