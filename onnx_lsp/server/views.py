"""Models that are open as text: findings are shown on their lines, and the text follows the file."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from onnx_lsp.diagnostics import Diagnostic, Related
from onnx_lsp.server.documents import is_view
from onnx_lsp.server.models import written
from onnx_lsp.work.worker import ChildDied

if TYPE_CHECKING:
    from onnx_lsp.model.text import Text
    from onnx_lsp.server.app import OnnxServer


class Views:
    """The texts that were shown last, by the paths of their models."""

    def __init__(self, server: OnnxServer) -> None:
        self.server = server
        self.texts: dict[str, Text] = {}

    def uri(self, path: str) -> str | None:
        """The document that shows a model as text; None if none is open."""
        uri = self.server.publisher.uris.get(path, "")
        return uri if is_view(uri) else None

    async def text(self, path: str) -> str:
        """The text of a model as it is now; its findings move to the lines of this text."""
        settings = self.server.configuration.resolve(path)
        try:
            async with (
                self.server.models.children.one(settings) as child,
                aclosing(child.steps("view_model", path=path)) as steps,
            ):
                async for text in steps:
                    self.texts[path] = text
        except ChildDied as death:
            return f"# no text of this model: the child that writes it {death}\n"
        self._show(path)
        return str(self.texts[path])

    def opened(self, path: str, uri: str) -> None:
        """From now on the findings of a model stand in its text, and no longer on the file."""
        publisher = self.server.publisher
        if path in self.server.models.findings and not self.uri(path):
            publisher.clear(publisher.uri(path))
        publisher.uris[path] = uri
        if path in self.texts:
            self._show(path)
        else:  # the document is older than this server
            self.server.spawn(self.text(path))

    def closed(self, path: str) -> None:
        """The findings of a model go back to its file."""
        self.texts.pop(path, None)
        self.server.models.removed(path)
        self.server.publisher.uris.pop(path, None)
        self.server.models.changed(path)

    def changed(self, path: str) -> None:
        """Has the text asked for anew once the model is written."""
        if self.uri(path):
            self.server.spawn(self._refresh(path))

    async def _refresh(self, path: str) -> None:
        if await written(path) and (uri := self.uri(path)):
            await self.server.workspace_text_document_content_refresh_async(types.TextDocumentContentRefreshParams(uri))

    def _show(self, path: str) -> None:
        findings = self.server.models.findings.get(path)
        if findings is not None and self.uri(path):
            self.server.publisher.model(path, findings)


def placed(item: Diagnostic, text: Text) -> Diagnostic:
    """A finding of a model where it stands in the model's text, as if that were the only cell of a notebook."""
    return replace(
        item,
        range=text.find(item.location) if item.location else None,
        cell=1,
        related=tuple(_related(place, item.file, text) for place in item.related),
    )


def _related(place: Related, file: str, text: Text) -> Related:
    span = text.find(place.location) if place.location and place.file == file else None
    return replace(place, range=span, cell=1) if span else place
