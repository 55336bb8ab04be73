"""Initializers: twice, for nothing, or too many bytes for one file."""

from __future__ import annotations

from collections import Counter

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.graph import Model, Scope
from onnx_lsp.model.reading import Reading
from onnx_lsp.model.sizes import byte_size

UNWIELDY = 512 << 20  # bytes of weights inside of the file
MUCH = 64 << 10  # bytes of dead weight that are worth a line on the terminal


@check("ONX014")
def duplicate_initializer(model: Model, report: Report) -> None:
    for scope in model.scopes:
        for name in scope.initializers.keys() & scope.sparse.keys() if scope.sparse else ():
            report("sparse", scope.place("initializer", name), name=name)
        if scope.is_function or len(scope.initializers) == len(scope.proto.initializer):
            continue
        counts = Counter(item.name for item in scope.proto.initializer)
        for name, count in counts.items():
            if count > 1 and name:
                edit = ModelEdit("ONX014", "drop", scope.path, (("name", name),), model.skeleton.digest)
                report("twice", scope.place("initializer", name), name=name, count=count, fixes={"drop": edit})


@check("OPT001")
def unused_initializer(model: Model, report: Report) -> None:
    if model.proto.training_info:
        return  # training graphs read the initializers of the main graph
    for scope in model.scopes:
        names = [] if scope.is_function else unused(scope)
        if not names:
            continue
        size = sum(byte_size(scope.initializers[name].data_type, scope.initializers[name].dims) for name in names)
        edit = ModelEdit("OPT001", "drop", scope.path, (("names", tuple(names)),), model.skeleton.digest)
        related = [report.related(scope.place("initializer", name), "unused too") for name in names[1 : MAX_RELATED + 1]]
        report(
            f"{'one' if len(names) == 1 else 'several'}{'-big' if size >= MUCH else ''}",
            scope.place("initializer", names[0]), name=names[0], count=len(names), size=readable(size),
            related=tuple(related), fixes={"drop": edit},
        )  # fmt: skip


@check("OPT015")
def big_inline(reading: Reading, report: Report) -> None:
    size = reading.skeleton.size
    if size - len(reading.skeleton.data) > UNWIELDY:
        report("inline", size=readable(size - len(reading.skeleton.data)))


def unused(scope: Scope) -> list[str]:
    """Initializers of a graph that nothing reads. One that is also an input belongs to the interface and stays."""
    kept = {*scope.inputs, *scope.outputs, *scope.consumers}
    for annotation in scope.proto.quantization_annotation:
        kept |= {entry.value for entry in annotation.quant_parameter_tensor_names}
    return [name for name in scope.initializers if name not in kept]


def readable(size: int) -> str:
    """A number of bytes for a person: `1.5 MB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:  # dims may promise more bytes than a float can count
            return f"{size / factor:.3g} {unit}" if size < 1 << 900 else f"2^{size.bit_length()} bytes"
    return f"{size} bytes"
