"""`convert`, `quantize` and `verify` through the real tool: what is written is proven, what is not proven is not written."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from tests.actions.conftest import write_mlp
from tests.actions.exports import transformer
from tests.cli.tool import CLEAN_MODEL, onnx_lint
from tests.cli.tool import model as write_model

pytestmark = pytest.mark.slow
FUNCTION = """
<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
g (float[N,3] x) => (float[N,3] y) { y = local.twice(x) }
<domain: "local", opset_import: ["" : 17]>
twice (a) => (b) { b = Add(a, a) }
"""


def opset(path: Path) -> int:
    return next(item.version for item in onnx.load(path).opset_import if not item.domain)


@pytest.mark.parametrize(("asked", "name", "version"), [
    (("--opset", 21), "m.opset21.onnx", 21),
    (("--target", "onnxruntime-cpu@1.16", "--target", "onnxruntime-cpu@1.20"), "m.opset19.onnx", 19),
])  # fmt: skip
def test_a_converted_model_is_written_with_proof(asked: tuple, name: str, version: int, tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", FUNCTION)
    before = (tmp_path / "m.onnx").read_bytes()
    done = onnx_lint("convert", "m.onnx", *asked, cwd=tmp_path)
    assert (done.code, done.out.splitlines()[:2]) == (0, [f"{name} is the same model.", f"Written: {name}"]), done
    assert opset(tmp_path / name) == version
    assert not onnx.load(tmp_path / name).functions, "the converter drops functions: they are inlined first"
    assert onnx_lint("verify", "m.onnx", name, cwd=tmp_path).code == 0
    assert (tmp_path / "m.onnx").read_bytes() == before


def test_what_cannot_be_converted_is_one_line(tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", CLEAN_MODEL)
    said = onnx_lint("convert", "m.onnx", "--opset", 999, cwd=tmp_path).complaint()
    assert said.startswith("m.onnx: onnx's version converter does not know how: ")
    assert onnx_lint("convert", "m.onnx", cwd=tmp_path).complaint() == "say the opset with --opset, or the runtimes with --target"
    assert "did you mean" in onnx_lint("convert", "m.onnx", "--target", "onnxruntime-cpo", cwd=tmp_path).complaint()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx"]


def test_an_output_that_exists_is_left_alone(tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", CLEAN_MODEL)
    (tmp_path / "m.opset18.onnx").write_text("mine")
    assert "exists already" in onnx_lint("convert", "m.onnx", "--opset", 18, cwd=tmp_path).complaint()
    assert (tmp_path / "m.opset18.onnx").read_text() == "mine"
    assert onnx_lint("convert", "m.onnx", "--opset", 18, "--overwrite", cwd=tmp_path).code == 0


def test_quantizing_says_what_it_costs_and_refuses_what_costs_too_much(tmp_path: Path) -> None:
    transformer(tmp_path / "t.onnx")
    done = onnx_lint("quantize", "t.onnx", "--json", cwd=tmp_path)
    report = json.loads(done.out)
    assert (done.code, report["kind"], report["written"]) == (0, "rewrite", "t.int8.onnx"), done
    assert report["after"]["size"] < report["before"]["size"]
    error = report["judgement"]["agreement"]["worst"]["error"]
    assert 0 < error < 0.1
    (tmp_path / "t.int8.onnx").unlink()
    strict = onnx_lint("quantize", "t.onnx", "--tolerance", error / 10, cwd=tmp_path)
    assert strict.code == 1 and "is not the same model: output" in strict.out, strict
    assert not (tmp_path / "t.int8.onnx").exists()


def test_another_model_is_not_the_same(tmp_path: Path) -> None:
    write_mlp(tmp_path / "mlp.onnx")
    changed = onnx.load(tmp_path / "mlp.onnx")
    changed.graph.node[2].op_type = "Sigmoid"
    onnx.save(changed, tmp_path / "other.onnx")
    done = onnx_lint("verify", "mlp.onnx", "other.onnx", cwd=tmp_path)
    assert (done.code, done.out.splitlines()[0].partition(":")[0]) == (1, "other.onnx is not the same model")
    changed.graph.output[0].name = changed.graph.node[3].output[0] = "z"
    onnx.save(changed, tmp_path / "other.onnx")
    done = onnx_lint("verify", "mlp.onnx", "other.onnx", cwd=tmp_path)
    assert done.code == 1 and "its outputs are `z` instead of `y`" in done.out
