"""Repairs of declared types."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, fix


@fix("ONX070", "drop")
@fix("ONX071", "drop")
def drop_value_info(draft: Draft, at: str, *, names: tuple[str, ...]) -> None:
    """Removes what is declared about inner values."""
    declared = draft.container(at).value_info
    for number in reversed([number for number, item in enumerate(declared) if item.name in names]):
        del declared[number]
