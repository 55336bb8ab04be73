"""What the tests of scripts share."""

from __future__ import annotations

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.script import syntax
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

PATH = "/project/export.py"


def lint(text: str, torch: str = "2.13") -> list[Diagnostic]:
    """The findings in a script that is nowhere but in an editor."""
    return engine.lint_script(PATH, Settings(torch=torch, root="/project"), Workspace({PATH: text}))


def calls(text: str, torch: str = "2.13") -> list[ExportCall]:
    """The export calls of a script."""
    return syntax.parse(text, PATH, Settings(torch=torch), Workspace()).calls


def codes(found: list[Diagnostic]) -> list[tuple[str, int]]:
    """Codes with their 1-based lines."""
    return [(item.code, item.range.start.line + 1 if item.range else 0) for item in found]
