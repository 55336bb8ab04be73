"""The checks of model rules, by topic. Importing this registers them all."""

from onnx_lsp.model.checks import file, initializers, native, order, runtime, training

__all__ = ["file", "initializers", "native", "order", "runtime", "training"]
