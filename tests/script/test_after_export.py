"""Rules about what happens after an export: the broken and the fixed script are really run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from onnx_lsp.script.edits import apply_edits
from tests.script.helpers import codes, lint

MODEL = """\
import numpy as np
import onnx
import onnxruntime as ort
import torch

model = torch.nn.Linear(3, 2).eval()
x = torch.randn(1, 3)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A script after `MODEL`: the rule that speaks, the fix, and what the broken script dies of."""

    code: str
    key: str
    text: str
    broken: str


CASES = [
    Case(
        "EXP502",
        "inline",
        """\
import os
import shutil

model, x = torch.nn.Linear(300, 200).eval(), torch.randn(1, 300)  # small weights stay in the file
torch.onnx.export(model, (x,), "model.onnx", input_names=["x"], dynamic_shapes=({0: "batch"},))
os.makedirs("served", exist_ok=True)
shutil.copy("model.onnx", "served/model.onnx")
session = ort.InferenceSession("served/model.onnx", providers=["CPUExecutionProvider"])
print(session.run(None, {"x": x.numpy()})[0].shape)
""",
        "model.onnx.data",
    ),
    Case(
        "EXP603",
        "whole",
        """\
torch.save(model, "model.pt")
loaded = torch.load("model.pt")
loaded.eval()
torch.onnx.export(loaded, (x,), "model.onnx", input_names=["x"], dynamic_shapes=({0: "batch"},))
""",
        "UnpicklingError",
    ),
    Case(
        "EXP604",
        "rename",
        """\
torch.onnx.export(model, (x,), "model.onnx", input_names=["pixels"], dynamic_shapes=({0: "batch"},))
session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
session.run(None, {"input": x.numpy()})
""",
        "pixels",
    ),
    Case(
        "EXP605",
        "path",
        """\
torch.onnx.export(model, (x,), "detector.onnx", input_names=["x"], dynamic_shapes=({0: "batch"},))
onnx.checker.check_model(onnx.load("detecter.onnx"))
""",
        "detecter.onnx",
    ),
    Case(
        "EXP607",
        "cast",
        """\
torch.onnx.export(model, (x,), "model.onnx", input_names=["x"], dynamic_shapes=({0: "batch"},))
session = ort.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
session.run(None, {"x": np.random.rand(1, 3)})
""",
        "tensor(double)",
    ),
]


def run(text: str, folder: Path) -> subprocess.CompletedProcess:
    script = folder / "export.py"
    script.write_text(text, encoding="utf-8")
    command = [sys.executable, str(script)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def fixed(case: Case) -> str:
    text = MODEL + case.text
    (finding,) = (item for item in lint(text) if item.code == case.code)
    fix = next(fix for fix in finding.fixes if fix.key == case.key)
    return apply_edits(text, fix.edits)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_the_fix_settles_it(case: Case) -> None:
    assert case.code not in {code for code, _ in codes(lint(fixed(case)))}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_the_broken_script_fails_as_the_card_says(case: Case, tmp_path: Path) -> None:
    ran = run(MODEL + case.text, tmp_path)
    assert ran.returncode != 0
    assert case.broken in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_the_fixed_script_runs(case: Case, tmp_path: Path) -> None:
    ran = run(fixed(case), tmp_path)
    assert ran.returncode == 0, ran.stderr[-3000:]
