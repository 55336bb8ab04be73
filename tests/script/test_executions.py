"""What cards claim about torch is run: the broken script and the fixed one, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.script.edits import apply_edits
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

DATA = tomllib.loads((Path(__file__).parent / "executions.toml").read_text(encoding="utf-8"))


def cases() -> list:
    return [
        pytest.param(run, id=f"{run['rule']}-{run.get('fix', 'by-hand')}-{number}")
        for number, run in enumerate(DATA["run"])
    ]


def lint(path: Path, text: str) -> list[Diagnostic]:
    return engine.lint_script(str(path), Settings(torch="2.13"), Workspace({str(path.absolute()): text}))


def repaired(run: dict, text: str, found: list[Diagnostic]) -> str:
    """The script after the fix of the card, or after the change by hand."""
    if "by_hand" in run:
        old, new = run["by_hand"]
        assert old in text
        return text.replace(old, new)
    (fix,) = [fix for item in found for fix in item.fixes if item.code == run["rule"] and fix.key == run["fix"]]
    return apply_edits(text, fix.edits)


@pytest.fixture
def text(request, run: dict) -> str:
    return DATA["preamble"].lstrip() + "\n" + run["script"].strip() + "\n"


@pytest.mark.parametrize("run", cases())
def test_the_rule_sees_it_and_the_fix_cures_it(run: dict, text: str, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    found = lint(path, text)
    assert run["rule"] in {item.code for item in found}
    after = lint(path, repaired(run, text, found))
    assert run["rule"] not in {item.code for item in after}


@pytest.mark.slow
@pytest.mark.parametrize("run", cases())
def test_torch_does_what_the_card_says(run: dict, text: str, tmp_path: Path) -> None:
    fixed = repaired(run, text, lint(tmp_path / "script.py", text))
    expect(run["broken"], *execute(text, tmp_path / "broken"))
    expect(run["fixed"], *execute(fixed, tmp_path / "fixed"))


def execute(text: str, folder: Path) -> tuple[int, str, Path]:
    """Runs a script in a folder of its own: exit status, standard error, and where it writes its model."""
    folder.mkdir()
    (folder / "script.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-W", "always", "script.py"]
    ran = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=300)
    return ran.returncode, ran.stderr, folder / "model.onnx"


def expect(wanted: dict, status: int, said: str, path: Path) -> None:
    if "raises" in wanted:
        assert status != 0 and wanted["raises"] in said, said[-3000:]
        return
    assert status == 0, said[-3000:]
    assert wanted.get("warns", "") in said
    import onnx

    model = onnx.load(path)
    ops = {node.op_type for node in model.graph.node}
    for key, found in {
        "inputs": described(model.graph.input),
        "outputs": described(model.graph.output),
        "opset": next(item.version for item in model.opset_import if not item.domain),
        "refused": refused(path),
    }.items():
        assert wanted.get(key, found) == found, key
    assert set(wanted.get("ops", ())) <= ops
    assert not set(wanted.get("no_ops", ())) & ops


def described(values) -> list[str]:
    """Inputs or outputs as `name[dim, dim]`."""
    return [
        f"{value.name}[{', '.join(dim.dim_param or str(dim.dim_value) for dim in value.type.tensor_type.shape.dim)}]"
        for value in values
    ]


def refused(path: Path) -> bool:
    """The checker does not take the model."""
    import onnx

    try:
        onnx.checker.check_model(path)
    except onnx.checker.ValidationError:
        return True
    return False
