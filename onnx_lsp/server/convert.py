"""Findings as the protocol's diagnostics, and the fixes they carry in `data` back as edits."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import NamedTuple

from lsprotocol import types

from onnx_lsp.diagnostics import Applicability, Diagnostic, Fix, Related, TextEdit
from onnx_lsp.server.client import Client
from onnx_lsp.server.documents import uri_of
from onnx_lsp.server.positions import START, Lines

SOURCE = "onnx-lint"
RULE_SCHEME = "onnx-rule"


class Page(NamedTuple):
    """The text of a script, or of a cell of a notebook, which is a document of its own: it has a URI and a version."""

    lines: Lines
    uri: str = ""
    version: int | None = None


Pages = Callable[[int | None], Page]  # by the number of the cell; None for a script


def diagnostic(
    item: Diagnostic, pages: Pages, version: int | None, client: Client, lines_of: Callable[[str], Lines]
) -> types.Diagnostic:
    """One finding for the client.

    Args:
        pages: the text of the finding's file.
        version: the document's version that was linted; fixes for another one are not offered.
        lines_of: the lines of a related place's file.
    """
    href = rule_uri(item, client)
    return types.Diagnostic(
        range=pages(item.cell).lines.to_client(item.range),
        message=f"{item.message} (at `{item.location}`)" if item.location else item.message,
        severity=types.DiagnosticSeverity(item.severity.value),
        code=item.code,
        code_description=types.CodeDescription(href) if href else None,
        source=SOURCE,
        related_information=_related(item, pages, lines_of) if client.related and item.related else None,
        data={"version": version, "fixes": fixes(item, pages)},
    )


def fixes(item: Diagnostic, pages: Pages) -> list[dict]:
    """The fixes that can be applied, as JSON data."""
    offered = [fix for fix in item.fixes if fix.applicability is not Applicability.DISPLAY and (fix.edits or fix.model)]
    return [_fix(fix, pages) for fix in offered]


def _fix(fix: Fix, pages: Pages) -> dict:
    data = {"title": fix.title, "preferred": fix.preferred, "safe": fix.applicability is Applicability.SAFE}
    if fix.model:
        return {**data, "model": asdict(fix.model)}
    return {**data, "edits": [edit_data(edit, pages(edit.cell)) for edit in fix.edits]}


def edit_data(edit: TextEdit, page: Page) -> dict:
    """A text edit as JSON data, with the client's positions; in a notebook with the document that is the cell."""
    span = page.lines.to_client(edit.range)
    start, end = ({"line": at.line, "character": at.character} for at in (span.start, span.end))
    data = {"range": {"start": start, "end": end}, "newText": edit.text}
    return {**data, "uri": page.uri, "version": page.version} if page.uri else data


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


def _related(
    item: Diagnostic, pages: Pages, lines_of: Callable[[str], Lines]
) -> list[types.DiagnosticRelatedInformation]:
    return [
        types.DiagnosticRelatedInformation(
            _location(place, pages, lines_of),
            f"{place.message} (at `{place.location}`)" if place.location else place.message,
        )
        for place in item.related
    ]


def _location(place: Related, pages: Pages, lines_of: Callable[[str], Lines]) -> types.Location:
    if place.cell:
        page = pages(place.cell)
        return types.Location(page.uri, page.lines.to_client(place.range))
    return types.Location(uri_of(place.file), lines_of(place.file).to_client(place.range) if place.range else START)
