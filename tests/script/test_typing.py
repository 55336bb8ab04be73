"""Typing, letter by letter: whatever one piece of a script looks like meanwhile, the findings in the others stay."""

from __future__ import annotations

import pytest

from tests.script.helpers import lint

ABOVE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout()

    def forward(self, x):
        return self.drop(x)


def first(m):
    torch.onnx.export(m, torch.randn(1, 2), "m.onnx", opset_version=11, training=torch.onnx.TrainingMode.EVAL)


"""
BELOW = """


def last():
    m = Net()
    torch.onnx.export(m, torch.randn(1, 2), "m.onnx", opset_version=11, input_names="x")


if __name__ == "__main__":
    last()
"""
# Around what is typed: nothing, a function, and a function that goes on.
PLACES = {
    "at the top": ("", "\n"),
    "at the end of a function": ("def middle(m):\n    x = torch.randn(1, 2)\n    ", "\n"),
    "inside a function": ("def middle(m):\n    x = torch.randn(1, 2)\n    ", "\n    return x\n"),
}
TYPED = {
    "call": """torch.onnx.export(m, (x,), "a.onnx", dynamic_axes={"x": {0: "n"}}, input_names=["x"])""",
    "lines": 'torch.onnx.export(\n        m,\n        (x,),\n        dynamic_axes={\n            "x": {0: "n"},\n        },\n    )',
    "triple quotes": "y = '''\n    def f(x):\n        a\n'''",
    "docstring": 'def f(x):\n        """What it\'s "for" (not `this`."""',
    "f-string": """print(f"{x.shape[0]:>3} {m!r}")""",
    "block": "with torch.no_grad():\n        y = [a for a in (1, 2) if a]\n        print(y)",
    "handler": 'try:\n        y = {"a": [1, (2, 3)]}\n    except ValueError as e:\n        raise',
    "class": "class A(nn.Module):\n        def forward(self, x):\n            return x",
    "lambda": """y = lambda a, *b, **c: a if b else (c, "x\\"y")""",
    "comment": "# it's \"a\n    y = 1  # (",
    "match": 'match m:\n        case [1, {"a": b}]:\n            return b',
    "decorator": "@torch.no_grad()\n    async def run(a, /, *, b: int = 1) -> None:\n        await b",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_findings_elsewhere_stay(typed: str, place: str) -> None:
    before, after = PLACES[place]
    typed = typed if before else typed.replace("\n    ", "\n")
    pieces = [before + typed[:length] + after for length in range(len(typed) + 1)]
    wanted = elsewhere("")
    assert len(wanted) == 10
    assert not [piece for piece in pieces if elsewhere(piece) != wanted]


def elsewhere(piece: str) -> list[tuple[str, int, str]]:
    """The findings above and below a piece; their lines as if it were not there."""
    first, lines = ABOVE.count("\n"), piece.count("\n")
    found = [(item.code, item.range.start.line, item.message) for item in lint(ABOVE + piece + BELOW) if item.range]
    above = [item for item in found if item[1] < first]
    below = [(code, line - lines, message) for code, line, message in found if line > first + lines]
    return [item for item in (*above, *below) if item[0] != "FIL009"]  # which is where Python stumbles
