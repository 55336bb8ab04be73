"""Models and helpers for the tests of actions."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest

from onnx_lsp.actions.measure import Plan

MLP = """
<ir_version: 8, opset_import: ["" : 17]>
mlp (float[batch, 16] x) => (float[batch, 4] y)
<float[16, 32] w1, float[32, 4] w2>
{
  hidden = MatMul(x, w1)
  same = Identity(hidden)
  active = Relu(same)
  y = MatMul(active, w2)
}
"""
SHORT = Plan(seconds=60, precision=1e9, generations=2, rounds=4, burst=0.005)  # two generations, however noisy


def write_mlp(path: Path) -> Path:
    """Writes a small valid model with seeded weights, a dynamic batch and one node too many."""
    import numpy
    from onnx import numpy_helper

    model = onnx.parser.parse_model(MLP)
    generator = numpy.random.default_rng(0)
    del model.graph.initializer[:]
    for name, shape in (("w1", (16, 32)), ("w2", (32, 4))):
        model.graph.initializer.append(
            numpy_helper.from_array(generator.standard_normal(shape).astype("float32"), name)
        )
    onnx.save(model, path)
    return path


@pytest.fixture
def mlp(tmp_path: Path) -> Path:
    """The model of `write_mlp`, alone in its folder."""
    return write_mlp(tmp_path / "mlp.onnx")


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch, repository: Path) -> str:
    """The module of hostile stages, importable in the children."""
    monkeypatch.setenv("PYTHONPATH", str(repository))
    return "tests.actions.hostile"


def children(of: int | None = None) -> set[int]:
    """The process ids of a process's living children (Linux); of this one's by default."""
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:  # it ended while we looked
            continue
        if int(parent) == (of or os.getpid()) and state != "Z":
            found.add(int(entry))
    return found
