"""Models whose point is in their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(path: Path, nodes, inputs, outputs, initializers, opset: int = 17) -> None:
    """Writes a model of one graph."""
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)


def linear(*, spare: int = 0, side: int = 32) -> tuple:
    """A MatMul and an Add, with `spare` weights that nothing reads."""
    random = np.random.default_rng(7)
    weight = numpy_helper.from_array(random.standard_normal((side, side), dtype=np.float32), "w")
    bias = numpy_helper.from_array(random.standard_normal(side, dtype=np.float32), "b")
    spares = [
        numpy_helper.from_array(random.standard_normal((128, 256), dtype=np.float32), f"spare{number}")
        for number in range(spare)
    ]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", side])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", side])]
    return nodes, inputs, outputs, [weight, *spares, bias]


def weighted(path: Path) -> None:
    save(path, *linear())


def unused_weight(path: Path) -> None:
    save(path, *linear(spare=1))


def unused_weights(path: Path) -> None:
    save(path, *linear(spare=3))


def transposed_weight(path: Path) -> None:
    """A weight too big for the skeleton that does not fit its MatMul."""
    nodes, inputs, outputs, initializers = linear()
    initializers[0] = numpy_helper.from_array(np.ones((31, 32), np.float32), "w")
    save(path, nodes, inputs, outputs, initializers)
