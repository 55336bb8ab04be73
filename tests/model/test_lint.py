"""Faults are found, each once and at its place; good models stay quiet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Severity
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests.model.conftest import lint

HEAD = '<ir_version: 8, opset_import: ["" : 17, "dom" : 1]>\n'

# name -> (ONNX text or a case, the findings as (code, location))
FAULTS = {
    "two faults of the checker": (
        "g (float[2] x) => (float[2] y) { a = Relu<slope = 1>(x) b = Neg(a) y = Frobnicate(b) }",
        [("ONX033", "graph/node[0]"), ("ONX030", "graph/node[2]")],
    ),
    "two faults of inference, and no echo between them": (
        "g (float[2,3] x, float[4,5] w) => (float[2,5] y)"
        "{ a = MatMul(x, w) b = Relu(a) c = Add(b, w) y = MatMul(w, w) }",
        [("SHP001", "graph/node[0]"), ("SHP001", "graph/node[3]")],
    ),
    "a fault that makes inference give up does not hide the next": (
        "g (float[2] x, int64[2] i, float[2,3] w) => (float y) { a = Add(x, i) b = Relu(a) y = MatMul(w, w) }",
        [("SHP001", "graph/node[0]"), ("SHP001", "graph/node[2]")],
    ),
    "in a branch": (
        "g (float[2,3] x, bool c) => (float[a,b] y) { y = If (c) <"
        "then_branch = t () => (float[a,b] p) { p = MatMul(x, x) }, else_branch = e () => (float[a,b] q) { q = Relu(x) }> }",
        [("SHP001", "graph/node[0].then_branch/node[0]")],
    ),
    "in a function": (
        "g (float[2,3] x) => (float y) { y = dom.f(x) }\n"
        '<domain: "dom", opset_import: ["" : 17]> f (a) => (b) { b = MatMul(a, a) }',
        [("SHP001", "function(dom:f)/node[0]")],
    ),
    "a function reads what it does not have": (
        "g (float[2,3] x) => (float y) { y = dom.f(x) }\n"
        '<domain: "dom", opset_import: ["" : 17]> f (a) => (b) { b = Add(a, x) }',
        [("ONX010", "function(dom:f)/node[0]")],
    ),
    "an undefined value beside another fault": (
        "g (float[2,3] x) => (float y) { a = Relu(nothing) b = Neg(a) y = MatMul(x, x) }",
        [("ONX010", "graph/node[0]"), ("SHP001", "graph/node[2]")],
    ),
    "an undefined value read twice is one finding": (
        "g (float[2,3] x) => (float y) { a = Relu(nothing) y = Add(a, nothing) }",
        [("ONX010", "graph/node[0]")],
    ),
    "a branch reads a later value": (
        "g (float[2] x, bool c) => (float[2] y) { y = If (c) <"
        "then_branch = t () => (float[2] p) { p = Relu(z) }, else_branch = e () => (float[2] q) { q = Relu(x) }>\n"
        "z = Neg(x) }",
        [("ONX011", "graph/node[0]")],
    ),
    "a branch feeds its own node": (
        "g (float[2] x, bool c) => (float[2] y) { y = If (c) <"
        "then_branch = t () => (float[2] p) { p = Relu(y) }, else_branch = e () => (float[2] q) { q = Relu(x) }> }",
        [("ONX012", "graph/node[0]")],
    ),
    "behind a custom op": (
        "g (float[2,3] x) => (float y) { a = dom.Custom(x) b = Conv(a, a) c = Concat<axis = 0>(a, x) y = MatMul(x, x) }",
        [("SHP001", "graph/node[3]")],
    ),
    "an integer product behind a custom op": (
        "g (float[2,3] x, float s, uint8 z) => (float y) { a = dom.Custom(x) b = QLinearMatMul(a, s, z, a, s, z, s, z) y = MatMul(x, x) }",
        [("SHP001", "graph/node[2]")],
    ),
    "a wrong declared output": (
        "g (float[2,3] x) => (float[2,4] y) { y = Relu(x) }",
        [("SHP002", "graph/node[0]")],
    ),
    "a weight that is not read does not fit": ("transposed_weight", [("SHP001", "graph/node[0]")]),
    "no opset for a domain": ("g (float[2] x) => (float[2] y) { y = other.F(x) }", [("ONX003", "graph/node[0]")]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_once_and_at_its_place(name: str, case) -> None:
    source, wanted = FAULTS[name]
    found = lint(case(HEAD + source if "{" in source else source))
    assert [(item.code, item.location) for item in found if item.severity <= Severity.WARNING] == wanted, found


NAMES = {
    "zip_archive": "a zip archive",
    "torch_checkpoint": "PyTorch",
    "zeros": "zero bytes",
    "pickle_dump": "pickle",
    "html_page": "HTML",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_model_is_called_by_its_name(name: str, case) -> None:
    (finding,) = lint(case(name))
    assert finding.code == "FIL004" and NAMES[name] in finding.message


def unreadable_paths(folder: Path) -> dict[str, Path]:
    (folder / "folder.onnx").mkdir()
    (folder / "link.onnx").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.onnx")
    return {name: folder / f"{name}.onnx" for name in ("folder", "link", "pipe", "vanished")}


@pytest.mark.parametrize("name", ["folder", "link", "pipe", "vanished"])
def test_a_path_that_cannot_be_read_is_one_finding(name: str, tmp_path: Path) -> None:
    (finding,) = lint(unreadable_paths(tmp_path)[name])
    assert finding.code == "FIL001"
    assert str(tmp_path) not in finding.message or name == "link"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_no_permission_is_one_finding(case) -> None:
    path = case("tiny")
    path.chmod(0)
    (finding,) = lint(path)
    assert (finding.code, finding.message) == ("FIL001", "the file cannot be read: permission denied")


def test_stages_name_their_phase_and_keep_what_was_found(case) -> None:
    path = case(HEAD + "g (float[2,3] x) => (float y) { a = Relu(nothing) y = MatMul(x, x) }")
    stages = list(engine.lint_model(str(path), Settings(), Workspace()))
    assert [stage.phase for stage in stages] == [
        "reading the file", "the ONNX checker", "shape inference", "the weights", "done",
    ]  # fmt: skip
    assert [[item.code for item in stage.findings if item.severity <= Severity.INFO] for stage in stages] == [
        [], ["ONX010"], ["ONX010"], ["ONX010", "SHP001"], ["ONX010", "SHP001"],
    ]  # fmt: skip


def test_after_a_death_the_findings_stay(case) -> None:
    path = case(HEAD + "g (float[2,3] x) => (float y) { a = Relu(nothing) y = MatMul(x, x) }")
    stage = list(engine.lint_model(str(path), Settings(), Workspace()))[1]
    found = engine.after_death(str(path), Settings(), stage, "was killed by signal 11 (SIGSEGV)")
    assert [item.code for item in found if item.severity <= Severity.INFO] == ["FIL007", "ONX010"]
    assert found[0].message.startswith("the ONNX checker was killed by signal 11")


def test_an_ignored_order_rule_does_not_come_back_through_the_checker(case) -> None:
    path = case(HEAD + "g (float[2] x) => (float[2] y) { y = Relu(a) a = Neg(x) }")
    assert not [item for item in lint(path, ignore=("ONX011",)) if item.severity <= Severity.INFO]


def test_neither_numpy_nor_a_runtime_is_loaded(case) -> None:
    code = """
import sys
from onnx_lsp import engine
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
stages = list(engine.lint_model(sys.argv[1], Settings(select=("ALL",)), Workspace()))
assert "OPT001" in [item.code for item in stages[-1].findings], stages
loaded = {"numpy", "torch", "onnxruntime", "onnx.checker"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code, str(case("unused_weight"))], check=True)


def test_the_light_import_makes_room_for_the_ordinary_one() -> None:
    code = """
from onnx_lsp.model import proto
onnx = proto.full()
assert onnx.ModelProto is proto.ModelProto
onnx.checker.check_model(onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]> g (float x) => (float y) { y = Relu(x) }'))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
