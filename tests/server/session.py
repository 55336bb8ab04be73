"""A real `onnx-lsp` process and a client for it, with capabilities of our own choosing."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pytest_lsp import LanguageClient, make_test_lsp_client

from tests import ready

PATIENCE = 30.0  # seconds after which a message that should come counts as missing
COMMAND = [sys.executable, "-m", "onnx_lsp.server"]
MARKDOWN = [types.MarkupKind.Markdown]


def capabilities(
    *,
    pull: bool = False,
    watch: bool = False,
    content: bool = False,
    versioned: bool = False,
    configuration: bool = False,
    progress: bool = False,
    encodings: tuple[str, ...] = (),
) -> types.ClientCapabilities:
    """What a client can do; everything is off unless asked for."""
    return types.ClientCapabilities(
        window=types.WindowClientCapabilities(work_done_progress=progress),
        general=types.GeneralClientCapabilities(position_encodings=list(encodings) or None),
        text_document=types.TextDocumentClientCapabilities(
            completion=types.CompletionClientCapabilities(
                completion_item=types.ClientCompletionItemOptions(documentation_format=MARKDOWN)
            ),
            diagnostic=types.DiagnosticClientCapabilities() if pull else None,
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(related_information=True, data_support=True),
        ),
        workspace=types.WorkspaceClientCapabilities(
            configuration=configuration,
            diagnostics=types.DiagnosticWorkspaceClientCapabilities(refresh_support=True) if pull else None,
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=watch),
            text_document_content=types.TextDocumentContentClientCapabilities() if content else None,
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=versioned),
        ),
    )


@functools.cache
def quick_command() -> list[str]:
    """Like `COMMAND`, with the imports done beforehand, once for all sessions of this process."""
    return ready.command("onnx_lsp.server.main:main", "onnx_lsp.server.app")


class Session:
    """One client and its server."""

    def __init__(self, client: LanguageClient, result: types.InitializeResult) -> None:
        self.client = client
        self.result = result
        self.pushes: dict[str, list[types.PublishDiagnosticsParams]] = {}
        self.registrations: list[types.Registration] = []
        self.refreshes: list[str] = []
        self.progress: dict[types.ProgressToken, list] = {}
        self.arrived = asyncio.Condition()

    @property
    def server(self) -> asyncio.subprocess.Process:
        return self.client._server

    def open(self, path: Path | str, text: str, version: int = 1, language: str = "python") -> str:
        """Opens a document; returns its URI."""
        uri = path.as_uri() if isinstance(path, Path) else path
        item = types.TextDocumentItem(uri, language, version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, version: int, *changes: str | tuple[types.Range, str]) -> None:
        """Changes a document: whole texts, or ranges with their new text."""
        events = [
            types.TextDocumentContentChangeWholeDocument(item)
            if isinstance(item, str)
            else types.TextDocumentContentChangePartial(*item)
            for item in changes
        ]
        document = types.VersionedTextDocumentIdentifier(version, uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, events))

    def close(self, uri: str) -> None:
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def save(self, uri: str) -> None:
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def touched(self, path: Path, kind: types.FileChangeType = types.FileChangeType.Changed) -> str:
        """Tells the server that a watched file changed; returns its URI."""
        event = types.FileEvent(path.as_uri(), kind)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        return path.as_uri()

    async def pushed(self, uri: str, count: int = 1) -> types.PublishDiagnosticsParams:
        """The last push for a document, once there have been `count` of them."""
        async with self.arrived, asyncio.timeout(PATIENCE):
            await self.arrived.wait_for(lambda: len(self.pushes.get(uri, ())) >= count)
            return self.pushes[uri][-1]

    async def pushed_like(self, uri: str, wanted) -> types.PublishDiagnosticsParams:
        """The first push for a document whose diagnostics are as `wanted` says."""
        async with self.arrived, asyncio.timeout(PATIENCE):
            await self.arrived.wait_for(lambda: any(wanted(push.diagnostics) for push in self.pushes.get(uri, ())))
            return next(push for push in self.pushes[uri] if wanted(push.diagnostics))

    async def refreshed(self, uri: str) -> bool:
        """True once the server has asked to read a document anew."""
        async with self.arrived, asyncio.timeout(PATIENCE):
            return await self.arrived.wait_for(lambda: uri in self.refreshes)

    async def progressed(self, like=lambda value: True) -> types.ProgressToken:
        """The token of the first progress that reports something that is as `like` says."""
        async with self.arrived, asyncio.timeout(PATIENCE):
            while not (found := [token for token, values in self.progress.items() if any(map(like, values))]):
                await self.arrived.wait()
            return found[0]

    def command(
        self, name: str, *arguments: object, token: types.ProgressToken | None = None, number: str | None = None
    ) -> asyncio.Future:
        """Sends a command, as the request `number`; its answer."""
        params = types.ExecuteCommandParams(name, list(arguments), work_done_token=token)
        sending = self.client.protocol.send_request_async(types.WORKSPACE_EXECUTE_COMMAND, params, msg_id=number)
        return asyncio.ensure_future(sending)

    async def pull(self, uri: str, previous: str | None = None):
        """What the server reports for a document that is pulled."""
        identifier = types.TextDocumentIdentifier(uri)
        params = types.DocumentDiagnosticParams(identifier, previous_result_id=previous)
        return await asyncio.wait_for(self.client.text_document_diagnostic_async(params), PATIENCE)

    async def actions(self, uri: str, diagnostics, only: list[str] | None = None) -> list[types.CodeAction]:
        """The code actions for these diagnostics."""
        at = diagnostics[0].range if diagnostics else types.Range(types.Position(0, 0), types.Position(0, 0))
        context = types.CodeActionContext(diagnostics, only=only)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), at, context)
        return await asyncio.wait_for(self.client.text_document_code_action_async(params), PATIENCE) or []


@asynccontextmanager
async def session(
    able: types.ClientCapabilities | None = None,
    *,
    root: Path | None = None,
    settings: dict | None = None,
    command: list[str] | None = None,
) -> AsyncIterator[Session]:
    """Starts a server (with `quick_command` unless another is given), initializes it, and shuts it down again."""
    client = make_test_lsp_client()
    result = types.InitializeResult(types.ServerCapabilities())
    state = Session(client, result)
    _collect(client, state)
    await client.start_io(*(command or quick_command()))
    folders = [types.WorkspaceFolder(root.as_uri(), root.name)] if root else None
    state.result = await client.initialize_session(
        types.InitializeParams(
            able or capabilities(),
            root_uri=root.as_uri() if root else None,
            workspace_folders=folders,
            initialization_options={"settings": settings} if settings else None,
        )
    )
    try:
        yield state
    finally:
        await asyncio.wait_for(client.shutdown_session(), PATIENCE)
        await client.stop()


def _collect(client: LanguageClient, state: Session) -> None:
    features = client.protocol.fm.features
    features.pop(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    async def published(params: types.PublishDiagnosticsParams) -> None:
        async with state.arrived:
            state.pushes.setdefault(params.uri, []).append(params)
            state.arrived.notify_all()

    features.pop(types.PROGRESS, None)
    features.pop(types.WINDOW_WORK_DONE_PROGRESS_CREATE, None)

    @client.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH)
    async def refreshed(params: types.TextDocumentContentRefreshParams) -> None:
        async with state.arrived:
            state.refreshes.append(params.uri)
            state.arrived.notify_all()

    @client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
    def created(params: types.WorkDoneProgressCreateParams) -> None:
        state.progress[params.token] = []

    @client.feature(types.PROGRESS)
    async def progressed(params: types.ProgressParams) -> None:
        async with state.arrived:
            state.progress.setdefault(params.token, []).append(params.value)
            state.arrived.notify_all()

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params: types.RegistrationParams) -> None:
        state.registrations += params.registrations
