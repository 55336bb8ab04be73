"""A model read and inferred in one go, for the commands that describe it instead of judging it. Runs native code: only in a child."""

from __future__ import annotations

from dataclasses import dataclass

from onnx_lsp.engine import os_reason
from onnx_lsp.model import native, reading
from onnx_lsp.model.dataflow import dataflow
from onnx_lsp.model.graph import Model
from onnx_lsp.model.shapes import Shapes


class NoModel(ValueError):
    """The file holds no model that can be described; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """A model and the shapes of its values, as far as onnx infers them."""

    model: Model
    shapes: Shapes


def infer(path: str) -> Inferred:
    """Reads a model and infers its shapes.

    Raises:
        NoModel: the file cannot be read, or holds no model.
    """
    try:
        found = reading.read(path)
    except OSError as error:
        raise NoModel(os_reason(error)) from error
    if not found.usable:
        raise NoModel(f"no ONNX model: {reading.why_not(found)}")
    model = found.model
    copy = native.Copy(model, dataflow(model))
    inferred = native.infer(copy)[1] if model.opsets else None
    return Inferred(model, Shapes(inferred, model.scopes))
