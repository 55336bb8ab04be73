"""Predictions against real sessions of the installed onnxruntime; `benchmarks.facts.verify_targets` does the same for other releases."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from onnx_lsp import targets
from tests.models import real_models

ort = pytest.importorskip("onnxruntime", reason="the predictions are compared with real sessions")
TARGET = targets.parse("onnxruntime-cpu@installed")
STEP = 9  # every ninth node test
LARGEST = 2_000_000  # bytes of a real model
# A test machine may lack the locale that they ask for.
OF_THE_MACHINE = "strnormalizer"


def loads(path: Path) -> bool:
    ort.set_default_logger_severity(4)
    try:
        ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - onnxruntime's own classes have no common base
        return False
    return True


@pytest.mark.slow
def test_node_tests_load_where_the_table_says_so(tmp_path) -> None:
    from onnx.backend.test.loader import load_model_tests

    from benchmarks.facts.verify_targets import predict

    warnings.simplefilter("ignore")
    tests = [test for test in load_model_tests(kind="node") if OF_THE_MACHINE not in test.name][::STEP]
    said = {}
    for test in tests:
        path = tmp_path / f"{test.name}.onnx"
        path.write_bytes(test.model.SerializeToString())
        said[test.name] = predict(path, TARGET)[0], loads(path)
    wrong = {name: pair for name, pair in said.items() if pair not in (("loads", True), ("refuses", False))}
    assert len(said) > 150
    assert len(wrong) <= 0.02 * len(said), wrong
    assert not [name for name, pair in wrong.items() if pair == ("refuses", True)]


@pytest.mark.slow
def test_real_models_load_where_the_table_says_so() -> None:
    from benchmarks.facts.verify_targets import predict

    models = [path for path in real_models() if path.stat().st_size < LARGEST]
    assert len(models) > 30
    assert {path.name: predict(path, TARGET)[0] for path in models} == {
        path.name: "loads" if loads(path) else "refuses" for path in models
    }


def test_every_kernel_of_the_runtime_is_in_the_table() -> None:
    from onnx_lsp.installed import kernels

    shipped = targets.table("onnxruntime-cpu")
    position = shipped.versions.index(TARGET.version)
    (found,) = kernels()
    public = [row for row in found if row[0] not in ("com.microsoft.nchwc", "com.ms.internal.nhwc")]
    absent = {
        (domain, op, low)
        for domain, op, low, _, _ in public
        if not any(entry.covers(low, position) for entry in shipped.entries("ops", domain, op))
    }
    assert len(public) > 800
    assert not absent
