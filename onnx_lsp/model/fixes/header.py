"""Repairs of what stands at the top of a model: versions and imports."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, fix


@fix("RUN002", "lower")
def lower_ir_version(draft: Draft, at: str, *, to: int) -> None:
    """Declares an older IR version; the check made sure that nothing in the model needs a newer one."""
    draft.message.ir_version = to
