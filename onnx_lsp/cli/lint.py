"""Lints many files: scripts here, models in a supervised child that outlives a single file but not a crash."""

from __future__ import annotations

import os

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.settings import Resolver, Settings
from onnx_lsp.work.worker import ChildDied, Worker
from onnx_lsp.workspace import Workspace


class Linter:
    """Lints files one after the other with the settings of each. Use as a context manager: it ends the child."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.workspace = Workspace()
        self._worker: Worker | None = None

    def __enter__(self) -> Linter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._worker:
            self._worker.close()

    def expect_models(self, path: str) -> None:
        """Starts the child early, so that it loads while scripts are linted."""
        self.worker(self.resolver.resolve(path)).start()

    def worker(self, settings: Settings) -> Worker:
        """The child process, with the limits of `settings`."""
        if self._worker is None:
            self._worker = Worker(settings.native_timeout, settings.native_memory)
        self._worker.timeout, self._worker.memory = settings.native_timeout, settings.native_memory
        return self._worker

    def lint(self, path: str) -> list[Diagnostic]:
        """Every finding in one file.

        Raises:
            SettingsError: its configuration cannot be used.
        """
        settings = self.resolver.resolve(path)
        if engine.kind_of(path) == "script":
            return engine.lint_script(path, settings, self.workspace)
        return self._lint_model(path, settings)

    def _lint_model(self, path: str, settings: Settings) -> list[Diagnostic]:
        stage = engine.Stage("starting", ())
        try:
            for stage in self.worker(settings).steps("lint_model", path=os.path.abspath(path), settings=settings):
                pass
        except ChildDied as error:
            return engine.after_death(path, settings, stage, str(error))
        return list(stage.findings)
