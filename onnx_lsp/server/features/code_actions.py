"""Quick fixes and fix-all, from the fixes that each diagnostic carries in `data`. Nothing is linted again."""

from __future__ import annotations

from lsprotocol import types

from onnx_lsp.diagnostics import Applicability, Diagnostic, Fix, Severity
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.convert import SOURCE, Page, edit_data, range_of
from onnx_lsp.server.documents import Snapshot
from onnx_lsp.server.features.model_fixes import APPLY_MODEL_FIX
from onnx_lsp.server.positions import Lines
from onnx_lsp.server.scripts import Result

FIX_ALL = "source.fixAll.onnx-lint"


def register(server: OnnxServer) -> None:
    """Adds the handler."""
    options = types.CodeActionOptions([types.CodeActionKind.QuickFix, FIX_ALL])
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)(code_actions)


async def code_actions(ls: OnnxServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What can be done about the diagnostics that the client asks about."""
    uri = params.text_document.uri
    snapshot = ls.documents.at(uri)
    only = params.context.only
    actions = []
    if _wanted(types.CodeActionKind.QuickFix, only):
        actions += _quick_fixes(ls, snapshot, params)
    if snapshot and snapshot.kind == "script" and _wanted(FIX_ALL, only):
        waits = bool(only)  # asked for by name, on save for example: a lint that is on its way belongs to it
        result = await ls.latest(snapshot.path) if waits else ls.scripts.current(snapshot.path)
        actions += _fix_all(ls, result, uri) if result else []
    return actions


def _wanted(kind: str, only: list[str] | None) -> bool:
    """Whether the client asked for this kind or one above it (`source` holds `source.fixAll`)."""
    return not only or any(kind == asked or kind.startswith(f"{asked}.") for asked in only)


def _quick_fixes(
    ls: OnnxServer, snapshot: Snapshot | None, params: types.CodeActionParams
) -> list[types.CodeAction]:
    actions = []
    version = snapshot.version if snapshot and snapshot.kind == "script" else None  # a model's fix knows its file
    for item in params.context.diagnostics:
        data = item.data if item.source == SOURCE and isinstance(item.data, dict) else {}
        if data.get("version") != version:
            continue
        for fix in data.get("fixes", ()):
            actions.append(_action(ls, params.text_document.uri, version, item, fix))
    return sorted(actions, key=lambda action: not action.is_preferred)


def _action(ls: OnnxServer, uri: str, version: int | None, item: types.Diagnostic, fix: dict) -> types.CodeAction:
    action = types.CodeAction(
        fix["title"], types.CodeActionKind.QuickFix, diagnostics=[item], is_preferred=fix["preferred"]
    )
    if "model" in fix:
        action.command = types.Command(fix["title"], APPLY_MODEL_FIX, arguments=[uri, fix["model"]])
    else:
        action.edit = _edit(ls, uri, version, fix["edits"])
    return action


def _fix_all(ls: OnnxServer, result: Result, uri: str) -> list[types.CodeAction]:
    """All safe fixes of one document that do not overlap, as one action: what `onnx-lint check --fix` does in one pass."""
    snapshot = result.snapshot
    explicit = ls.configuration.resolve(snapshot.path).selection(snapshot.path).explicit
    cell = snapshot.number(uri)
    safe = [fix for item in result.findings if (fix := applicable(item, explicit))]
    safe = [fix for fix in safe if all(edit.cell == cell for edit in fix.edits)]
    if not safe:
        return []
    from onnx_lsp.script.edits import compatible

    document = snapshot.cells[cell - 1] if cell else snapshot
    page = Page(Lines(document.text, ls.workspace.position_codec))
    edits = [edit_data(edit, page) for fix in compatible(safe) for edit in fix.edits]
    action = types.CodeAction("Fix all safe problems (onnx-lint)", FIX_ALL)
    action.edit = _edit(ls, document.uri, document.version, edits)
    return [action]


def applicable(item: Diagnostic, explicit: frozenset[str]) -> Fix | None:
    """The first safe fix of a finding in a script; none for a hint of a rule that nobody asked for."""
    if item.severity is Severity.HINT and item.code not in explicit:
        return None
    return next((fix for fix in item.fixes if fix.applicability is Applicability.SAFE and fix.edits), None)


def _edit(ls: OnnxServer, uri: str, version: int | None, edits: list[dict]) -> types.WorkspaceEdit:
    """One change of a document, or of the cells that edits name, bound to versions where the client can check that."""
    changes: dict[tuple[str, int | None], list[types.TextEdit]] = {}
    for edit in edits:
        document = (edit["uri"], edit["version"]) if "uri" in edit else (uri, version)
        changes.setdefault(document, []).append(types.TextEdit(range_of(edit["range"]), edit["newText"]))
    if not ls.client.versioned_edits:
        return types.WorkspaceEdit(changes={uri: listed for (uri, _), listed in changes.items()})
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(*document), listed)
            for document, listed in changes.items()
        ]
    )
