"""Which exports are seen to be in training mode, through every way in which a model may be evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests.script.helpers import lint

PREAMBLE = '''
import torch
from torch import nn
from functools import partial


class Inner(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.drop = nn.Dropout(p)

    def forward(self, x):
        return self.drop(x)


class Net(Inner):
    def __init__(self, depth=2, p=0.5):
        super().__init__(p)
        self.blocks = nn.ModuleList([Inner(p) for _ in range(depth)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Holder(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


x = torch.randn(1, 4)
export = partial(torch.onnx.export, args=(x,), f="net.onnx")
'''

# What follows the preamble, and the severity of EXP401, or None.
CASES = [
    ("export(Net())", "warning"),
    ("export(Net(p=0.0))", "info"),
    ("export(Net().eval())", None),
    ("export(Net().train(False))", None),
    ("export(Net().eval().train())", "warning"),
    ("export(Net().cuda().float())", "warning"),
    ("net = Net()\nnet.eval()\nexport(net)", None),
    ("net = Net()\nalias = net\nalias.eval()\nexport(net)", None),
    ("net = Net()\nalias = net.eval()\nalias.train()\nexport(net)", "warning"),
    ("net = Net()\nnet.training = False\nexport(net)", None),
    ("net = Net()\nif x.any():\n    net.eval()\nexport(net)", None),
    ("net = Net()\nif x.any():\n    net.eval()\n    print(net(x))\nelse:\n    export(net)", "warning"),
    ("net = Net()\nfor _ in range(3):\n    net.eval()\nexport(net)", None),
    ("with torch.no_grad():\n    export(Net())", "warning"),
    ("def build():\n    return Net().eval(), 1\n\nexport(build()[0])", None),
    ("def build():\n    return Net(), 1\n\nnet, one = build()\nexport(net)", "warning"),
    ("def prepare(net):\n    net.eval()\n\nnet = Net()\nprepare(net)\nexport(net)", None),
    ("def run(net):\n    export(net)\n\nrun(Net())", "warning"),
    ("def run(net):\n    export(net)\n\nrun(Net().eval())", None),
    ("def run(net):\n    export(net)\n\nrun(Net().eval())\nrun(Net())", None),
    ("def run(net):\n    export(net)", None),
    ("def run(net):\n    net = net or Net()\n    export(net)", None),
    ("net = Holder(Net())\nexport(net)", "warning"),
    ("net = Holder(Net().eval())\nexport(net)", None),
    ("net = Holder(Net())\nnet.eval()\nexport(net.inner)", None),
    ("net = Holder(Net())\nnet.inner.eval()\nexport(net)", None),
    ("net = Holder(Net())\nnet.eval()\nnet.inner.train()\nexport(net.inner)", "warning"),
    ("net = nn.Sequential(nn.Linear(4, 4), Net()).eval()\nexport(net)", None),
    ("net = nn.Sequential(nn.Linear(4, 4), Net())\nexport(net)", "warning"),
    ("net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))\nexport(net)", "info"),
    ("layers = []\nfor _ in range(9):\n    layers.append(nn.Dropout())\nexport(nn.Sequential(*layers))", "warning"),
    ("export(nn.Sequential(*list(Net().eval().children())))", None),
    ("export(nn.DataParallel(Net()))", "warning"),
    ("export(nn.DataParallel(Net()).module.eval())", None),
    ("export(torch.compile(Net().eval()))", None),
    ("net = Net()\nunknown(net)\nexport(net)", None),
    ("net = Net()\nnet.requires_grad_(False)\nnet.load_state_dict(torch.load('net.pt'))\nexport(net)", "warning"),
    ("export(nn.LSTM(4, 4, 2, dropout=0.2))", "warning"),
    ("export(nn.LSTM(4, 4, 1))", "info"),
    ("export(nn.TransformerEncoderLayer(8, 2))", "warning"),
    ("export(nn.TransformerEncoderLayer(8, 2, dropout=0))", "info"),
    ("net = torch.export.export(Net(), (x,))\ntorch.onnx.export(net, f='net.onnx')", None),
    ("export(Net(), dynamo=False)", None),
    ("export(Net(), dynamo=x)", None),
]


@pytest.mark.parametrize(("text", "wanted"), CASES, ids=range(len(CASES)))
def test_the_mode_is_followed(text: str, wanted: str | None) -> None:
    found = [item.severity.label for item in lint(f"{PREAMBLE}\n{text}\n") if item.code == "EXP401"]
    assert found == ([wanted] if wanted else [])


MODULES = {
    "project/__init__.py": "",
    "project/models/__init__.py": "from .net import Net as PublicNet\n",
    "project/models/net.py": """
import torch
from torch import nn
from project.models import parts
from .parts import Block


class Net(nn.Module):
    def __init__(self, depth=1, drop=0.5, tidy=False):
        super().__init__()
        self.block = Block(drop)
        if tidy:
            self.eval()

    def read(self, path):
        self.load_state_dict(torch.load(path))

    def ready(self, path):
        self.read(path)
        self.eval()

    def passed(self):
        prepare(self)
""",
    "project/models/parts.py": """
from torch import nn
from project.models.net import Net


class Block(nn.Module):
    def __init__(self, drop):
        super().__init__()
        self.drop = nn.Dropout(drop)
""",
}
SCRIPTS = [
    ("from project.models import PublicNet", "PublicNet()", "warning"),
    ("from project.models.net import Net", "Net()", "warning"),
    ("from project.models.net import *", "Net()", "warning"),
    ("from .models.net import Net", "Net(drop=0.0)", "info"),
    ("import project.models.net as net", "net.Net(1, 0.5)", "warning"),
    ("from project.models.net import Net", "Net(tidy=True)", None),
    ("from project.models.net import Net", "Net().eval()", None),
    ("from project.models.net import Net\nnet = Net()\nnet.read('w')", "net", "warning"),
    ("from project.models.net import Net\nnet = Net()\nnet.ready('w')", "net", None),
    ("from project.models.net import Net\nnet = Net()\nnet.passed()", "net", None),
    ("from project.models.net import Net\nnet = Net()\nnet.unknown()", "net", None),
    ("from project.models.net import Net\nnet = Net()\nnet.read('w')\nnet.eval()", "net", None),
    ("from elsewhere import Net\nnet = Net()\nnet.read('w')", "net", None),
    ("from elsewhere import Net", "Net()", "info"),
    ("from project.models import build", "build()", None),
]


@pytest.mark.parametrize(("header", "model", "wanted"), SCRIPTS)
def test_classes_of_the_workspace_are_followed(header: str, model: str, wanted: str | None, tmp_path: Path) -> None:
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    script = tmp_path / "project" / "export.py"
    text = f"import torch\n{header}\n\ntorch.onnx.export({model}, (torch.randn(1, 4),), 'net.onnx')\n"
    workspace = Workspace({str(script): text})
    found = engine.lint_script(str(script), Settings(torch="2.13", root=str(tmp_path)), workspace)
    assert [item.severity.label for item in found if item.code == "EXP401"] == ([wanted] if wanted else [])
    read = {Path(name).name for name in workspace.dependencies if "\0" not in name}
    assert ("net.py" in read) == (model.startswith(("PublicNet", "Net", "net")) and "elsewhere" not in header)
    (related,) = [item.related for item in found if item.code == "EXP401"] or [()]
    assert [Path(item.file).name for item in related] == (["parts.py"] if wanted == "warning" else [])
