"""What an argument can be, seen through `opset_version=`: the known constants, or None where something is unknown."""

from __future__ import annotations

import pytest

from onnx_lsp.script.values import Value
from tests.script.helpers import calls

HEAD = "import torch\n"
EXPORT = 'torch.onnx.export(model, x, "m.onnx", opset_version={})\n'

CASES = {
    "literal": ("", "13", [13]),
    "arithmetic": ("base = 10\n", "base + 3 * 1", [13]),
    "constant": ("OPSET = 13\n", "OPSET", [13]),
    "last assignment wins": ("o = 9\no = 13\n", "o", [13]),
    "both arms of a branch": ("if torch.cuda.is_available():\n    o = 11\nelse:\n    o = 13\n", "o", [11, 13]),
    "an arm that leaves does not count": ("o = 9\nif model:\n    o = 11\n    raise SystemExit\n", "o", [9]),
    "an arm that surely does not run": ("o = 13\nif False:\n    o = 9\n", "o", [13]),
    "narrowed by `is None`": ("def f(o=None):\n    if o is None:\n        o = 13\n    return o\no = f()\n", "o", [13]),
    "`or` replaces what is false": ("o = None or 13\n", "o", [13]),
    "conditional expression": ("", "11 if model else 13", [11, 13]),
    "a list on either side": ("l = [11] if model else [13]\n", "l[0]", [11, 13]),
    "try and except": ("try:\n    o = 11\nexcept ImportError:\n    o = 13\n", "o", [11, 13]),
    "a loop over known things": ("for o in (11, 13):\n    pass\n", "o", [13]),
    "a loop that counts": ("o = 9\nwhile model:\n    o += 1\n", "o", None),
    "unpacking": ("a, (b, o) = 1, (2, 13)\n", "o", [13]),
    "starred unpacking": ("a, *rest, o = (1, 2, 13)\n", "o", None),
    "chained": ("a = o = 13\n", "o", [13]),
    "walrus": ("print((o := 13))\n", "o", [13]),
    "subscript of a dict": ('config = {"opset": 13}\n', 'config["opset"]', [13]),
    "changed dict": ('config = {"opset": 9}\nconfig["opset"] = 13\n', 'config["opset"]', [13]),
    "updated dict": ('config = dict(opset=9)\nconfig.update(opset=13)\n', 'config.get("opset")', [13]),
    "default of get": ("config = {}\n", 'config.get("opset", 13)', [13]),
    "dict that code out of sight had": ('import project\nc = {"o": 13}\nproject.fill(c)\n', 'c["p"]', None),
    "alias of a dict": ('a = {"o": 9}\nb = a\nb["o"] = 13\n', 'a["o"]', [13]),
    "copy of a dict": ('a = {"o": 13}\nb = a.copy()\nb["o"] = 9\n', 'a["o"]', [13]),
    "list changed by a helper": ("def add(l):\n    l.append(13)\nl = [9]\nadd(l)\n", "l[-1]", [13]),
    "slice": ("l = [9, 11, 13]\n", "l[1:][1]", [13]),
    "comprehension": ("l = [o + 1 for o in (8, 12) if o > 9]\n", "l[0]", [13]),
    "dict comprehension": ("d = {k: 13 for k in ('a', 'b')}\n", "d['b']", [13]),
    "concatenated lists": ("l = [9] + [*(11, 13)]\n", "l[2]", [13]),
    "keys of one value": ("d = dict.fromkeys(['a', 'b'], 13)\n", "d['b']", [13]),
    "keys and values": ("d = {'a': 9, 'b': 13}\n", "list(d.values())[1]", [13]),
    "function": ("def opset():\n    return 13\n", "opset()", [13]),
    "functions of functions": ("def a(x):\n    return x + 1\ndef b():\n    return a(12)\n", "b()", [13]),
    "each call by itself": ("def same(x):\n    return x\nsame(9)\n", "same(13)", [13]),
    "recursion": ("def f(x):\n    return f(x - 1)\n", "f(3)", None),
    "lambda": ("pick = lambda o=13: o\n", "pick()", [13]),
    "closure": ("def outer(o):\n    def inner():\n        return o\n    return inner\n", "outer(13)()", [13]),
    "global": ("o = 9\ndef put():\n    global o\n    o = 13\nput()\n", "o", [9, 13]),
    "attribute of an object": ("class C:\n    def __init__(self, o):\n        self.o = o\nc = C(13)\n", "c.o", [13]),
    "class attribute": ("class C:\n    opset = 13\n", "C.opset", [13]),
    "inherited": ("class A:\n    def o(self):\n        return 13\nclass B(A):\n    pass\n", "B().o()", [13]),
    "static method": ("class A:\n    @staticmethod\n    def o(x):\n        return x\n", "A.o(13)", [13]),
    "a decorator out of sight": ("from p import d\n@d\ndef o():\n    return 13\n", "o()", None),
    "a transparent decorator": ("@torch.no_grad()\ndef o():\n    return 13\n", "o()", [13]),
    "string to int": ("", 'int("13")', [13]),
    "length": ("", 'len(["a"] * 13)', [13]),
    "format": ("v = 3\n", 'int(f"1{v}")', [13]),
    "shape of a tensor": ("t = torch.zeros(13, 2)\n", "t.shape[0]", [13]),
    "size of a tensor": ("t = torch.rand((2, 13)).to('cpu')\n", "t.size(1)", [13]),
    "getattr": ("class C:\n    o = 13\n", 'getattr(C, "o")', [13]),
    "imported": ("from project import OPSET\n", "OPSET", None),
    "environment": ("import os\n", 'int(os.environ["OPSET"])', None),
    "with": ("with torch.no_grad() as g:\n    o = 13\n", "o", [13]),
    "match": ("match model:\n    case 1:\n        o = 11\n    case _:\n        o = 13\n", "o", [11, 13]),
    "async": ("async def o():\n    return 13\n", "o()", [13]),
    "percent in names": ("n = {'o_%d' % i: i for i in (11, 13)}\n", "n['o_13']", [13]),
    "percent with a width": ("n = '%04d' % 13\n", "int(n)", None),
    "bound again by a loop": ("for o in project:\n    pass\n", "o", None),
    "deleted": ("o = 13\ndel o\n", "o", None),
}  # fmt: skip

