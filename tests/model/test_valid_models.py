"""Valid models raise no error and no warning: real ones, onnx's own, fresh exports, and one for every operator."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from onnx_lsp.diagnostics import Severity
from tests.model.conftest import lint
from tests.models import onnx_models, real_models

pytestmark = pytest.mark.slow
NETWORKS = ("convolutional", "perceptron", "encoder", "attention", "recurrent", "upsampler", "indexed")
TRAINING = re.compile(r"test_batchnorm_\w+_training_mode")  # the one fault that is meant


def alarms(path: Path) -> list[str]:
    return [f"{path.name}: {item.code} {item.location} {item.message}" for item in lint(path) if item.severity <= Severity.WARNING]


def test_real_models_raise_no_error_and_no_warning() -> None:
    assert not [alarm for path in (*real_models(), *onnx_models()) for alarm in alarms(path)]


@pytest.mark.parametrize("dynamo", [False, True], ids=["legacy", "new"])
@pytest.mark.parametrize("name", NETWORKS)
def test_exports_of_torch_raise_no_error_and_no_warning(name: str, dynamo: bool, tmp_path: Path) -> None:
    from tests.cases import networks

    assert set(networks.NETWORKS) == set(NETWORKS)
    path = tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        networks.export(name, str(path), dynamo)
    assert not alarms(path)


def test_the_models_of_the_specification_raise_no_error_and_no_warning(tmp_path: Path) -> None:
    """One or more for every operator, as onnx writes them for the tests of backends."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in collect_testcases(None) if case.model is not None and not case.name.endswith("_expanded")]
    assert len(cases) > 1000
    found = []
    for case in cases:
        path = tmp_path / f"{case.name}.onnx"
        path.write_bytes(case.model.SerializeToString())
        found += [alarm for alarm in alarms(path) if not TRAINING.match(alarm)]
    assert not found
