"""A fix does what it says: the finding goes, nothing new comes, and a safe one leaves the numbers alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_lsp.checks import MODEL_CHECKS
from onnx_lsp.diagnostics import Applicability, ModelEdit
from onnx_lsp.model.fixes import FIXES, FixRefused, apply_fixes
from onnx_lsp.rulebook import rulebook
from onnx_lsp.work.worker import Worker
from tests.model.conftest import lint
from tests.model.repairs import REPAIRS
from tests.model.structure_repairs import STRUCTURE_REPAIRS

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
UNSORTED = HEAD + "g (float[2,3] x) => (float[2,3] y) { y = Relu(a) a = Neg(b) b = Abs(x) }"

# (code, key) -> models that have the finding
FIXABLE = {
    ("OPT001", "drop"): [
        "unused_weight",
        "unused_weights",
        HEAD + "g (float[2] x, bool c) => (float[2] y) { y = If (c) <"
        "then_branch = t () => (float[2] p) <float[2] u = {1, 2}> { p = Relu(x) },"
        "else_branch = e () => (float[2] q) { q = Neg(x) }> }",
    ],
    ("ONX010", "rename"): [
        HEAD + "g (float[2] images) => (float[2] y) { a = Relu(images) y = Add(a, image) }",
        HEAD + "g (float[2] images, bool c) => (float[2] y) { y = If (c) <"
        "then_branch = t () => (float[2] p) { p = Relu(image) },"
        "else_branch = e () => (float[2] q) { q = Neg(images) }> }",
    ],
    ("ONX011", "sort"): [
        UNSORTED,
        HEAD + "g (float[2] x, bool c) => (float[2] y) { y = If (c) <"
        "then_branch = t () => (float[2] p) { p = Relu(z) r = Neg(x) },"
        "else_branch = e () => (float[2] q) { q = Relu(s) s = Abs(x) }>\nz = Neg(x) }",
    ],
    ("ONX014", "drop"): [
        HEAD + "g (float[2] x) => (float[2] y) <float[2] w = {1, 2}, float[2] w = {3, 4}> { y = Add(x, w) }"
    ],
    ("RUN002", "lower"): [HEAD.replace("8", "11") + "g (float[2] x) => (float[2] y) { y = Relu(x) }"],
    ("RUN003", "inline"): ['<ir_version: 8, opset_import: ["" : 25]>\ng (float[2] x) => (float[2] y) { y = Swish(x) }'],
    **REPAIRS,
    **STRUCTURE_REPAIRS,
}
# Findings that need a setting.
SETTINGS = {"RUN002": {"targets": ("onnxruntime-cpu@1.18",)}, "RUN003": {"targets": ("onnxruntime-cpu@1.32",)}}
REFUSED = (onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph, onnxruntime.capi.onnxruntime_pybind11_state.Fail)
KINDS = {"tensor(bool)": bool, "tensor(double)": np.float64}
PROOFS = [(code, key, source) for (code, key), sources in FIXABLE.items() for source in sources]


def outputs(path: Path) -> list[np.ndarray] | None:
    """What onnxruntime gives on seeded inputs; None where it refuses the model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except REFUSED:
        return None
    random = np.random.default_rng(3)
    feeds = {}
    for item in session.get_inputs():
        shape = [dim if isinstance(dim, int) else 4 for dim in item.shape]
        kind = KINDS.get(item.type, np.float32)
        feeds[item.name] = random.standard_normal(shape).astype(kind)
    return session.run(None, feeds)


def fixes_of(path: Path, code: str, key: str) -> list:
    return [fix for item in lint(path, **SETTINGS.get(code, {})) if item.code == code for fix in item.fixes if fix.key == key]


