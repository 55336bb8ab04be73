"""External data, judged by `stat` alone: is it there, is it long enough, does it lie where it may."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import Related
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model.checks.initializers import readable
from onnx_lsp.model.external import External, Piece

PAGE = 4096  # bytes; TensorProto.external_data: "offset values SHOULD be multiples of the page size"


def _is_absolute(location: str) -> bool:
    return os.path.isabs(location) or location[1:3] in (":\\", ":/") or location.startswith("\\\\")


def _escapes(location: str) -> bool:
    """Whether the path leaves the folder on its way, even if it comes back."""
    depth = lowest = 0
    for part in location.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        lowest = min(lowest, depth)
    return lowest < 0 and not os.path.isabs(location)


def _inside(external: External) -> Iterator[tuple[str, list[Piece]]]:
    """The files that a model may name, with what lies in them; of others it is only told that they are others."""
    for location, pieces in external.by_file.items():
        if not _is_absolute(location) and not _escapes(location):
            yield location, pieces


@check("FIL020")
def data_missing(external: External, report: Report) -> None:
    for location, pieces in _inside(external):
        path = external.path(location)
        if not os.path.exists(path):
            case = "link" if os.path.islink(path) else "missing"
            report(case, pieces[0].at, location=location, related=_others(pieces, report), **_whose(pieces))


def _whose(pieces: list[Piece]) -> dict[str, object]:
    more = f" and {len(pieces) - 1} more tensors" if len(pieces) > 1 else ""
    return {"what": pieces[0].what, "more": more, "name": pieces[0].name}


def _others(pieces: list[Piece], report: Report) -> tuple[Related, ...]:
    return tuple(report.related(piece.at, f"{piece.what} lies there too") for piece in pieces[1 : MAX_RELATED + 1])


@check("FIL021")
def data_not_regular(external: External, report: Report) -> None:
    for location, pieces in external.by_file.items():
        try:
            mode = os.stat(external.path(location)).st_mode
        except OSError:
            continue
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
            report("other", pieces[0].at, location=location, is_=what, related=_others(pieces, report), **_whose(pieces))


def _size(external: External, location: str) -> int | None:
    """Bytes of a regular file; None for anything else."""
    try:
        found = os.stat(external.path(location))
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


@check("FIL022")
def data_too_short(external: External, report: Report) -> None:
    for location, pieces in _inside(external):
        size = _size(external, location)
        beyond = [piece for piece in pieces if size is not None and piece.offset is not None and piece.end > size]
        if beyond:
            first = beyond[0]
            report(
                "short", first.at, location=location, size=readable(size), end=first.end, bytes=size,
                related=_others(beyond, report), **_whose(beyond),
            )  # fmt: skip


@check("FIL023")
def data_overlaps(external: External, report: Report) -> None:
    for location, pieces in external.by_file.items():
        placed = [piece for piece in pieces if piece.offset is not None and piece.end > piece.offset]
        placed.sort(key=lambda piece: (piece.offset, piece.end))
        last: Piece | None = None
        for piece in placed:
            same = last is not None and (last.offset, last.end) == (piece.offset, piece.end)
            if last is not None and not same and piece.offset < last.end:
                related = (report.related(last.at, f"bytes {last.offset} to {last.end}"),)
                report("overlap", piece.at, what=piece.what, other=last.what, start=piece.offset, end=min(piece.end, last.end),
                       location=location, related=related)  # fmt: skip
            if last is None or piece.end > last.end:
                last = piece


@check("FIL024")
def data_unaligned(external: External, report: Report) -> None:
    for location, pieces in external.by_file.items():
        odd = [piece for piece in pieces if (piece.offset or 0) % piece.item]
        off = [piece for piece in pieces if (piece.offset or 0) % PAGE and piece not in odd] if not odd else []
        for case, found in (("element", odd), ("page", off)):
            if found:
                first = found[0]
                report(case, first.at, offset=first.offset, item=first.item, location=location, count=len(found),
                       related=_others(found, report), **_whose(found))  # fmt: skip


@check("FIL025")
def data_entry_malformed(external: External, report: Report) -> None:
    for piece in external.pieces:
        if not piece.location:
            report("location", piece.at, what=piece.what)
        for key in ("offset", "length"):
            value = piece.entries.get(key)
            if value is not None and getattr(piece, key) is None:
                report("number", piece.at, what=piece.what, key=key, value=value)
        if piece.length is not None and piece.size and piece.length != piece.size:
            report("length", piece.at, what=piece.what, length=piece.length, size=piece.size)


@check("SEC001")
def absolute_path(external: External, report: Report) -> None:
    for location, pieces in external.by_file.items():
        if _is_absolute(location):
            report("absolute", pieces[0].at, location=location, related=_others(pieces, report), **_whose(pieces))


@check("SEC002")
def escaping_path(external: External, report: Report) -> None:
    for location, pieces in external.by_file.items():
        if _escapes(location):
            report("escapes", pieces[0].at, location=location, related=_others(pieces, report), **_whose(pieces))


@check("SEC003")
def linked_data(external: External, report: Report) -> None:
    for location, pieces in external.by_file.items():
        if os.path.isabs(location):
            continue
        path = external.path(location)
        inside = path.startswith(external.folder + os.sep)
        links = [path] if os.path.islink(path) else []
        while inside and (path := os.path.dirname(path)) != external.folder:
            links += [path] if os.path.islink(path) else []
        if links:
            target = os.path.realpath(links[-1])
            root = os.path.realpath(external.folder)
            case = "inside" if target.startswith(root + os.sep) else "outside"
            report(case, pieces[0].at, location=location, related=_others(pieces, report), **_whose(pieces))
        elif os.path.isfile(path := external.path(location)) and os.stat(path).st_nlink > 1:
            report("hard", pieces[0].at, location=location, related=_others(pieces, report), **_whose(pieces))
