"""What is said about the numbers in weights is what numpy says; ordinary weights are recognised without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onnx_lsp.model import counting, reading
from onnx_lsp.model.payload import Weights

FLOATS = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.DOUBLE: np.float64}
INTEGERS = {TensorProto.INT8: np.int8, TensorProto.UINT16: np.uint16, TensorProto.INT64: np.int64, TensorProto.BOOL: np.bool_}
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 65504.0, 65505.0, -7e4, 1.9999, 2.0, 3e38, 2.0**-126, 2.0**-127, 1e-45, 2.0**-14, 6e-8, 1e-310]


def bits(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def truth(array: np.ndarray) -> counting.Numbers:
    """The same numbers, counted one by one in the slowest way."""
    values = [value.item() for value in array]
    finite = [value for value in values if abs(value) < float("inf")]
    tiny = np.finfo(array.dtype).tiny if array.dtype.kind == "f" else 0
    nans = sum(value != value for value in values)
    return counting.Numbers(
        len(values), nans, len(values) - len(finite) - nans, sum(0 < abs(value) < tiny for value in finite),
        sum(value == 0 for value in values), min(finite, default=0), max(finite, default=0),
    )  # fmt: skip


elements = st.lists(st.one_of(st.sampled_from(SPECIAL), st.floats(width=64)), min_size=1, max_size=80)


@settings(max_examples=300, deadline=None)
@given(elements, st.sampled_from(sorted(FLOATS)), st.integers(1, 3))
def test_floats_are_counted_as_one_by_one_whatever_their_number(values: list, kind: int, repeat: int) -> None:
    with np.errstate(all="ignore"):
        array = np.tile(np.array(values).astype(FLOATS[kind]), repeat)
    data, wanted = bits(array), truth(array)
    assert counting.count(data, kind) == wanted
    assert counting._count_many(data, kind) == wanted
    middle = len(array) // 2
    parts = [counting.count(bits(part), kind) for part in (array[:middle], array[middle:]) if len(part)]
    assert sum(parts, counting.Numbers()) == wanted


@settings(max_examples=300, deadline=None)
@given(elements, st.sampled_from(sorted(FLOATS)))
def test_what_is_called_unremarkable_holds_nothing_that_a_rule_looks_for(values: list, kind: int) -> None:
    with np.errstate(all="ignore"):
        array = np.array(values).astype(FLOATS[kind])
    if counting.unremarkable(bits(array), kind):
        found = truth(array)
        assert not found.nans and not found.infinite and max(-found.least, found.greatest) <= 65504
        assert found.subnormal + found.zeros < counting.SHARE * found.count


@pytest.mark.parametrize("kind", sorted(INTEGERS))
def test_integers_are_counted(kind: int) -> None:
    array = np.array([0, 1, 0, 100, 7], INTEGERS[kind])
    assert counting.count(bits(array), kind) == counting._count_many(bits(array), kind) == truth(array)


def test_bfloat16_is_read_as_the_upper_half_of_a_float32() -> None:
    array = np.array([1.0, np.nan, np.inf, 0.0, 1e-40, 3e38, -2.0], np.float32)
    data = array.view("<u4").__rshift__(16).astype("<u2").tobytes()
    short = (array.view("<u4") >> 16 << 16).view("<f4")
    assert counting.count(data, TensorProto.BFLOAT16) == counting._count_many(data, TensorProto.BFLOAT16) == truth(short)
    assert not counting.unremarkable(data, TensorProto.BFLOAT16)


@pytest.mark.parametrize("kind", sorted(FLOATS))
def test_ordinary_weights_are_unremarkable_with_a_few_zeros_too(kind: int) -> None:
    array = (np.random.default_rng(0).standard_normal(10_000) * 0.02).astype(FLOATS[kind])
    array[:20] = 0
    assert counting.unremarkable(bits(array), kind) == (kind != TensorProto.FLOAT16 or np.count_nonzero(abs(array) < 2.0**-14) < 100)


def save(folder: Path, *tensors: onnx.TensorProto, external: bool = False) -> Path:
    graph = helper.make_graph([], "g", [], [], list(tensors))
    path = folder / "model.onnx"
    options = {"save_as_external_data": True, "size_threshold": 0, "location": "weights.bin"} if external else {}
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path, **options)
    return path


@pytest.mark.parametrize("external", [False, True])
def test_weights_in_the_model_and_beside_it_are_read(tmp_path: Path, external: bool) -> None:
    array = np.arange(-2000, 3000, dtype=np.float32)
    path = save(tmp_path, numpy_helper.from_array(array, "w"), external=external)
    model = reading.read(str(path)).model
    weights, tensor = Weights(model), model.graph.initializers["w"]
    assert weights.numbers(tensor) == truth(array)
    assert weights.head(tensor) == array.tobytes()[:256]
    assert weights.unusual(tensor) is None
    assert weights.digest(tensor) == Weights(model).digest(tensor) != None  # noqa: E711


@pytest.mark.parametrize("field", ["raw", "typed"])
def test_small_tensors_are_read_from_whichever_field_holds_them(tmp_path: Path, field: str) -> None:
    array = np.array([1.5, np.nan, np.inf], np.float16)
    raw = bits(array) if field == "raw" else array
    tensor = helper.make_tensor("w", TensorProto.FLOAT16, [3], raw, raw=field == "raw")
    model = reading.read(str(save(tmp_path, tensor))).model
    found = Weights(model).unusual(model.graph.initializers["w"])
    assert found == truth(array) and found.infinite == 1


def test_without_time_weights_are_unknown_unless_the_run_is_deep(tmp_path: Path) -> None:
    array = np.full(1 << 20, np.nan, np.float32)
    model = reading.read(str(save(tmp_path, numpy_helper.from_array(array, "w")))).model
    tensor = model.graph.initializers["w"]
    hours = iter(range(0, 10**9, 3600))
    assert Weights(model, clock=lambda: next(hours)).numbers(tensor) is None
    assert Weights(model, deep=True, clock=lambda: next(hours)).numbers(tensor).nans == array.size


def test_weights_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    path = save(folder, numpy_helper.from_array(np.ones(64, np.float32), "w"), external=True)
    (folder / "weights.bin").rename(tmp_path / "outside.bin")
    (folder / "weights.bin").symlink_to(tmp_path / "outside.bin")
    model = reading.read(str(path)).model
    assert Weights(model).numbers(model.graph.initializers["w"]) is None


def test_a_model_behind_a_link_has_its_weights(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    path = save(tmp_path / "store", numpy_helper.from_array(np.full(1000, np.nan, np.float32), "w"))
    (tmp_path / "linked.onnx").symlink_to(path)
    model = reading.read(str(tmp_path / "linked.onnx")).model
    assert Weights(model).numbers(model.graph.initializers["w"]).nans == 1000


def test_numpy_is_loaded_for_strange_weights_only(tmp_path: Path) -> None:
    code = """
import sys
from onnx_lsp.model import reading
from onnx_lsp.model.payload import Weights
model = reading.read(sys.argv[1]).model
weights = Weights(model)
found = [weights.unusual(tensor) for tensor in model.graph.initializers.values()]
print("numpy" in sys.modules, found[0].nans if found[0] else None)
"""
    ordinary = np.random.default_rng(0).standard_normal(1 << 18, dtype=np.float32)
    broken = ordinary.copy()
    broken[7] = np.nan
    for array, said in ((ordinary, "False None"), (broken, "True 1")):
        path = save(tmp_path, numpy_helper.from_array(array, "w"))
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == said
