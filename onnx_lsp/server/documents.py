"""What is open: one immutable snapshot per document, so that `is` tells whether a document changed meanwhile."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

from pygls.uris import from_fs_path, to_fs_path, uri_scheme
from pygls.workspace import TextDocument

from onnx_lsp.engine import kind_of

QUIET_TIME = 0.15  # seconds without typing before a script is linted


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """An open document at one version; it may be linted from `due` (event loop time) on."""

    uri: str
    path: str
    version: int | None
    text: str
    kind: str | None
    due: float


@dataclass(slots=True)
class Documents:
    """The open documents, by absolute path. `texts` is the live mapping that `Workspace` reads."""

    texts: dict[str, str] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)

    def get(self, path: str) -> Snapshot | None:
        return self.snapshots.get(path)

    def put(self, document: TextDocument, quiet_time: float) -> Snapshot | None:
        """Takes over the document's present state; None if it is of no interest."""
        path = path_of(document.uri)
        if path is None or (kind := _kind(path, document.language_id)) is None:
            return None
        due = asyncio.get_running_loop().time() + quiet_time
        snapshot = Snapshot(document.uri, path, document.version, document.source, kind, due)
        self.snapshots[path] = snapshot
        if kind == "script":
            self.texts[path] = snapshot.text
        return snapshot

    def remove(self, uri: str) -> Snapshot | None:
        """Forgets a closed document; returns its last state."""
        path = path_of(uri)
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
    """The absolute path of a `file:` URI (also `file:///c%3A/…`) or of an unsaved document; None for all others."""
    scheme = uri_scheme(uri)
    if scheme == "file":
        path = to_fs_path(uri)
        return os.path.abspath(path) if path else None
    return os.path.abspath(uri) if scheme == "untitled" else None


def uri_of(path: str) -> str:
    """The `file:` URI of a path."""
    return from_fs_path(os.path.abspath(path))


def _kind(path: str, language: str | None) -> str | None:
    return kind_of(path) or ("script" if language == "python" else None)
