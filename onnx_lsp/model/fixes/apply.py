"""Applying fixes: the change as a preview, and the one way in which a repaired model is written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff

from onnx_lsp import atomic
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model import proto, wire
from onnx_lsp.model.fixes.draft import FIXES, Draft, Fixer, FixRefused
from onnx_lsp.model.graph import Model
from onnx_lsp.model.text import VIEW, Style, render

PREVIEWS: tuple[Style, ...] = (VIEW, replace(VIEW, metadata=True))  # the second, where the first shows no change
MAX_PROTOBUF = (1 << 31) - 1  # bytes; no protobuf library reads more


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying fixes did.

    Attributes:
        applied: how many edits were applied.
        diff: the change of the model as text, as a unified diff.
        written: whether the file was replaced.
    """

    applied: int
    diff: str
    written: bool


def apply_fixes(path: str, edits: Iterable[ModelEdit], write: bool) -> Applied:
    """Applies edits of one lint run to a model file.

    Args:
        write: False computes the change and leaves the file alone.

    Raises:
        FixRefused: the file is not the one that was linted, or an edit does not fit it.
        OSError: the file cannot be read or written.
    """
    edits = list(dict.fromkeys(edits))
    skeleton = wire.shrink(path)
    if any(edit.digest != skeleton.digest for edit in edits):
        raise FixRefused("the file has changed since it was linted")
    model = Model(skeleton, proto.ModelProto.FromString(skeleton.data))
    before = [render(model, style).lines for style in PREVIEWS]
    draft = Draft(model)
    for edit in edits:
        _fixer(edit)(draft, edit.at, **{_argument(name): value for name, value in edit.arguments})
    after = (render(model, style).lines for style in PREVIEWS)
    diffs = (_diff(os.path.basename(path), *lines) for lines in zip(before, after, strict=True))
    diff = next(filter(None, diffs), "")
    if write:
        write_back(path, skeleton, draft.message)
    return Applied(len(edits), diff, write)


def _fixer(edit: ModelEdit) -> Fixer:
    try:
        return FIXES[edit.code, edit.key]
    except KeyError:
        raise FixRefused(f"there is no fix `{edit.key}` of {edit.code}") from None


def _argument(name: str) -> str:
    return f"{name}_" if name == "from" else name


def write_back(path: str, skeleton: wire.Skeleton, message: proto.ModelProto) -> None:
    """Replaces a model file by an edited skeleton and the weights of the file itself.

    Raises:
        FixRefused: the file changed meanwhile, or the result is more than protobuf can hold.
        OSError: the file cannot be read or written; it is untouched.
    """
    pieces = wire.inflate(message.SerializeToString(), skeleton.mark)
    if wire.total_size(pieces) > MAX_PROTOBUF:
        raise FixRefused("the repaired model would be larger than 2 GiB, more than protobuf can hold")
    with open(path, "rb") as source:
        start = os.fstat(source.fileno())
        if start.st_size != skeleton.size:
            raise FixRefused("the file has changed since it was linted")

        def chunks() -> Iterator[bytes]:
            yield from wire.stream(pieces, source)
            now = os.stat(path)
            if (now.st_size, now.st_mtime_ns, now.st_ino) != (start.st_size, start.st_mtime_ns, start.st_ino):
                raise FixRefused("the file changed while it was being repaired")

        atomic.write(path, chunks())


def _diff(name: str, before: list[str], after: list[str]) -> str:
    return "".join(f"{line}\n" for line in unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm=""))
