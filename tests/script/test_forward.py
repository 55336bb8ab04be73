"""What is seen inside `forward`: its events, through methods, parts, containers, helpers and the modules of the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests.script.helpers import codes, lint

PREAMBLE = '''
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Leaf(nn.Module):
    def forward(self, x):
        {leaf}
        return x


def helper(x):
    {helper}
    return x


class Net(nn.Module):
    def __init__(self, flag=True, depth=2):
        super().__init__()
        self.flag, self.depth = flag, depth
        self.leaf = Leaf()
        self.leaves = nn.ModuleList([Leaf() for _ in range(depth)])
        self.chain = nn.Sequential(nn.Linear(4, 4), Leaf())
        self.rnn = nn.LSTM(4, 4)
        self.table = {{}}

    def step(self, x, n=0):
        {step}
        return x

    def forward(self, x, mask=None):
        {forward}
        return x


x = torch.randn(2, 4)
torch.onnx.export(Net().eval(), (x,), "net.onnx", input_names=["x"], dynamic_axes={{"x": {{0: "n"}}}}, dynamo={new})
'''
ASKS = "x = x if x.sum() > 0 else -x"

# Where what is written, and the rules that then speak (with the new exporter, with the old one).
CASES = [
    ({"forward": "x = self.leaf(x)", "leaf": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = self.leaf.forward(x)", "leaf": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = self.chain(x)", "leaf": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "for leaf in self.leaves: x = leaf(x)", "leaf": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "for i, leaf in enumerate(self.leaves): x = leaf(x)", "leaf": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = self.leaves[0](x)", "leaf": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = self.step(x, n=2)", "step": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = helper(x)", "helper": ASKS}, {"EXP701"}, {"EXP701"}),
    ({"forward": "pass", "leaf": ASKS, "helper": ASKS, "step": ASKS}, set(), set()),
    ({"forward": "while x.max() > 1: x = x / 2"}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = x * (1 if not x.any() else 2)"}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = x if self.flag and (x > 0).all() else -x"}, {"EXP701"}, {"EXP701"}),
    ({"forward": "x = x if bool(x.mean()) else -x"}, {"EXP701"}, {"EXP701"}),
    ({"forward": "values, at = x.max(dim=1)\n        if values[0] > 1: x = -x"}, {"EXP701"}, {"EXP701"}),
    ({"forward": "out, state = self.rnn(x)\n        if out.sum(): x = -x"}, {"EXP701"}, {"EXP701"}),
    ({"forward": "out, state = self.rnn(x)\n        if state: x = -x"}, set(), set()),
    ({"forward": "if self.table.get(1) or self.depth > x.shape[0]: x = -x"}, set(), set()),
    ({"forward": "if mask is None or mask.sum() > 0: x = -x"}, set(), set()),
    ({"forward": "x = -x if torch.is_tensor(x) and len(x) > 1 else x"}, set(), set()),
    ({"forward": "if torch.onnx.is_in_onnx_export(): return x\n        if x.sum() > 0: x = -x"}, set(), set()),
    ({"forward": "if not self.flag:\n            if x.sum() > 0: x = -x"}, set(), set()),
    ({"forward": "x = unknown(x)\n        if x.sum() > 0: x = -x"}, set(), set()),
    ({"forward": "n = int(x.max())\n        x = x * n"}, set(), {"EXP701"}),
    ({"forward": "n = int(x.shape[0])\n        x = x.view(n, 4)"}, set(), {"EXP208"}),
    ({"forward": "x = x.view(len(x), 4)"}, set(), {"EXP208"}),
    ({"forward": "b, c = x.size()\n        x = x.view(b, c)"}, set(), set()),
    ({"forward": "b, c = x.size()\n        x = x.view(int(b), c)"}, set(), {"EXP208"}),
    ({"forward": "x = F.relu(self.chain(x) * 2).reshape(2, 2, 2)"}, {"EXP208"}, {"EXP208"}),
    ({"forward": "x = F.relu(x * 2).reshape((2, 2, 2))"}, {"EXP208"}, {"EXP208"}),
    ({"forward": "x = x.t().reshape(2, 4)"}, set(), set()),
    ({"forward": "b, c = x.shape\n        x = x.reshape(2, b * c, 1)"}, set(), set()),
    ({"forward": "x = x.reshape(2)"}, set(), set()),
    ({"forward": "x = torch.stack([x[i] for i in range(len(x))])"}, set(), set()),
    ({"forward": "x = torch.stack([x[i] for i in range(x.size(0))])"}, {"EXP208"}, {"EXP208"}),
    ({"forward": "x = F.dropout(x)"}, {"EXP403"}, {"EXP403"}),
    ({"forward": "x = self.leaf(x)", "leaf": "x = F.dropout(x, p=0.1)"}, {"EXP403"}, {"EXP403"}),
    ({"forward": "x = torch.dropout(x, 0.5, True)"}, {"EXP403"}, {"EXP403"}),
    ({"forward": "x = F.dropout(x, training=self.training)"}, set(), set()),
    ({"forward": "y = x.clone()\n        y[0] = 0"}, set(), {"EXP702"}),
    ({"forward": "y = {}\n        y[0] = x"}, set(), set()),
    ({"forward": "x = torch.inverse(x)"}, {"EXP305"}, {"EXP305"}),
    ({"forward": "x = x.inverse()"}, {"EXP305"}, {"EXP305"}),
    ({"forward": "x = torch.linalg.inv(x)"}, {"EXP305"}, {"EXP305"}),
    ({"forward": "x = torch.linalg.inv(torch.eye(4)) @ x"}, {"EXP305"}, {"EXP305"}),
    ({"forward": "x = unknown(x).inverse()"}, set(), set()),
    ({"forward": "x = x.trunc()"}, set(), {"EXP305"}),
]
MINE = {"EXP208", "EXP305", "EXP403", "EXP701", "EXP702"}


@pytest.mark.parametrize("new", [True, False], ids=["new", "old"])
@pytest.mark.parametrize(("bodies", "with_new", "with_old"), CASES, ids=range(len(CASES)))
def test_the_forward_is_followed(bodies: dict[str, str], with_new: set[str], with_old: set[str], new: bool) -> None:
    empty = dict.fromkeys(("leaf", "helper", "step", "forward"), "pass")
    found = lint(PREAMBLE.format(**{**empty, **bodies}, new=new))
    assert {item.code for item in found} & MINE == (with_new if new else with_old)
    assert "FIL099" not in {item.code for item in found}


OPSETS = [
    ("F.scaled_dot_product_attention(x, x, x)", 13, 14),
    ("F.scaled_dot_product_attention(x, x, x)", 14, None),
    ("F.grid_sample(x, x)", 11, 16),
    ("F.interpolate(x, scale_factor=2.0)", 9, None),  # what the easiest arguments need
    ("x.tril()", 11, 14),
    ("F.fold(x.relu(), (8, 8), 3) + F.grid_sample(x, x)", 11, 18),
]


@pytest.mark.parametrize(("expression", "asked", "needed"), OPSETS)
def test_the_lowest_opset_of_a_call(expression: str, asked: int, needed: int | None) -> None:
    text = PREAMBLE.format(leaf="pass", helper="pass", step="pass", forward=f"x = {expression}", new=False)
    found = [item for item in lint(text.replace("dynamo=", f"opset_version={asked}, dynamo=")) if item.code == "EXP305"]
    assert [f"opset {needed} " in item.message for item in found] == ([True] if needed else [])


def test_what_lies_in_another_module_is_told_at_the_call(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\nimport torch.nn.functional as F\n\n\nclass Net(torch.nn.Module):\n"
        "    def forward(self, x):\n        return F.dropout(x)\n",
        encoding="utf-8",
    )
    script = tmp_path / "export.py"
    text = "import torch\nfrom net import Net\n\nx = torch.randn(1, 4)\ntorch.onnx.export(Net().eval(), (x,), 'n.onnx')\n"
    found = engine.lint_script(str(script), Settings(torch="2.13", root=str(tmp_path)), Workspace({str(script): text}))
    (item,) = [item for item in found if item.code == "EXP403"]
    assert item.range.start.line == 4 and not item.fixes
    assert [(Path(place.file).name, place.range.start.line) for place in item.related] == [("net.py", 6)]


def test_functions_of_other_modules_are_followed(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "models" / "warping.py").write_text(
        "import torch.nn.functional as F\n\n\ndef warp(x, grid):\n    return F.grid_sample(x, grid)\n", encoding="utf-8"
    )
    (tmp_path / "models" / "net.py").write_text(
        "import torch\nfrom .warping import warp\n\n\nclass Net(torch.nn.Module):\n"
        "    def forward(self, x, grid):\n        return warp(x, grid)\n",
        encoding="utf-8",
    )
    script = tmp_path / "export.py"
    text = (
        "import torch\nfrom models.net import Net\n\nx = torch.randn(1, 3, 8, 8), torch.randn(1, 8, 8, 2)\n"
        "torch.onnx.export(Net().eval(), x, 'n.onnx', opset_version=14, dynamo=False)\n"
    )
    found = engine.lint_script(str(script), Settings(torch="2.13", root=str(tmp_path)), Workspace({str(script): text}))
    (item,) = [item for item in found if item.code == "EXP305"]
    assert [Path(place.file).name for place in item.related] == ["warping.py"]


def test_a_forward_that_the_script_replaces_is_not_followed() -> None:
    text = (
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return x if x.sum() > 0 else -x\n\n"
        "    def plain(self, x):\n        return {body}\n\n\nnet = Net().eval()\nnet.forward = net.plain\n"
        "torch.onnx.export(net, torch.randn(1, 4), 'n.onnx', dynamo=True)\n"
    )
    for body, wanted in (("x + 1", []), ("x if x.max() > 0 else -x", [9])):
        assert [line for code, line in codes(lint(text.format(body=body))) if code == "EXP701"] == wanted


def test_an_edit_of_the_other_module_is_seen(tmp_path: Path) -> None:
    script, other = str(tmp_path / "export.py"), str(tmp_path / "net.py")
    text = "import torch\nfrom net import Net\n\nx = torch.randn(1, 4)\ntorch.onnx.export(Net().eval(), (x,), 'n.onnx')\n"
    body = "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        return {}\n"
    documents = {script: text}
    (tmp_path / "net.py").write_text(body.format("x"), encoding="utf-8")
    for expression, wanted in (("x", 0), ("torch.nn.functional.dropout(x)", 1), ("x + 1", 0)):
        documents[other] = body.format(expression)
        workspace = Workspace(documents)
        found = engine.lint_script(script, Settings(torch="2.13", root=str(tmp_path)), workspace)
        assert sum(item.code == "EXP403" for item in found) == wanted
        assert other in workspace.dependencies
