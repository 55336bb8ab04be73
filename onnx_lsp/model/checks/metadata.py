"""What a model tells about itself."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.graph import Model


@check("MET001")
def no_producer(model: Model, report: Report) -> None:
    if not model.proto.producer_name:
        report("producer")


@check("MET002")
def undescribed(model: Model, report: Report) -> None:
    if not model.proto.doc_string and not model.proto.graph.doc_string:
        report("doc")


@check("MET003")
def no_version(model: Model, report: Report) -> None:
    if not model.proto.model_version:
        report("version")
