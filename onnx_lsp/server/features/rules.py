"""Rule cards as documents of the scheme `onnx-rule` (`workspace/textDocumentContent`, LSP 3.18)."""

from __future__ import annotations

import os

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.uris import urlparse

from onnx_lsp.rulebook import Rulebook, UnknownRule, card_text
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.convert import RULE_SCHEME


def register(server: OnnxServer) -> None:
    """Adds the handler."""
    server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)(content)


async def content(ls: OnnxServer, params: types.TextDocumentContentParams) -> types.TextDocumentContentResult:
    """The card that `onnx-rule:///CODE-name.md` names."""
    scheme, _, path, *_ = urlparse(params.uri)
    code = os.path.basename(path).partition("-")[0].removesuffix(".md")
    if scheme != RULE_SCHEME:
        raise JsonRpcInvalidParams.of(ValueError(f"{params.uri} is not an {RULE_SCHEME}: document"))
    for book in rulebooks(ls):
        try:
            return types.TextDocumentContentResult(card_text(book.card(book.find(code).code)))
        except UnknownRule as error:
            reason = error
    raise JsonRpcInvalidParams.of(reason)


def rulebooks(ls: OnnxServer) -> list[Rulebook]:
    """The rulebooks of the open documents and of the workspace folders: each may have cards of its own."""
    paths = [*ls.documents.snapshots, *ls.models.findings, *ls.configuration.folders] or [os.getcwd()]
    return list({id(book): book for book in (ls.configuration.resolve(path).rulebook() for path in paths)}.values())
