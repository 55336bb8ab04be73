"""Notebooks in an editor: `notebookDocument/*`, findings on cells, fixes in cells."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.notebooks import EXPORT
from tests.server.session import Session, capabilities, session
from tests.server.test_code_actions import FIX_ALL, applied
from tests.server.test_scripts import ONLY

pytestmark = pytest.mark.asyncio

SETUP = "%pip install torch\nimport torch\nnames = 'x'"
BAD = "import torch\n# 😀\n" + EXPORT.format(names='"😀"') + "  # 😀\nmodel?"
LATER = EXPORT.format(names="names")


def able(**more: bool) -> types.ClientCapabilities:
    result = capabilities(**more)
    result.notebook_document = types.NotebookDocumentClientCapabilities(types.NotebookDocumentSyncClientCapabilities())
    return result


class Notebook:
    """An open notebook and its cells, as VS Code speaks about them."""

    def __init__(self, editor: Session, path, *cells: str, scheme: str = "vscode-notebook-cell") -> None:
        self.editor, self.uri = editor, path.as_uri()
        self.cell_uri = f"{self.uri.replace('file', scheme, 1)}#W{{}}sZmlsZQ%3D%3D"
        self.cells = [self.cell_uri.format(number) for number in range(len(cells))]
        self.version = 0
        documents = [self.document(uri, text) for uri, text in zip(self.cells, cells, strict=True)]
        listed = [self.cell(uri) for uri in self.cells]
        opened = types.NotebookDocument(self.uri, "jupyter-notebook", 0, listed)
        editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(opened, documents))

    @staticmethod
    def document(uri: str, text: str, language: str = "python") -> types.TextDocumentItem:
        return types.TextDocumentItem(uri, language, 1, text)

    @staticmethod
    def cell(uri: str, kind: types.NotebookCellKind = types.NotebookCellKind.Code) -> types.NotebookCell:
        return types.NotebookCell(kind, uri)

    def change(self, **changes) -> None:
        self.version += 1
        identifier = types.VersionedNotebookDocumentIdentifier(self.version, self.uri)
        event = types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(**changes))
        self.editor.client.notebook_document_did_change(types.DidChangeNotebookDocumentParams(identifier, event))

    def type(self, number: int, version: int, text: str) -> None:
        document = types.VersionedTextDocumentIdentifier(version, self.cells[number])
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.change(text_content=[types.NotebookDocumentCellContentChanges(document, [whole])])

    def close(self) -> None:
        identifier = types.NotebookDocumentIdentifier(self.uri)
        documents = [types.TextDocumentIdentifier(uri) for uri in self.cells]
        self.editor.client.notebook_document_did_close(types.DidCloseNotebookDocumentParams(identifier, documents))

    async def found(self, number: int, count: int = 1) -> list[types.Diagnostic]:
        return list((await self.editor.pushed(self.cells[number], count)).diagnostics)


async def test_the_server_asks_for_notebooks(tmp_path) -> None:
    async with session(able(), root=tmp_path) as editor:
        [selector] = editor.result.capabilities.notebook_document_sync.notebook_selector
        assert selector.notebook == "jupyter-notebook"


@pytest.mark.parametrize("pull", [False, True])
async def test_findings_are_published_on_their_cells(tmp_path, pull: bool) -> None:
    async with session(able(pull=pull), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", SETUP, BAD, LATER)
        [bad] = await book.found(1)
        [later] = await book.found(2)
        assert await book.found(0) == []
        assert bad.code == later.code == "EXP504"
        start = EXPORT.index("{names}")
        assert bad.range == types.Range(types.Position(2, start), types.Position(2, start + 4))
        assert later.range == types.Range(types.Position(0, start), types.Position(0, start + 5))
        assert not editor.pushes.get(book.uri)
        if pull:
            assert not (await editor.pull(book.cells[1])).items


async def test_a_change_in_an_earlier_cell_clears_a_later_one(tmp_path) -> None:
    async with session(able(), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", SETUP, LATER)
        assert len(await book.found(1)) == 1
        book.type(0, 2, SETUP.replace("'x'", "['x']"))
        assert await book.found(1, count=2) == []


async def test_cells_come_move_and_go(tmp_path) -> None:
    async with session(able(), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", BAD, "x = 1")
        assert len(await book.found(0)) == 1
        new, shell = book.cell_uri.format("new"), book.cell_uri.format("shell")
        text = "import torch\n" + LATER.replace("=names", '="y"')
        documents = [book.document(new, text), book.document(shell, "ls (", "shellscript")]
        array = types.NotebookCellArrayChange(0, 1, [book.cell(shell), book.cell(new)])
        gone = [types.TextDocumentIdentifier(book.cells[0])]
        book.change(structure=types.NotebookDocumentCellChangeStructure(array, documents, gone))
        [found] = (await editor.pushed(new)).diagnostics
        assert found.code == "EXP504"
        assert await book.found(0, count=2) == []
        assert shell not in editor.pushes


@pytest.mark.parametrize("versioned", [False, True])
async def test_a_quick_fix_edits_its_cell(tmp_path, versioned: bool) -> None:
    async with session(able(versioned=versioned), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", SETUP, BAD, LATER)
        found = await book.found(1)
        [action] = await editor.actions(book.cells[1], found, [types.CodeActionKind.QuickFix])
        assert applied(BAD, action.edit) == BAD.replace('"😀"', '["😀"]')
        if versioned:
            document = action.edit.document_changes[0].text_document
            assert (document.uri, document.version) == (book.cells[1], 1)
        else:
            assert list(action.edit.changes) == [book.cells[1]]
        book.type(0, 2, SETUP + "\n")
        assert await editor.actions(book.cells[1], found, [types.CodeActionKind.QuickFix]) == []


async def test_fix_all_fixes_the_cell_it_is_asked_for(tmp_path) -> None:
    async with session(able(), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", SETUP, BAD, LATER)
        await book.found(2)
        [action] = await editor.actions(book.cells[2], [], [FIX_ALL])
        assert list(action.edit.changes) == [book.cells[2]]
        assert applied(LATER, action.edit) == LATER.replace("names=names", "names=[names]")
        assert await editor.actions(book.cells[0], [], [FIX_ALL]) == []


async def test_ignores_and_syntax_errors_stay_in_their_cells(tmp_path) -> None:
    async with session(able(), root=tmp_path) as editor:
        ignored = EXPORT.format(names='"x"') + "  # onnx-lint: ignore"
        last = LATER.replace("=names", '="x"')
        book = Notebook(editor, tmp_path / "a.ipynb", "import torch\nmodel.eval()", ignored, "torch.onnx.export(", last)
        [broken] = await book.found(2)
        assert (broken.code, broken.range.start.line) == ("FIL009", 0)
        assert await book.found(1) == []
        assert "EXP504" in {item.code for item in await book.found(3)}


async def test_a_closed_notebook_has_no_findings(tmp_path) -> None:
    async with session(able(), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", BAD)
        assert await book.found(0)
        book.close()
        assert await book.found(0, count=2) == []


@pytest.mark.parametrize("scheme", ["file", "untitled"])
async def test_cells_may_be_called_anything(tmp_path, scheme: str) -> None:
    async with session(able(pull=True), root=tmp_path, settings=ONLY) as editor:
        book = Notebook(editor, tmp_path / "a.ipynb", BAD, scheme=scheme)
        found = await book.found(0)
        assert not (await editor.pull(book.cells[0])).items
        assert len(await editor.actions(book.cells[0], found, [types.CodeActionKind.QuickFix])) == 1


async def test_a_notebook_opened_as_text_is_left_alone(tmp_path) -> None:
    async with session(able(), root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "a.ipynb", '{"cells": [', language="json")
        editor.close(uri)
        book = Notebook(editor, tmp_path / "b.ipynb", BAD)
        assert await book.found(0)
        assert uri not in editor.pushes
