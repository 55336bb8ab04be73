"""Lints open scripts, in this process: a few milliseconds of tree-sitter and Python. Remembers what it found."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.server.configuration import Configuration
from onnx_lsp.server.documents import Documents, Snapshot


@dataclass(frozen=True, slots=True)
class Result:
    """What was found in one snapshot. `id` names it in the pull protocol."""

    snapshot: Snapshot
    findings: tuple[Diagnostic, ...]
    dependencies: frozenset[str]
    id: str


class Scripts:
    """The results of the open scripts; one is kept until its document, its settings or a file it used change."""

    def __init__(self, documents: Documents, configuration: Configuration) -> None:
        self.documents = documents
        self.configuration = configuration
        self.results: dict[str, Result] = {}
        self._numbers = itertools.count()

    def lint(self, snapshot: Snapshot) -> Result:
        """The result for a snapshot, from memory if nothing changed."""
        known = self.results.get(snapshot.path)
        if known is None or known.snapshot is not snapshot:
            known = self.results[snapshot.path] = self._lint(snapshot)
        return known

    def _lint(self, snapshot: Snapshot) -> Result:
        from onnx_lsp.engine import lint_script
        from onnx_lsp.workspace import Workspace

        settings = self.configuration.resolve(snapshot.path)
        workspace = Workspace(self.documents.texts)
        excluded = self.configuration.excludes(snapshot.path, settings)
        findings = [] if excluded else lint_script(snapshot.path, settings, workspace)
        return Result(snapshot, tuple(findings), frozenset(workspace.dependencies), str(next(self._numbers)))

    def current(self, path: str) -> Result | None:
        """The result for the document as it is now, if there is one. Never lints."""
        known = self.results.get(path)
        return known if known and known.snapshot is self.documents.get(path) else None

    def forget(self, path: str) -> None:
        self.results.pop(path, None)

    def forget_all(self) -> None:
        self.results.clear()

    def forget_dependents(self, path: str) -> list[str]:
        """Drops the results of the other scripts that used the file `path`; returns whose."""
        affected = [
            key for key, result in self.results.items() if path in result.dependencies and key != path
        ]
        for key in affected:
            self.forget(key)
        return affected
