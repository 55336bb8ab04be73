"""Generates the models that the benchmarks read: realistic structure, random weights, a fixed seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """Collects nodes and initializers of one graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def weight(self, *shape: int) -> str:
        """A new float32 initializer of this shape; returns its name."""
        name = f"w{len(self.weights)}"
        values = self.random.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def op(self, op_type: str, *inputs: str, **attributes: object) -> str:
        """A new node; returns the name of its only output."""
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, list(inputs), [output], name=f"n{len(self.nodes)}", **attributes))
        return output

    def save(self, path: Path, output: str, width: int) -> None:
        """Writes a model from `x` to `output`, both float32 of shape (batch, seq, width)."""
        info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "seq", width]) for name in ("x", output)]
        graph = helper.make_graph(self.nodes, "main", info[:1], info[1:], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="bench")
        onnx.save(model, path)


def transformer(path: Path, layers: int = 12, width: int = 1024, feed_forward: int = 3072) -> Path:
    """A transformer encoder of 12 layers, about 400 MB of float32 weights."""
    build = Builder()
    value = "x"
    for _ in range(layers):
        query, key, mixed = (build.op("MatMul", value, build.weight(width, width)) for _ in range(3))
        scores = build.op("MatMul", query, build.op("Transpose", key, perm=[0, 2, 1]))
        attended = build.op("MatMul", build.op("Softmax", scores, axis=-1), mixed)
        value = build.op("Add", value, build.op("MatMul", attended, build.weight(width, width)))
        value = build.op("LayerNormalization", value, build.weight(width), build.weight(width), axis=-1)
        hidden = build.op("Relu", build.op("MatMul", value, build.weight(width, feed_forward)))
        value = build.op("Add", value, build.op("MatMul", hidden, build.weight(feed_forward, width)))
        value = build.op("LayerNormalization", value, build.weight(width), build.weight(width), axis=-1)
    build.save(path, value, width)
    return path


def external(path: Path, layers: int = 150, width: int = 2000) -> Path:
    """A chain of matrices whose 2.4 GB lie in a file of their own, a sparse one: reading it costs no disk."""
    build = Builder()
    value, size = "x", 4 * width * width
    for number in range(layers):
        weight = TensorProto(name=f"w{number}", data_type=TensorProto.FLOAT, dims=[width, width], data_location=TensorProto.EXTERNAL)
        for key, text in (("location", "weights.bin"), ("offset", str(number * size)), ("length", str(size))):
            weight.external_data.add(key=key, value=text)
        build.weights.append(weight)
        value = build.op("Relu", build.op("MatMul", value, weight.name))
    build.save(path, value, width)
    with open(path.with_name("weights.bin"), "wb") as file:
        file.truncate(layers * size)
    return path


def many_nodes(path: Path, nodes: int = 5000, weights: int = 100, width: int = 512) -> Path:
    """A deep graph: `nodes` nodes of which `weights` carry a (width, width) float32 matrix; 100 MB at the defaults."""
    build = Builder()
    value = "x"
    every = max(1, nodes // weights)
    for number in range(nodes):
        if number % every == 0 and len(build.weights) < weights:
            value = build.op("MatMul", value, build.weight(width, width))
        else:
            value = build.op(("Relu", "Sigmoid", "Tanh", "Neg")[number % 4], value)
    build.save(path, value, width)
    return path
