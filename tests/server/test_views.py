"""Models as text: findings on their lines, the text renewed with the file, and the file's own findings afterwards."""

from __future__ import annotations

import shutil

import pytest
from lsprotocol import types

from tests.server.session import capabilities, session
from tests.server.test_models import codes, run
from tests.server.test_rules import content

pytestmark = pytest.mark.asyncio
UNDEFINED = {"select": ["ONX010"]}


@pytest.fixture
def model(tmp_path, repository):
    """A model with a node that reads what nothing produces."""
    return shutil.copy(repository / "examples" / "classifier.onnx", tmp_path / "m.onnx")


def view_of(model) -> str:
    return f"onnx://{model}.onnxtxt"


async def test_findings_stand_on_the_lines_of_the_text_and_never_twice(tmp_path, model):
    async with session(capabilities(content=True, watch=True), root=tmp_path, settings=UNDEFINED) as editor:
        file = editor.touched(model)
        assert codes(await editor.pushed(file)) == ["ONX010"]
        uri = view_of(model)
        text = await content(editor, uri)
        editor.open(uri, text, language="onnx")
        assert codes(await editor.pushed(file, 2)) == []
        [finding] = (await editor.pushed_like(uri, bool)).diagnostics
        line = text.splitlines()[finding.range.start.line]
        shown = line[finding.range.start.character : finding.range.end.character]
        assert shown == "[softmax] probabilities = Softmax<axis = -1>(logit)"
        editor.close(uri)
        assert codes(await editor.pushed(file, 3)) == ["ONX010"]
        assert codes(editor.pushes[uri][-1]) == []


async def test_a_fix_on_the_text_repairs_the_file_and_renews_the_text(tmp_path, model):
    async with session(capabilities(content=True, watch=True), root=tmp_path, settings=UNDEFINED) as editor:
        uri = view_of(model)
        before = await content(editor, uri)
        editor.open(uri, before, language="onnx")
        found = (await editor.pushed_like(uri, bool)).diagnostics
        [action] = await editor.actions(uri, found, ["quickfix"])
        assert await run(editor, action.command) is True
        await editor.pushed_like(uri, lambda items: not items)
        assert await editor.refreshed(uri)
        assert "Softmax<axis = -1>(logits)" in await content(editor, uri)


async def test_what_is_no_model_is_said_in_the_text(tmp_path):
    empty = tmp_path / "empty.onnx"
    empty.write_bytes(b"")
    async with session(capabilities(content=True), root=tmp_path) as editor:
        assert (await content(editor, view_of(empty))).startswith("# no ONNX model: ")
        assert (await content(editor, view_of(tmp_path / "missing.onnx"))).startswith("# no ONNX model: ")


async def test_a_server_that_starts_after_the_text_was_opened_finds_its_lines(tmp_path, model):
    async with session(capabilities(content=True), root=tmp_path, settings=UNDEFINED) as editor:
        uri = editor.open(view_of(model), "whatever an older server said", language="onnx")
        await editor.pushed_like(uri, lambda items: any(item.range.start != types.Position(0, 0) for item in items))
