"""The invariants of docs/architecture.md that are about the whole house. The others live with the room they are about."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "onnx_lsp"
EDGES = ("cli", "server")
ONLY_AT_THE_EDGES = {"lsprotocol", "pygls", "rich"}
LINT_PATH = ("script", "model", "engine.py", "checks.py", "rulebook.py", "settings.py", "workspace.py", "diagnostics.py")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """The full names that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_below_the_edges_knows_who_reads_the_findings(path: Path) -> None:
    if room(path) in EDGES:
        return
    tops = {name.partition(".")[0] for name in imports(path)}
    assert not tops & ONLY_AT_THE_EDGES
    assert not {name for name in imports(path) if name.startswith(("onnx_lsp.cli", "onnx_lsp.server"))}
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]


@pytest.mark.parametrize("path", [path for path in modules() if room(path) == "cli"], ids=lambda path: path.name)
def test_the_cli_never_imports_the_server_or_its_libraries(path: Path) -> None:
    assert not {name for name in imports(path) if name.partition(".")[0] in {"pygls", "lsprotocol"}}
    assert not {name for name in imports(path) if name.startswith("onnx_lsp.server")}


@pytest.mark.parametrize("path", [path for path in modules() if room(path) in LINT_PATH], ids=lambda path: path.name)
def test_the_lint_path_never_imports_torch_onnxruntime_or_the_network(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(path)}
    assert not tops & {"torch", "onnxruntime", "socket", "urllib", "http", "requests"}


def loaded(code: str, *arguments: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running `code`."""
    tail = "\nimport sys; print('\\n'.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code + tail, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


LINT = """
import sys, contextlib, io
from onnx_lsp.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = main(["check", "--isolated", sys.argv[1]])
assert code in (0, 1), code
"""


def test_linting_a_script_loads_neither_onnx_nor_numpy(repository: Path) -> None:
    names = loaded(LINT, str(repository / "examples" / "export.py"))
    assert "tree_sitter" in names, "the script was really parsed"
    assert not names & {"onnx", "numpy", "torch", "google", "pygls", "lsprotocol", "asyncio", "rich"}


def test_linting_a_model_parses_nothing_in_the_main_process(repository: Path) -> None:
    names = loaded(LINT, str(repository / "examples" / "classifier.onnx"))
    assert not names & {"onnx", "numpy", "torch", "onnxruntime", "google", "pygls"}


def test_the_child_that_lints_a_model_loads_neither_torch_nor_onnxruntime_nor_numpy(repository: Path) -> None:
    code = """
import sys
from onnx_lsp import engine
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
stages = list(engine.lint_model(sys.argv[1], Settings(), Workspace()))
assert stages[-1].findings
"""
    names = loaded(code, str(repository / "examples" / "classifier.onnx"))
    assert not names & {"torch", "onnxruntime", "numpy"}


def test_rules_hold_no_python(repository: Path) -> None:
    assert not list((repository / "rules").rglob("*.py"))


@pytest.mark.parametrize("name", ["examples/export.py", "examples/classifier.onnx"])
def test_the_same_input_gives_the_same_output_byte_for_byte(repository: Path, name: str) -> None:
    command = [sys.executable, "-m", "onnx_lsp.cli", "check", "--isolated", "--output-format", "json", name]
    first, second = (subprocess.run(command, cwd=repository, capture_output=True).stdout for _ in range(2))
    assert first == second
    assert first.strip() not in (b"", b"[]")
    assert str(repository).encode() not in first


def test_a_check_that_fails_is_a_finding_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx_lsp import engine
    from onnx_lsp.checks import SCRIPT_CHECKS, Check
    from onnx_lsp.settings import Settings
    from onnx_lsp.workspace import Workspace

    def broken(file, report) -> None:
        raise ZeroDivisionError("on purpose")

    script = tmp_path / "export.py"
    script.write_text('import torch\ntorch.onnx.export(m, (x,), "m.onnx", input_names="x")\n')
    engine.lint_script(str(script), Settings(), Workspace())  # registers the real checks
    monkeypatch.setattr(engine, "SCRIPT_CHECKS", [Check("EXP504", broken, ("file", "report"), frozenset()), *SCRIPT_CHECKS])
    codes = [item.code for item in engine.lint_script(str(script), Settings(), Workspace())]
    assert "FIL099" in codes and "EXP504" in codes
