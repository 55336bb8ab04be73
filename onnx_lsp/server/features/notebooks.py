"""Notebooks open, change, are saved and close (`notebookDocument/*`). Their cells are linted as one script."""

from __future__ import annotations

from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument

from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.documents import QUIET_TIME, notebook_path


def register(server: OnnxServer) -> None:
    """Adds the handlers. They only schedule work, so that they run in the order of the messages."""
    server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)(did_open)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)(did_change)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)(did_save)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)(did_close)


def did_open(ls: OnnxServer, params: types.DidOpenNotebookDocumentParams) -> None:
    ls.configuration.reload()
    _changed(ls, params.notebook_document.uri, 0.0)


def did_change(ls: OnnxServer, params: types.DidChangeNotebookDocumentParams) -> None:
    _changed(ls, params.notebook_document.uri, QUIET_TIME)


def did_save(ls: OnnxServer, params: types.DidSaveNotebookDocumentParams) -> None:
    ls.configuration.reload()
    path = notebook_path(params.notebook_document.uri)
    if path and ls.documents.get(path):
        ls.scripts.forget(path)
        ls.check_script(path)


def did_close(ls: OnnxServer, params: types.DidCloseNotebookDocumentParams) -> None:
    if snapshot := ls.documents.remove_notebook(params.notebook_document.uri):
        ls.scripts.forget(snapshot.path)
        ls.publisher.clear_notebook(snapshot.path)


def _changed(ls: OnnxServer, uri: str, quiet_time: float) -> None:
    if snapshot := ls.documents.put_notebook(uri, _code_cells(ls, uri), quiet_time):
        ls.check_script(snapshot.path)


def _code_cells(ls: OnnxServer, uri: str) -> list[TextDocument]:
    """The code cells, in order, whose text the client has sent."""
    notebook = ls.workspace.get_notebook_document(notebook_uri=uri)
    documents = ls.workspace.text_documents
    cells = [cell for cell in notebook.cells if cell.kind == types.NotebookCellKind.Code] if notebook else []
    return [document for cell in cells if (document := documents.get(unquote(cell.document)))]
