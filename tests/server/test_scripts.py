"""Diagnostics of open scripts, pushed and pulled: right, for the right version, and never in between."""

from __future__ import annotations

import asyncio

import onnx
import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.server.session import capabilities, session

pytestmark = pytest.mark.asyncio

BAD = 'import torch\n\ntorch.onnx.export(model, x, "m.onnx", input_names="x")\n'
GOOD = BAD.replace('="x"', '=["x"]')
ONLY = {"select": ["EXP504"]}


def codes(items) -> list[str]:
    return [item.code for item in items]


async def test_an_opened_script_gets_its_findings(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD, version=7)
        push = await editor.pushed(uri)
        [finding] = push.diagnostics
        assert push.version == 7
        assert (finding.code, finding.source) == ("EXP504", "onnx-lint")
        assert finding.severity is types.DiagnosticSeverity.Error
        text = BAD.splitlines()[finding.range.start.line]
        assert text[finding.range.start.character : finding.range.end.character] in ('"x"', 'input_names="x"')
        assert finding.code_description.href.endswith("/rules/script/EXP504-names-as-string.md")


async def test_the_open_text_counts_and_not_the_disk(tmp_path):
    path = tmp_path / "export.py"
    path.write_text(GOOD)
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(path, BAD)
        assert codes((await editor.pushed(uri)).diagnostics) == ["EXP504"]


async def test_typing_never_clears_and_never_goes_back(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD, version=1)
        await editor.pushed(uri)
        for version in range(2, 40):
            editor.change(uri, version, BAD + "#" * version)
            await asyncio.sleep(0)
        await editor.pushed_like(uri, lambda items: True)
        editor.change(uri, 40, GOOD)
        await editor.pushed_like(uri, lambda items: not items)
        versions = [push.version for push in editor.pushes[uri]]
        assert versions == sorted(set(versions)) and versions[-1] == 40
        assert all(push.diagnostics for push in editor.pushes[uri][:-1])


