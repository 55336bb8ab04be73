"""The RUN rules: every place in a model, what the messages name, and a repair that a real runtime accepts."""

from __future__ import annotations

import onnx
import pytest

from onnx_lsp.model.fixes import apply_fixes
from tests.model.conftest import lint

CPU, OLD = "onnxruntime-cpu@1.32", "onnxruntime-cpu@1.18"
BRANCHES = """\
<ir_version: 8, opset_import: ["" : 25]>
g (float[2] x, bool c) => (float[2] y)
{
  y = If (c) <then_branch = t () => (float[2] p) { p = Swish(x) }, else_branch = e () => (float[2] q) { q = Relu(x) }>
}
"""
FUNCTION = """\
<ir_version: 8, opset_import: ["" : 25, "own" : 1]>
g (float[2] x) => (float[2] y) { y = own.gate(x) }
<domain: "own", opset_import: ["" : 25]>
gate (x) => (y) { y = Swish(x) }
"""
GRID = """\
<ir_version: 8, opset_import: ["" : 16]>
g (float[1,1,4,4] x, float[1,4,4,2] p) => (float[1,1,4,4] y) { a = Relu(x) b = GridSample(a, p) y = Relu(b) }
"""
SQUEEZED = """\
<ir_version: 6, opset_import: ["" : 11]>
g (float[n,1,4] x) => (float[m] y) { s = Squeeze(x) a = Sigmoid(s) y = Concat<axis = 0>(a, a) }
"""
# text of a model, targets -> code, place, what the message says
FOUND = {
    "in a branch": (BRANCHES, [CPU], "RUN003", "graph/node[0].then_branch/node[0]", ["`Swish` of opset 25", "convert to opset 24"]),
    "in a function": (FUNCTION, [CPU], "RUN003", "function(own:gate)/node[0]", ["`Swish`"]),
    "the way out is for all targets": (BRANCHES, [CPU, "onnxruntime-cpu@1.24"], "RUN003", "graph/node[0].then_branch/node[0]", ["opset 24"]),
    "above, and nothing helps": (BRANCHES, [OLD], "RUN001", None, ["opsets up to 21", "no opset that it loads has all"]),
    "above, and older opsets do": (
        GRID.replace("16]", "23]"), [OLD, "onnxruntime-cpu@1.17"], "RUN001", None, ["convert it to opset 20, which all targets load, with `onnx-lint convert`"],
    ),
    "partition": (
        GRID, ["onnxruntime-coreml-neuralnetwork@1.21"], "RUN004", "graph/node[1]", ["1 of 3 nodes may leave", "`GridSample`", "2 parts"],
    ),
    "an opset at which all stay": (
        GRID.replace("16]", "22]").replace("b = GridSample(a, p)", "b = Acos(a)"), ["onnxruntime-directml@1.21"],
        "RUN004", "graph/node[1]", ["`Acos`", "at opset 21 all of them stay"],
    ),
    "a rank": (
        GRID.replace("[1,1,4,4]", "[1,1,4,4,4]").replace("[1,4,4,2]", "[1,4,4,4,3]"), ["openvino@2026.4"],
        "RUN003", "graph/node[1]", ["only with 4 dimensions of `X`"],
    ),
    "a scalar that is none": (SQUEEZED, ["onnxruntime-cpu@1.22"], "RUN003", "graph/node[2]", ["a `Squeeze` that names no axes"]),
    "a size without a name": (
        GRID.replace("float[1,1,4,4] x", "float[?,1,4,4] x"), ["onnxruntime-qnn@1.21"], "RUN006", 'graph/input["x"]', ["dynamic dimensions: `x`"],
    ),
}  # fmt: skip
QUIET = {
    "a function that nothing calls": (FUNCTION.replace("own.gate(x)", "Relu(x)"), [CPU]),
    "its own opset": (BRANCHES.replace("25]", "24]"), [CPU]),
    "newer releases infer it": (SQUEEZED, ["onnxruntime-cpu@1.23"]),
    "axes that are named": (SQUEEZED.replace("Squeeze(x)", "Squeeze<axes = [1]>(x)"), ["onnxruntime-cpu@1.22"]),
    "an operator of nobody": (FUNCTION[: FUNCTION.index("<domain")].replace("25", "17"), [CPU]),
}


def run_rules(path, targets) -> list:
    return [item for item in lint(path, targets=tuple(targets)) if item.code.startswith("RUN")]


@pytest.mark.parametrize("name", FOUND)
def test_a_finding_names_place_target_date_and_way_out(case, name: str) -> None:
    text, targets, code, place, words = FOUND[name]
    found = [item for item in run_rules(case(text), targets) if item.code == code]
    assert [item.location for item in found][:1] == [place]
    said = found[0].message
    assert [word for word in (*words, "table of 20") if word not in said] == [], said


@pytest.mark.parametrize("name", QUIET)
def test_what_runs_is_quiet(case, name: str) -> None:
    text, targets = QUIET[name]
    assert run_rules(case(text), targets) == []


@pytest.mark.parametrize("text", [BRANCHES, FUNCTION, BRANCHES.replace("q = Relu(x)", "q = Swish(x)")])
def test_an_inlined_body_loads(case, text: str) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="the repaired model is loaded")
    path = case(text)
    edits = {fix.model for item in run_rules(path, [CPU]) for fix in item.fixes}
    with pytest.raises(Exception, match="Swish"):
        runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    apply_fixes(str(path), edits, write=True)
    assert run_rules(path, [CPU]) == []
    onnx.checker.check_model(onnx.load(path), full_check=True)
    runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