OPTIONS = """
import argparse
parser = argparse.ArgumentParser()
group = parser.add_argument_group("export")
group.add_argument({})
args = parser.parse_args()
"""

OPTION_CASES = {
    "default": ('"--opset-version", type=int, default=13', "args.opset_version", [13]),
    "short flag": ('"-o", default=13', "args.o", [13]),
    "dest": ('"--opset", dest="o", default=13', "args.o", [13]),
    "converted": ('"--opset", type=int, default="13"', "args.opset", [13]),
    "required": ('"--opset", required=True', "args.opset", None),
    "positional": ('"opset", type=int', "args.opset", None),
    "no default": ('"--opset", type=int', "args.opset", [None]),
    "vars": ('"--opset", default=13', 'vars(args)["opset"]', [13]),
    "store_true": ('"--opset", action="store_true"', "args.opset", [False]),
}  # fmt: skip


def constants(value: Value | None) -> list | None:
    return value.constants if value is not None else None


@pytest.mark.parametrize(("before", "expression", "wanted"), CASES.values(), ids=CASES)
def test_a_value(before: str, expression: str, wanted: list | None) -> None:
    (call,) = calls(HEAD + before + EXPORT.format(expression))
    assert constants(call.get("opset_version")) == wanted


@pytest.mark.parametrize(("option", "expression", "wanted"), OPTION_CASES.values(), ids=OPTION_CASES)
def test_an_option(option: str, expression: str, wanted: list | None) -> None:
    (call,) = calls(HEAD + OPTIONS.format(option) + EXPORT.format(expression))
    assert constants(call.get("opset_version")) == wanted


