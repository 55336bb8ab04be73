"""SARIF 2.1.0 for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

A binary has no lines: a finding in a model stands at line 1, and its model path is the logical location. A finding in
a notebook stands on the line of the JSON that holds the line of the cell, and the cell is the logical location.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from onnx_lsp import __version__
from onnx_lsp.cli.output import Context, shown_path
from onnx_lsp.diagnostics import Diagnostic, Fix, Related, Severity, TextRange
from onnx_lsp.fingerprint import Fingerprints
from onnx_lsp.rulebook import Card

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.HINT: "note"}


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings as one SARIF log with one run."""
    cards = {item.code: context.book(item.file).card(item.code) for item in findings}
    codes = sorted(cards)
    prints = Fingerprints(context.workspace)
    driver = {"name": "onnx-lint", "version": __version__, "rules": [_rule(cards[code]) for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder in which onnx-lint ran"}}},
        "results": [_result(item, codes.index(item.code), prints, context) for item in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(card: Card) -> dict:
    worst = min((case.severity for case in card.cases.values()), default=Severity.WARNING)
    return {
        "id": card.code,
        "name": "".join(word.capitalize() for word in card.name.split("-")),
        "shortDescription": {"text": card.summary},
        "help": {"text": f"onnx-lint rule {card.code}", "markdown": card.body},
        "defaultConfiguration": {"level": LEVELS[worst]},
    }


def _result(item: Diagnostic, index: int, prints: Fingerprints, context: Context) -> dict:
    result = {
        "ruleId": item.code,
        "ruleIndex": index,
        "level": LEVELS[item.severity],
        "message": {"text": item.message},
        "locations": [_location(item, context)],
        # The key that GitHub tells results apart by; without it GitHub hashes the line, and a binary has none.
        "partialFingerprints": {"primaryLocationLineHash": prints.unique(item, shown_path(item.file))},
    }
    if item.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": place.message}, **_location(place, context)}
            for number, place in enumerate(item.related, 1)
        ]
    if fixes := [_fix(fix, item.file) for fix in item.fixes if fix.edits and item.cell is None]:
        result["fixes"] = fixes
    return result


def _location(item: Diagnostic | Related, context: Context) -> dict:
    first, last = context.lines(item)
    region = {"startLine": first, "endLine": last} if item.cell else {"startLine": 1}
    if item.range and item.cell is None:
        region = _region(item.range)
    location: dict = {"physicalLocation": {"artifactLocation": _artifact(item.file), "region": region}}
    if item.location:
        location["logicalLocations"] = [{"fullyQualifiedName": item.location, "kind": "element"}]
    if item.cell:
        location["logicalLocations"] = [{"fullyQualifiedName": f"cell[{item.cell}]", "kind": "element"}]
    return location


def _artifact(file: str) -> dict:
    return {"uri": quote(shown_path(file)), "uriBaseId": "SRCROOT"}


def _region(span: TextRange) -> dict:
    return {
        "startLine": span.start.line + 1,
        "startColumn": span.start.column + 1,
        "endLine": span.end.line + 1,
        "endColumn": span.end.column + 1,
    }


def _fix(fix: Fix, file: str) -> dict:
    replacements = [
        {"deletedRegion": _region(edit.range), "insertedContent": {"text": edit.text}} for edit in fix.edits
    ]
    return {
        "description": {"text": f"{fix.title} ({fix.applicability.value})"},
        "artifactChanges": [{"artifactLocation": _artifact(file), "replacements": replacements}],
    }