@pytest.mark.parametrize(("code", "key", "source"), PROOFS)
def test_a_fix_is_proven(code: str, key: str, source: str, case) -> None:
    path = case(source)
    settings = SETTINGS.get(code, {})
    before, interface = lint(path, **settings), (onnx.load(path).graph.input, onnx.load(path).graph.output)
    fixes = fixes_of(path, code, key)
    safe = all(fix.applicability is Applicability.SAFE for fix in fixes)
    numbers = outputs(path) if safe else None
    result = apply_fixes(str(path), [fix.model for fix in fixes], write=True)
    assert result.applied == len(fixes) > 0 and result.diff.startswith("--- a/model.onnx")
    after = lint(path, **settings)
    assert code not in {item.code for item in after}
    assert {item.code for item in after} <= {item.code for item in before}
    onnx.checker.check_model(str(path), full_check=True)
    graph = onnx.load(path).graph
    if safe:
        assert (graph.input, graph.output) == interface
        fixed = outputs(path)
        assert fixed is not None
        for old, new in zip(numbers or fixed, fixed, strict=True):
            np.testing.assert_array_equal(old, new)


def test_every_fix_is_proven() -> None:
    assert set(FIXABLE) == set(FIXES)


def test_every_fix_on_a_card_exists_and_every_other_way_round() -> None:
    book = rulebook()
    checked = {check.code for check in MODEL_CHECKS}
    promised = {
        (rule.code, key)
        for rule in book.rules.values()
        if rule.code in checked
        for case in book.card(rule.code).cases.values()
        for key in case.fixes
    }
    assert promised == set(FIXES)


def test_a_value_that_comes_later_is_named_but_not_offered(case) -> None:
    path = case(HEAD + "g (float[2] x) => (float[2] y) { y = Relu(logit) logits = Neg(x) }")
    (finding,) = lint(path, select=("ONX010",))
    assert "did you mean `logits`" in finding.message and not finding.fixes


def test_a_preview_leaves_the_file_alone(case) -> None:
    path = case(UNSORTED)
    content = path.read_bytes()
    result = apply_fixes(str(path), [fix.model for fix in fixes_of(path, "ONX011", "sort")], write=False)
    assert path.read_bytes() == content and not result.written
    assert "+  b = Abs(x)\n" in result.diff and "-  b = Abs(x)\n" in result.diff


def test_a_file_that_changed_is_refused(case) -> None:
    path = case(UNSORTED)
    edits = [fix.model for fix in fixes_of(path, "ONX011", "sort")]
    proto = onnx.load(path)
    proto.graph.name = "changed"
    onnx.save(proto, path)
    content = path.read_bytes()
    with pytest.raises(FixRefused, match="changed"):
        apply_fixes(str(path), edits, write=True)
    assert path.read_bytes() == content


def test_an_edit_of_a_fix_that_does_not_exist_is_refused(case) -> None:
    path = case(UNSORTED)
    digest = fixes_of(path, "ONX011", "sort")[0].model.digest
    with pytest.raises(FixRefused):
        apply_fixes(str(path), [ModelEdit("ONX011", "shuffle", "graph", (), digest)], write=True)
    with pytest.raises(FixRefused):
        apply_fixes(str(path), [ModelEdit("ONX011", "sort", "graph/node[9].body", (), digest)], write=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither modes nor links of this kind")
def test_mode_and_link_stay_and_nothing_is_left_behind(case, tmp_path: Path) -> None:
    real = case("unused_weight")
    real.chmod(0o640)
    link = tmp_path / "link.onnx"
    link.symlink_to(real.name)
    edits = [fix.model for fix in fixes_of(link, "OPT001", "drop")]
    apply_fixes(str(link), edits, write=True)
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    assert sorted(item.name for item in tmp_path.iterdir()) == ["link.onnx", "model.onnx"]
    assert "spare0" not in {item.name for item in onnx.load(real).graph.initializer}


def test_weights_come_back_as_they_were(case) -> None:
    path = case("unused_weights")
    before = {item.name: item for item in onnx.load(path).graph.initializer}
    apply_fixes(str(path), [fix.model for fix in fixes_of(path, "OPT001", "drop")], write=True)
    after = {item.name: item for item in onnx.load(path).graph.initializer}
    assert after == {name: before[name] for name in ("w", "b")}


def test_the_child_applies_fixes(case) -> None:
    path = case(UNSORTED)
    edits = [fix.model for fix in fixes_of(path, "ONX011", "sort")]
    worker = Worker(timeout=30, memory=1024)
    try:
        (result,) = worker.steps("fix_model", path=str(path), edits=edits, write=True)
    finally:
        worker.close()
    assert result.written and not lint(path, select=("ONX011",))