async def test_a_broken_line_elsewhere_keeps_the_finding(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        await editor.pushed(uri)
        editor.change(uri, 2, BAD + "\ndef broken(:\n")
        assert codes((await editor.pushed(uri, 2)).diagnostics) == ["EXP504"]


async def test_edits_are_patched_in(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", "\x0c# 😀\r\n" + BAD)
        await editor.pushed(uri)
        column = BAD.splitlines()[2].index('"x"')
        at = types.Range(types.Position(3, column), types.Position(3, column + 3))
        editor.change(uri, 2, (at, '["x"]'))
        assert codes((await editor.pushed(uri, 2)).diagnostics) == []


async def test_closing_clears_and_nothing_comes_after(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        await editor.pushed(uri)
        editor.change(uri, 2, BAD + "\n")
        editor.close(uri)
        other = editor.open(tmp_path / "other.py", BAD)
        editor.change(other, 2, BAD + "\n")
        await editor.pushed(other, 2)  # linted later than the closed one would have been
        assert [len(push.diagnostics) for push in editor.pushes[uri]] == [1, 0]


async def test_a_client_that_pulls_is_not_pushed_to(tmp_path):
    async with session(capabilities(pull=True), root=tmp_path, settings=ONLY) as editor:
        assert editor.result.capabilities.diagnostic_provider.inter_file_dependencies
        uri = editor.open(tmp_path / "export.py", BAD)
        first = await editor.pull(uri)
        assert (first.kind, codes(first.items)) == ("full", ["EXP504"])
        again = await editor.pull(uri, first.result_id)
        assert (again.kind, again.result_id) == ("unchanged", first.result_id)
        editor.change(uri, 2, GOOD)
        assert codes((await editor.pull(uri, first.result_id)).items) == []
        editor.close(uri)
        assert codes((await editor.pull(uri)).items) == []
        assert editor.pushes == {}


async def test_a_client_that_cannot_pull_is_not_offered_it():
    async with session() as editor:
        assert editor.result.capabilities.diagnostic_provider is None


async def test_a_pull_can_be_cancelled(tmp_path):
    async with session(capabilities(pull=True), root=tmp_path) as editor:
        uri = editor.open(tmp_path / "export.py", BAD)
        editor.change(uri, 2, BAD + "\n")
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
        pending = asyncio.ensure_future(
            editor.client.protocol.send_request_async(types.TEXT_DOCUMENT_DIAGNOSTIC, params, msg_id="one")
        )
        await asyncio.sleep(0)
        editor.client.cancel_request(types.CancelParams("one"))
        with pytest.raises(JsonRpcException) as cancelled:
            await pending
        assert cancelled.value.code == types.LSPErrorCodes.RequestCancelled
        assert (await editor.pull(uri)).kind == "full"


@pytest.mark.parametrize(
    ("encoding", "units"), [("utf-8", {"é": 2, "😀": 4}), ("utf-16", {"é": 1, "😀": 2}), ("utf-32", {"é": 1, "😀": 1})]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
async def test_positions_are_the_clients(tmp_path, encoding, units, newline):
    call = '\t\ttorch.onnx.export(model, x, "é😀.onnx", input_names="x")'
    text = newline.join(["import torch", "if True:", "\tif True:", call, ""])
    async with session(capabilities(encodings=(encoding,)), root=tmp_path, settings=ONLY) as editor:
        assert editor.result.capabilities.position_encoding == encoding
        uri = editor.open(tmp_path / "export.py", text)
        [finding] = (await editor.pushed(uri)).diagnostics
        inside = call[: call.index('"x"')]
        expected = sum(units.get(char, 1) for char in inside)
        assert finding.range.end == types.Position(3, expected + 3)


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "file:///c%3A/project/export%20it.py"])
async def test_findings_come_back_under_the_clients_own_uri(uri):
    async with session(settings=ONLY) as editor:
        editor.open(uri, BAD)
        assert codes((await editor.pushed(uri)).diagnostics) == ["EXP504"]


async def test_documents_that_are_not_ours_are_left_alone(tmp_path):
    async with session(root=tmp_path, settings=ONLY) as editor:
        editor.open("git:/export.py?ref", BAD)
        editor.open(tmp_path / "notes.md", BAD, language="markdown")
        uri = editor.open(tmp_path / "export.py", BAD)
        await editor.pushed(uri)
        assert list(editor.pushes) == [uri]


async def test_an_excluded_folder_is_silent(tmp_path):
    (tmp_path / "node_modules").mkdir()
    async with session(root=tmp_path, settings=ONLY) as editor:
        uri = editor.open(tmp_path / "node_modules" / "export.py", BAD)
        assert codes((await editor.pushed(uri)).diagnostics) == []


PINNED = BAD.replace('input_names="x"', 'dynamic_axes=None, opset_version=11')


@pytest.mark.parametrize("exists", [True, False])
async def test_a_changed_pin_of_torch_lints_again(tmp_path, exists):
    """Before 2.9 the old exporter is the default, which writes every opset that it is asked for."""
    requirements = tmp_path / "requirements.txt"
    if exists:
        requirements.write_text("torch==2.12\n")
    kind = types.FileChangeType.Changed if exists else types.FileChangeType.Created
    async with session(capabilities(watch=True), root=tmp_path, settings={"select": ["EXP301"]}) as editor:
        uri = editor.open(tmp_path / "export.py", PINNED)
        assert codes((await editor.pushed(uri)).diagnostics) == ["EXP301"]
        requirements.write_text("torch==2.8\n")
        editor.touched(requirements, kind)
        assert codes((await editor.pushed(uri, 2)).diagnostics) == []


async def test_a_model_that_comes_where_a_script_writes_lints_the_script_again(tmp_path):
    text = BAD.replace('input_names="x"', "dynamo=False, dynamic_axes=None, opset_version=17")
    async with session(capabilities(watch=True), root=tmp_path, settings={"select": ["EXP304"]}) as editor:
        uri = editor.open(tmp_path / "export.py", text)
        assert codes((await editor.pushed(uri)).diagnostics) == []
        model = onnx.parser.parse_model(
            '<ir_version: 8, producer_name: "pytorch", opset_import: ["" : 11]> g (float[2] x) => (float[2] y) { y = Relu (x) }'
        )
        onnx.save(model, tmp_path / "m.onnx")
        editor.touched(tmp_path / "m.onnx", types.FileChangeType.Created)
        assert codes((await editor.pushed(uri, 2)).diagnostics) == ["EXP304"]
