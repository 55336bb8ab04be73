"""Documents that the server writes (`workspace/textDocumentContent`, LSP 3.18): rule cards, and models as text."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.uris import uri_scheme

from onnx_lsp.server import convert, documents
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.features.rules import card


def register(server: OnnxServer) -> None:
    """Adds the handler."""
    server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)(content)


async def content(ls: OnnxServer, params: types.TextDocumentContentParams) -> types.TextDocumentContentResult:
    """The text of a document of one of our schemes."""
    match uri_scheme(params.uri):
        case convert.RULE_SCHEME:
            text = await card(ls, params.uri)
        case documents.VIEW_SCHEME:
            text = await ls.views.text(documents.path_of(params.uri))
        case _:
            raise JsonRpcInvalidParams.of(ValueError(f"{params.uri} is no document of this server"))
    return types.TextDocumentContentResult(text)
