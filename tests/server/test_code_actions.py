"""Quick fixes and fix-all: from what the diagnostics carry, for the version that was linted."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec

from onnx_lsp.server.positions import Document
from tests.server.session import capabilities, session
from tests.server.test_scripts import BAD, GOOD, ONLY

pytestmark = pytest.mark.asyncio

FIX_ALL = "source.fixAll.onnx-lint"
TWO = 'import torch\n# 😀\ntorch.onnx.export(m, x, "é😀.onnx", input_names="x", output_names="y")  # 😀\n'


def applied(text: str, edit: types.WorkspaceEdit) -> str:
    """What a client (UTF-16) makes of an edit of one document."""
    changes = edit.document_changes[0].edits if edit.document_changes else next(iter(edit.changes.values()))
    document = Document("file:///a.py", text, 1, "python", position_codec=PositionCodec())
    for change in sorted(changes, key=lambda item: (item.range.start.line, item.range.start.character), reverse=True):
        document.apply_change(types.TextDocumentContentChangePartial(change.range, change.new_text))
    return document.source


async def test_a_quick_fix_repairs_what_it_says(tmp_path):
    async with session(capabilities(versioned=True), root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD, version=3)
        found = (await editor.pushed(uri)).diagnostics
        [action] = await editor.actions(uri, found, [types.CodeActionKind.QuickFix])
        assert (action.kind, action.is_preferred, action.diagnostics) == ("quickfix", True, found)
        assert action.edit.document_changes[0].text_document.version == 3
        assert applied(BAD, action.edit) == GOOD


async def test_fix_all_applies_every_safe_fix(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", TWO)
        await editor.pushed(uri)
        [action] = await editor.actions(uri, [], ["source.fixAll"])
        assert action.kind == FIX_ALL
        assert applied(TWO, action.edit) == TWO.replace('"x"', '["x"]').replace('"y"', '["y"]')


async def test_fix_all_on_save_fixes_the_text_that_is_saved(tmp_path):
    """The client asks right after the last key stroke: the lint that is on its way is waited for."""
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", GOOD)
        editor.change(uri, 2, BAD)
        [action] = await editor.actions(uri, [], [FIX_ALL])
        assert applied(BAD, action.edit) == GOOD


async def test_a_stale_diagnostic_has_no_fix(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        found = (await editor.pushed(uri)).diagnostics
        editor.change(uri, 2, "\n" + BAD)
        assert await editor.actions(uri, found, [types.CodeActionKind.QuickFix]) == []


async def test_only_what_is_asked_for_is_offered(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        found = (await editor.pushed(uri)).diagnostics
        assert [action.kind for action in await editor.actions(uri, found)] == ["quickfix", FIX_ALL]
        assert await editor.actions(uri, found, ["refactor"]) == []
        assert [action.kind for action in await editor.actions(uri, found, ["source"])] == [FIX_ALL]


async def test_a_clean_script_has_no_fix_all(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", GOOD)
        await editor.pushed(uri)
        assert await editor.actions(uri, []) == []


async def test_diagnostics_of_others_are_left_alone(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        await editor.pushed(uri)
        at = types.Range(types.Position(0, 0), types.Position(0, 1))
        foreign = [
            types.Diagnostic(at, "theirs", source="ruff", data={"version": 1, "fixes": [{}]}),
            types.Diagnostic(at, "odd", source="onnx-lint", data=[1]),
            types.Diagnostic(at, "bare", source="onnx-lint"),
        ]
        assert await editor.actions(uri, foreign, [types.CodeActionKind.QuickFix]) == []
