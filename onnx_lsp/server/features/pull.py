"""Pulled diagnostics of open scripts (`textDocument/diagnostic`)."""

from __future__ import annotations

from lsprotocol import types

from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.convert import SOURCE
from onnx_lsp.server.documents import path_of


def register(server: OnnxServer) -> None:
    """Adds the handler."""
    options = types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=False, identifier=SOURCE
    )
    server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)(pull)


async def pull(ls: OnnxServer, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    """The findings of a script as it is now. Waits for a pause in typing: the client cancels what it no longer wants."""
    path = path_of(params.text_document.uri)
    result = await ls.latest(path) if path else None
    if result is None or result.snapshot.cells is not None:  # cells are pushed
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    if result.id == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result.id)
    snapshot = result.snapshot
    items = ls.publisher.diagnostics(result.findings, snapshot.text, snapshot.version)
    return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=result.id)
