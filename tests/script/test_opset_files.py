"""The opset that a script asks for, and that of the file which lies where it writes."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from onnx_lsp import engine
from onnx_lsp.model.header import Header, read_header
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

SCRIPT = """
import torch


def export(model, x):
    torch.onnx.export(model, x, "model.onnx", input_names=["x"], {arguments})
"""
LEGACY = 'opset_version=17, dynamo=False, dynamic_axes={"x": {0: "n"}}'


def model(producer: str, *opsets: tuple[str, int]) -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    return helper.make_model(graph, producer_name=producer, opset_imports=[helper.make_opsetid(*opset) for opset in opsets])


def lint(folder: Path, arguments: str) -> tuple[list[str], set[str]]:
    script = folder / "export.py"
    script.write_text(SCRIPT.replace("{arguments}", arguments))
    workspace = Workspace()
    found = engine.lint_script(str(script), Settings(root=str(folder)), workspace)
    return [item.message for item in found if item.code == "EXP304"], workspace.dependencies


@pytest.mark.parametrize(
    ("opset", "producer", "arguments", "said"),
    [
        (11, "pytorch", LEGACY, True),
        (17, "pytorch", LEGACY, False),
        (11, "skl2onnx", LEGACY, False),
        (17, "pytorch", 'opset_version=18, dynamic_shapes=({0: "n"},)', True),
        (18, "pytorch", 'opset_version=17, dynamic_shapes=({0: "n"},)', False),
        (18, "pytorch", 'opset_version=20, dynamic_shapes=({0: "n"},)', False),
    ],
    ids=["older", "same", "another producer", "new exporter", "may write 18", "may not convert up"],
)
def test_a_file_of_another_export(tmp_path: Path, opset: int, producer: str, arguments: str, said: bool) -> None:
    onnx.save(model(producer, ("", opset)), tmp_path / "model.onnx")
    messages, dependencies = lint(tmp_path, arguments)
    assert [f"is at opset {opset}," in message for message in messages] == [True] * said
    assert (str(tmp_path / "model.onnx") in dependencies) == ("opset_version=18" in arguments or arguments is LEGACY)


def test_a_file_that_is_not_there_is_a_dependency_too(tmp_path: Path) -> None:
    messages, dependencies = lint(tmp_path, LEGACY)
    assert not messages and str(tmp_path / "model.onnx") in dependencies


def test_a_header_is_read_from_between_other_fields(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(model("pytorch", ("pkg.custom", 1), ("ai.onnx", 21)), path)
    assert read_header(str(path)) == Header("pytorch", 21)
    onnx.save(model("", ("pkg.custom", 1)), path)
    assert read_header(str(path)) == Header("", None)


@pytest.mark.parametrize("data", [b"", b"\x0a\xff\xff\xff", b"version https://git-lfs.github.com/spec/v1\n"])
def test_what_is_no_model_has_no_header(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    assert read_header(str(path)) is None
    assert lint(tmp_path, LEGACY)[0] == []
