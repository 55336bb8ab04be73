"""A model read and inferred in one go, for the commands that describe it instead of judging it. Runs native code: only in a child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from onnx_lsp.engine import os_reason
from onnx_lsp.model import native, proto, reading
from onnx_lsp.model.dataflow import dataflow
from onnx_lsp.model.graph import Model
from onnx_lsp.model.prepared import Copy
from onnx_lsp.model.shapes import Shapes


class NoModel(ValueError):
    """The file holds no model that can be described; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A model and the shapes of its values, as far as onnx infers them."""

    model: Model
    shapes: Shapes


def infer(path: str, sizes: Mapping[str, int] | None = None) -> Inferred:
    """Reads a model and infers its shapes.

    Args:
        sizes: for dynamic dimensions of inputs, by their name or as `input:axis`.

    Raises:
        NoModel: the file cannot be read, holds no model, or has no such dimension.
    """
    try:
        found = reading.read(path)
    except OSError as error:
        raise NoModel(os_reason(error)) from error
    if not found.usable:
        raise NoModel(f"no ONNX model: {reading.why_not(found)}")
    model = found.model
    copy = Copy(model, dataflow(model))
    _set(copy.message.graph, sizes or {})
    inferred = native.infer(copy)[1] if model.opsets else None
    return Inferred(model, Shapes(inferred, model.scopes))


def _set(graph: proto.GraphProto, sizes: Mapping[str, int]) -> None:
    """Gives dynamic dimensions of the inputs the sizes that were asked for."""
    known = set()
    for item in graph.input:
        for axis, dim in enumerate(item.type.tensor_type.shape.dim):
            if dim.HasField("dim_value") and dim.dim_value >= 0:
                continue
            names = [name for name in (dim.dim_param, f"{item.name}:{axis}") if name]
            known.update(names)
            for name in names:
                if name in sizes:
                    dim.dim_value = sizes[name]
    for name in sizes:
        if name not in known:
            close = get_close_matches(name, known, 1) or sorted(known)
            hint = f"; there is {', '.join(f'`{item}`' for item in close)}" if close else ", all its sizes are fixed"
            raise NoModel(f"the model has no dynamic size `{name}`{hint}")
