"""Optimiser stages that do what real ones have done: crash, loop, eat memory, write models that are not the same."""

from __future__ import annotations

import shutil


def segfault(source: str, target: str) -> None:
    """Reads address 0."""
    import ctypes

    ctypes.string_at(0)


def loop(source: str, target: str) -> None:
    """Never ends."""
    while True:
        pass


def eat_memory(source: str, target: str) -> None:
    """Takes memory until it is stopped."""
    blocks = []
    while True:
        blocks.append(bytearray(64 * 2**20))


def write_nothing(source: str, target: str) -> None:
    """Says it is done and has written no file."""


def write_half(source: str, target: str) -> None:
    """Writes the first half of the file."""
    with open(source, "rb") as file, open(target, "wb") as half:
        data = file.read()
        half.write(data[: len(data) // 2])


def wrong_answer(source: str, target: str) -> None:
    """Negates the first weight: a valid model that computes something else."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(source)
    tensor = next(item for item in model.graph.initializer if item.data_type == item.FLOAT and item.dims)
    tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, target)


def other_interface(source: str, target: str) -> None:
    """Renames the first output."""
    import onnx

    model = onnx.load(source)
    old = model.graph.output[0].name
    model.graph.output[0].name = "renamed"
    for node in model.graph.node:
        for index, name in enumerate(node.output):
            if name == old:
                node.output[index] = "renamed"
    onnx.save(model, target)


def invalid(source: str, target: str) -> None:
    """Makes a node read a value that nobody produces."""
    import onnx

    model = onnx.load(source)
    model.graph.node[0].input[0] = "nobody"
    onnx.save(model, target)


def raise_error(source: str, target: str) -> None:
    """Raises."""
    raise ValueError("this model is not to my liking")


def copy(source: str, target: str) -> None:
    """Changes nothing."""
    shutil.copyfile(source, target)
