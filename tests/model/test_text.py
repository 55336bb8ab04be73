"""The model as text: readable, complete, official where the syntax allows it, and every path on its line."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onnx_lsp.model import reading
from onnx_lsp.model.graph import Model
from onnx_lsp.model.parse import parse
from onnx_lsp.model.text import FULL, VIEW, item, render, values
from onnx_lsp.model.text.style import Weights
from onnx_lsp.model.text.tokens import unquoted
from onnx_lsp.model.text.words import float32, string, wrapped
from tests.model.canonical import OFFICIAL_LACKS, canonical
from tests.models import onnx_models, real_models

DIGESTS = dataclasses.replace(VIEW, weights=Weights.DIGEST)
STYLES = {"view": VIEW, "digests": DIGESTS, "full": FULL}

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
BRANCHES = """\
<ir_version: 8, opset_import: ["" : 17, "my.ops" : 1], producer_name: "me">
g (float[N,2] x, bool c) => (float[N,2] y)
<float[2] w = {1.0, -0.5}, float[N,2] h>
{
  [first] h = my.ops.Scale<factor = 2.0>(x)
  y = If (c) <
    then_branch = t () => (float[N,2] p) <float[2] u = {1, 2}> { p = Add(h, u) },
    else_branch = e () => (float[N,2] q) { q = Mul(h, w) }
  >
}
<domain: "my.ops", opset_import: ["" : 17]>
Scale <factor> (a) => (b) { f = Constant<value_float: float = @factor>() b = Mul(a, f) }
"""
TEXT_OF_BRANCHES = """\
# 6 nodes, 2 initializers, 1 function, 16 bytes of weights
<
  ir_version: 8,
  opset_import: ["" : 17, "my.ops" : 1],
  producer_name: "me"
>
g (
  float[N,2] x,
  bool c
) => (
  float[N,2] y
)
<
  float[2] w = {1.0, -0.5},
  float[N,2] h
>
{
  [first] h = my.ops.Scale<factor = 2.0>(x)
  y = If(c) <
    then_branch = t () => (float[N,2] p)
    <
      float[2] u = {1.0, 2.0}
    >
    {
      p = Add(h, u)
    },
    else_branch = e () => (float[N,2] q)
    {
      q = Mul(h, w)
    }
  >
}

<
  domain: "my.ops",
  opset_import: ["" : 17]
