"""Models: linted when they are written, always pushed, by a child that may die."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from tests.server.session import COMMAND, capabilities, session

pytestmark = pytest.mark.asyncio

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 132735\n" % (b"0" * 64)
DELETED = types.FileChangeType.Deleted


def codes(push) -> list[str]:
    return [item.code for item in push.diagnostics]


def good_model() -> bytes:
    """Relu on a float[2]."""
    import onnx.parser

    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { y = Relu (x) }'
    return onnx.parser.parse_model(text).SerializeToString()


def unused_model() -> bytes:
    """The same with an initializer that nothing uses."""
    import onnx.parser

    text = (
        '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y)'
        " <float[2] w = {1.0, 2.0}> { y = Relu (x) }"
    )
    return onnx.parser.parse_model(text).SerializeToString()


async def test_a_watched_model_is_linted_and_a_deleted_one_is_cleared(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(POINTER)
    async with session(capabilities(watch=True), root=tmp_path) as editor:
        uri = editor.touched(model)
        assert codes(await editor.pushed(uri)) == ["FIL003"]
        model.unlink()
        editor.touched(model, DELETED)
        assert codes(await editor.pushed(uri, 2)) == []


async def test_models_are_pushed_even_to_a_client_that_pulls(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"")
    async with session(capabilities(pull=True, watch=True), root=tmp_path) as editor:
        uri = editor.touched(model)
        assert codes(await editor.pushed(uri)) == ["FIL002"]
        assert not (await editor.pull(uri)).items


async def test_nothing_is_linted_that_nobody_touched(tmp_path):
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(b"")
    async with session(capabilities(watch=True), root=tmp_path) as editor:
        uri = editor.touched(tmp_path / "b.onnx")
        await editor.pushed(uri)
        assert list(editor.pushes) == [uri]


async def test_a_model_that_is_still_being_written_is_waited_for(tmp_path):
    model = tmp_path / "m.onnx"
    data = good_model()
    async with session(capabilities(watch=True), root=tmp_path, settings={"select": ["FIL"]}) as editor:
        for end in range(1, len(data), len(data) // 10 + 1):
            model.write_bytes(data[:end])
            uri = editor.touched(model)
            await asyncio.sleep(0.05)
        model.write_bytes(data)
        editor.touched(model)
        assert codes(await editor.pushed(uri)) == []
        assert len(editor.pushes[uri]) == 1


async def test_closing_a_model_clears_it(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(POINTER)
    async with session(root=tmp_path) as editor:
        uri = editor.open(model, "", language="onnx")
        await editor.pushed(uri)
        editor.close(uri)
        assert codes(await editor.pushed(uri, 2)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the child in /proc")
async def test_the_death_of_the_child_is_a_finding_and_the_next_model_is_linted(tmp_path):
    model = tmp_path / "m.onnx"
    os.mkfifo(model)  # whoever opens it waits: the child can be killed at its work
    async with session(root=tmp_path, command=COMMAND) as editor:
        uri = editor.open(model, "", language="onnx")
        os.kill(await child_of(editor.server.pid), signal.SIGKILL)
        push = await editor.pushed(uri)
        assert codes(push) == ["FIL007"]
        assert "SIGKILL" in push.diagnostics[0].message
        other = tmp_path / "other.onnx"
        other.write_bytes(b"")
        assert codes(await editor.pushed(editor.open(other, "", language="onnx"))) == ["FIL002"]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the child in /proc")
async def test_a_newer_version_ends_the_work_on_the_older_one(tmp_path):
    model = tmp_path / "m.onnx"
    os.mkfifo(model)
    async with session(root=tmp_path, command=COMMAND) as editor:
        uri = editor.open(model, "", language="onnx")
        child = await child_of(editor.server.pid)
        model.unlink()
        model.write_bytes(b"")
        editor.touched(model)
        assert codes(await editor.pushed(uri)) == ["FIL002"]
        assert not Path(f"/proc/{child}").exists()


async def test_a_model_is_repaired_by_a_command(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(unused_model())
    async with session(capabilities(watch=True), root=tmp_path, settings={"select": ["OPT001"]}) as editor:
        uri = editor.touched(model)
        found = (await editor.pushed_like(uri, bool)).diagnostics
        assert [item.code for item in found] == ["OPT001"]
        [action] = await editor.actions(uri, found, ["quickfix"])
        assert await run(editor, action.command) is True
        await editor.pushed_like(uri, lambda items: not items)
        assert b"w" not in model.read_bytes()
        assert await run(editor, action.command) is False
        [message] = editor.client.messages
        assert message.message == f"onnx-lint: {model} was not changed: the file has changed since it was linted"


async def run(editor, command: str) -> object:
    """Runs an action's command. lsprotocol's client took the action for a bare command, and its command for text."""
    command = ast.literal_eval(command)
    params = types.ExecuteCommandParams(command["command"], command["arguments"])
    return await editor.client.workspace_execute_command_async(params)


async def test_a_file_that_vanishes_is_no_finding(tmp_path):
    async with session(root=tmp_path) as editor:
        missing = editor.touched(tmp_path / "gone.onnx")
        (tmp_path / "m.onnx").write_bytes(b"")
        await editor.pushed(editor.touched(tmp_path / "m.onnx"))
        assert missing not in editor.pushes and editor.client.messages == []


async def child_of(pid: int) -> int:
    """The first child of a process, once it has one."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    async with asyncio.timeout(10):
        while not children.read_text().split():
            await asyncio.sleep(0.01)
    return int(children.read_text().split()[0])
