"""Rule cards as documents."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onnx_lsp.rulebook import card_text, rulebook
from tests.server.session import capabilities, session
from tests.server.test_scripts import BAD, ONLY

pytestmark = pytest.mark.asyncio


async def content(editor, uri: str) -> str:
    result = await editor.client.workspace_text_document_content_async(types.TextDocumentContentParams(uri))
    return result.text


async def test_a_finding_links_to_its_card(tmp_path):
    async with session(capabilities(content=True), root=tmp_path, settings=ONLY) as editor:
        assert editor.result.capabilities.workspace.text_document_content.schemes == ("onnx-rule", "onnx")
        uri = editor.open(tmp_path / "export.py", BAD)
        [finding] = (await editor.pushed(uri)).diagnostics
        assert finding.code_description.href == "onnx-rule:///EXP504-names-as-string.md"
        text = await content(editor, finding.code_description.href)
        assert text == card_text(rulebook().card("EXP504"))


@pytest.mark.parametrize("uri", ["onnx-rule:///EXP999-nothing.md", "file:///etc/passwd", "onnx-rule:"])
async def test_what_is_no_card_is_refused(uri):
    async with session(capabilities(content=True)) as editor:
        with pytest.raises(JsonRpcException) as refused:
            await content(editor, uri)
        assert refused.value.code == types.ErrorCodes.InvalidParams
        assert editor.client.messages == []
