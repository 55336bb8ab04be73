"""Every class of defect is found, wherever it stands, and the finding names it."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from onnx_lsp.diagnostics import Severity
from tests.cases.defects import SNIPPETS, Snippet, everywhere, parse
from tests.cases.mutants import MUTANTS
from tests.cases.weaknesses import NOT_IN_FUNCTIONS, WEAKNESSES
from tests.model.conftest import lint
from tests.models import real_models


def placed(snippets: dict[str, Snippet]) -> list:
    """Every snippet in every place, as test parameters."""
    return [
        pytest.param(snippet, text, id=f"{name} in a {where}")
        for name, snippet in snippets.items()
        for where, text in everywhere(snippet)
        if (where, name) not in {("function", other) for other in NOT_IN_FUNCTIONS}
    ]


@pytest.mark.parametrize(("snippet", "text"), placed(SNIPPETS))
def test_a_defect_is_found_and_named_and_nothing_else_is_wrong(snippet: Snippet, text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(parse(text).SerializeToString())
    found = [item for item in lint(path) if item.severity <= Severity.WARNING]
    said = [f"{item.code} {item.location} {item.message}" for item in found]
    assert {item.code for item in found} == {snippet.code}, said
    assert any(name in line for name in snippet.names for line in said), said


@pytest.mark.parametrize(("snippet", "text"), placed(WEAKNESSES))
def test_a_weakness_is_found_and_named_and_nothing_is_called_an_error(snippet: Snippet, text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(parse(text).SerializeToString())
    found = lint(path, deep=True)
    said = [f"{item.code} {item.location} {item.message}" for item in found]
    assert any(line.startswith(snippet.code) and any(name in line for name in snippet.names) for line in said), said
    assert {item.code for item in found if item.severity is Severity.ERROR} <= {snippet.code}, said


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_in_a_real_model_is_the_first_that_is_told(name: str, tmp_path: Path) -> None:
    mutant, path = MUTANTS[name], tmp_path / "model.onnx"
    model = onnx.load(next(item for item in real_models() if mutant.source in item.name))
    named = mutant.change(model)
    onnx.save(model, path)
    found = lint(path, deep=True)
    said = [f"{item.code} {item.location} {item.message}" for item in found if item.severity <= Severity.INFO]
    assert said and said[0].startswith(mutant.code) and f"`{named}`" in said[0].replace("opset 5", "`opset 5`"), said
    assert len(said) <= 2, said
