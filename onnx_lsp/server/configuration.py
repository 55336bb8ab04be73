"""Settings for the server: the CLI's resolver with the editor's settings laid over, and never without an answer.

A configuration that cannot be used is a problem to show, once; until it is repaired the last good settings stay in
use, or the defaults.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from onnx_lsp.settings import Resolver, Settings, SettingsError

EDITOR = "the editor's settings"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a configuration cannot be used; `source` is its file, or None for the editor's settings."""

    source: str | None
    message: str


class Configuration:
    """Resolves settings, remembers the last good ones and the problems of the present ones."""

    def __init__(self) -> None:
        self.folders: tuple[str, ...] = ()
        self.problems: dict[str | None, Problem] = {}
        self._good: dict[str | None, Settings] = {}
        self._use({})

    def _use(self, overlay: dict) -> None:
        self._resolver = Resolver(overlay, origin=EDITOR)

    def set_overlay(self, table: object) -> None:
        """Takes the editor's settings: keys as in the configuration file; null means not set."""
        known = table.items() if isinstance(table, dict) else ()
        self._use({key: value for key, value in known if value is not None})
        self.problems.clear()

    def reload(self) -> None:
        """Forgets what was read: a configuration file may have changed."""
        self._resolver.clear()

    def source(self, path: str) -> str | None:
        """The configuration file that decides about `path`."""
        return self._resolver.source(path)

    def resolve(self, path: str) -> Settings:
        """The settings of a file: the present ones, else the last good ones, else the defaults."""
        source = self._resolver.source(path)
        try:
            settings = self._resolver.resolve(path)
            settings.selection(path)
        except SettingsError as error:
            self._blame(source, str(error))
            return self._good.get(source) or Settings(root=os.path.dirname(source or path))
        for blamed in {source, None}:
            self.problems.pop(blamed, None)
        self._good[source] = settings
        return settings

    def excludes(self, path: str, settings: Settings) -> bool:
        """Whether the file lies where nothing is linted (`exclude`), seen from its configuration or workspace folder."""
        if settings.source:
            return settings.excludes(path)
        holders = [folder for folder in self.folders if path.startswith(os.path.join(folder, ""))]
        return bool(holders) and settings.excludes(path, max(holders, key=len))

    def _blame(self, source: str | None, message: str) -> None:
        """Files the problem under what is wrong: the editor's settings if they alone are refused, else the file."""
        try:
            Resolver(self._resolver.overlay, isolated=True, origin=EDITOR).resolve(os.getcwd())
        except SettingsError as error:
            source, message = None, str(error)
        if source and not message.startswith(source):
            message = f"{source}: {message}"
        elif source is None and not message.startswith(EDITOR):
            message = f"{EDITOR}: {message}"
        self.problems[source] = Problem(source, message)
