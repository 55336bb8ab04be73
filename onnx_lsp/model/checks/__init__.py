"""The checks of model rules, by topic. Importing this registers them all."""

from onnx_lsp.model.checks import (
    bodies,
    convolution,
    declared,
    decoders,
    dynamic,
    external_data,
    file,
    functions,
    fusion,
    header,
    indices,
    initializers,
    names,
    native,
    noops,
    numerics,
    operands,
    operators,
    optimization,
    order,
    parameters,
    quantization,
    runtime,
    security,
    semantics,
    tensors,
    training,
    weights,
)

__all__ = [
    "bodies", "convolution", "declared", "decoders", "dynamic", "external_data", "file", "functions", "fusion", "header", "indices",
    "initializers", "names", "native", "noops", "numerics", "operands", "operators", "optimization", "order", "parameters", "quantization", "runtime", "security",
    "semantics", "tensors", "training", "weights",
]  # fmt: skip
