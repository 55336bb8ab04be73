"""Rewrites that a person asks for by name: another opset, quantized weights. Each runs in a child, and is not believed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx_lsp.actions.crew import MISSING_EXTRA
from onnx_lsp.actions.pipelines import PROTOBUF_LIMIT, Facts, Unable, facts_of, is_external, save

ASSERTION = re.compile(r"^.*Assertion `.*?` failed: ")  # before what onnx has to say
QUANTIZED_OPS = ("MatMul", "Gemm", "Gather", "Attention", "LSTM", "EmbedLayerNormalization")


def convert(source: str, target: str, opset: int, max_ir: int | None = None) -> Iterator[Facts | Unable]:
    """Converts a model to another opset of the default domain, with onnx's version converter.

    Local functions are inlined first: the converter would drop them without a word.

    Args:
        max_ir: the newest IR version that the file may have; None to keep it as it is.
    """
    import onnx
    import onnx.inliner
    import onnx.version_converter

    if facts_of(source).size > PROTOBUF_LIMIT:
        yield Unable("onnx's version converter takes no model of over 2 GB")
        return
    external = is_external(source)
    model = onnx.load(source)
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    try:
        converted = onnx.version_converter.convert_version(model, opset)
    except (RuntimeError, ValueError, onnx.shape_inference.InferenceError) as error:
        yield Unable(f"onnx's version converter does not know how: {_first_line(error)}")
        return
    needed = onnx.helper.find_min_ir_version_for(converted.opset_import, ignore_unknown=True)
    converted.ir_version = max(needed, min(model.ir_version, max_ir or model.ir_version))
    save(converted, target, external)
    yield facts_of(target)


def quantize(source: str, target: str, unsigned: bool = False, per_channel: bool = False) -> Iterator[Facts | Unable]:
    """Stores the weights of matrix products as 8-bit integers; activations are quantized while the model runs."""
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        yield Unable(f"`{error.name}` is not installed; run `{MISSING_EXTRA}`")
        return
    external = is_external(source)
    before = facts_of(source)
    try:
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=list(QUANTIZED_OPS),
            weight_type=QuantType.QUInt8 if unsigned else QuantType.QInt8,
            per_channel=per_channel,
            use_external_data_format=external,
        )
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        yield Unable(f"onnxruntime cannot quantize it: {_first_line(error)}")
        return
    after = facts_of(target)
    yield Unable("it has no weights of matrix products to quantize") if after.ops == before.ops else after


def _first_line(error: Exception) -> str:
    lines = [ASSERTION.sub("", line.strip()) for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
