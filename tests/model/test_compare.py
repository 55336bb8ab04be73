"""What differs between two models is said once, by what it is, whatever things are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from onnx_lsp.model import reading
from onnx_lsp.model.align import align
from onnx_lsp.model.compare import compare
from tests.models import onnx_models, real_models

BASE = """\
<ir_version: 8, opset_import: ["" : 17], metadata_props: ["k": "v"]>
g (float[N,2] x, bool c) => (float[N,2] y)
<float[2] w = {1, 2}, float[2] v = {3, 4}, float[N,2] a>
{
  [one] a = Add(x, w)
  [two] b = LeakyRelu<alpha = 0.1>(a)
  [three] d = If (c) <
    then_branch = t () => (float[N,2] p) { p = Mul(b, v) },
    else_branch = e () => (float[N,2] q) { q = Neg(b) }
  >
  [four] y = Softmax<axis = -1>(d)
}
<domain: "f", opset_import: ["" : 17]> F (k) => (l) { l = Relu(k) }
"""
# (what is replaced in the text, by what) -> the changes: kind, what, item, detail
EDITS = {
    (("alpha = 0.1", "alpha = 0.2"),): [("changed", "node", "b = LeakyRelu(a)", "- alpha = 0.1; + alpha = 0.2")],
    (("LeakyRelu<alpha = 0.1>", "Elu"),): [("changed", "node", "b = Elu(a)", "LeakyRelu -> Elu; - alpha = 0.1")],
    (("{1, 2}", "{1, 5}"),): [("changed", "initializer", "w", "the weights differ (float[2])")],
    (("float[2] w = {1, 2}", "double[2] w = {1, 2}"),): [("changed", "initializer", "w", "float[2] -> double[2]")],
    (("[two]", "[extra] z = Abs(a)\n  [two]"), ("(a)\n  [three]", "(z)\n  [three]")): [
        ("added", "node", "z = Abs(a)", ""), ("changed", "node", "b = LeakyRelu(z)", "reads (a) -> (z)")],
    (("  [two] b = LeakyRelu<alpha = 0.1>(a)\n", ""), ("(b", "(a")): [
        ("removed", "node", "b = LeakyRelu(a) <alpha = 0.1>", ""),
        ("changed", "node", "p = Mul(a, v)", "reads (b, v) -> (a, v)"), ("changed", "node", "q = Neg(a)", "reads (b) -> (a)")],
    (("q = Neg(b)", "q = Exp(b)"),): [("changed", "node", "q = Exp(b)", "Neg -> Exp")],
    (('"" : 17]', '"" : 18]'),): [("changed", "opset", '""', "17 -> 18")],
    (("ir_version: 8", "ir_version: 9"),): [("changed", "model", "ir_version", "8 -> 9")],
    (('"k": "v"', '"k": "w", "l": "m"'),): [("changed", "metadata", '"k"', "v -> w"), ("added", "metadata", '"l": m', "")],
    (("float[N,2] x", "float[1,2] x"),): [("changed", "input", "x", "float[N,2] -> float[1,2]")],
    (("(float[N,2] x, bool c)", "(bool c, float[N,2] x)"),): [("changed", "order", "inputs", "they stand in another order")],
    (("bool c)", "bool c, float extra)"),): [("added", "input", "float extra", "")],
    (("float[N,2] a>", "float[1,2] a>"),): [("changed", "value", "a", "float[N,2] -> float[1,2]")],
    (("l = Relu(k) }", "l = Abs(k) }"),): [("changed", "node", "l = Abs(k)", "Relu -> Abs")],
    ((', float[2] v = {3, 4}', ", float[2] v = {3, 4}, float[1] u = {5}"),): [("added", "initializer", "float[1] u", "")],
    (("b = LeakyRelu", "bb = LeakyRelu"), ("(b", "(bb")): [("changed", "name", "1 values", "they have other names")],
    (("float[2] w", "float[2] weight"), ("(x, w)", "(x, weight)")): [
        ("changed", "name", "1 initializers", "they have other names")],
    (("float[2] w = {1, 2}", "float[2] weight = {7, 2}"), ("(x, w)", "(x, weight)")): [
        ("changed", "initializer", "weight", "the weights differ (float[2])"),
        ("changed", "name", "1 initializers", "they have other names")],
}  # fmt: skip


def model(path: Path, source: str | onnx.ModelProto):
    parsed = onnx.parser.parse_model(source) if isinstance(source, str) else source
    path.write_bytes(parsed.SerializeToString())
    return reading.read(str(path)).model


def edited(edits: tuple) -> str:
    text = BASE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("edits", EDITS, ids=lambda edits: edits[0][1])
def test_every_difference_is_said_once(edits: tuple, tmp_path: Path) -> None:
    changes = compare(model(tmp_path / "a.onnx", BASE), model(tmp_path / "b.onnx", edited(edits)))
    assert [(item.kind, item.what, item.item, item.detail) for item in changes] == EDITS[edits]


@pytest.mark.parametrize("edits", EDITS, ids=lambda edits: edits[0][1])
def test_it_is_seen_from_both_sides(edits: tuple, tmp_path: Path) -> None:
    forth = compare(model(tmp_path / "a.onnx", BASE), model(tmp_path / "b.onnx", edited(edits)))
    back = compare(model(tmp_path / "b.onnx", edited(edits)), model(tmp_path / "a.onnx", BASE))
    mirrored = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted(mirrored[item.kind] for item in forth) == sorted(item.kind for item in back)


def renumbered(source: onnx.ModelProto, skip: int = 0) -> onnx.ModelProto:
    """The model with values named by numbers, as the older exporter names them, counted from `skip`."""
    copy = onnx.ModelProto.FromString(source.SerializeToString())
    kept = {item.name for item in (*copy.graph.input, *copy.graph.output, *copy.graph.initializer)}
    names: dict[str, str] = {}
    for node in copy.graph.node:
        for values in (node.input, node.output):
            for number, name in enumerate(values):
                if name and name not in kept:
                    values[number] = names.setdefault(name, str(skip + len(names)))
        node.name = ""
    del copy.graph.value_info[:]
    return copy


def chain(count: int, drop: int = -1) -> onnx.ModelProto:
    """A chain of layers like those of a network, without the node `drop`."""
    nodes, weights, value = [], [], "x"
    for number in range(count):
        op = ("Conv", "Relu", "Conv", "Add")[number % 4]
        inputs = [value, f"w{number}"] if op == "Conv" else [value, value] if op == "Add" else [value]
        if op == "Conv":
            weights.append(numpy_helper.from_array(np.full((4, 4, 1, 1), number, np.float32), f"w{number}"))
        if number != drop:
            nodes.append(helper.make_node(op, inputs, [f"v{number}"], f"n{number}"))
            value = f"v{number}"
    return helper.make_model(helper.make_graph(nodes, "g", [onnx.ValueInfoProto(name="x")], [onnx.ValueInfoProto(name=value)], weights))


def test_one_removed_node_among_renumbered_ones_is_one_removed_node(tmp_path: Path) -> None:
    changes = compare(
        model(tmp_path / "a.onnx", renumbered(chain(400))), model(tmp_path / "b.onnx", renumbered(chain(400, 201), 50))
    )
    nodes = [item for item in changes if item.what == "node"]
    assert [(item.kind, item.before) for item in nodes if item.kind != "changed"] == [("removed", "graph/node[201]")]
    assert len(nodes) == 2  # and the one behind it reads another value
    assert {item.what for item in changes} == {"node", "name"}


def test_sorting_nodes_is_another_order_and_nothing_else(tmp_path: Path) -> None:
    shuffled = chain(100)
    nodes = list(shuffled.graph.node)
    del shuffled.graph.node[:]
    shuffled.graph.node.extend(np.random.default_rng(2).permutation(np.array(nodes, dtype=object)))
    changes = compare(model(tmp_path / "a.onnx", chain(100)), model(tmp_path / "b.onnx", shuffled))
    assert [(item.kind, item.what) for item in changes] == [("changed", "order")]


def test_where_weights_are_stored_is_no_difference(tmp_path: Path) -> None:
    onnx.save(chain(8), tmp_path / "inline.onnx")
    onnx.save(chain(8), tmp_path / "external.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    models = [reading.read(str(tmp_path / name)).model for name in ("inline.onnx", "external.onnx")]
    assert compare(*models) == []
    data = bytearray((tmp_path / "w.data").read_bytes())
    data[-1] ^= 1
    (tmp_path / "w.data").write_bytes(data)
    changed = compare(*[reading.read(str(tmp_path / name)).model for name in ("inline.onnx", "external.onnx")])
    assert [item.detail for item in changed] == ["the weights differ (float[4,4,1,1])"]
    assert compare(*models, weights=False) == []
    (tmp_path / "w.data").unlink()
    lost = compare(*[reading.read(str(tmp_path / name)).model for name in ("inline.onnx", "external.onnx")])
    assert {item.detail for item in lost} == {"the weights could not be read"}


@pytest.mark.slow
def test_real_models_equal_themselves_and_differ_from_others() -> None:
    paths = [*real_models(), *onnx_models()]
    models = [reading.read(str(path)).model for path in paths]
    for number, (one, other) in enumerate(zip(models, models[1:], strict=False)):
        assert compare(one, one) == [], paths[number]
        same = paths[number].read_bytes() == paths[number + 1].read_bytes()
        assert same or compare(one, other), paths[number]


ALIGNMENTS = [
    ("", "", ""), ("abc", "abc", "abc"), ("abc", "abxc", "abc"), ("axbxc", "abc", "abc"), ("aab", "ab", "ab"),
    ("abcd", "cdab", "ab"), ("xaxbxcx", "yaybycy", "abc"), ("aaaa", "aa", "aa"),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "common"), ALIGNMENTS)
def test_alignment(left: str, right: str, common: str) -> None:
    pairs = align(left, right)
    assert all(left[x] == right[y] for x, y in pairs)
    assert pairs == sorted(pairs) and [y for _, y in pairs] == sorted({y for _, y in pairs})
    assert len(pairs) == len(common)


def run(*arguments: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "onnx_lsp.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def test_the_command_prints_and_exits_like_diff(tmp_path: Path) -> None:
    model(tmp_path / "a.onnx", BASE), model(tmp_path / "b.onnx", edited((("alpha = 0.1", "alpha = 0.2"), ("{1, 2}", "{1, 5}"))))
    same = run("diff", "a.onnx", "a.onnx", cwd=tmp_path)
    assert (same.returncode, same.stdout) == (0, "")
    other = run("diff", "a.onnx", "b.onnx", cwd=tmp_path)
    assert other.returncode == 1
    assert other.stdout == (
        "--- a.onnx\n+++ b.onnx\n@@ graph @@\n"
        "~ initializer w: the weights differ (float[2])\n"
        "~ node[1]: b = LeakyRelu(a): - alpha = 0.1; + alpha = 0.2\n"
        "initializer: 1 changed; node: 1 changed\n"
    )
    listed = json.loads(run("diff", "a.onnx", "b.onnx", "--output-format", "json", cwd=tmp_path).stdout)
    assert listed[1]["before"] == listed[1]["after"] == "graph/node[1]"
    for missing in ("gone.onnx", os.devnull):
        failed = run("diff", "a.onnx", missing, cwd=tmp_path)
        assert failed.returncode == 2 and failed.stderr.startswith("onnx-lint: ") and failed.stderr.count("\n") == 1
