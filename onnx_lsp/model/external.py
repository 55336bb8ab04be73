"""The files beside a model that hold its weights."""

from __future__ import annotations

import os
from collections.abc import Iterator

from onnx_lsp.model import proto
from onnx_lsp.model.graph import Model

EXTERNAL = proto.TensorProto.EXTERNAL


def external_files(model: Model) -> set[str]:
    """The files that the model's tensors name, as absolute paths; they need not exist."""
    skeleton = model.skeleton
    folder = os.path.dirname(os.path.abspath(skeleton.path))
    found = set()
    for tensor in _tensors(model):
        if tensor.data_location != EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        if entries.get("location") and not entries.get("checksum", "").startswith(skeleton.mark):
            found.add(os.path.normpath(os.path.join(folder, entries["location"])))
    return found


def _tensors(model: Model) -> Iterator[proto.TensorProto]:
    """Initializers and constants: where weights are."""
    for scope in model.scopes:
        yield from scope.initializers.values()
        for sparse in scope.sparse.values():
            yield sparse.values
            yield sparse.indices
        for node in scope.nodes:
            if node.op == "Constant":
                yield from (item.t for item in node.proto.attribute if item.HasField("t"))
