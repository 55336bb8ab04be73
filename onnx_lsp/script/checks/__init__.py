"""The rules about export scripts. Importing this package registers every check."""

from __future__ import annotations

from onnx_lsp.script.checks import (  # noqa: F401
    arguments,
    dynamic_axes,
    fixed_batch,
    names,
    opset,
    optimizer,
    removed,
)
