"""The rules about export scripts. Importing this package registers every check."""

from __future__ import annotations

from onnx_lsp.script.checks import (  # noqa: F401
    after_export,
    arguments,
    axes_order,
    axes_values,
    call_form,
    checking,
    dynamic_axes,
    dynamic_shapes,
    eval_mode,
    fixed_batch,
    forward,
    inputs,
    names,
    op_support,
    op_targets,
    opset,
    opset_files,
    opset_targets,
    optimizer,
    other_exporters,
    removed,
    scalars,
    sessions,
    unread,
)
