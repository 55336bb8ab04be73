"""What there is to choose before an action starts: the providers of this Python and the sizes of a model. In a child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx_lsp.model.shapes import tensor_type


@dataclass(frozen=True, slots=True)
class Choices:
    """The version of onnxruntime (empty where it is missing), its providers, and the model's dynamic dimensions."""

    runtime: str
    providers: tuple[str, ...]
    dims: tuple[str, ...]


def choices(model: str) -> Iterator[Choices]:
    """Looks at this Python and at a model; one that cannot be read has no dimensions: the action says why."""
    yield Choices(*_runtime(), _dims(model))


def _runtime() -> tuple[str, tuple[str, ...]]:
    try:
        import onnxruntime
    except ImportError:
        return "", ()
    names = (name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    return onnxruntime.__version__, tuple(names)


def _dims(path: str) -> tuple[str, ...]:
    """The names of the dynamic dimensions of the inputs, as `--dim` takes them."""
    from onnx_lsp.model.reading import read

    try:
        model = read(path).model
    except OSError:
        return ()
    if model is None:
        return ()
    stored = {tensor.name for tensor in model.proto.graph.initializer}
    names = [
        dim or f"{value.name}:{axis}"
        for value in model.proto.graph.input
        if value.name not in stored and value.type.HasField("tensor_type")
        for axis, dim in enumerate(tensor_type(value.type.tensor_type).dims or ())
        if not isinstance(dim, int)
    ]
    return tuple(dict.fromkeys(names))
