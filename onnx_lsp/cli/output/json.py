"""The stable machine format: a list of objects, 1-based lines and columns in code points. See docs/json.md."""

from __future__ import annotations

import json

from onnx_lsp.cli.output import Context, shown_path
from onnx_lsp.diagnostics import Diagnostic, Fix, Position, Related, TextRange


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as a JSON array, one object per finding."""
    return json.dumps([finding(item) for item in findings], indent=2, ensure_ascii=False)


def finding(item: Diagnostic) -> dict:
    """One finding as JSON data."""
    return {
        "code": item.code,
        "name": item.name,
        "severity": item.severity.label,
        "message": item.message,
        "file": shown_path(item.file),
        **_cell(item.cell),
        "range": _range(item.range),
        "location": item.location,
        "fixes": [_fix(fix) for fix in item.fixes],
        "related": [_related(place) for place in item.related],
        "url": item.card,
    }


def _cell(number: int | None) -> dict:
    """The cell of a notebook; the key is there only where ranges count in one."""
    return {} if number is None else {"cell": number}


def _range(span: TextRange | None) -> dict | None:
    return {"start": _position(span.start), "end": _position(span.end)} if span else None


def _position(position: Position) -> dict:
    return {"line": position.line + 1, "column": position.column + 1}


def _fix(fix: Fix) -> dict:
    return {"title": fix.title, "applicability": fix.applicability.value, "preferred": fix.preferred}


def _related(place: Related) -> dict:
    return {
        "file": shown_path(place.file),
        **_cell(place.cell),
        "range": _range(place.range),
        "location": place.location,
        "message": place.message,
    }
