"""Findings as the protocol's diagnostics, and the fixes they carry in `data` back as edits."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict

from lsprotocol import types

from onnx_lsp.diagnostics import Applicability, Diagnostic, Fix, TextEdit
from onnx_lsp.server.client import Client
from onnx_lsp.server.documents import uri_of
from onnx_lsp.server.positions import START, Lines

SOURCE = "onnx-lint"
RULE_SCHEME = "onnx-rule"


def diagnostic(
    item: Diagnostic, lines: Lines, version: int | None, client: Client, lines_of: Callable[[str], Lines]
) -> types.Diagnostic:
    """One finding for the client.

    Args:
        lines: the text of the finding's file.
        version: the document's version that was linted; fixes for another one are not offered.
        lines_of: the lines of a related place's file.
    """
    href = rule_uri(item, client)
    return types.Diagnostic(
        range=lines.to_client(item.range),
        message=f"{item.message} (at `{item.location}`)" if item.location else item.message,
        severity=types.DiagnosticSeverity(item.severity.value),
        code=item.code,
        code_description=types.CodeDescription(href) if href else None,
        source=SOURCE,
        related_information=_related(item, lines_of) if client.related and item.related else None,
        data={"version": version, "fixes": fixes(item, lines)},
    )


def fixes(item: Diagnostic, lines: Lines) -> list[dict]:
    """The fixes that can be applied, as JSON data."""
    offered = [fix for fix in item.fixes if fix.applicability is not Applicability.DISPLAY and (fix.edits or fix.model)]
    return [_fix(fix, lines) for fix in offered]


def _fix(fix: Fix, lines: Lines) -> dict:
    data = {"title": fix.title, "preferred": fix.preferred, "safe": fix.applicability is Applicability.SAFE}
    if fix.model:
        return {**data, "model": asdict(fix.model)}
    return {**data, "edits": [edit_data(edit, lines) for edit in fix.edits]}


def edit_data(edit: TextEdit, lines: Lines) -> dict:
    """A text edit as JSON data, with the client's positions."""
    span = lines.to_client(edit.range)
    start, end = ({"line": at.line, "character": at.character} for at in (span.start, span.end))
    return {"range": {"start": start, "end": end}, "newText": edit.text}


def range_of(data: dict) -> types.Range:
    """The range in an edit's JSON data."""
    return types.Range(types.Position(**data["start"]), types.Position(**data["end"]))


def rule_uri(item: Diagnostic, client: Client) -> str | None:
    """Where the client can open the rule's card: our own scheme if it asks servers for content, else the card's file."""
    if not item.card:
        return None
    if client.content:
        return f"{RULE_SCHEME}:///{os.path.basename(item.card)}"
    from onnx_lsp.rulebook import builtin_folder

    card = os.path.join(os.path.dirname(builtin_folder()), item.card)
    return uri_of(card) if os.path.isfile(card) else None


def _related(item: Diagnostic, lines_of: Callable[[str], Lines]) -> list[types.DiagnosticRelatedInformation]:
    return [
        types.DiagnosticRelatedInformation(
            types.Location(uri_of(place.file), lines_of(place.file).to_client(place.range) if place.range else START),
            f"{place.message} (at `{place.location}`)" if place.location else place.message,
        )
        for place in item.related
    ]
