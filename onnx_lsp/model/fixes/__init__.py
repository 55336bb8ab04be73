"""Repairs of models: functions on the skeleton, by topic, and the one way in which a repaired model is written.

A fix gets a `Draft`, the path that the finding carried and the edit's arguments. Paths are looked up before anything is
changed, so several edits of one lint run can be applied together. The weights are streamed from the file by byte range.
Importing this registers all fixes.
"""

from onnx_lsp.model.fixes import (
    declared,
    functions,
    header,
    initializers,
    inline,
    metadata,
    names,
    noops,
    optimization,
    order,
    training,
)
from onnx_lsp.model.fixes.apply import Applied, apply_fixes, write_back
from onnx_lsp.model.fixes.draft import FIXES, Draft, Fixer, FixRefused, fix

__all__ = [
    "FIXES", "Applied", "Draft", "FixRefused", "Fixer", "apply_fixes", "declared", "fix", "functions", "header", "initializers", "inline",
    "metadata", "names", "noops", "optimization", "order", "training", "write_back",
]  # fmt: skip