COMMANDS = {
    "dashes": ("@click.command()\n@click.option('--op-set', default=13)", "op_set", [13]),
    "a name of its own": ("@click.command()\n@click.option('-o', '--opset', 'version', default=13)", "version", [13]),
    "converted by click": ("@click.command()\n@click.option('-o', '--opset', default='13', type=int)", "opset", [13]),
    "of a group": ("@click.group()\ndef cli():\n    pass\n@cli.command()\n@click.option('--o', default=13)", "o", [13]),
    "a flag": ("@click.command()\n@click.option('--opset', is_flag=True)", "opset", [False]),
    "a pair of flags": ("@click.command()\n@click.option('--opset/--no-opset', default=True)", "opset", [True]),
    "required": ("@click.command()\n@click.option('--opset', required=True, type=int)", "opset", None),
    "positional": ("@click.command()\n@click.argument('opset', type=int)", "opset", None),
    "typer": ("@app.command()", "opset: int = typer.Option(13, help='the opset')", [13]),
    "typer, annotated": ("@app.command()", "opset: Annotated[int, typer.Option()] = 13", [13]),
    "typer, required": ("@app.command()", "opset: int = typer.Option(..., help='the opset')", None),
}  # fmt: skip


@pytest.mark.parametrize("called", ["", "main()\n"])
@pytest.mark.parametrize(("decorators", "parameter", "wanted"), COMMANDS.values(), ids=COMMANDS)
def test_a_command(decorators: str, parameter: str, wanted: list | None, called: str) -> None:
    name = parameter.partition(":")[0]
    body = f"def main({parameter}):\n    {EXPORT.format(name)}"
    called = called.replace("main", "app" if ":" in parameter else "main")
    (call,) = calls(f"{HEAD}import click, typer\napp = typer.Typer()\n{decorators}\n{body}{called}")
    assert constants(call.get("opset_version")) == wanted


FUNCTION = "def save(model, x, opset=9):\n    torch.onnx.export(model, x, 'm.onnx', opset_version=opset)\n"


@pytest.mark.parametrize(
    ("callers", "wanted"),
    [
        ("", [9]),
        ("save(m, x, 13)\n", [13]),
        ("save(m, x)\nsave(m, x, opset=13)\n", [9, 13]),
        ("def main():\n    save(m, x, 13)\nif __name__ == '__main__':\n    main()\n", [13]),
        ("def main(o):\n    save(m, x, o)\n", None),
        ("save(m, x, **options)\n", None),
        ("def unused(o=13):\n    save(m, x, o)\n", [13]),
    ],
)
def test_a_parameter_is_what_the_callers_pass(callers: str, wanted: list | None) -> None:
    (call,) = calls(HEAD + FUNCTION + callers)
    assert constants(call.get("opset_version")) == wanted


CALLEES = {
    "module": "import torch\ntorch.onnx.export(m, x, f)",
    "alias": "import torch as t\nt.onnx.export(m, x, f)",
    "submodule": "import torch.onnx\ntorch.onnx.export(m, x, f)",
    "submodule alias": "import torch.onnx as onnx\nonnx.export(m, x, f)",
    "from torch": "from torch import onnx\nonnx.export(m, x, f)",
    "from torch.onnx": "from torch.onnx import export as save\nsave(m, x, f)",
    "assigned": "import torch\nsave = torch.onnx.export\nsave(m, x, f)",
    "partial": "import functools, torch\nsave = functools.partial(torch.onnx.export, m)\nsave(x, f)",
    "in a function": "def run():\n    import torch\n    torch.onnx.export(m, x, f)",
    "in a method": "import torch\nclass E:\n    def run(self):\n        torch.onnx.export(m, x, f)",
    "star import": "from helpers import *\ntorch.onnx.export(m, x, f)",
    "nested": "import torch\nprint(len(torch.onnx.export(m, x, f)))",
    "with, try, for": "import torch\nwith a:\n  try:\n    for i in b:\n      torch.onnx.export(m, x, f)\n  finally:\n    c()",
}


@pytest.mark.parametrize("text", CALLEES.values(), ids=CALLEES)
def test_the_callee_by_any_name(text: str) -> None:
    (call,) = calls(text)
    assert list(call.arguments) == ["model", "args", "f"]


