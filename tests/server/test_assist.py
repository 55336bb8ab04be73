"""Hover, completion and inlay hints through the real server; `|` marks the cursor."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types

from tests.server.session import PATIENCE, session

pytestmark = pytest.mark.asyncio

HEAD = "import torch\n\n\ndef go(model, x):\n    # 😀\n    "


def at_cursor(text: str) -> tuple[str, types.Position]:
    """The text without the mark, and where the mark stood (UTF-16)."""
    before, after = (HEAD + text).split("|")
    line = before.rpartition("\n")[2]
    return before + after + "\n", types.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


async def hovered(tmp_path, text: str, **settings) -> types.Hover | None:
    source, position = at_cursor(text)
    async with session(root=tmp_path, settings=settings) as editor:
        uri = editor.open(tmp_path / "export.py", source)
        params = types.HoverParams(types.TextDocumentIdentifier(uri), position)
        return await asyncio.wait_for(editor.client.text_document_hover_async(params), PATIENCE)


async def completed(tmp_path, text: str, **settings) -> dict[str, types.CompletionItem]:
    source, position = at_cursor(text)
    async with session(root=tmp_path, settings=settings) as editor:
        uri = editor.open(tmp_path / "export.py", source)
        params = types.CompletionParams(types.TextDocumentIdentifier(uri), position)
        items = await asyncio.wait_for(editor.client.text_document_completion_async(params), PATIENCE)
        return {item.label: item for item in items or ()}


@pytest.mark.parametrize(
    ("text", "settings", "says"),
    [
        ('torch.onnx.export(model, x, "😀.onnx", train|ing=None)', {}, ["**Not read** by the new", "Deprecated since torch 2.5"]),
        ('torch.onnx.export(model, x, "m.onnx", training=None, opset_vers|ion=17)', {"torch": "2.8"}, ["onnxruntime ≥ 1.15", "legacy"]),
        ('torch.onnx.export(model, x, "m.onnx", opset_version=2|1)', {}, ["onnxruntime ≥ 1.18", "TensorRT ≥ 10.15"]),
        ('torch.onnx.export(model, x, "m.|onnx")', {}, ["**`f`**", "external_data=False"]),
        ('torch.onnx.export(model, x, "m.onnx", dynamic|_axes={})', {}, ["by POSITION", "Deprecated since torch 2.11"]),
    ],
)  # fmt: skip
async def test_hover_says_what_an_argument_does(tmp_path, text, settings, says):
    found = await hovered(tmp_path, text, **settings)
    assert [part for part in says if part not in found.contents.value] == []
    assert found.range.start.line == HEAD.count("\n")


WARP = """\
pass


class Warp(torch.nn.Module):
    def forward(self, image, grid):
        return torch.nn.functional.grid_|sample(image, grid)


pair = torch.randn(1, 3, 8, 8), torch.randn(1, 4, 4, 2)
torch.onnx.export(Warp().eval(), pair, "w.onnx", opset_version=18, dynamo=True)
"""


async def test_hover_on_a_call_in_forward_says_what_it_becomes_and_who_runs_it(tmp_path):
    targets = ["onnxruntime-cpu@1.20", "onnxruntime-web-webgl@1.21"]
    found = await hovered(tmp_path, WARP, targets=targets)
    said = found.contents.value
    assert "becomes `GridSample` (opset 16) in the new exporter at opset 18" in said
    assert "onnxruntime-cpu 1.20: `GridSample` runs" in said and "onnxruntime-web-webgl 1.21: `GridSample` refuses" in said


async def test_opsets_say_which_targets_do_not_load_them(tmp_path):
    settings = {"targets": ["onnxruntime-cpu@1.18"]}
    text = 'torch.onnx.export(model, x, "m.onnx", opset_version=2|3)'
    assert "**onnxruntime-cpu 1.18 loads opsets up to 21.**" in (await hovered(tmp_path, text, **settings)).contents.value
    offers = await completed(tmp_path, 'torch.onnx.export(model, x, "m.onnx", opset_version=|)', **settings)
    assert "onnxruntime-cpu 1.18" in offers["22"].documentation.value
    assert "onnxruntime-cpu 1.18" not in offers["21"].documentation.value


@pytest.mark.parametrize("text", ["print(o|nnx)", "torch.save(mod|el, 'onnx')", "torch.on|nx.export(model, x, 'm.onnx')"])
async def test_hover_is_silent_elsewhere(tmp_path, text):
    assert await hovered(tmp_path, text) is None


@pytest.mark.parametrize(
    "text",
    [
        'torch.onnx.export(model, x, "m.onnx", |)',
        'torch.onnx.export(model, x, "m.onnx", opset|)',
        'torch.onnx.export(model, x, "m.onnx", |',
        'torch.onnx.export(model, x, "m.onnx", verbose=True, |, output_names=["y"])',
    ],
)
async def test_arguments_are_offered_while_the_call_is_written(tmp_path, text):
    items = await completed(tmp_path, text)
    assert {"opset_version=", "dynamic_shapes=", "input_names="} <= set(items)
    assert not {"training=", "f=", "fallback="} & set(items), "what is ignored, given or gone is not offered"
    assert ("verbose=" in items) == ("verbose" not in text)


async def test_the_torch_in_use_decides_which_arguments_there_are(tmp_path):
    items = await completed(tmp_path, 'torch.onnx.export(model, x, "m.onnx", |)', torch="2.1")
    assert "training=" in items and "dynamo=" not in items


async def test_opsets_are_offered_with_the_runtimes_that_load_them(tmp_path):
    items = await completed(tmp_path, 'torch.onnx.export(model, x, "m.onnx", opset_version=|)')
    assert list(items)[0] == "18" and "onnxruntime ≥ 1.15" in items["18"].documentation.value
    assert "13" in await completed(tmp_path, 'torch.onnx.export(model, x, "m.onnx", dynamo=False, opset_version=|)')


@pytest.mark.parametrize(("written", "insert"), [("{|}", '"image"'), ('{"|"}', "image"), ('{"image": {0: "b"}, |}', '"image"')])
async def test_input_names_are_offered_as_keys_of_dynamic_axes(tmp_path, written, insert):
    text = f'torch.onnx.export(model, x, "m.onnx", input_names=["image"], output_names=["y"], dynamic_axes={written})'
    items = await completed(tmp_path, text)
    assert set(items) == {"image", "y"} and items["image"].insert_text == insert


@pytest.mark.parametrize(
    ("asked", "more", "shown"),
    [
        (True, "", ["new exporter, opset 20"]),
        (False, "", []),
        (True, ", opset_version=17", ["new exporter"]),
        (True, ", opset_version=13 if x else 11, dynamo=False", ["legacy exporter, opset 11 or 13"]),
    ],
)
async def test_inlay_hints_show_what_a_call_leaves_unsaid_when_asked(tmp_path, asked, more, shown):
    async with session(root=tmp_path, settings={"inlay-hints": asked}) as editor:
        uri = editor.open(tmp_path / "export.py", HEAD + f'torch.onnx.export(model, x, "m.onnx"{more})\n')
        whole = types.Range(types.Position(0, 0), types.Position(99, 0))
        params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
        hints = await asyncio.wait_for(editor.client.text_document_inlay_hint_async(params), PATIENCE)
        assert [hint.label for hint in hints or ()] == shown
