"""The values of a generated input: token ids inside the embedding, masks of ones, lengths, shapes, seeded noise."""

from __future__ import annotations

import re
from dataclasses import dataclass

SAMPLE_RATE = 16000
PLAIN_INDEX_BOUND = 2
PASSED_ON = {"Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity", "Transpose", "Slice", "Concat", "Clip"}
KEEPS_ROWS = {"Cast", "DequantizeLinear", "Identity", "QuantizeLinear"}
LENGTH = re.compile(r"(^|_)(seq)?len(gth)?s?($|_)|lengths?$")
SHAPE_USES = {"Reshape": 1, "Expand": 1, "ConstantOfShape": 0, "Tile": 1, "Resize": 3, "Upsample": 1}
NUMPY_TYPES = {
    "float": "float32",
    "double": "float64",
    "float16": "float16",
    "bool": "bool",
    "string": "str",
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


@dataclass(frozen=True, slots=True)
class Hints:
    """How the graph uses an input.

    Attributes:
        bound: the number of rows it indexes; 0 where it indexes nothing.
        is_shape: it is used as a shape.
        length: what it holds if its name says that it is a length.
    """

    bound: int = 0
    is_shape: bool = False
    length: int = 1


def hints_of(path: str) -> dict[str, Hints]:
    """How each input of the model is used; weights beside the model are not read."""
    import onnx

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except (OSError, ValueError) as error:  # onnxruntime-only formats: no hints, the values are guessed by name
        del error
        return {}
    rows = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    uses: dict[str, list[tuple[object, int]]] = {}
    for node in graph.node:
        if node.op_type in KEEPS_ROWS and node.input[0] in rows:
            rows[node.output[0]] = rows[node.input[0]]
        for index, name in enumerate(node.input):
            uses.setdefault(name, []).append((node, index))
    return {value.name: _use(value.name, uses, rows) for value in graph.input}


def _use(name: str, uses: dict, rows: dict) -> Hints:
    bounds, is_shape = [], False
    queue, seen = [name], {name}
    while queue:
        for node, index in uses.get(queue.pop(), ()):
            if node.op_type in ("Gather", "GatherElements") and index == 1 and node.input[0] in rows:
                axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
                bounds.append(rows[node.input[0]][axis])
            elif SHAPE_USES.get(node.op_type) == index:
                is_shape = True
            elif node.op_type in PASSED_ON and index == 0 and node.output[0] not in seen:
                seen.add(node.output[0])
                queue.append(node.output[0])
    return Hints(min(bounds, default=0), is_shape)


def make(name: str, type_: str, shape: tuple[int, ...], hints: Hints, seed: int):
    """An array for one input.

    Args:
        type_: as onnxruntime says it, `tensor(float)`.
        seed: the same seed gives the same values.

    Raises:
        ValueError: inputs of this type cannot be made up.
    """
    import numpy

    element = type_.removeprefix("tensor(").removesuffix(")")
    if not type_.startswith("tensor(") or element not in NUMPY_TYPES:
        raise ValueError(f"the input `{name}` is a {type_}, which cannot be made up; give it with --inputs FILE.npz")
    dtype = NUMPY_TYPES[element]
    generator = numpy.random.default_rng(seed)
    if dtype == "str":
        return numpy.full(shape, "onnx", dtype=object)
    if dtype == "bool":
        return numpy.ones(shape, dtype=bool) if shape and "mask" in name.lower() else numpy.zeros(shape, dtype=bool)
    if dtype.startswith("float"):
        return _floats(name, shape, dtype, generator)
    return _integers(name.lower(), shape, hints, generator).astype(dtype)


def _floats(name: str, shape: tuple[int, ...], dtype: str, generator):
    import numpy

    if "mask" in name.lower():
        return numpy.ones(shape, dtype)
    return numpy.asarray(generator.standard_normal(shape), dtype)


def _integers(name: str, shape: tuple[int, ...], hints: Hints, generator):
    import numpy

    if name in ("sr", "sample_rate", "sampling_rate"):
        return numpy.full(shape, SAMPLE_RATE)
    if hints.is_shape:
        return numpy.full(shape, 2)
    if "position" in name and len(shape) > 0:
        return numpy.broadcast_to(numpy.arange(shape[-1]) % (hints.bound or shape[-1] or 1), shape).copy()
    if "mask" in name:
        return numpy.ones(shape, "int64")
    if "token_type" in name or "segment" in name:
        return numpy.zeros(shape, "int64")
    if hints.bound:
        return generator.integers(0, hints.bound, shape)
    if LENGTH.search(name):
        return numpy.full(shape, hints.length)
    if not shape:
        return numpy.ones(shape, "int64")
    return generator.integers(0, PLAIN_INDEX_BOUND, shape)
