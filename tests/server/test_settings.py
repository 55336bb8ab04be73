"""The editor's settings and the configuration files, and what happens when either is wrong."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.server.session import capabilities, session
from tests.server.test_scripts import BAD, ONLY, codes

pytestmark = pytest.mark.asyncio

SILENT = '[tool.onnx-lint]\nselect = ["EXP102"]\n'
LOUD = '[tool.onnx-lint]\nselect = ["EXP504"]\n'


def configure(editor, settings) -> None:
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))


async def test_the_editors_settings_lie_over_the_files(tmp_path):
    (tmp_path / "pyproject.toml").write_text(LOUD)
    async with session(root=tmp_path, settings={"select": ["EXP102"], "torch": None}) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        assert codes((await editor.pushed(uri)).diagnostics) == []
        configure(editor, {"onnx-lint": {}})
        assert codes((await editor.pushed(uri, 2)).diagnostics) == ["EXP504"]


async def test_a_client_may_have_to_be_asked(tmp_path):
    async with session(capabilities(configuration=True), root=tmp_path, settings={"select": ["EXP102"]}) as editor:
        editor.client.set_configuration({"onnx-lint": ONLY})
        uri = editor.open(tmp_path / "export.py", BAD)
        await editor.pushed(uri)
        configure(editor, None)
        assert codes((await editor.pushed(uri, 2)).diagnostics) == ["EXP504"]


async def test_a_changed_configuration_file_lints_again(tmp_path):
    config = tmp_path / "pyproject.toml"
    config.write_text(SILENT)
    async with session(capabilities(watch=True), root=tmp_path) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        assert codes((await editor.pushed(uri)).diagnostics) == []
        config.write_text(LOUD)
        editor.touched(config)
        assert codes((await editor.pushed(uri, 2)).diagnostics) == ["EXP504"]
        [watch] = editor.registrations
        assert watch.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES


async def test_a_client_that_pulls_is_asked_to_pull_again(tmp_path):
    config = tmp_path / "onnx-lint.toml"
    async with session(capabilities(pull=True, watch=True), root=tmp_path, settings=None) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        first = await editor.pull(uri)
        config.write_text('ignore = ["ALL"]\n')
        editor.touched(config)
        assert codes((await editor.pull(uri, first.result_id)).items) == []
        assert editor.client.diagnostic_refresh_count == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[tool.onnx-lint]\nselct = []\n", 0, "did you mean `select`?"),
        ('[tool.onnx-lint]\nselect = ["EXP999"]\n', 0, "there is no rule `EXP999`"),
        ("[tool.onnx-lint]\n\nselect = [\n]]\n", 3, "(at line 4, column 2)"),
        ('[tool.onnx-lint.per-file-ignores]\n"*.py" = ["NOPE"]\n', 0, "there is no rule `NOPE`"),
    ],
)
async def test_a_broken_file_is_one_message_and_the_last_good_settings_stay(tmp_path, text, line, words):
    config = tmp_path / "pyproject.toml"
    config.write_text(LOUD)
    async with session(root=tmp_path) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        await editor.pushed(uri)
        config.write_text(text)
        for version in (2, 3, 4):
            editor.touched(config)
            editor.change(uri, version, BAD + "\n" * version)
            await editor.pushed_like(uri, lambda items: True)
        shown = await editor.pushed_like(config.as_uri(), bool)
        editor.open(tmp_path / "second.py", BAD)
        second = await editor.pushed((tmp_path / "second.py").as_uri())
        assert codes(second.diagnostics) == ["EXP504"]
        assert [(item.range.start.line, words in item.message) for item in shown.diagnostics] == [(line, True)]
        assert len(editor.client.messages) == 1 and str(config) in editor.client.messages[0].message
        config.write_text(SILENT)
        editor.touched(config)
        await editor.pushed_like(config.as_uri(), lambda items: not items)
        await editor.pushed_like(uri, lambda items: not items)


async def test_broken_editor_settings_are_one_message_and_the_files_count(tmp_path):
    async with session(root=tmp_path, settings={"selct": ["EXP504"]}) as editor:
        for name in ("a.py", "b.py"):
            uri = editor.open(tmp_path / name, BAD)
            assert "EXP504" in codes((await editor.pushed(uri)).diagnostics)
        [message] = editor.client.messages
        assert message.message == "onnx-lint: the editor's settings: unknown key `selct`; did you mean `select`?"
