"""The file itself: empty, not downloaded, not a model, cut off, malformed."""

from __future__ import annotations

import os

from onnx_lsp.checks import Report, check
from onnx_lsp.model import sniff
from onnx_lsp.model.reading import Reading

MAX_PROTOBUF = (1 << 31) - 1  # bytes; no protobuf library reads more


@check("FIL002")
def empty_file(reading: Reading, report: Report) -> None:
    if reading.skeleton.size == 0:
        report("empty")


@check("FIL003")
def git_lfs_pointer(reading: Reading, report: Report) -> None:
    head = reading.skeleton.head
    if not sniff.is_lfs_pointer(head):
        return
    lines = dict(line.partition(" ")[::2] for line in head.decode("utf-8", "replace").splitlines())
    report("pointer", size=lines.get("size", "an unknown number of"))


@check("FIL004")
def not_onnx(reading: Reading, report: Report) -> None:
    if reading.foreign:
        report("foreign", what=reading.foreign)
    elif reading.model is not None and not reading.usable:
        report("no-graph", size=reading.skeleton.size)


@check("FIL005")
def truncated_model(reading: Reading, report: Report) -> None:
    if reading.cut_off:
        size = reading.skeleton.size
        case = "growing" if _size(reading.skeleton.path) != size else "cut-off"
        report(case, size=size, missing=reading.fault.declared_end - size)


def _size(path: str) -> int:
    """Bytes of the file now; -1 where it is gone."""
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


@check("FIL013")
def over_two_gigabytes(reading: Reading, report: Report) -> None:
    if reading.skeleton.size > MAX_PROTOBUF and reading.usable:
        report("large", size=reading.skeleton.size)


@check("FIL006")
def malformed_protobuf(reading: Reading, report: Report) -> None:
    if reading.fault and not reading.cut_off:
        report("malformed", reason=reading.fault.reason.rstrip(","), offset=reading.fault.offset)


@check("FIL011")
def unparsable_text(reading: Reading, report: Report) -> None:
    for problem in reading.problems:
        report("syntax", problem.range, problem=problem.message)
