"""`onnx-lint check --fix` on real models: what it repairs gives, in onnxruntime, the very same numbers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_lsp.actions import arrays, inputs
from onnx_lsp.actions.verify import interface_difference
from onnx_lsp.diagnostics import Applicability
from tests.model.conftest import lint
from tests.models import onnx_models, real_models

MEGABYTES = 4  # bigger models say the same and take longer
MODELS = [path for path in real_models() if path.stat().st_size < MEGABYTES << 20]


def check_fixed(path: Path, folder: Path) -> int:
    """Fixes a copy of a model, and compares; returns how many findings the fixes took away."""
    copy = folder / path.name
    shutil.copyfile(path, copy)
    before = _safe(copy)
    if not before:
        return 0
    command = [sys.executable, "-m", "onnx_lsp.cli", "check", "--fix", "--isolated", "--no-cache", "--select", "ALL", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert not _safe(copy), "a fix does not take its finding away"
    onnx.checker.check_model(str(copy), full_check=True)
    assert not interface_difference(onnx.load(path).graph, onnx.load(copy).graph)
    for case in _cases(path, folder):
        feeds = arrays.load(case.feeds)
        for old, new in zip(_run(path, feeds), _run(copy, feeds), strict=True):
            np.testing.assert_array_equal(old, new)
    return len(before)


def _safe(path: Path) -> list:
    return [item for item in lint(path, select=("ALL",)) if any(fix.applicability is Applicability.SAFE for fix in item.fixes)]


def _cases(path: Path, folder: Path) -> tuple[inputs.Case, ...]:
    """Inputs of a model; none where onnxruntime does not run it at all (operators from before opset 7)."""
    (prepared,) = inputs.prepare(str(path), str(folder), {})
    return prepared.cases if isinstance(prepared, inputs.Prepared) else ()


def _run(path: Path, feeds: dict[str, np.ndarray]) -> list:
    """The outputs of a model as it stands, without onnxruntime's own repairs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, feeds)


@pytest.mark.slow
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_repaired_model_computes_the_same(path: Path, tmp_path: Path) -> None:
    check_fixed(path, tmp_path)


@pytest.mark.slow
def test_repaired_models_of_onnx_compute_the_same(tmp_path: Path) -> None:
    fixed = 0
    for number, path in enumerate(onnx_models()[::4]):
        folder = tmp_path / str(number)
        folder.mkdir()
        fixed += check_fixed(path, folder) > 0
    assert fixed > 5, "there was something to repair"
