"""The calls that the flow records beside the exports: what is done with the file that they write, and other exporters."""

from __future__ import annotations

WATCHED = frozenset({
    "onnx.load", "onnx.load_model", "onnx.checker.check_model", "onnxruntime.InferenceSession",
    "onnxruntime.InferenceSession().run", "onnx.version_converter.convert_version",
    "tf2onnx.convert.from_keras", "tf2onnx.convert.from_function", "skl2onnx.convert_sklearn", "skl2onnx.to_onnx",
    "ultralytics.YOLO().export", "ultralytics.RTDETR().export", "ultralytics.SAM().export",
    "optimum.exporters.onnx.main_export", "optimum.exporters.onnx.onnx_export_from_model",
})  # fmt: skip
KERAS = ("keras.", "tensorflow.keras.")


def watched(name: str) -> bool:
    """A rule may ask about calls of this."""
    return name in WATCHED or (name.startswith(KERAS) and name.endswith("().export"))
