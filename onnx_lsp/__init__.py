"""The language server and linter for ONNX."""

__version__ = "0.1.0"
