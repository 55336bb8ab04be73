"""The rules about arguments of export calls, where a card cannot say it: many ways to one call, and no fix at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp import engine, targets
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.script import torch_api
from onnx_lsp.script.checks import call_form, opset, removed, unread
from onnx_lsp.script.edits import apply_edits
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

MODEL = """import torch


class Net(torch.nn.Module):
    def forward(self, x, mask=None):
        return x * 2


net, x = Net().eval(), torch.randn(3, 4)
"""


def lint(text: str, torch: str = "2.13") -> list[Diagnostic]:
    path = Path("script.py").absolute()
    return engine.lint_script(str(path), Settings(torch=torch), Workspace({str(path): text}))


def codes(text: str, torch: str = "2.13") -> set[str]:
    found = lint(text, torch)
    assert not [item for item in found if item.code.startswith("FIL")], found
    return {item.code for item in found}


SEEN = {
    "a partial that holds the argument": (
        "EXP402",
        'from functools import partial\nto_onnx = partial(torch.onnx.export, net, (x,), "m.onnx", training=None)\nto_onnx()\n',
    ),
    "a splat built in sight": (
        "EXP501",
        'options = {"do_constant_folding": False}\ntorch.onnx.export(net, (x,), "m.onnx", **options)\n',
    ),
    "a splat that was changed between two calls": (
        "EXP110",
        "options = {}\ntorch.onnx.export(net, (x,), 'a.onnx', **options)\n"
        "options.update(export_params=False)\ntorch.onnx.export(net, (x,), 'b.onnx', **options)\n",
    ),
    "all callers give a list": (
        "EXP105",
        "def export(inputs):\n    torch.onnx.export(net, inputs, 'm.onnx')\n\n\nexport([x])\nexport([x, x])\n",
    ),
    "one of two callers in another order": (
        "EXP202",
        "def export(axes):\n    torch.onnx.export(net, (x, x), 'm.onnx', input_names=['a', 'b'], dynamic_axes=axes)\n\n\n"
        "export({'a': {0: 'n'}})\nexport({'b': {0: 'n'}})\n",
    ),
    "entries set one by one": (
        "EXP202",
        "axes = {}\naxes['b'] = {0: 'n'}\ntorch.onnx.export(net, (x, x), 'm.onnx', input_names=['a', 'b'], dynamic_axes=axes)\n",
    ),
    "a scripted model from a helper": (
        "EXP104",
        "def build():\n    return torch.jit.script(net).eval()\n\n\ntorch.onnx.export(build(), (x,), 'm.onnx')\n",
    ),
    "an opset from a module constant": (
        "EXP303",
        "OPSET = '17'\ntorch.onnx.export(net, (x,), 'm.onnx', opset_version=OPSET)\n",
    ),
    "a misspelt key of a dict in sight": (
        "EXP101",
        "options = dict(opset_verison=18)\ntorch.onnx.export(net, (x,), 'm.onnx', **options)\n",
    ),
    "an open path": (
        "EXP106",
        "from pathlib import Path\nwith Path('m.onnx').open('wb') as file:\n    torch.onnx.export(net, (x,), file)\n",
    ),
    "a temporary file": (
        "EXP106",
        "import tempfile\nwith tempfile.NamedTemporaryFile(suffix='.onnx') as file:\n    torch.onnx.export(net, (x,), file)\n",
    ),
    "a method after a state that only others set": (
        "EXP303",
        "class Tool:\n    def __init__(self):\n        self.ready = False\n\n    def load(self):\n        self.ready = True\n\n"
        "    def export(self):\n        if not self.ready:\n            raise RuntimeError\n"
        "        torch.onnx.export(net, (x,), 'm.onnx', opset_version='17')\n",
    ),
    "names made by percent": (
        "EXP201",
        "names = ['state'] + ['learned_%d' % i for i in range(2)]\n"
        "torch.onnx.export(net, (x,), 'm.onnx', input_names=names, output_names=['y'], dynamic_axes={'input': {0: 'n'}})\n",
    ),
    "an alias of the function": ("EXP103", "to_onnx = torch.onnx.export\nto_onnx(net, (x,), 'm.onnx', True)\n"),
}


@pytest.mark.parametrize(("code", "script"), SEEN.values(), ids=SEEN)
def test_it_is_seen(code: str, script: str) -> None:
    assert code in codes(MODEL + script)


UNSEEN = {
    "one of two callers gives a tuple": (
        "EXP105",
        "def export(inputs):\n    torch.onnx.export(net, inputs, 'm.onnx')\n\n\nexport([x])\nexport((x,))\n",
    ),
    "a splat out of sight may carry dynamo=False": (
        "EXP402",
        "from config import options\ntorch.onnx.export(net, (x,), 'm.onnx', training=None, **options)\n",
    ),
    "only where another torch is installed": (
        "EXP103",
        "try:\n    torch.onnx.export(net, (x,), 'm.onnx')\nexcept TypeError:\n    torch.onnx.export(net, (x,), 'm.onnx', True)\n",
    ),
    "the name of a temporary file": (
        "EXP106",
        "import tempfile\nwith tempfile.NamedTemporaryFile(suffix='.onnx') as file:\n"
        "    torch.onnx.export(net, (x,), file.name)\n",
    ),
    "a key that only one of two dicts has": (
        "EXP101",
        "options = {'old': 1} if flag else {}\ntorch.onnx.export(net, (x,), 'm.onnx', **options)\n",
    ),
    "a test that it fails": (
        "EXP105",
        "import pytest\nwith pytest.raises(TypeError, match='tuple'):\n    torch.onnx.export(net, [x], 'm.onnx')\n",
    ),
    "a test of unittest that it fails": (
        "EXP103",
        "def test(self):\n    with torch.no_grad(), self.assertRaisesRegex(TypeError, 'positional'):\n"
        "        torch.onnx.export(net, (x,), 'm.onnx', True)\n",
    ),
    "callers that all give as many inputs": (
        "EXP109",
        "class Pair(torch.nn.Module):\n    def forward(self, x, scale):\n        return x * scale\n\n\npair = Pair().eval()\n\n\n"
        "def export(scale):\n    torch.onnx.export(pair, (x, scale), 'm.onnx')\n\n\nfor scale in (1, 2):\n    export(scale)\n",
    ),
    "names that a helper may change": (
        "EXP503",
        "from mine import fill\nnames = ['a']\nfill(names)\ntorch.onnx.export(net, (x, x), 'm.onnx', input_names=names)\n",
    ),
    "an opset of a caller out of sight": (
        "EXP302",
        "from mine import OPSET\ntorch.onnx.export(net, (x,), 'm.onnx', opset_version=OPSET, dynamo=False)\n",
    ),
    "a call that is never reached": (
        "EXP109",
        "if False:\n    torch.onnx.export(net, (), 'm.onnx')\n",
    ),
    "another package": ("EXP103", "import torch_onnx\ntorch_onnx.export(net, (x,), 'm.onnx', True)\n"),
    "another method of that name": (
        "EXP103",
        "class Tool:\n    def export(self, *a):\n        pass\n\n\nTool().export(1, 2, 3, 4)\n",
    ),
}


@pytest.mark.parametrize(("code", "script"), UNSEEN.values(), ids=UNSEEN)
def test_it_is_not_said(code: str, script: str) -> None:
    assert code not in codes(MODEL + script)


KEPT = {
    "the default exporter": ('torch.onnx.export(net, (x,), "m.onnx", training=None)\n', True),
    "the new exporter was asked for": ('torch.onnx.export(net, (x,), "m.onnx", training=None, dynamo=True)\n', False),
    "the old one refuses dynamic_shapes": (
        'torch.onnx.export(net, (x,), "m.onnx", training=None, dynamic_shapes=({0: "n"},))\n',
        False,
    ),
    "the old one takes no program": (
        'torch.onnx.export(torch.export.export(net, (x,)), (x,), "m.onnx", training=None)\n',
        False,
    ),
}


@pytest.mark.parametrize(("script", "kept"), KEPT.values(), ids=KEPT)
def test_the_old_exporter_is_offered_where_it_takes_the_call(script: str, kept: bool) -> None:
    (found,) = [item for item in lint(MODEL + script) if item.code == "EXP402"]
    fixes = {fix.key: fix for fix in found.fixes}
    assert ("keep" in fixes) is kept
    if kept:
        assert "EXP402" not in codes(apply_edits(MODEL + script, fixes["keep"].edits))


HALF_TYPED = (
    "torch.onnx.export(net, [x",
    "torch.onnx.export(net, (x,), 'm.onnx', True",
    "torch.onnx.export(net, (x,), 'm.onnx', dynamic_axes={'x': {",
    "torch.onnx.export(net, (x,), 'm.onnx', dynamic_shapes={'x': }, training=",
    "torch.onnx.export(net, (x,), 'm.onnx', opset_version=)",
    "torch.onnx.export(*, **)",
    "torch.onnx.export(net, (x,), 'm.onnx', input_names=['a', , 'b'], dynamic_axes={'b' {0: 'n'}})",
)


@pytest.mark.parametrize("script", HALF_TYPED)
def test_half_typed_calls_do_no_harm(script: str) -> None:
    whole = 'torch.onnx.export(net, (x,), "a.onnx", training=None)\n'
    found = lint(MODEL + whole + script + "\n")
    assert "EXP402" in {item.code for item in found}
    assert "FIL099" not in {item.code for item in found}


def test_constants_are_those_of_the_table() -> None:
    """The clean path reads no table; what it knows by heart must be what the table says."""
    table = targets.read("torch")
    ignored = {name for name, facts in table["parameters"].items() if facts.get("unread_by_new")} - {"training"}
    assert unread.UNREAD == ignored
    for version, facts in table["exporter"].items():
        number = torch_api.number(version)
        assert facts["legacy_max"] >= opset.NO_MAX_BELOW
        if number >= opset.LEGACY_MAX_SINCE:
            assert facts["legacy_max"] == opset.LEGACY_MAX
        if number >= call_form.NAMED_ONLY_SINCE:
            assert facts["new_floor"] == torch_api.OPSET_FLOOR
    gone = {
        name.partition(".")[0]
        for version in table["versions"]
        for name in torch_api.removed_names(torch_api.number(version))
    }
    assert not removed.STAYS & gone
    for signature in table["signature"]:
        taken = {*signature["positional"], *signature["keyword_only"]}
        first = torch_api.number(signature["torch"].partition("..")[0])
        assert torch_api.known_by_heart(first) <= taken
        if first >= call_form.NAMED_ONLY_SINCE:
            assert tuple(signature["positional"]) == torch_api.POSITIONAL
        elif first >= (1, 10):
            assert tuple(signature["positional"][: len(call_form.SAME_ORDER)]) == call_form.SAME_ORDER
