"""Faults put into real models, where hundreds of sound nodes stand around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault.

    Attributes:
        source: part of the name of a real model (tests/models.py).
        code: the rule that tells it.
        change: breaks the model in place, and returns what the finding must name.
    """

    source: str
    code: str
    change: Callable[[onnx.ModelProto], str]


def node(model: onnx.ModelProto, op: str, number: int = 0) -> NodeProto:
    return [item for item in model.graph.node if item.op_type == op][number]


def title(item: NodeProto) -> str:
    return item.name or item.output[0]


def weight(model: onnx.ModelProto, name: str) -> TensorProto:
    return next(item for item in model.graph.initializer if item.name == name)


def rewrite(tensor: TensorProto, change: Callable[[np.ndarray], np.ndarray]) -> str:
    """Replaces the numbers of a weight."""
    changed = change(numpy_helper.to_array(tensor).copy())
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(changed), tensor.name))
    return tensor.name


def _set(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(numbers: np.ndarray) -> np.ndarray:
        numbers.flat[numbers.size // 2] = value
        return numbers

    return change


def nan(model: onnx.ModelProto) -> str:
    return rewrite(weight(model, node(model, "Conv", 3).input[1]), _set(np.nan))


def infinite(model: onnx.ModelProto) -> str:
    return rewrite(weight(model, node(model, "Conv", 5).input[1]), _set(np.inf))


def channels(model: onnx.ModelProto) -> str:
    item = node(model, "Conv", 3)
    rewrite(weight(model, item.input[1]), lambda numbers: numbers[:, :-1])
    return title(item)


def kernel(model: onnx.ModelProto) -> str:
    item = node(model, "Conv", 2)
    next(entry for entry in item.attribute if entry.name == "kernel_shape").ints[0] += 2
    return title(item)


def bias(model: onnx.ModelProto) -> str:
    item = next(item for item in model.graph.node if item.op_type == "Conv" and len(item.input) > 2)
    rewrite(weight(model, item.input[2]), lambda numbers: numbers[:-1])
    return title(item)


def short(model: onnx.ModelProto) -> str:
    tensor = max(model.graph.initializer, key=lambda item: len(item.raw_data))
    tensor.raw_data = tensor.raw_data[:-4]
    return tensor.name


def leftover(model: onnx.ModelProto) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.ones((200, 200), np.float32), "leftover"))
    return "leftover"


def misspelt_op(model: onnx.ModelProto) -> str:
    item = node(model, "Conv", 4)
    item.op_type = "Conv2D"
    return title(item)


def misspelt_value(model: onnx.ModelProto) -> str:
    item = node(model, "Conv", 4)
    item.input[0] += "_"
    return item.input[0]


def unsorted(model: onnx.ModelProto) -> str:
    nodes = list(model.graph.node)
    place = next(number for number, item in enumerate(nodes) if number and set(item.input) & set(nodes[number - 1].output))
    nodes[place - 1], nodes[place] = nodes[place], nodes[place - 1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return next(name for name in nodes[place - 1].input if name in nodes[place].output)


def twice(model: onnx.ModelProto) -> str:
    first, second = node(model, "Conv", 0), node(model, "Conv", 1)
    second.output[0] = first.output[0]
    return first.output[0]


def old_opset(model: onnx.ModelProto) -> str:
    next(item for item in model.opset_import if not item.domain).version = 5
    return "opset 5"


def no_output(model: onnx.ModelProto) -> str:
    model.graph.output.append(helper.make_tensor_value_info("nowhere", TensorProto.FLOAT, ["n"]))
    return "nowhere"


def output_type(model: onnx.ModelProto) -> str:
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    return model.graph.output[0].name


def input_channels(model: onnx.ModelProto) -> str:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    return title(node(model, "Conv", 0))


def in_a_branch(model: onnx.ModelProto) -> str:
    branch = node(model, "If").attribute[0].g
    next(item for item in branch.node if item.input).input[0] = "ghost"
    return "ghost"


def swapped(model: onnx.ModelProto) -> str:
    item = next(item for item in model.graph.node if item.op_type in ("MatMul", "Gemm"))
    item.input[0], item.input[1] = item.input[1], item.input[0]
    return title(item)


MUTANTS = {
    "NaN": Mutant("nudenet", "NUM001", nan),
    "Inf": Mutant("nudenet", "NUM002", infinite),
    "channels": Mutant("nudenet", "SHP010", channels),
    "kernel": Mutant("basic_pitch", "SHP011", kernel),
    "bias": Mutant("nudenet", "SHP010", bias),
    "short": Mutant("nudenet", "ONX020", short),
    "leftover": Mutant("openwakeword", "OPT001", leftover),
    "misspelt op": Mutant("nudenet", "ONX030", misspelt_op),
    "misspelt value": Mutant("nudenet", "ONX010", misspelt_value),
    "unsorted": Mutant("nudenet", "ONX011", unsorted),
    "produced twice": Mutant("nudenet", "ONX015", twice),
    "old opset": Mutant("nudenet", "ONX057", old_opset),
    "output that nothing gives": Mutant("atspm", "ONX013", no_output),
    "output of another type": Mutant("nudenet", "SHP002", output_type),
    "input of other channels": Mutant("nudenet", "SHP010", input_channels),
    "in a branch": Mutant("silero_vad_16k_op15", "ONX010", in_a_branch),
    "operands swapped": Mutant("magika", "SHP001", swapped),
}
