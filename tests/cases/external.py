"""Models with external data, right and wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

SIDE = 64  # of the square float32 weights: 16 KiB each
BYTES = SIDE * SIDE * 4


def external(path: Path, places: list[dict[str, object]], size: int = 2 * BYTES, name: str = "weights.bin", value: int = 0) -> None:
    """Writes a model of two MatMuls whose weights `w0` and `w1` lie where `places` say, and a file of `size` bytes.

    Args:
        value: the bits of every number in the file; by default they count up.
    """
    tensors = []
    for number, place in enumerate(places):
        tensor = TensorProto(name=f"w{number}", data_type=TensorProto.FLOAT, dims=[SIDE, SIDE])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        tensors.append(tensor)
    nodes = [helper.make_node("MatMul", ["x", "w0"], ["h"]), helper.make_node("MatMul", ["h", "w1"], ["y"])]
    info = [helper.make_tensor_value_info(item, TensorProto.FLOAT, ["N", SIDE]) for item in ("x", "y")]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    if name:
        count = size // 4 + 2
        numbers = np.full(count, value, np.uint32) if value else np.arange(1, count, dtype=np.float32)
        (path.parent / name).write_bytes(numbers.tobytes()[:size])


def place(offset: object = 0, length: object = BYTES, location: str = "weights.bin") -> dict[str, object]:
    return {"location": location, "offset": offset, "length": length}


def data_good(path: Path) -> None:
    external(path, [place(), place(BYTES)])


def data_tied(path: Path) -> None:
    """Two tensors with the same bytes: tied weights."""
    external(path, [place(), place()])


def data_missing(path: Path) -> None:
    external(path, [place(), place(BYTES)], name="")


def data_folder(path: Path) -> None:
    external(path, [place(), place(BYTES)], name="")
    (path.parent / "weights.bin").mkdir()


def data_short(path: Path) -> None:
    external(path, [place(), place(BYTES)], size=BYTES + 100)


def data_overlapping(path: Path) -> None:
    external(path, [place(), place(BYTES // 2)])


def data_unaligned(path: Path) -> None:
    external(path, [place(), place(BYTES + 2)], size=2 * BYTES + 2, value=0x3C003C00)


def data_without_location(path: Path) -> None:
    external(path, [place(), {"offset": 0, "length": BYTES}])


def data_bad_offset(path: Path) -> None:
    external(path, [place(), place("0x10")])


def data_wrong_length(path: Path) -> None:
    external(path, [place(), place(BYTES, BYTES - 4)])


def data_absolute(path: Path) -> None:
    external(path, [place(), place(BYTES, location=str(path.parent / "weights.bin"))])


def data_escaping(path: Path) -> None:
    inner = f"../{path.parent.name}/weights.bin"
    external(path, [place(), place(BYTES, location=inner)])


def data_linked(path: Path) -> None:
    """The weights are a link to a file of the same folder."""
    external(path, [place(), place(BYTES)], name="real.bin")
    os.symlink("real.bin", path.parent / "weights.bin")