>
Scale <factor> (a) => (b)
{
  f = Constant<value_float: float = @factor>()
  b = Mul(a, f)
}
"""
PLACES = {
    'graph/input["x"]': "float[N,2] x",
    'graph/output["y"]': "float[N,2] y",
    'graph/initializer["w"]': "float[2] w = {1.0, -0.5}",
    'graph/value_info["h"]': "float[N,2] h",
    "graph/node[0]": "[first] h = my.ops.Scale<factor = 2.0>(x)",
    "graph/node[1]": "y = If(c)",
    "graph/node[1].then_branch/node[0]": "p = Add(h, u)",
    'graph/node[1].then_branch/initializer["u"]': "float[2] u = {1.0, 2.0}",
    'graph/node[1].else_branch/output["q"]': "float[N,2] q",
    "function(my.ops:Scale)/node[1]": "b = Mul(a, f)",
    'graph/node[0]/attribute["factor"]': "[first] h = my.ops.Scale<factor = 2.0>(x)",
    'graph/node[1].else_branch/input["gone"]': "else_branch = e () => (float[N,2] q)",
}


def read(path: Path) -> Model:
    found = reading.read(str(path))
    assert found.model is not None, reading.why_not(found)
    return found.model


def spanned(text, path: str) -> str:
    place = text.find(path)
    assert place is not None and place.start.line == place.end.line
    return text.lines[place.start.line][place.start.column : place.end.column]


def odd_model() -> onnx.ModelProto:
    """Everything that the syntax has no words for, or only awkward ones."""
    nodes = [
        helper.make_node("Op 2", ["x", "", "w/1"], ["a b", ""], 'quo"te\\', domain="my-domain"),
        helper.make_node("Text", ["a b"], ["float"], **{"s": "two\nlines\t\u202e", "b": b"\xff\x00", "e": ""}),
        helper.make_node("Lists", ["float"], ["y"], floats=[0.1, float("inf"), float("nan")], texts=["a", ""]),
        helper.make_node("Long", [f"name_{number}" for number in range(500)], ["z"], note="n" * 3000),
        helper.make_node("Tensors", [], ["t"], value=numpy_helper.from_array(np.ones((2, 2), np.float32), "named/x")),
    ]
    nodes[2].attribute.add(name="ints", type=onnx.AttributeProto.INTS)
    many = nodes[4].attribute.add(name="many", type=onnx.AttributeProto.TENSORS)
    many.tensors.extend([numpy_helper.from_array(np.arange(3)), numpy_helper.from_array(np.float64(0.1))])
    bodies = nodes[4].attribute.add(name="bodies", type=onnx.AttributeProto.GRAPHS)
    bodies.graphs.extend([onnx.parser.parse_graph("b1 () => (k) { k = Foo(t) }"), onnx.GraphProto(name="nan")])
    kinds = nodes[4].attribute.add(name="kind", type=onnx.AttributeProto.TYPE_PROTO)
    kinds.tp.CopyFrom(helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, None)))
    values_, indices = numpy_helper.from_array(np.ones(1, np.float32), "sp"), numpy_helper.from_array(np.array([2]))
    sparse = helper.make_sparse_tensor(values_, indices, [5])
    nodes[4].attribute.add(name="sparse", type=onnx.AttributeProto.SPARSE_TENSOR).sparse_tensor.CopyFrom(sparse)
    nodes[0].doc_string = "line one\nline two " + "long " * 500
    nodes[0].metadata_props.add(key="where", value="C:\\a\n\"b\"")
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, None, "a b"]),
        helper.make_tensor_value_info("w/1", TensorProto.FLOAT, []),
        helper.make_tensor_value_info("any", TensorProto.FLOAT, None),
        onnx.ValueInfoProto(name="untyped"),
        onnx.ValueInfoProto(name="seq"),
        helper.make_value_info("m", onnx.TypeProto(map_type=onnx.TypeProto.Map(key_type=7, value_type=kinds.tp))),
        helper.make_value_info("o", helper.make_optional_type_proto(helper.make_sparse_tensor_type_proto(1, [3]))),
    ]
    inputs[0].type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    inputs[1].doc_string = "a weight"
    graph = helper.make_graph(nodes, "graph name", inputs, [onnx.ValueInfoProto(name="y")], sparse_initializer=[sparse])
    graph.quantization_annotation.add(tensor_name="x").quant_parameter_tensor_names.add(key="SCALE", value="s")
    graph.doc_string = "about the graph"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("my-domain", 1)])
    model.metadata_props.add(key="names", value="{0: 'person'}")
    model.doc_string = "about the model"
    function = model.functions.add(name="f-1", domain="d", overload="o", input=["a"], output=["b"], attribute=["k"])
    function.attribute_proto.add(name="alpha", type=onnx.AttributeProto.FLOAT, f=0.5)
    function.node.add(op_type="Foo", input=["a"], output=["b"], overload="v2").attribute.add(
        name="k2", ref_attr_name="k", type=onnx.AttributeProto.INT
    )
    function.value_info.add(name="b").type.tensor_type.elem_type = 99
    function.metadata_props.add(key="a", value="b")
    return model


ELEMENT_TYPES = [
    kind for kind in TensorProto.DataType.values() if kind not in (TensorProto.UNDEFINED, TensorProto.STRING)
]


def tensors_of_all_types() -> onnx.ModelProto:
    """Tensors of every element type, their data in raw_data and in the typed field, full and empty."""
    random = np.random.default_rng(3)
    initializers = [TensorProto(name="words", data_type=TensorProto.STRING, dims=[2], string_data=[b"a", b"\xfe\n"])]
    for kind in ELEMENT_TYPES:
        name = TensorProto.DataType.Name(kind).lower()
        data = random.standard_normal(4).astype(values.code(kind) if values.code(kind) in "fd" else "f").tobytes()
        size = len(data) // np.dtype(values.code(kind)).itemsize
        initializers += [
            TensorProto(name=f"{name}_raw", data_type=kind, dims=[size], raw_data=data),
            TensorProto(name=f"{name}_empty", data_type=kind, dims=[0]),
            TensorProto(name=f"{name}_scalar", data_type=kind, raw_data=data[: np.dtype(values.code(kind)).itemsize]),
        ]
    return helper.make_model(helper.make_graph([], "g", [], [], initializers))


def test_it_reads_like_onnx_text(case) -> None:
    model = read(case(BRANCHES))
    assert str(render(model, VIEW)) == TEXT_OF_BRANCHES
    assert canonical(onnx.parser.parse_model(TEXT_OF_BRANCHES)) == canonical(model.proto)


@pytest.mark.parametrize(("path", "expected"), PLACES.items())
def test_every_path_has_its_line_and_columns(path: str, expected: str, case) -> None:
    assert spanned(render(read(case(BRANCHES)), VIEW), path) == expected


def test_every_line_has_its_path(case) -> None:
    text = render(read(case(BRANCHES)), VIEW)
    for path in PLACES:
        if path in text.spans and not path.endswith('else_branch/output["q"]'):  # it shares the line of its graph
            assert text.path_at(text.find(path).start.line) == path
    assert text.path_at(0) is None


@pytest.mark.parametrize("path", [path for path in PLACES if "attribute" not in path and "gone" not in path])
def test_one_item_by_itself(path: str, case) -> None:
    model = read(case(BRANCHES))
    assert item(model, path, VIEW).lines[0].strip().startswith(PLACES[path])
    assert item(model, "graph/node[7]", VIEW) is None


@pytest.mark.parametrize("build", [odd_model, tensors_of_all_types])
def test_nothing_is_lost_in_the_full_text(build, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(build(), path)
    model = read(path)
    text = render(model, FULL)
    assert max(map(len, text.lines)) <= 1000
    found = parse(str(text))
    assert not found.problems
    assert canonical(found.message) == canonical(model.proto)


def check(path: Path) -> None:
    model = read(path)
    for style in STYLES.values():
        text = render(model, style)
        assert text.lines == render(model, style).lines
        assert max(map(len, text.lines)) <= 1000
        assert {node.path for node in model.nodes()} <= set(text.spans)
    found = parse(str(text))
    assert not found.problems
    assert canonical(found.message) == canonical(model.proto)
    assert set(found.spans) == set(text.spans)
    for where, (line, start, last, end) in text.spans.items():
        place = found.find(where)
        assert (place.start.line, place.start.column) == (line, start)


@pytest.mark.slow
@pytest.mark.parametrize("path", real_models(), ids=lambda path: path.stem)
def test_real_models_survive_the_way_there_and_back(path: Path) -> None:
    check(path)


def test_the_models_of_onnx_survive_the_way_there_and_back() -> None:
    paths = onnx_models()
    assert len(paths) >= 149
    for path in paths:
        check(path)


@pytest.mark.slow
def test_onnx_itself_reads_the_full_text_of_real_models() -> None:
    refused = []
    for path in (*real_models(), *onnx_models()):
        model = read(path)
        text = str(render(model, FULL))
        try:
            official = onnx.parser.parse_model(text)
        except onnx.parser.ParseError as error:
            refused.append(str(error))
            continue
        assert canonical(official, OFFICIAL_LACKS) == canonical(parse(text).message, OFFICIAL_LACKS), path
    # It has no quoted names of tensors inside attributes, which say nothing.
    assert len(refused) == 6 and all("Mismatch between expected" in error or "ParseError" in error for error in refused)


def test_a_view_reads_no_weights_unless_asked(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.arange(4096, dtype=np.float32), "w")
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [onnx.ValueInfoProto(name="y")], [weight])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), path)
    lines = {
        name: next(line for line in render(read(path), style).lines if " w = " in line) for name, style in STYLES.items()
    }
    offset = path.read_bytes().index(weight.raw_data)
    assert lines["view"] == '  float[4096] w = ["length": "16384"]'
    digest = hashlib.sha256(weight.raw_data).hexdigest()[:16]
    assert lines["digests"] == f'  float[4096] w = ["length": "16384", "digest": "{digest}"]'
    assert lines["full"] == f'  float[4096] w = ["location": "model.onnx", "offset": "{offset}", "length": "16384"]'


def test_the_digest_is_of_the_values_wherever_they_are_stored(tmp_path: Path) -> None:
    data = np.arange(4096, dtype=np.float32)
    stored = {
        "raw": numpy_helper.from_array(data, "w"),
        "typed": helper.make_tensor("w", TensorProto.FLOAT, [4096], data.tolist()),
        "external": numpy_helper.from_array(data, "w"),
    }
    digests = set()
    for name, weight in stored.items():
        path = tmp_path / f"{name}.onnx"
        model = helper.make_model(helper.make_graph([], "g", [], [], [weight]))
        onnx.save(model, path, save_as_external_data=name == "external", location="weights.data", size_threshold=0)
        line = next(line for line in render(read(path), DIGESTS).lines if " w = " in line)
        digests.add(line.partition('"digest": ')[2])
        assert ('"location": "weights.data"' in line) == (name == "external")
    assert len(digests) == 1 and "unknown" not in digests.pop()


@pytest.mark.parametrize("location", ["../outside.data", "/etc/hostname", "missing.data"])
def test_external_data_outside_the_folder_is_not_read(location: str, tmp_path: Path) -> None:
    (tmp_path / "outside.data").write_bytes(bytes(64))
    (tmp_path / "inside").mkdir()
    weight = TensorProto(name="w", data_type=1, dims=[16], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=location)
    path = tmp_path / "inside" / "model.onnx"
    path.write_bytes(helper.make_model(helper.make_graph([], "g", [], [], [weight])).SerializeToString())
    assert any('"digest": "unknown"' in line for line in render(read(path), DIGESTS).lines)


def test_very_long_lists_are_folded_with_a_note(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", [f"v{number}"], [f"v{number + 1}"]) for number in range(100)]
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [])), path)
    text = render(read(path), dataclasses.replace(VIEW, items=10))
    note = text.find("graph/node[77]").start.line
    assert text.lines[note].startswith("  # 90 more of 100 are not shown; digest ")
    assert text.find("graph/node[9]").start.line == note - 1


@given(st.text() | st.binary())
def test_strings_survive(text: str | bytes) -> None:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    written = string(data)
    assert unquoted(written) == data
    assert "\n" not in written and "\r" not in written


@given(st.floats(width=32))
def test_floats_survive(value: float) -> None:
    read_back = np.float32(float(float32(value)))
    assert read_back == np.float32(value) or value != value


@given(st.lists(st.text(max_size=1500), min_size=1, max_size=20))
def test_no_line_is_too_long_and_wrapping_changes_nothing(names: list[str]) -> None:
    names = [name.encode("utf-8", "replace").decode() for name in names]
    line = f"  y = Op({', '.join(map(string, names))})"
    lines = wrapped(line, "      ")
    assert max(map(len, lines)) <= 1000
    found = parse(f"{HEAD}g () => () {{\n" + "\n".join(lines) + "\n}")
    assert not found.problems and list(found.message.graph.node[0].input) == names
