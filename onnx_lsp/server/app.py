"""The server put together: its parts, its protocol, its features."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import BinaryIO

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from onnx_lsp import __version__
from onnx_lsp.server import lifecycle
from onnx_lsp.server.client import Client
from onnx_lsp.server.configuration import Configuration
from onnx_lsp.server.convert import RULE_SCHEME
from onnx_lsp.server.documents import VIEW_SCHEME, Documents, path_of
from onnx_lsp.server.models import Models
from onnx_lsp.server.positions import DocumentStore
from onnx_lsp.server.progress import requested
from onnx_lsp.server.publishing import Publisher
from onnx_lsp.server.scripts import Result, Scripts
from onnx_lsp.server.views import Views

logger = logging.getLogger(__name__)

NOTEBOOKS = types.NotebookDocumentSyncOptions(
    [types.NotebookDocumentFilterWithNotebook("jupyter-notebook", [types.NotebookCellLanguage("python")])], save=True
)


class Protocol(LanguageServerProtocol):
    """pygls's protocol with our documents, and with the capabilities that pygls does not advertise."""

    def lsp_initialize(self, params: types.InitializeParams):
        result = yield from super().lsp_initialize(params)
        self._workspace = DocumentStore(
            self._workspace.root_uri,
            self._server._text_document_sync_kind,
            params.workspace_folders,
            self._workspace.position_encoding,
        )
        self._server.connect(params)
        capabilities = result.capabilities
        if not self._server.client.pulls:
            capabilities.diagnostic_provider = None
        if self._server.client.content and capabilities.workspace:
            capabilities.workspace.text_document_content = types.TextDocumentContentOptions([RULE_SCHEME, VIEW_SCHEME])
        return result

    lsp_initialize.method_name = types.INITIALIZE

    async def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> object:
        """Runs a command as a task: pygls's own way shields it from `$/cancelRequest`, and loses its progress token."""
        command = self.fm.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams.of(ValueError(f"there is no command {params.command!r}"))
        requested.set(params.work_done_token)
        return await command(*params.arguments or ())

    lsp_workspace__execute_command.method_name = types.WORKSPACE_EXECUTE_COMMAND


class OnnxServer(LanguageServer):
    """The parts that the features use."""

    def __init__(self) -> None:
        super().__init__("onnx-lsp", __version__, notebook_document_sync=NOTEBOOKS, protocol_cls=Protocol)
        self.client = Client()
        self.shutdown_requested = False
        self.documents = Documents()
        self.configuration = Configuration()
        self.scripts = Scripts(self.documents, self.configuration)
        self.publisher = Publisher(self, self.documents)
        self.models = Models(self.configuration, self._show_model, self.spawn)
        self.views = Views(self)
        self.measuring = asyncio.Lock()
        self._tasks: set[asyncio.Task] = set()
        self._pushing: set[str] = set()

    def serve(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        """Serves until the end of input or `exit`, then ends the children."""
        self.protocol.set_writer(StdoutWriter(stdout))
        try:
            asyncio.run(self._serve(StdinAsyncReader(stdin, self.thread_pool)))
        except (BrokenPipeError, SystemExit):
            pass  # the client is gone; `exit`
        finally:
            self.shutdown()

    async def _serve(self, reader: StdinAsyncReader) -> None:
        try:
            await run_async(threading.Event(), reader, self.protocol, logger, self.report_server_error)
        finally:
            await self.close()

    def connect(self, params: types.InitializeParams) -> None:
        """Takes over what the client said about itself."""
        self.client = Client.of(params.capabilities)
        self.update_folders()
        options = params.initialization_options
        self.configuration.set_overlay(options.get("settings") if isinstance(options, dict) else None)
        if params.process_id is not None and lifecycle.alive(params.process_id):
            self.spawn(lifecycle.end_with(params.process_id, self.close))

    def update_folders(self) -> None:
        """Tells the configuration which folders the workspace has."""
        folders = [folder.uri for folder in self.workspace.folders.values()] or [self.workspace.root_uri]
        self.configuration.folders = tuple(path for uri in folders if uri and (path := path_of(uri)))

    def spawn(self, work: Coroutine) -> asyncio.Task:
        """Starts a task of the server; a failure in it is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a task failed", exc_info=error)

    async def close(self) -> None:
        """Cancels whatever is under way, and with it the children that do it."""
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Logs; pygls would open a message box for every failed notification."""
        logger.error("%s: %s", source.__name__, error, exc_info=error)

    def check_script(self, path: str, after: str | None = None) -> None:
        """Shows a script's findings once its author pauses; a client that pulls asks by itself.

        Args:
            after: another document that is being typed in, to wait for first.
        """
        snapshot = self.documents.get(path)
        pulled = self.client.pulls and not (snapshot and snapshot.cells is not None)
        if not pulled and path not in self._pushing:
            self._pushing.add(path)
            self.spawn(self._push_script(path, after))

    async def _push_script(self, path: str, after: str | None) -> None:
        try:
            if after:
                await self.documents.settled(after)
            result = await self.latest(path)
        finally:
            self._pushing.discard(path)
        if result is None:
            return
        if result.snapshot.cells is None:
            self.publisher.script(result)
        else:
            self.publisher.notebook(result)

    async def latest(self, path: str) -> Result | None:
        """The result for an open script as it is once its author pauses; None once it is closed.

        Nothing is awaited after the snapshot is taken: what comes back is about the present version.
        """
        snapshot = await self.documents.settled(path)
        if snapshot is None or snapshot.kind != "script":
            return None
        result = self.scripts.lint(snapshot)
        self.show_problems()
        return result

    def check_again(self, paths: list[str] | None = None) -> None:
        """Shows scripts anew after something else changed: settings, or files they use. None: all open scripts."""
        if paths is None:
            self.scripts.forget_all()
            paths = [snapshot.path for snapshot in self.documents.scripts()]
        if self.client.pulls and paths and self.client.refreshes:
            self.workspace_diagnostic_refresh(None)
        for path in paths:
            self.check_script(path)

    def model_changed(self, path: str) -> None:
        """Lints a model that was written, and renews its text."""
        self.models.changed(path)
        self.views.changed(path)

    def settings_changed(self) -> None:
        """Everything that is shown depends on the settings."""
        self.check_again()
        self.models.again()

    def _show_model(self, path: str, findings: tuple) -> None:
        self.publisher.model(path, findings)
        self.show_problems()

    def show_problems(self) -> None:
        self.publisher.problems(self.configuration.problems)


def create() -> OnnxServer:
    """A server with all its features."""
    from onnx_lsp.server.features import (
        actions,
        assist,
        code_actions,
        content,
        model_fixes,
        notebooks,
        pull,
        sync,
        watching,
    )

    server = OnnxServer()
    for feature in (sync, notebooks, pull, watching, code_actions, model_fixes, content, assist, actions):
        feature.register(server)
    return server
