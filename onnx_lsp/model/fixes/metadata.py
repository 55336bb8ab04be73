"""Repairs of what a model tells about the machine that made it."""

from __future__ import annotations

from onnx_lsp.model.fixes.draft import Draft, fix
from onnx_lsp.model.provenance import LOCAL_PATH


@fix("SEC030", "strip")
def strip_traces(draft: Draft, at: str) -> None:
    """Removes documentation and metadata that hold local paths or stack traces."""
    _strip(draft.message)
    for scope in draft.scopes.values():
        _strip(scope.proto)
        for node in scope.nodes:
            _strip(node.proto)


def _strip(proto) -> None:
    if LOCAL_PATH.search(proto.doc_string):
        proto.ClearField("doc_string")
    entries = proto.metadata_props
    for number in reversed([number for number, item in enumerate(entries) if LOCAL_PATH.search(item.value)]):
        del entries[number]
