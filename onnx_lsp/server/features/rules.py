"""Rule cards as documents of the scheme `onnx-rule`."""

from __future__ import annotations

import os

from pygls.exceptions import JsonRpcInvalidParams
from pygls.uris import urlparse

from onnx_lsp.rulebook import Rulebook, UnknownRule, card_text
from onnx_lsp.server.app import OnnxServer


async def card(ls: OnnxServer, uri: str) -> str:
    """The card that `onnx-rule:///CODE-name.md` names."""
    _, _, path, *_ = urlparse(uri)
    code = os.path.basename(path).partition("-")[0].removesuffix(".md")
    for book in rulebooks(ls):
        try:
            return card_text(book.card(book.find(code).code))
        except UnknownRule as error:
            reason = error
    raise JsonRpcInvalidParams.of(reason)


def rulebooks(ls: OnnxServer) -> list[Rulebook]:
    """The rulebooks of the open documents and of the workspace folders: each may have cards of its own."""
    paths = [*ls.documents.snapshots, *ls.models.findings, *ls.configuration.folders] or [os.getcwd()]
    return list({id(book): book for book in (ls.configuration.resolve(path).rulebook() for path in paths)}.values())
