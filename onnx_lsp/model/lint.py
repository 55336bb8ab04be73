"""The stages of linting one model: wire facts, then structure, then onnx's checker, then inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from onnx_lsp import targets
from onnx_lsp.checks import MODEL_CHECKS, Check
from onnx_lsp.diagnostics import Diagnostic, TextRange
from onnx_lsp.engine import Run, Stage, fold, os_reason
from onnx_lsp.settings import Settings
from onnx_lsp.suppression import METADATA_KEY
from onnx_lsp.workspace import Workspace

if TYPE_CHECKING:
    from onnx_lsp.model.reading import Reading

STRUCTURE = frozenset({"reading", "model", "node", "flow", "targets", "report"})
REFUSALS = STRUCTURE | {"refusals"}


def stages(path: str, settings: Settings, workspace: Workspace) -> Iterator[Stage]:
    """Yields every stage with all findings so far."""
    run = Run(path, settings, locate=lambda at: at if isinstance(at, (str, TextRange)) else at.path)
    yield Stage("reading the file", ())
    from onnx_lsp.model import checks, reading  # noqa: F401  (importing the checks registers them)
    from onnx_lsp.model.external import external_files

    try:
        facts: dict[str, object] = {"reading": reading.read(path)}
    except OSError as error:
        run.say("FIL001", "unreadable", reason=os_reason(error))
        yield Stage("done", findings(run, done=True))
        return
    enabled = run.enabled(MODEL_CHECKS)
    _run(run, [check for check in enabled if _needs(check) <= {"reading"}], facts)
    if not facts["reading"].usable:
        yield Stage("done", findings(run, done=True))
        return
    workspace.dependencies |= external_files(facts["reading"].model)
    yield from _of_model(run, [check for check in enabled if not _needs(check) <= {"reading"}], facts)


def _of_model(run: Run, enabled: list[Check], facts: dict[str, object]) -> Iterator[Stage]:
    from onnx_lsp.model import native
    from onnx_lsp.model.dataflow import dataflow
    from onnx_lsp.model.shapes import Shapes
    from onnx_lsp.model.usage import Usage

    reading = facts["reading"]
    model = facts["model"] = reading.model
    flow = facts["flow"] = dataflow(model)
    facts["targets"] = tuple(targets.parse(name) for name in run.settings.targets)
    structure = [check for check in enabled if _needs(check) <= STRUCTURE]
    rest = [check for check in enabled if check not in structure]
    _run(run, structure, facts)
    if rest:
        yield Stage("the ONNX checker", findings(run, reading))
        copy = native.Copy(model, flow)
        facts["refusals"] = native.checker_faults(copy)
        _run(run, [check for check in rest if _needs(check) <= REFUSALS], facts)
        yield Stage("shape inference", findings(run, reading))
        facts["conflicts"], inferred = native.infer(copy)
        facts["shapes"] = Shapes(inferred, model.scopes)
        facts["usage"] = Usage(model, facts["shapes"])
        _run(run, [check for check in rest if not _needs(check) <= REFUSALS], facts)
    yield Stage("done", findings(run, reading, done=True))


def _needs(check: Check) -> set[str]:
    return set(check.needs) - {"report"}


def _run(run: Run, checks: list[Check], facts: dict[str, object]) -> None:
    """Runs checks over facts: those of nodes in one shared traversal, dispatched by op."""
    by_op: dict[str, list[Check]] = {}
    for check in checks:
        if "node" not in check.needs:
            run.call(check, facts)
        for op in check.ops:
            by_op.setdefault(op, []).append(check)
    if by_op:
        for node in facts["model"].nodes():
            for check in by_op.get(node.op, ()):
                run.call(check, {**facts, "node": node})


def findings(run: Run, reading: Reading | None = None, done: bool = False) -> tuple[Diagnostic, ...]:
    """What was found so far and is not excused, equal messages folded into one."""
    if reading is None:
        return tuple(fold(run.unsuppressed(done=done)))
    from onnx_lsp.model.subject import subject

    entries = {entry.key: entry.value for entry in reading.model.proto.metadata_props}
    kept = fold(run.unsuppressed(entries.get(METADATA_KEY, ""), done))
    found = [replace(item, subject=subject(reading.model, item.location)) for item in kept]
    if reading.find:
        found = sorted((_placed(item, reading.find) for item in found), key=lambda item: item.sort_key)
    return tuple(found)


def _placed(item: Diagnostic, find: Callable[[str], TextRange | None]) -> Diagnostic:
    """A finding in a model that is written as text: with its lines, and without repairs, which write protobuf."""
    related = tuple(replace(place, range=find(place.location)) if place.location else place for place in item.related)
    where = find(item.location) if item.location else item.range
    return replace(item, range=where, related=related, fixes=())
