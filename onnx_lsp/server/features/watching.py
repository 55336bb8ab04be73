"""Files that change on disk: models are linted, configuration and what scripts use is read again."""

from __future__ import annotations

import os

from lsprotocol import types

from onnx_lsp.engine import kind_of
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.documents import path_of

CONFIGURATION = ("pyproject.toml", "onnx-lint.toml")
EXTERNAL_DATA = ".data"  # torch writes the weights of m.onnx to m.onnx.data
PINS = "{Pipfile,setup.cfg,*.lock,*requirements*,constraints*,*environment*,conda*}"  # what `script.pins` reads
PATTERNS = ("**/*.onnx", f"**/*.onnx{EXTERNAL_DATA}", "**/{pyproject.toml,onnx-lint.toml}", "**/*.py", f"**/{PINS}")


def register(server: OnnxServer) -> None:
    """Adds the handlers."""
    server.feature(types.INITIALIZED)(initialized)
    server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)(did_change_watched_files)


async def initialized(ls: OnnxServer, params: types.InitializedParams) -> None:
    """Asks the client to watch files, where it can."""
    if not ls.client.watches:
        return
    watchers = [types.FileSystemWatcher(pattern) for pattern in PATTERNS]
    registration = types.Registration(
        "onnx-lint-watch",
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.DidChangeWatchedFilesRegistrationOptions(watchers),
    )
    await ls.client_register_capability_async(types.RegistrationParams([registration]))


def did_change_watched_files(ls: OnnxServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Sorts the changes by what they mean."""
    settings_changed, everything, affected = False, False, []
    for change in params.changes:
        path = path_of(change.uri)
        if path is None:
            continue
        model = path.removesuffix(EXTERNAL_DATA)
        if kind_of(model) == "model":
            _model_changed(ls, model, change, itself=model == path)
            affected += ls.scripts.forget_dependents(path)
        elif os.path.basename(path) in CONFIGURATION:
            settings_changed = True
        elif change.type is types.FileChangeType.Changed or kind_of(path) == "script":
            affected += ls.scripts.forget_dependents(path)
        else:
            everything = True  # a pin that came or went may concern every script
    if settings_changed:
        ls.configuration.reload()
        ls.settings_changed()
    elif everything or affected:
        ls.check_again(None if everything else affected)


def _model_changed(ls: OnnxServer, path: str, change: types.FileEvent, itself: bool) -> None:
    if itself and not ls.views.uri(path):
        ls.publisher.uris[path] = change.uri
    if itself and change.type is types.FileChangeType.Deleted:
        ls.models.removed(path)
    elif itself or os.path.exists(path):
        ls.model_changed(path)
