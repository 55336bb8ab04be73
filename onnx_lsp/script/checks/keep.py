"""The quick fix "Keep the old exporter here", for findings that only the new exporter causes."""

from __future__ import annotations

from onnx_lsp.script import edits
from onnx_lsp.script.calls import ExportCall

# Arguments without which the call means something else, and which the old exporter refuses or never reads.
ONLY_NEW = ("dynamic_shapes", "custom_translation_table")


def keep_old_exporter(call: ExportCall) -> dict[str, edits.Edits]:
    """The fix `keep`, where `dynamo=False` can be added and the old exporter takes this call; else nothing."""
    if call.exporter != "new" or call.get("dynamo") is not None or call.exports_program:
        return {}
    if any(call.given(name) is not False for name in ONLY_NEW):
        return {}
    return {"keep": edits.insert_arguments(call.source, call.node, {"dynamo": False})}
