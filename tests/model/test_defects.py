"""Every class of defect is found, wherever it stands, and the finding names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp.diagnostics import Severity
from tests.cases.defects import SNIPPETS, Snippet, everywhere, parse
from tests.model.conftest import lint

PLACED = [
    pytest.param(snippet, text, id=f"{name} in a {where}")
    for name, snippet in SNIPPETS.items()
    for where, text in everywhere(snippet)
]


@pytest.mark.parametrize(("snippet", "text"), PLACED)
def test_a_defect_is_found_and_named_and_nothing_else_is_wrong(snippet: Snippet, text: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(parse(text).SerializeToString())
    found = [item for item in lint(path) if item.severity <= Severity.WARNING]
    said = [f"{item.code} {item.location} {item.message}" for item in found]
    assert {item.code for item in found} == {snippet.code}, said
    assert any(name in line for name in snippet.names for line in said), said
