"""What the client is shown. Sets that never overlap: scripts (pulled, or pushed to a client that cannot pull); cells
of notebooks, models and configuration files (always pushed: no client pulls them)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lsprotocol import types

from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.server.configuration import Problem
from onnx_lsp.server.convert import SOURCE, Page, diagnostic
from onnx_lsp.server.documents import Documents, is_view, uri_of
from onnx_lsp.server.positions import START, Lines
from onnx_lsp.server.scripts import Result
from onnx_lsp.server.views import placed
from onnx_lsp.workspace import Workspace

TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


class Publisher:
    """Turns findings into diagnostics and sends those that are pushed."""

    def __init__(self, server, documents: Documents) -> None:
        self.server = server
        self.documents = documents
        self.uris: dict[str, str] = {}
        self._problems: dict[str | None, Problem] = {}
        self._cells: dict[str, dict[str, list[types.Diagnostic]]] = {}

    def diagnostics(self, findings: Iterable[Diagnostic], text: str, version: int | None) -> list[types.Diagnostic]:
        """Findings of one file as the client's diagnostics."""
        page = Page(Lines(text, self.server.workspace.position_codec))
        return [diagnostic(item, lambda _: page, version, self.server.client, self.lines_of) for item in findings]

    def lines_of(self, path: str) -> Lines:
        """The lines of any script: open, on disk, or none."""
        try:
            text = Workspace(self.documents.texts).read(path).text
        except OSError:
            text = ""
        return Lines(text, self.server.workspace.position_codec)

    def script(self, result: Result) -> None:
        """Pushes a script's findings."""
        snapshot = result.snapshot
        self._push(
            snapshot.uri, self.diagnostics(result.findings, snapshot.text, snapshot.version), snapshot.version
        )

    def notebook(self, result: Result) -> None:
        """Pushes a notebook's findings to its cells, those about the whole notebook to the first; only what is new."""
        snapshot, codec = result.snapshot, self.server.workspace.position_codec
        pages = [Page(Lines(cell.text, codec), cell.uri, cell.version) for cell in snapshot.cells]
        shown: dict[str, list[types.Diagnostic]] = {page.uri: [] for page in pages}
        for item in result.findings if pages else ():
            found = diagnostic(
                item, lambda cell: pages[(cell or 1) - 1], snapshot.version, self.server.client, self.lines_of
            )
            shown[pages[(item.cell or 1) - 1].uri].append(found)
        before = self._cells.get(snapshot.path, {})
        for page in pages:
            if before.get(page.uri) != shown[page.uri]:
                self._push(page.uri, shown[page.uri], page.version)
        for uri in before.keys() - shown.keys():
            self.clear(uri)
        self._cells[snapshot.path] = shown

    def clear_notebook(self, path: str) -> None:
        """Takes back what was pushed to the cells of a notebook."""
        for uri in self._cells.pop(path, ()):
            self.clear(uri)

    def clear(self, uri: str) -> None:
        self._push(uri, [])

    def uri(self, path: str) -> str:
        """The URI by which the client calls a model."""
        return self.uris.get(path) or uri_of(path)

    def model(self, path: str, findings: tuple[Diagnostic, ...]) -> None:
        """Pushes a model's findings: on the lines of its text, if that is open, else at the start of the file."""
        uri = self.uri(path)
        text = self.server.views.texts.get(path) if is_view(uri) else None
        if text is None:
            self._push(uri, self.diagnostics(findings, "", None))
            return
        page = Page(Lines(str(text), self.server.workspace.position_codec), uri)
        found = [placed(item, text) for item in findings]
        self._push(uri, [diagnostic(item, lambda _: page, None, self.server.client, self.lines_of) for item in found])

    def problems(self, present: dict[str | None, Problem]) -> None:
        """Shows what is wrong with the configuration: a message when it is new, a diagnostic while it lasts."""
        for source, problem in present.items():
            if self._problems.get(source) == problem:
                continue
            self.server.window_show_message(
                types.ShowMessageParams(types.MessageType.Error, f"onnx-lint: {problem.message}")
            )
            if source:
                self._push(uri_of(source), [_problem(problem)])
        for source in self._problems.keys() - present.keys() - {None}:
            self._push(uri_of(source), [])
        self._problems = dict(present)

    def _push(self, uri: str, diagnostics: list[types.Diagnostic], version: int | None = None) -> None:
        self.server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics, version))


def _problem(problem: Problem) -> types.Diagnostic:
    place = TOML_PLACE.search(problem.message)
    at = types.Position(int(place[1]) - 1, 0) if place else START.start
    message = problem.message.removeprefix(f"{problem.source}: ")
    return types.Diagnostic(types.Range(at, at), message, types.DiagnosticSeverity.Error, source=SOURCE)
