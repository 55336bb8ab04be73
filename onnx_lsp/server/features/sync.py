"""Documents open, change, are saved and close; settings and folders change."""

from __future__ import annotations

from lsprotocol import types

from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.documents import QUIET_TIME, is_view, path_of

SECTION = "onnx-lint"


def register(server: OnnxServer) -> None:
    """Adds the handlers. They only schedule work, so that they run in the order of the messages."""
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(did_save)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(did_close)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(did_change_configuration)
    server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(did_change_folders)
    server.feature(types.SHUTDOWN)(shutdown)


def did_open(ls: OnnxServer, params: types.DidOpenTextDocumentParams) -> None:
    ls.configuration.reload()  # a client without file watching never says that a configuration changed
    _changed(ls, params.text_document.uri, 0.0)


def did_change(ls: OnnxServer, params: types.DidChangeTextDocumentParams) -> None:
    _changed(ls, params.text_document.uri, QUIET_TIME)


def _changed(ls: OnnxServer, uri: str, quiet_time: float) -> None:
    snapshot = ls.documents.put(ls.workspace.get_text_document(uri), quiet_time)
    if snapshot is None:
        return
    if snapshot.kind == "model":
        if is_view(uri):
            ls.views.opened(snapshot.path, uri)
        else:
            ls.publisher.uris[snapshot.path] = uri
        if not quiet_time:
            ls.models.changed(snapshot.path)
        return
    ls.check_script(snapshot.path)
    for dependent in ls.scripts.forget_dependents(snapshot.path):
        ls.check_script(dependent, after=snapshot.path)  # a client that pulls knows by `interFileDependencies`


def did_save(ls: OnnxServer, params: types.DidSaveTextDocumentParams) -> None:
    ls.configuration.reload()
    path = path_of(params.text_document.uri)
    snapshot = ls.documents.get(path) if path else None
    if snapshot and snapshot.kind == "model":
        ls.models.changed(path)
    elif snapshot:
        ls.scripts.forget(path)
        ls.check_script(path)


def did_close(ls: OnnxServer, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    snapshot = ls.documents.remove(uri) if path_of(uri) else None
    if snapshot is None:
        return
    if snapshot.kind == "model":
        close = ls.views.closed if is_view(uri) else ls.models.removed
        close(snapshot.path)
        return
    ls.scripts.forget(snapshot.path)
    if not ls.client.pulls:
        ls.publisher.clear(uri)
    if dependents := ls.scripts.forget_dependents(snapshot.path):
        ls.check_again(dependents)


async def did_change_configuration(ls: OnnxServer, params: types.DidChangeConfigurationParams) -> None:
    """Takes the section `onnx-lint` of what was sent; a client that sends nothing may want to be asked."""
    table = params.settings.get(SECTION) if isinstance(params.settings, dict) else None
    if table is None and ls.client.asks_configuration:
        asked = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        table = (await ls.workspace_configuration_async(asked))[0] or {}
    if table is not None:
        ls.configuration.set_overlay(table)
        ls.settings_changed()


def did_change_folders(ls: OnnxServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    ls.update_folders()


def shutdown(ls: OnnxServer, params: None) -> None:
    ls.shutdown_requested = True
