"""`LightningModule.to_onnx` is an export call: of the module as it is, with the keywords that it hands on."""

from __future__ import annotations

import pytest

from tests.script.helpers import calls, lint

HEAD = """
import torch
import pytorch_lightning as pl


class Net(pl.LightningModule):
    def __init__(self, width=2):
        super().__init__()
        self.drop = torch.nn.Dropout()

    def forward(self, x):
        return self.drop(x)


x = torch.randn(1, 2)
"""
# What is written, and the rules beside those about names and checks (EXP506, EXP601) that speak.
CASES = {
    "by position": ("Net().eval().to_onnx('net.onnx', x, opset_version=11)", {"EXP206", "EXP301"}),
    "by name": ("Net().eval().to_onnx(input_sample=(x,), file_path='net.onnx', training=None)", {"EXP206", "EXP402"}),
    "in training mode": ("Net().to_onnx('net.onnx', x, dynamic_axes=None)", {"EXP401"}),
    "from a checkpoint": ("Net.load_from_checkpoint('c.ckpt').to_onnx('net.onnx', x)", {"EXP206", "EXP401"}),
    "evaluated": ("m = Net.load_from_checkpoint('c.ckpt')\nm.eval()\nm.to_onnx('net.onnx', x)", {"EXP206"}),
    "after a training": ("m = Net()\npl.Trainer().fit(m)\nm.to_onnx('net.onnx', x)", {"EXP206"}),
    "without a sample": ("Net().eval().to_onnx('net.onnx')", set()),
    "a sample for hooks": ("Net().eval().to_onnx('net.onnx', [x])", set()),
    "old exporter": ("Net().to_onnx('net.onnx', x, opset_version=11, dynamo=False, dynamic_axes={})", set()),
    "options": ("o = {'opset_version': 11}\nNet().eval().to_onnx('net.onnx', x, **o)", {"EXP206", "EXP301"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), CASES.values(), ids=CASES)
def test_what_is_found(text: str, wanted: set[str]) -> None:
    assert {item.code for item in lint(HEAD + text + "\n")} - {"EXP506", "EXP601"} == wanted


@pytest.mark.parametrize("text", ["model.to_onnx('net.onnx', x)", "from zoo import Zoo\nZoo().to_onnx('net.onnx', x)"])
def test_what_may_be_no_lightning_module_is_no_export(text: str) -> None:
    assert calls(HEAD + text + "\n") == []
