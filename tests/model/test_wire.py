"""shrink leaves the weights out, inflate puts them back, and neither falls over bad bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onnx_lsp.model import wire
from onnx_lsp.model.reading import read
from tests import cases
from tests.model.conftest import lint
from tests.models import onnx_models, real_models

BIG = np.arange(4096, dtype=np.float32)


def restored(path: Path, *, parsed: bool) -> bytes:
    """The file shrunk and inflated again, through a parsed ModelProto if `parsed`."""
    skeleton = wire.shrink(str(path))
    assert skeleton.fault is None
    data = onnx.ModelProto.FromString(skeleton.data).SerializeToString() if parsed else skeleton.data
    with open(path, "rb") as source:
        return b"".join(wire.stream(wire.inflate(data, skeleton.mark), source, chunk=1000))


def assert_inverse(path: Path) -> None:
    original = path.read_bytes()
    for parsed in (False, True):
        back = restored(path, parsed=parsed)
        assert back == original or onnx.ModelProto.FromString(back) == onnx.ModelProto.FromString(original)


def constant(tensor: TensorProto, name: str) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=tensor)


def model(*initializers: TensorProto, nodes=(), functions=()) -> onnx.ModelProto:
    graph = helper.make_graph(list(nodes), "g", [], [], list(initializers))
    return helper.make_model(graph, functions=list(functions))


def typed(data_type: int, values: list, name: str = "w") -> TensorProto:
    return helper.make_tensor(name, data_type, [len(values)], values)


def with_explicit_location() -> TensorProto:
    """What onnxruntime's quantiser writes: the default location, said behind the payload."""
    tensor = numpy_helper.from_array(BIG, "w")
    tensor.data_location = TensorProto.DEFAULT
    return tensor


def with_unknown_field() -> TensorProto:
    return TensorProto.FromString(numpy_helper.from_array(BIG, "w").SerializeToString() + b"\xfa\x7f\x03abc")


def branch(name: str) -> onnx.GraphProto:
    inner = constant(numpy_helper.from_array(BIG), f"{name}_c")
    return helper.make_graph([inner], name, [], [helper.make_tensor_value_info(f"{name}_c", 1, None)])


def nested() -> onnx.ModelProto:
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch("a"), else_branch=branch("b"))
    return model(nodes=[node])


def function() -> onnx.ModelProto:
    body = [constant(numpy_helper.from_array(BIG), "y")]
    return model(functions=[helper.make_function("dom", "f", [], ["y"], body, [helper.make_opsetid("", 17)])])


MODELS = {
    "raw": model(numpy_helper.from_array(BIG, "w"), numpy_helper.from_array(BIG[:3], "small")),
    "float_data": model(typed(TensorProto.FLOAT, BIG.tolist())),
    "int32_data": model(typed(TensorProto.INT32, list(range(-2000, 2000)))),
    "int64_data": model(typed(TensorProto.INT64, list(range(-2000, 2000)))),
    "double_data": model(typed(TensorProto.DOUBLE, BIG.tolist())),
    "uint64_data": model(typed(TensorProto.UINT64, list(range(2000)))),
    "string_data": model(typed(TensorProto.STRING, [b"x" * 9] * 2000)),
    "explicit location": model(with_explicit_location()),
    "unknown field": model(with_unknown_field()),
    "branches": nested(),
    "function": function(),
    "the mark in a doc string": helper.make_model(
        helper.make_graph([], "g", [], [], [numpy_helper.from_array(BIG, "w")]), doc_string=wire.MARK
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_inflate_is_the_inverse_of_shrink(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(MODELS[name], path)
    assert_inverse(path)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "string_data"])
def test_big_payloads_are_left_out(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(MODELS[name], path)
    skeleton = wire.shrink(str(path))
    assert len(skeleton.data) < 1500 < skeleton.size


def test_a_left_out_payload_can_be_read_as_external_data_of_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(MODELS["raw"], path)
    tensor = onnx.ModelProto.FromString(wire.shrink(str(path)).data).graph.initializer[0]
    onnx.external_data_helper.load_external_data_for_tensor(tensor, str(tmp_path))
    assert tensor.raw_data == BIG.tobytes()


def test_the_digest_follows_the_structure(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    cases.build("weighted", path)
    first = wire.shrink(str(path)).digest
    assert wire.shrink(str(path)).digest == first
    proto = onnx.load(path)
    proto.graph.node[0].name = "renamed"
    onnx.save(proto, path)
    assert wire.shrink(str(path)).digest != first


@pytest.mark.slow
def test_inflate_is_the_inverse_of_shrink_on_real_models() -> None:
    for path in (*real_models(), *onnx_models()):
        assert_inverse(path)


WEIGHTED = MODELS["branches"].SerializeToString()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_bytes_never_raise(tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(WEIGHTED)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))
    reading = read(str(path))
    assert reading.model is not None or reading.fault is not None or reading.foreign is not None
    assert "FIL099" not in {item.code for item in lint(path)}


@pytest.mark.parametrize("size", range(1, len(MODELS["unknown field"].SerializeToString()), 61))
def test_a_cut_off_model_says_at_which_byte(size: int, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(MODELS["unknown field"].SerializeToString()[:size])
    reading = read(str(path))
    assert reading.cut_off or not reading.usable or size > 16 << 10


def test_nesting_is_limited(tmp_path: Path) -> None:
    from onnx_lsp.model.varint import tagged

    graph = tagged(2, b"x" * 2000)
    for _ in range(200):
        graph = tagged(1, tagged(5, tagged(6, graph)))
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x08" + tagged(7, graph))
    assert "nested" in read(str(path)).fault.reason


def test_a_name_that_is_not_utf8_is_malformed(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    cases.build("tiny", path)
    path.write_bytes(path.read_bytes().replace(b"Relu", b"R\xfflu"))
    reading = read(str(path))
    assert reading.fault.reason == "`op_type` is not UTF-8"
    assert path.read_bytes()[reading.fault.offset] == 0xFF
