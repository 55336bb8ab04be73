"""`onnx-lint info` on real and written models, through the real tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_compat import EXAMPLE
from tests.cli.tool import model, onnx_lint

pytestmark = pytest.mark.slow

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
# Multiply-adds by hand, times two.
WORK = {
    "matmul": ("g (float[N,4,5] a, float[5,6] b) => (y) { y = MatMul(a, b) }", {"N": 3}, 2 * 3 * 4 * 6 * 5),
    "gemm": ("g (float[5,4] a, float[6,5] b) => (y) { y = Gemm<transA = 1, transB = 1>(a, b) }", {}, 2 * 4 * 6 * 5),
    "conv": ("g (float[1,4,8,8] x, float[6,2,3,3] w) => (y) { y = Conv<group = 2>(x, w) }", {}, 2 * 6 * 6 * 6 * 2 * 9),
    "transposed": ("g (float[1,4,8,8] x, float[4,6,3,3] w) => (y) { y = ConvTranspose(x, w) }", {}, 2 * 4 * 64 * 6 * 9),
    "lstm": (
        "g (float[7,2,5] x, float[1,12,5] w, float[1,12,3] r) => (y) { y = LSTM<hidden_size = 3>(x, w, r) }",
        {},
        2 * 7 * 2 * 12 * (5 + 3),
    ),
    "elementwise": ("g (float[N,4] x) => (y) { y = Relu(x) }", {}, 0),
}


def info(path: Path, *options: str) -> dict:
    done = onnx_lint("info", path, *options, "--format", "json", cwd=path.parent)
    assert done.code == 0, done
    return json.loads(done.out)


def test_the_example():
    found = info(EXAMPLE)
    assert found["inputs"] == [{"name": "image", "type": "float", "dims": ["batch", 3, 32, 32]}]
    assert found["dynamic"] == {"batch": ["image", "probabilities"]}
    assert found["opsets"] == {"ai.onnx": 18}
    assert found["flops"] == {"total": 442528, "sizes": {"batch": 1}, "formula": "442528·batch", "not_counted": {}}
    assert found["size"] == EXAMPLE.stat().st_size
    assert found["parameters"] == {"float": 338}
    assert "CPUExecutionProvider" in found["onnxruntime"]["providers"]


@pytest.mark.parametrize("name", WORK)
def test_work_is_what_a_hand_counts(tmp_path, name):
    text, sizes, expected = WORK[name]
    path = model(tmp_path / "m.onnx", HEAD + text.replace("=> (y)", "=> (float y)"))
    found = info(path, *(word for size in sizes.items() for word in ("--dim", "{}={}".format(*size))))
    assert found["flops"]["total"] == expected
    assert not found["flops"]["not_counted"]


def test_sizes_that_block_the_count_are_said(tmp_path):
    path = model(tmp_path / "m.onnx", HEAD + "g (float[?,4] a, float[4,6] b) => (float y) { y = MatMul(a, b) }")
    assert info(path)["flops"] == {"total": None, "sizes": {}, "formula": None, "not_counted": {"MatMul": 1}}
    assert info(path, "--dim", "a:0=2")["flops"]["total"] == 2 * 2 * 4 * 6
    shown = onnx_lint("info", path.name, cwd=tmp_path).out
    assert "unknown: nodes whose sizes or work are not known: MatMul 1" in shown


def test_a_size_that_the_model_has_not():
    done = onnx_lint("info", EXAMPLE, "--dim", "bach=2", cwd=EXAMPLE.parent)
    assert done.complaint().endswith("the model has no dynamic size `bach`; there is `batch`")


def test_weights_in_another_file(tmp_path):
    import numpy
    import onnx

    weights = onnx.numpy_helper.from_array(numpy.zeros((64, 64), "float32"), "w")
    value = [onnx.helper.make_tensor_value_info(name, 1, [1, 64]) for name in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "g", value[:1], value[1:], [weights]
    )
    made = onnx.helper.make_model(graph)
    onnx.save(made, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0)
    found = info(tmp_path / "m.onnx")
    assert found["files"] == [{"location": "m.bin", "taken": 16384, "exists": True}]
    assert (found["inline"], found["parameters"]) == (0, {"float": 4096})
    (tmp_path / "m.bin").unlink()
    assert "m.bin (missing)" in onnx_lint("info", "m.onnx", cwd=tmp_path).out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ModuleNotFoundError('gone', name='onnxruntime')", "pip install 'onnx-lsp[runtime]'"),
        ("ImportError('libcuda')", "could not be asked: it failed: ImportError: libcuda"),
    ],
)
def test_an_onnxruntime_that_is_missing_or_broken_is_one_line(tmp_path, error, said):
    (tmp_path / "onnxruntime.py").write_text(f"raise {error}\n")
    done = onnx_lint("info", EXAMPLE, cwd=EXAMPLE.parent, PYTHONPATH=str(tmp_path))
    assert done.code == 0
    assert said in done.out.splitlines()[-1]
