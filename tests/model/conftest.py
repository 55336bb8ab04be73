"""What the tests of models share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests import cases


def lint(path: Path, **settings) -> tuple[Diagnostic, ...]:
    """All findings of one model, hints too, but for those that every small model has: no metadata, a fixed batch."""
    settings.setdefault("ignore", () if "select" in settings else ("MET", "DYN001"))
    return list(engine.lint_model(str(path), Settings(root=str(path.parent), **settings), Workspace()))[-1].findings


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a case of tests/cases, or a model given as ONNX text, and returns its path."""

    def write(source: str) -> Path:
        path = tmp_path / "model.onnx"
        if "{" in source:
            path.write_bytes(onnx.parser.parse_model(source).SerializeToString())
        else:
            cases.build(source, path)
        return path

    return write
