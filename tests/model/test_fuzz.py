"""2,000 mutated models: none raises, hangs or eats memory. `python -m tests.model.fuzz --cases 100000` runs more."""

from __future__ import annotations

import itertools
import sys

import onnx
import pytest

from tests.model import fuzz


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processor time is read from /proc")
def test_no_mutant_breaks_anything() -> None:
    outcomes = fuzz.campaign(2000, seed=20)
    assert set(outcomes) <= {"ok", "contained"} and outcomes["ok"] > 1990


def test_mutants_differ_and_many_of_them_can_be_read() -> None:
    models = fuzz.seeds()
    mutants = list(itertools.islice(fuzz.cases(1, models), 200))
    assert mutants == list(itertools.islice(fuzz.cases(1, models), 200))
    assert len(set(mutants) - set(models)) > 150
    assert sum(map(readable, mutants)) > 80


def readable(data: bytes) -> bool:
    try:
        return onnx.ModelProto.FromString(data).HasField("graph")
    except Exception:  # noqa: BLE001  (protobuf's DecodeError)
        return False


def test_boundaries_are_where_fields_begin() -> None:
    inner = onnx.StringStringEntryProto(key="k", value="v")
    data = onnx.ModelProto(ir_version=8, metadata_props=[inner]).SerializeToString()
    entry = data.index(inner.SerializeToString())
    assert {0, 2, entry, entry + 3} <= set(fuzz.boundaries(data))
