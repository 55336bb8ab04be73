"""What is open: one immutable snapshot per document, so that `is` tells whether a document changed meanwhile.

A notebook is one document: the engine reads it as it would from disk, and its findings are shown on its cells.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pygls.uris import from_fs_path, to_fs_path, uri_scheme
from pygls.workspace import TextDocument

from onnx_lsp.engine import NOTEBOOK_SUFFIX, is_notebook, kind_of

VIEW_SCHEME, VIEW_SUFFIX = "onnx", ".onnxtxt"  # `onnx:///w/m.onnx.onnxtxt` is the text of `/w/m.onnx`
QUIET_TIME = 0.15  # seconds without typing before a script is linted


@dataclass(frozen=True, slots=True)
class Cell:
    """A Python cell of an open notebook; each is a document of its own for the client."""

    uri: str
    version: int | None
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """An open document at one version; it may be linted from `due` (event loop time) on.

    A notebook has `cells`; its `version` counts its snapshots, because the client's does not count every key stroke.
    """

    uri: str
    path: str
    version: int | None
    text: str
    kind: str | None
    due: float
    cells: tuple[Cell, ...] | None = None

    def number(self, uri: str) -> int | None:
        """The number, from 1, of a cell; None for other documents."""
        return next((number for number, cell in enumerate(self.cells or (), 1) if cell.uri == uri), None)


@dataclass(slots=True)
class Documents:
    """The open documents, by absolute path. `texts` is the live mapping that `Workspace` reads."""

    texts: dict[str, str] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    _serial: Iterator[int] = field(default_factory=itertools.count)

    def get(self, path: str) -> Snapshot | None:
        return self.snapshots.get(path)

    def at(self, uri: str) -> Snapshot | None:
        """The document with this URI; for that of a cell, its notebook."""
        for snapshot in self.snapshots.values():
            if snapshot.number(uri):
                return snapshot
        path = path_of(uri)
        return self.snapshots.get(path) if path else None

    def put(self, document: TextDocument, quiet_time: float) -> Snapshot | None:
        """Takes over the document's present state; None if it is of no interest."""
        path = path_of(document.uri)
        if path is None or is_notebook(path) or (kind := _kind(path, document.language_id)) is None:
            return None
        due = asyncio.get_running_loop().time() + quiet_time
        snapshot = Snapshot(document.uri, path, document.version, document.source, kind, due)
        self.snapshots[path] = snapshot
        if kind == "script":
            self.texts[path] = snapshot.text
        return snapshot

    def put_notebook(self, uri: str, cells: Iterable[TextDocument], quiet_time: float) -> Snapshot | None:
        """Takes over the present state of a notebook's code cells; None if it is of no interest."""
        from onnx_lsp.script.notebook import compose

        path = notebook_path(uri)
        if path is None:
            return None
        python = tuple(Cell(cell.uri, cell.version, cell.source) for cell in cells if cell.language_id == "python")
        due = asyncio.get_running_loop().time() + quiet_time
        text = compose(cell.text for cell in python)
        snapshot = Snapshot(uri, path, next(self._serial), text, "script", due, python)
        self.snapshots[path] = snapshot
        self.texts[path] = text
        return snapshot

    def remove(self, uri: str) -> Snapshot | None:
        """Forgets a closed document; returns its last state."""
        path = path_of(uri)
        return None if is_notebook(path) else self._forget(path)

    def remove_notebook(self, uri: str) -> Snapshot | None:
        """Forgets a closed notebook; returns its last state."""
        path = notebook_path(uri)
        return self._forget(path) if path else None

    def _forget(self, path: str) -> Snapshot | None:
        self.texts.pop(path, None)
        return self.snapshots.pop(path, None)

    def scripts(self) -> list[Snapshot]:
        return [snapshot for snapshot in self.snapshots.values() if snapshot.kind == "script"]

    async def settled(self, path: str) -> Snapshot | None:
        """The document once nobody has typed in it for the quiet time; None once it is closed."""
        while (snapshot := self.snapshots.get(path)) is not None:
            wait = snapshot.due - asyncio.get_running_loop().time()
            if wait <= 0:
                return snapshot
            await asyncio.sleep(wait)
        return None


def path_of(uri: str) -> str | None:
    """The absolute path of a `file:` URI (also `file:///c%3A/…`), of an unsaved document, or of the model whose text a
    document is; None for all others."""
    scheme = uri_scheme(uri)
    if scheme == VIEW_SCHEME:
        return path_of(f"file{uri.removeprefix(VIEW_SCHEME).removesuffix(VIEW_SUFFIX)}")
    if scheme == "file":
        path = to_fs_path(uri)
        return os.path.abspath(path) if path else None
    return os.path.abspath(uri) if scheme == "untitled" else None


def is_view(uri: str) -> bool:
    """Whether a document is the text of a model."""
    return uri_scheme(uri) == VIEW_SCHEME


def notebook_path(uri: str) -> str | None:
    """The absolute path of a notebook; one that was never saved gets the suffix of one."""
    path = path_of(uri)
    return path if path is None or is_notebook(path) else path + NOTEBOOK_SUFFIX


def uri_of(path: str) -> str:
    """The `file:` URI of a path."""
    return from_fs_path(os.path.abspath(path))


def _kind(path: str, language: str | None) -> str | None:
    return kind_of(path) or ("script" if language == "python" else None)
