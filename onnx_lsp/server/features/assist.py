"""Hover, completion and inlay hints at export calls. What is said is made in `script.assist`."""

from __future__ import annotations

from lsprotocol import types

from onnx_lsp.diagnostics import TextRange
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.documents import Snapshot, path_of
from onnx_lsp.server.positions import Lines

KINDS = {
    "argument": types.CompletionItemKind.Property,
    "name": types.CompletionItemKind.Constant,
    "value": types.CompletionItemKind.Value,
}


def register(server: OnnxServer) -> None:
    """Adds the handlers."""
    server.feature(types.TEXT_DOCUMENT_HOVER)(hover)
    options = types.CompletionOptions(trigger_characters=["(", ",", "=", '"', "'"])
    server.feature(types.TEXT_DOCUMENT_COMPLETION, options)(completion)
    server.feature(types.TEXT_DOCUMENT_INLAY_HINT)(inlay_hints)


def _opened(ls: OnnxServer, uri: str) -> tuple[Snapshot, object] | None:
    """The open script, parsed as it is now; None for what is no script about ONNX."""
    path = path_of(uri)
    snapshot = ls.documents.get(path) if path else None
    if snapshot is None or snapshot.kind != "script" or snapshot.cells is not None:
        return None
    if "onnx" not in snapshot.text.lower():
        return None
    from onnx_lsp.script.syntax import parse
    from onnx_lsp.workspace import Workspace

    settings = ls.configuration.resolve(snapshot.path)
    return snapshot, parse(snapshot.text, snapshot.path, settings, Workspace(ls.documents.texts))


def _offset(ls: OnnxServer, snapshot: Snapshot, position: types.Position) -> int:
    """The byte offset of a client's position."""
    index = Lines(snapshot.text, ls.workspace.position_codec).offset(position)
    return len(snapshot.text[:index].encode("utf-8", "surrogatepass"))


async def hover(ls: OnnxServer, params: types.HoverParams) -> types.Hover | None:
    """What the argument under the cursor does in the torch that the script is written for."""
    opened = _opened(ls, params.text_document.uri)
    if opened is None:
        return None
    from onnx_lsp.script import assist

    snapshot, script = opened
    found = assist.hover(script, _offset(ls, snapshot, params.position))
    if found is None:
        return None
    span, text = found
    lines = Lines(snapshot.text, ls.workspace.position_codec)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), lines.to_client(script.locate(span)))


async def completion(ls: OnnxServer, params: types.CompletionParams) -> list[types.CompletionItem]:
    """Arguments, opsets, and the names of inputs and outputs."""
    opened = _opened(ls, params.text_document.uri)
    if opened is None:
        return []
    from onnx_lsp.script import assist

    snapshot, script = opened
    return [
        types.CompletionItem(
            offer.label,
            kind=KINDS[offer.kind],
            detail=offer.detail,
            documentation=types.MarkupContent(types.MarkupKind.Markdown, offer.documentation),
            insert_text=offer.insert,
            sort_text=f"{number:03}",
        )
        for number, offer in enumerate(assist.complete(script, _offset(ls, snapshot, params.position)))
    ]


async def inlay_hints(ls: OnnxServer, params: types.InlayHintParams) -> list[types.InlayHint]:
    """The exporter, and the opset that a call leaves unsaid; only where the settings ask for it."""
    opened = _opened(ls, params.text_document.uri)
    if opened is None or not opened[1].settings.inlay_hints:
        return []
    from onnx_lsp.script import assist

    snapshot, script = opened
    lines = Lines(snapshot.text, ls.workspace.position_codec)
    hints = []
    for offset, label in assist.inlays(script):
        place = script.source.position(offset)
        start = lines.to_client(TextRange(place, place)).start
        if params.range.start.line <= start.line <= params.range.end.line:
            hints.append(types.InlayHint(start, label, padding_left=True))
    return hints
