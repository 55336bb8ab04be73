"""Made-up inputs fit the model: ids inside the embedding, masks of ones, sizes that run."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from onnx_lsp.actions import arrays
from onnx_lsp.actions.inputs import Prepared, Problem, prepare
from tests.models import real_models

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'
EMBEDDED = (
    HEADER
    + """g (int64[batch, seq] input_ids, int64[batch, seq] attention_mask, int64[seq] position_ids, int64[2] target)
=> (float[p, q] y)
<float[7, 4] table, float[3, 4] places, int64[1] flat = {-1}> {
  ids = Unsqueeze(input_ids, flat)
  wide = Cast <to = 6> (ids)
  words = Gather(table, wide)
  where = Gather(places, position_ids)
  weight = CastLike(attention_mask, table)
  one = ReduceSum <keepdims = 0> (words)
  two = ReduceSum <keepdims = 0> (where)
  three = ReduceSum <keepdims = 0> (weight)
  four = Add(one, two)
  five = Add(four, three)
  y = Expand(five, target)
}"""
)


def _made(model: Path, tmp_path: Path, wanted: dict | None = None, **options: object) -> Prepared | Problem:
    folder = tmp_path / "inputs"
    folder.mkdir(exist_ok=True)
    (made,) = prepare(str(model), str(folder), wanted or {}, **options)
    return made


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    model = onnx.parser.parse_model(EMBEDDED)
    import numpy
    from onnx import numpy_helper

    for name, rows in (("table", 7), ("places", 3)):
        model.graph.initializer.append(numpy_helper.from_array(numpy.ones((rows, 4), "float32"), name))
    kept = {tensor.name: tensor for tensor in model.graph.initializer if tensor.raw_data or tensor.int64_data}
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept.values())
    onnx.save(model, tmp_path / "embedded.onnx")
    return tmp_path / "embedded.onnx"


def test_ids_masks_positions_and_shapes(embedded: Path, tmp_path: Path) -> None:
    made = _made(embedded, tmp_path, {"batch": (2,), "seq": (5,)})
    assert isinstance(made, Prepared), made
    feed = arrays.load(made.cases[0].feeds)
    assert feed["input_ids"].shape == (2, 5)
    assert 0 <= feed["input_ids"].min() and feed["input_ids"].max() < 7
    assert len(set(feed["input_ids"].ravel())) > 2
    assert (feed["attention_mask"] == 1).all()
    assert feed["position_ids"].tolist() == [0, 1, 2, 0, 1]
    assert feed["target"].tolist() == [2, 2]


def test_the_same_seed_gives_the_same_inputs(embedded: Path, tmp_path: Path) -> None:
    one = arrays.load(_made(embedded, tmp_path, seed=1).cases[0].feeds)
    two = arrays.load(_made(embedded, tmp_path, seed=1).cases[0].feeds)
    other = arrays.load(_made(embedded, tmp_path, seed=2).cases[0].feeds)
    assert (one["input_ids"] == two["input_ids"]).all()
    assert (one["input_ids"] != other["input_ids"]).any()


def test_a_size_that_must_be_searched_for(tmp_path: Path) -> None:
    text = HEADER + "g (float[samples] x) => (float[a, 100] y) <int64[2] s = {-1, 100}> { y = Reshape(x, s) }"
    onnx.save(onnx.parser.parse_model(text), tmp_path / "blocks.onnx")
    made = _made(tmp_path / "blocks.onnx", tmp_path)
    assert isinstance(made, Prepared), made
    assert dict(made.cases[0].sizes)["samples"] % 100 == 0
    assert any("sizes chosen here" in note for note in made.notes)


def test_inputs_named_like_python_arguments(tmp_path: Path) -> None:
    text = HEADER + "g (float[2] file, float[2] self) => (float[2] y) { y = Add(file, self) }"
    onnx.save(onnx.parser.parse_model(text), tmp_path / "named.onnx")
    made = _made(tmp_path / "named.onnx", tmp_path)
    assert set(arrays.load(made.cases[0].feeds)) == {"file", "self"}


LENGTHS = """g (float[batch, 80, time] audio, int64[batch] audio_lengths) => (float[batch, 80, time] y) {{
  longest = ReduceMax <keepdims = 0> (audio_lengths)
  {check}
  y = Mul(audio, wide)
}}"""


@pytest.mark.parametrize(
    ("check", "length"),
    [
        ("wide = Cast <to = 1> (longest)", 16),
        ("sizes = Shape(audio)\n  size = Gather(sizes, longest)\n  wide = Cast <to = 1> (size)", 1),
    ],
    ids=["as long as the sequence", "or 1, where the model does not take that"],
)
def test_lengths(tmp_path: Path, check: str, length: int) -> None:
    onnx.save(onnx.parser.parse_model(HEADER + LENGTHS.format(check=check)), tmp_path / "lengths.onnx")
    made = _made(tmp_path / "lengths.onnx", tmp_path)
    assert isinstance(made, Prepared), made
    assert arrays.load(made.cases[0].feeds)["audio_lengths"].tolist() == [length]


def test_ids_of_a_quantized_embedding(tmp_path: Path) -> None:
    text = """g (int64[batch, seq] tokens) => (float[batch, seq, 2] y)
    <uint8[5, 2] table = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, float scale = {0.1}> {
      words = DequantizeLinear(table, scale)
      y = Gather(words, tokens)
    }"""
    onnx.save(onnx.parser.parse_model(HEADER + text), tmp_path / "quantized.onnx")
    made = _made(tmp_path / "quantized.onnx", tmp_path, {"seq": (64,)})
    assert isinstance(made, Prepared), made
    assert set(arrays.load(made.cases[0].feeds)["tokens"].ravel()) == {0, 1, 2, 3, 4}


def test_every_dynamic_dimension_has_a_second_size(embedded: Path, tmp_path: Path) -> None:
    made = _made(embedded, tmp_path, second=True)
    assert [case.label for case in made.second] == ["batch=2", "seq=17"]


def test_a_model_that_never_runs_is_a_problem(tmp_path: Path) -> None:
    text = HEADER + "g (float[n] x) => (float[m, 999983] y) <int64[2] s = {-1, 999983}> { y = Reshape(x, s) }"
    onnx.save(onnx.parser.parse_model(text), tmp_path / "never.onnx")
    made = _made(tmp_path / "never.onnx", tmp_path)
    assert isinstance(made, Problem)
    assert "give sizes with --dim for `n`, or arrays with --inputs" in made.message


@pytest.mark.slow
def test_every_real_model_gets_inputs(tmp_path: Path) -> None:
    problems = {path.name: made for path in real_models() if isinstance(made := _made(path, tmp_path), Problem)}
    assert not problems
