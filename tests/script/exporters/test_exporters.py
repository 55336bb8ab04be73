"""What cards claim about tf2onnx, Keras, skl2onnx, optimum and ultralytics is run: the broken script and the fixed one."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests.script.exporters.environments import CannotInstall, interpreter
from tests.script.test_executions import expect, repaired

DATA = tomllib.loads((Path(__file__).parent / "executions.toml").read_text(encoding="utf-8"))
QUIET = {"HF_HUB_OFFLINE": "1", "YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "TF_CPP_MIN_LOG_LEVEL": "3"}


def cases() -> list:
    return [pytest.param(run, id=f"{run['rule']}-{number}") for number, run in enumerate(DATA["run"])]


@pytest.fixture
def text(run: dict) -> str:
    return DATA["environment"][run["in"]]["preamble"].lstrip("\n") + run["script"].strip() + "\n"


@pytest.fixture
def python(run: dict) -> Path:
    try:
        return interpreter(run["in"], DATA["environment"][run["in"]])
    except CannotInstall as error:
        pytest.skip(f"pip cannot install the environment {run['in']}: {error}")


def lint(run: dict, text: str) -> list[Diagnostic]:
    path = str(Path("script.py").absolute())
    return engine.lint_script(path, Settings(targets=tuple(run.get("targets", ()))), Workspace({path: text}))


@pytest.mark.parametrize("run", cases())
def test_the_rule_sees_it_and_the_fix_cures_it(run: dict, text: str) -> None:
    found = lint(run, text)
    assert run["rule"] in {item.code for item in found}
    assert run["rule"] not in {item.code for item in lint(run, repaired(run, text, found))}


@pytest.mark.slow
@pytest.mark.parametrize("run", cases())
def test_the_exporter_does_what_the_card_says(run: dict, text: str, python: Path, tmp_path: Path) -> None:
    fixed = repaired(run, text, lint(run, text))
    for wanted, script, folder in ((run["broken"], text, tmp_path / "broken"), (run["fixed"], fixed, tmp_path / "fixed")):
        status, said = execute(python, script, folder)
        model = folder / DATA["environment"][run["in"]]["model"]
        expect(wanted, status, said, model)
        if "raises" not in wanted:
            expect_of_runtime(wanted, model)


def execute(python: Path, text: str, folder: Path) -> tuple[int, str]:
    """Runs a script in a folder of its own: exit status and standard error."""
    folder.mkdir()
    (folder / "script.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, **QUIET, "YOLO_CONFIG_DIR": str(folder)}
    ran = subprocess.run(
        [python, "script.py"], check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    return ran.returncode, ran.stderr


def expect_of_runtime(wanted: dict, path: Path) -> None:
    """The IR version, and the shapes that onnxruntime takes and refuses."""
    import onnx

    ir = onnx.load(path).ir_version
    assert wanted.get("ir", ir) == ir
    assert [shape for shape in wanted.get("takes", ()) if not takes(path, shape)] == []
    assert [shape for shape in wanted.get("refuses", ()) if takes(path, shape)] == []


def takes(path: Path, shape: list[int]) -> bool:
    """onnxruntime runs the model when every input has this shape."""
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    dtypes = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    feed = {item.name: np.ones(shape, dtypes[item.type]) for item in session.get_inputs()}
    try:
        session.run(None, feed)
    except ort.capi.onnxruntime_pybind11_state.InvalidArgument:
        return False
    return True