@pytest.mark.parametrize(
    "text",
    [
        "from tools import onnx\nonnx.export(m, x, f)",
        "import torch\n# torch.onnx.export(m, x, f)",
        "import torch\n'''torch.onnx.export(m, x, f)'''",
        "import torch\nif False:\n    torch.onnx.export(m, x, f)",
        "import torch\ntorch = fake()\ntorch.onnx.export(m, x, f)",
    ],
)
def test_no_export_call(text: str) -> None:
    assert calls(text) == []


EXPORTERS = {
    "default": ("", "2.13", "new"),
    "default of torch 2.9": ("", "2.9", "new"),
    "default of torch 2.8": ("", "2.8", "legacy"),
    "True": (", dynamo=True", "2.6", "new"),
    "False": (", dynamo=False", "2.13", "legacy"),
    "not a bool": (", dynamo=1", "2.13", "legacy"),
    "unknown": (", dynamo=flag", "2.13", None),
    "splat": (", **options", "2.13", None),
    "known splat": (", **{'dynamo': False}", "2.13", "legacy"),
}


@pytest.mark.parametrize(("more", "torch", "wanted"), EXPORTERS.values(), ids=EXPORTERS)
def test_the_exporter(more: str, torch: str, wanted: str | None) -> None:
    (call,) = calls(f"import torch\ntorch.onnx.export(m, x, f{more})", torch)
    assert call.exporter == wanted


def test_an_export_that_is_tried_again_with_another_exporter_has_an_unknown_one() -> None:
    text = """
import torch
try:
    torch.onnx.export(m, x, f, dynamo=False)
except TypeError:
    torch.onnx.export(m, x, f)
"""
    assert [call.exporter for call in calls(text)] == ["legacy", None]


SHAPES = {
    "torch.randn(1, 3, 8)": [1, 3, 8],
    "torch.zeros((1, 3))": [1, 3],
    "torch.ones(size=[1, 3])": [1, 3],
    "torch.rand(*(1, 3))": [1, 3],
    "torch.tensor([[1.0, 2.0]])": [1, 2],
    "torch.randint(0, 10, (1, 5))": [1, 5],
    "torch.full((2, 3), 0.5)": [2, 3],
    "torch.autograd.Variable(torch.randn(1, 3)).cuda()": [1, 3],
    "torch.randn(3, 4).unsqueeze(0)": [1, 3, 4],
    "torch.randn(2, 6).view(3, -1)": [3, ...],
    "torch.randn(2, 6).permute(1, 0)": [6, 2],
    "torch.zeros_like(torch.ones(2, 6))": [2, 6],
    "torch.randn(1, n, 4)": [1, ..., 4],
    "(torch.randn(1, 3) + 1) * 2": [1, 3],
    "torch.randn(shape)": None,
    "load()": None,
}


@pytest.mark.parametrize(("expression", "wanted"), SHAPES.items(), ids=SHAPES)
def test_the_shape_of_an_example(expression: str, wanted: list | None) -> None:
    (call,) = calls(f"import torch\ntorch.onnx.export(m, {expression}, f)")
    atom = call.get("args").only
    shape = getattr(atom, "shape", None)
    assert (None if shape is None else [dim.constant for dim in shape]) == wanted


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("model = build()", None),
        ("model = build().eval()", "eval"),
        ("model = build()\nmodel.eval()", "eval"),
        ("model = build()\nnet = model\nnet.eval()", "eval"),
        ("model = build().eval()\nmodel.train()", "train"),
        ("model = build()\nmodel.train(False)", "eval"),
        ("def ready(m):\n    m.eval()\n    return m\nmodel = ready(build())", "eval"),
        ("model = Net()", "train"),
        ("model = Net().to('cuda').eval()", "eval"),
        ("model = Net()\nif x:\n    model.eval()", None),
    ],
)
def test_the_mode_of_a_module(text: str, mode: str | None) -> None:
    head = "import torch\nfrom torch import nn\nfrom zoo import build\nclass Net(nn.Module):\n    pass\n"
    (call,) = calls(f"{head}{text}\ntorch.onnx.export(model, x, f)")
    assert call.get("model").only.mode == mode
