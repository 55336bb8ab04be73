"""Every class of defect is found, wherever it stands, and the finding names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp.diagnostics import Severity
from tests.cases.defects import SNIPPETS, Snippet, everywhere, parse
from tests.cases.weaknesses import NOT_IN_FUNCTIONS, WEAKNESSES
from tests.model.conftest import lint


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
