"""The committed tables of torch against the torch that is installed."""

from __future__ import annotations

import inspect

import pytest

from onnx_lsp import targets


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the tables are compared with an installed torch")


def minor(torch) -> str:
    return ".".join(torch.__version__.split(".")[:2])


@pytest.mark.slow
def test_the_newest_signature_is_the_installed_one(torch) -> None:
    table = targets.read("torch")
    assert table["versions"][-1] == minor(torch)
    parameters = inspect.signature(torch.onnx.export).parameters.values()
    newest = table["signature"][-1]
    keyword = [item.name for item in parameters if item.kind is item.KEYWORD_ONLY]
    assert newest["keyword_only"] == keyword
    assert newest["positional"] == [item.name for item in parameters if item.name not in keyword]
    assert table["exporter"][minor(torch)]["dynamo"] is inspect.signature(torch.onnx.export).parameters["dynamo"].default


@pytest.mark.slow
def test_names_are_there_or_gone_as_the_table_says(torch) -> None:
    import torch.onnx.utils

    for name, spans in targets.read("torch")["names"].items():
        spans = [spans] if isinstance(spans, str) else spans
        owner, _, attribute = name.rpartition(".")
        there = hasattr(torch.onnx.utils if owner else torch.onnx, attribute)
        submodule = attribute in targets.read("torch")["modules"]
        assert submodule or there == spans[-1].endswith(".."), name


def test_calls_name_what_they_measured() -> None:
    calls = targets.read("torch-ops")["calls"]
    assert calls["torch.nn.functional.grid_sample"][0]["legacy"] == 16
    assert calls["torch.nn.functional.scaled_dot_product_attention"][0]["legacy"] == 14
    assert all(row["legacy"] is False or 7 <= row["legacy"] <= 20 for rows in calls.values() for row in rows)
