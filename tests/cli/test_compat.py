"""`onnx-lint compat` on real and written models, through the real tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onnx_lsp import targets
from tests.cli.test_bad_input import empty, folder, html, lfs_pointer, socket, truncated, zeros
from tests.cli.tool import CLEAN_MODEL, model, onnx_lint

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "classifier.onnx"
OLD_RUNTIME = "onnxruntime-cpu@1.18"
NEW_OP = """\
<ir_version: 8, opset_import: ["" : 24]>
g (float[N,3] x) => (float[N,3] y)
{
  y = Swish(x)
}
"""
IN_FUNCTION = """\
<ir_version: 8, opset_import: ["" : 17, "own" : 1]>
g (float[N,3] x) => (float[N,3] y)
{
  y = own.twice(x)
}
<domain: "own", opset_import: ["" : 17]>
twice (x) => (y)
{
  y = Add(x, x)
}
"""


def compat(path: Path, *wanted: str, code: int = 0) -> dict:
    options = [word for target in wanted for word in ("--target", target)]
    done = onnx_lint("compat", path, *options, "--format", "json", cwd=path.parent)
    assert done.code == code, done
    return json.loads(done.out)


def test_a_model_that_runs():
    found = compat(EXAMPLE, OLD_RUNTIME, "openvino")
    assert [item["verdict"] for item in found["targets"]] == ["runs", "runs"]
    assert {row["op"]: row["nodes"] for row in found["operators"]}["Conv"] == 1
    assert all(item["table_date"] for item in found["targets"])
    assert found["highest_common_opset"] >= found["opset"]


def test_an_opset_above_the_target(tmp_path):
    path = model(tmp_path / "m.onnx", CLEAN_MODEL.replace('"" : 17', '"" : 25'))
    found = compat(path, OLD_RUNTIME, "onnxruntime-cpu@1.32", code=1)
    old, new = found["targets"]
    assert old["verdict"] == "refuses" and new["verdict"] == "runs"
    assert found["highest_common_opset"] == 21
    assert old["changes"] == ["takes opsets up to 21, the model has 25: convert to opset 21"]


def test_an_operator_that_no_opset_of_the_target_has(tmp_path):
    path = model(tmp_path / "m.onnx", NEW_OP)
    found = compat(path, OLD_RUNTIME, "onnxruntime-cpu@1.32", code=1)
    assert found["refuse_every_opset"] == ["onnxruntime-cpu 1.18"]
    assert found["highest_common_opset"] >= 24


def test_bodies_of_functions_count(tmp_path):
    path = model(tmp_path / "m.onnx", IN_FUNCTION)
    assert [row["op"] for row in compat(path, OLD_RUNTIME)["operators"]] == ["Add"]


def test_every_target_is_asked_when_none_is_named(tmp_path):
    path = model(tmp_path / "m.onnx", CLEAN_MODEL.replace('"" : 17', '"" : 13'))
    assert [item["target"].split()[0] for item in compat(path)["targets"]] == targets.names()


def test_targets_of_the_configuration(tmp_path):
    path = model(tmp_path / "m.onnx", CLEAN_MODEL)
    (tmp_path / "onnx-lint.toml").write_text('targets = ["openvino"]\n')
    assert [item["target"].split()[0] for item in compat(path)["targets"]] == ["openvino"]


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_forms_say_the_same(tmp_path, form):
    path = model(tmp_path / "m.onnx", CLEAN_MODEL)
    done = onnx_lint("compat", path.name, "--target", OLD_RUNTIME, "--format", form, cwd=tmp_path)
    assert done.code == 0
    assert "onnxruntime-cpu 1.18" in done.out and "Relu-14" in done.out and "runs" in done.out


def test_names_of_a_model_are_no_markup(tmp_path):
    path = model(tmp_path / "<b>|x.onnx", CLEAN_MODEL)
    shown = {
        form: onnx_lint("compat", path.name, "--target", "openvino", "--format", form, cwd=tmp_path).out
        for form in ("html", "markdown")
    }
    assert "<b>|x" not in shown["html"] and "&lt;b&gt;" in shown["html"]
    assert "\\<b>\\|x.onnx" in shown["markdown"]


def test_an_unknown_target_names_the_near_one():
    done = onnx_lint("compat", EXAMPLE, "--target", "tensort", cwd=EXAMPLE.parent)
    assert "did you mean `tensorrt`" in done.complaint()


@pytest.mark.parametrize("command", ["compat", "info"])
@pytest.mark.parametrize("make", [empty, truncated, lfs_pointer, html, folder, socket, zeros])
def test_what_is_no_model_is_one_line(tmp_path, command, make):
    make(tmp_path / "m.onnx")
    done = onnx_lint(command, "m.onnx", cwd=tmp_path)
    assert done.complaint().startswith("m.onnx: ")


def test_a_version_that_no_table_covers_is_answered_with_a_note(tmp_path):
    path = model(tmp_path / "m.onnx", CLEAN_MODEL)
    done = onnx_lint("check", path.name, "--target", "onnxruntime-cpu@1.99", cwd=tmp_path)
    assert "`onnxruntime-cpu@1.99`: the table has no 1.99, the nearest is 1.32" in done.err
    assert "note" not in onnx_lint("check", path.name, "--target", "onnxruntime-cpu@1.20", cwd=tmp_path).err
    assert compat(path, "onnxruntime-cpu@1.99")["targets"][0]["note"].startswith("the table has no 1.99")


def test_targets_named_say_where_their_facts_are_from(tmp_path):
    done = onnx_lint("targets", "tensorrt@10.1", cwd=tmp_path)
    assert "source: document docs/operators.md in onnx/onnx-tensorrt" in done.out and "versions: 10.1, 10.15, 11.0" in done.out
    rows = onnx_lint("targets", "--op", "resize", cwd=tmp_path).out.splitlines()
    assert rows[0].split()[:3] == ["target", "Resize-10", "Resize-11"]
    assert {row.split()[0] for row in rows[1:]} == set(targets.names())
