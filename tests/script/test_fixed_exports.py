"""The quick fix the product is named for, to the end: fixed scripts run, and their models take another batch size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic, Fix, Severity
from onnx_lsp.script.edits import apply_edits
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

SCRIPTS = sorted((Path(__file__).parent / "exports").glob("*.py"))
ONLY_AXES = {"alias", "legacy", "options"}  # the old exporter; and inputs given by keyword
TITLES = {"axes": "Add `dynamic_axes`", "shapes": "Add `dynamic_shapes`"}
OTHER_BATCH = 3


def lint(path: Path, text: str) -> list[Diagnostic]:
    return engine.lint_script(str(path), Settings(torch="2.13"), Workspace({str(path.absolute()): text}))


def missing_axes(found: list[Diagnostic]) -> list[Diagnostic]:
    return [item for item in found if item.code == "EXP206"]


def run_model(path: Path) -> None:
    """Runs a model with every dynamic dim at another size than the example had."""
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    assert any(isinstance(dim, str) for item in inputs for dim in item.shape), "no dim is dynamic"
    feeds = {
        item.name: np.ones(
            [OTHER_BATCH if isinstance(dim, str) else dim for dim in item.shape],
            {"tensor(float)": np.float32, "tensor(int64)": np.int64}[item.type],
        )
        for item in inputs
    }
    outputs = session.run(None, feeds)
    assert any(OTHER_BATCH in output.shape for output in outputs)


def cases() -> list:
    return [
        pytest.param(path, key, id=f"{path.stem}-{key}")
        for path in SCRIPTS
        for key in TITLES
        if key == "axes" or path.stem not in ONLY_AXES
    ]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_fixes_offered(path: Path) -> None:
    (found,) = missing_axes(lint(path, path.read_text(encoding="utf-8")))
    wanted = ["Add `dynamic_axes`"] if path.stem in ONLY_AXES else list(TITLES.values())
    assert [fix.title for fix in found.fixes] == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("path", "key"), cases())
def test_the_fixed_script_exports_a_model_for_any_batch(path: Path, key: str, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = lint(path, text)
    fix: Fix = next(fix for fix in missing_axes(before)[0].fixes if fix.title == TITLES[key])
    fixed = apply_edits(text, fix.edits)
    after = lint(path, fixed)
    assert not missing_axes(after)
    known = {item.code for item in before}
    assert not [item for item in after if item.severity == Severity.ERROR and item.code not in known]

    script = tmp_path / path.name
    script.write_text(fixed, encoding="utf-8")
    ran = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, f"{fixed}\n{ran.stderr[-3000:]}"
    run_model(tmp_path / "model.onnx")
