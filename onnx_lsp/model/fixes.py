"""Repairs of models: functions on the skeleton, and the one way in which a repaired model is written.

A fix gets a `Draft`, the path that the finding carried and the edit's arguments. Paths are looked up before anything is
changed, so several edits of one lint run can be applied together. The weights are streamed from the file by byte range.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff

from onnx_lsp import atomic
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.model import proto, wire
from onnx_lsp.model.dataflow import sorted_nodes
from onnx_lsp.model.graph import Model, Scope
from onnx_lsp.model.native import bodies
from onnx_lsp.model.text import VIEW, Style, render

PREVIEWS: tuple[Style, ...] = (VIEW, replace(VIEW, metadata=True))  # the second, where the first shows no change
MAX_PROTOBUF = (1 << 31) - 1  # bytes; no protobuf library reads more


class FixRefused(RuntimeError):
    """The fix was not applied; the message says why."""


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


Fixer = Callable[..., None]
FIXES: dict[tuple[str, str], Fixer] = {}


def fix(code: str, key: str) -> Callable[[Fixer], Fixer]:
    """Registers the fix `key` of the rule `code`."""

    def register(function: Fixer) -> Fixer:
        FIXES[code, key] = function
        return function

    return register


class Draft:
    """A model under repair.

    Attributes:
        message: the ModelProto, changed in place.
        scopes: path -> the scope, as it was.
    """

    def __init__(self, model: Model) -> None:
        self.message = model.proto
        self.scopes = {scope.path: scope for scope in model.scopes}

    def scope(self, path: str) -> Scope:
        """The scope at a path, as paths were when the file was linted.

        Raises:
            FixRefused: there is none.
        """
        try:
            return self.scopes[path]
        except KeyError:
            raise FixRefused(f"the model has no `{path}`") from None

    def container(self, path: str):
        """The GraphProto or FunctionProto at a path; raises as `scope` does."""
        return self.scope(path).proto


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


@fix("ONX010", "rename")
def rename_input(draft: Draft, at: str, *, from_: str, to: str) -> None:
    """Makes every reader of an undefined value in this scope, and below, read another one."""
    _rename_reads(draft.container(at).node, from_, to)


def _rename_reads(nodes, old: str, new: str) -> None:
    for node in nodes:
        for number, name in enumerate(node.input):
            if name == old:
                node.input[number] = new
        for body, _ in bodies(node):
            if not _defines(body, old):
                _rename_reads(body.node, old, new)


def _defines(graph: proto.GraphProto, name: str) -> bool:
    declared = [item.name for item in (*graph.input, *graph.initializer)]
    return name in declared or any(name in node.output for node in graph.node)


@fix("ONX011", "sort")
def sort_nodes(draft: Draft, at: str) -> None:
    """Puts every producer before its readers and otherwise keeps the order."""
    scope = draft.scope(at)
    ordered, stuck = sorted_nodes(scope)
    if stuck:
        raise FixRefused("nodes that feed each other cannot be sorted")
    place = {id(node.proto): number for number, node in enumerate(ordered)}
    scope.proto.node.sort(key=lambda node: place[id(node)])


@fix("ONX014", "drop")
def drop_repeats(draft: Draft, at: str, *, name: str) -> None:
    """Keeps the last initializer of that name."""
    container = draft.container(at)
    places = [number for number, item in enumerate(container.initializer) if item.name == name]
    for number in reversed(places[:-1]):
        del container.initializer[number]


@fix("OPT001", "drop")
def drop_initializers(draft: Draft, at: str, *, names: tuple[str, ...]) -> None:
    """Removes initializers, and what is declared about them."""
    container = draft.container(at)
    for field in (container.initializer, container.value_info):
        for number in reversed([number for number, item in enumerate(field) if item.name in names]):
            del field[number]
    annotations = container.quantization_annotation
    for number in reversed([number for number, item in enumerate(annotations) if item.tensor_name in names]):
        del annotations[number]


@fix("RUN002", "lower")
def lower_ir_version(draft: Draft, at: str, *, to: int) -> None:
    """Declares an older IR version; the check made sure that nothing in the model needs a newer one."""
    draft.message.ir_version = to
