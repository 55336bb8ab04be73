"""What counts as the same model: interfaces and outputs."""

from __future__ import annotations

import numpy
import onnx
import pytest

from onnx_lsp.actions import arrays
from onnx_lsp.actions.verify import compare, difference, interface_difference

ONE = numpy.array([1.0, -2.0, 4.0], "float32")
CASES = [
    ("equal", ONE, ONE, None, ""),
    ("rounding", ONE, ONE * numpy.float32(1.0001), None, ""),
    ("wrong", ONE, ONE * numpy.float32(1.01), None, "differs by 0.01 of its largest value (0.001 is allowed)"),
    ("allowed", ONE, ONE * numpy.float32(1.01), 0.05, ""),
    ("half precision", ONE.astype("float16"), (ONE * 1.005).astype("float16"), None, ""),
    ("double precision", ONE.astype("float64"), ONE.astype("float64") * 1.0001, None, "differs by 0.0001"),
    ("type", ONE, ONE.astype("float64"), None, "is float64 instead of float32"),
    ("shape", ONE, ONE[:2], None, "[2] instead of [3]"),
    ("nan here too", numpy.array([numpy.nan, 1.0]), numpy.array([numpy.nan, 1.0]), None, ""),
    ("nan elsewhere", numpy.array([1.0, numpy.nan]), numpy.array([numpy.nan, 1.0]), None, "in other places"),
    ("under a mask", numpy.array([1.0, 2.0, 4.0, -1e9]), numpy.array([1.0, 2.0, 4.1, -1e9]), None, "differs by 0.025"),
    ("masks in other words", numpy.array([1.0, 2.0, -1e9]), numpy.array([1.0, 2.0, -1e4]), None, "differs by 1 "),
    ("rounded masks", ONE * [1, 1, 1e9], ONE * [1, 1, 1e9 + 100], None, ""),
    ("infinite", numpy.array([numpy.inf]), numpy.array([-numpy.inf]), None, "in other places"),
    ("integers", numpy.array([1, 2, 3, 4]), numpy.array([1, 2, 3, 5]), None, "25.00% of the elements differ"),
    ("bools", numpy.array([True]), numpy.array([True]), None, ""),
    ("strings", numpy.array(["a"]), numpy.array(["long"]), None, "100.00% of the elements differ"),
    ("empty", ONE[:0], ONE[:0], None, ""),
    ("zeros", ONE * 0, ONE * 0, None, ""),
    ("not zero", ONE * 0, ONE, None, "differs by"),
]


@pytest.mark.parametrize(
    ("reference", "candidate", "tolerance", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_differences(reference, candidate, tolerance: float | None, reason: str) -> None:
    found = difference("y", "case", reference, candidate, tolerance)
    assert found.equal == (not reason)
    assert reason in found.reason


def test_the_worst_output_is_named(tmp_path) -> None:
    arrays.save(str(tmp_path / "a.npz"), {"x": ONE, "y": ONE})
    arrays.save(str(tmp_path / "b.npz"), {"x": ONE, "renamed": ONE + 1})
    files = (str(tmp_path / "a.npz"),), (str(tmp_path / "b.npz"),)
    (found,) = compare(*files, ("batch=2",))
    assert (found.equal, found.outputs, found.worst.output, found.worst.case) == (False, 2, "y", "batch=2")
    assert found.worst.absolute == 1


def _graph(signature: str, initializers: str = "") -> onnx.GraphProto:
    head = '<ir_version: 8, opset_import: ["" : 17]>'
    return onnx.parser.parse_model(f"{head} g {signature} {initializers} {{ y = Identity(x) }}").graph


BASE = "(float[batch, 3] x) => (float[batch, m] y)"
INTERFACES = [
    (BASE, ""),
    ("(float[batch, 3] x) => (float[batch, 3] y)", ""),
    ("(float[2, 3] x) => (float[batch, m] y)", "its input `x` has the shape [2, 3] instead of ['batch', 3]"),
    ("(float[batch, 4] x) => (float[batch, m] y)", "its input `x` has the shape"),
    ("(float[batch] x) => (float[batch, m] y)", "its input `x` has 1 dimensions instead of 2"),
    ("(double[batch, 3] x) => (double[batch, m] y)", "its input `x` has another element type"),
    ("(float[batch, 3] x, float[1] more) => (float[batch, m] y)", "its inputs are `x`, `more` instead of `x`"),
    ("(float[batch, 3] x) => (float[batch, m] z)", "its outputs are `z` instead of `y`"),
]


@pytest.mark.parametrize(("signature", "problem"), INTERFACES)
def test_interfaces(signature: str, problem: str) -> None:
    found = interface_difference(_graph(BASE), _graph(signature))
    assert found.startswith(problem) if problem else not found


def test_an_output_that_was_known_stays_known() -> None:
    found = interface_difference(
        _graph("(float[2, 3] x) => (float[2, 3] y)"), _graph("(float[2, 3] x) => (float[2, n] y)")
    )
    assert "its output `y` has the shape" in found
