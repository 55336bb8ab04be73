"""The stages of linting one model: wire facts, then structure, then onnx's checker, then inference, then weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from onnx_lsp import targets
from onnx_lsp.checks import MODEL_CHECKS, Check, Report
from onnx_lsp.diagnostics import Diagnostic, TextRange
from onnx_lsp.engine import DONE, Run, Stage, fold, os_reason
from onnx_lsp.rulebook import Rule, Rulebook, builtin_folder
from onnx_lsp.settings import Settings
from onnx_lsp.suppression import METADATA_KEY
from onnx_lsp.workspace import Workspace

if TYPE_CHECKING:
    from onnx_lsp.model.graph import Model, Node
    from onnx_lsp.model.prepared import Copy
    from onnx_lsp.model.reading import Reading
    from onnx_lsp.model.shapes import Shapes

STRUCTURE = frozenset({"reading", "model", "node", "flow", "constants", "external", "targets", "report"})
REFUSALS = STRUCTURE | {"refusals", "operators"}
ECHO = frozenset({"told"})  # what runs last: native words about what our own checks have told
# Rules of which every check runs, but for hints: one that is not selected still silences its echo in native words.
OWN = ("ONX", "SHP", "SEC020", "QNT002", "QNT008")


def stages(path: str, settings: Settings, workspace: Workspace, hints: bool = True) -> Iterator[Stage]:
    """Yields every stage with all findings so far."""
    run = Run(path, settings, locate=lambda at: at if isinstance(at, (str, TextRange)) else at.path)
    skipped = frozenset() if hints else _only_hints(run)
    run.selection = replace(run.selection, enabled=run.selection.enabled - skipped)
    yield Stage("reading the file", ())
    from onnx_lsp.model import checks, reading  # noqa: F401  (importing the checks registers them)
    from onnx_lsp.model.external import external_files
    from onnx_lsp.model.told import Told

    try:
        facts: dict[str, object] = {"reading": reading.read(path), "told": Told()}
    except OSError as error:
        run.say("FIL001", "unreadable", reason=os_reason(error))
        yield Stage(DONE, findings(run, done=True))
        return
    codes = {check.code for check in MODEL_CHECKS if check.code.startswith(OWN)} - skipped | run.selection.enabled
    wanted = [check for check in MODEL_CHECKS if check.code in codes]
    _run(run, [check for check in wanted if _needs(check) <= {"reading"}], facts)
    if not facts["reading"].usable:
        yield Stage(DONE, findings(run, done=True))
        return
    workspace.dependencies |= external_files(facts["reading"].model)
    yield from _of_model(run, [check for check in wanted if not _needs(check) <= {"reading"}], facts)


def _only_hints(run: Run) -> frozenset[str]:
    """The rules that can only hint, and that nobody asked for."""
    book = run.report.rulebook
    unasked = run.selection.enabled - run.selection.explicit - run.settings.severity.keys()
    return frozenset(code for code in unasked if book.rules[code].kind == "model" and book.only_hints(code))


def _of_model(run: Run, checks: list[Check], facts: dict[str, object]) -> Iterator[Stage]:
    from onnx_lsp.model import native
    from onnx_lsp.model.constants import Constants
    from onnx_lsp.model.dataflow import dataflow
    from onnx_lsp.model.external import External
    from onnx_lsp.model.operators import Operators
    from onnx_lsp.model.payload import Weights
    from onnx_lsp.model.prepared import Copy

    reading = facts["reading"]
    model = facts["model"] = reading.model
    flow = facts["flow"] = dataflow(model)
    facts["constants"] = Constants(model)
    facts["external"] = External(model)
    facts["targets"] = tuple(targets.parse(name) for name in run.settings.targets)
    structure = [check for check in checks if _needs(check) <= STRUCTURE]
    rest = [check for check in checks if check not in structure]
    _run(run, structure, facts)
    rest += declared(run)
    if any(check.code in run.selection.enabled for check in rest):
        yield Stage("the ONNX checker", findings(run, reading))
        copy = Copy(model, flow, facts["told"].places)
        sound = facts["sound"] = bool(model.opsets) and min(model.opsets.values()) > 0
        facts["refusals"] = native.checker_faults(copy) if sound else []
        facts["operators"] = Operators(model, suspicious=bool(facts["told"] or facts["refusals"]))
        _staged(run, [check for check in rest if _needs(check) <= REFUSALS | ECHO], facts)
        yield Stage("shape inference", findings(run, reading))
        outdated = facts["operators"].outdated
        if facts["refusals"]:  # the checker may have blamed the node around; our own checks know better
            copy = Copy(model, flow, facts["told"].places, outdated)
        facts |= _inferred(copy, facts)
        later = [check for check in rest if not _needs(check) <= REFUSALS | ECHO]
        of_shapes = [check for check in later if check.code.startswith("SHP") and not ECHO & _needs(check)]
        told = len(facts["told"].places)
        _run(run, of_shapes, facts)
        if len(facts["told"].places) > told:  # infer again, without what follows from these faults
            facts |= _inferred(Copy(model, flow, facts["told"].places, outdated), facts)
        of_weights = [check for check in later if "weights" in check.needs]
        _staged(run, [check for check in later if check not in (*of_shapes, *of_weights)], facts)
        if of_weights:
            yield Stage("the weights", findings(run, reading))
            facts["weights"] = Weights(model, run.settings.deep)
            _run(run, of_weights, facts)
    yield Stage(DONE, findings(run, reading, done=True))


def _inferred(copy: Copy, facts: dict[str, object]) -> dict[str, object]:
    """What inference finds on a copy in which nodes with faults are opaque."""
    from onnx_lsp.model import native
    from onnx_lsp.model.calls import endless
    from onnx_lsp.model.shapes import Shapes
    from onnx_lsp.model.usage import Usage

    model = facts["model"]
    copy.hide_all(facts["told"].places)
    conflicts, inferred = native.infer(copy) if facts["sound"] and not endless(model) else ([], None)
    shapes = Shapes(inferred, model.scopes, facts["told"].places)
    if inferred is not None and model.functions:
        from onnx_lsp.model.instances import infer_bodies

        infer_bodies(copy, model, shapes)
    usage = Usage(model, shapes, facts["targets"])
    return {"conflicts": conflicts, "contradicted": copy.contradicted, "shapes": shapes, "usage": usage}


def declared(run: Run) -> list[Check]:
    """The checks of the rules that are a `[match]` table. No card is read for this whose rule has a check in Python."""
    book, own = run.report.rulebook, builtin_folder() + os.sep
    unchecked = sorted(run.selection.enabled - {check.code for check in MODEL_CHECKS})
    rules = [book.rules[code] for code in unchecked if book.rules[code].kind == "model"]
    # A user's card without a table is told; of ours, some are told by the engine.
    return [_declared(rule, book) for rule in rules if not rule.path.startswith(own) or book.card(rule.code).match]


def _declared(rule: Rule, book: Rulebook) -> Check:
    def function(model: Model, shapes: Shapes, report: Report) -> None:
        from onnx_lsp.model.match import find

        card = book.card(rule.code)
        find(card.match or {}, model, shapes, report, next(iter(card.cases)))

    return Check(rule.code, function, ("model", "shapes", "report"), frozenset())


def _needs(check: Check) -> set[str]:
    return set(check.needs) - {"report"}


def _staged(run: Run, checks: list[Check], facts: dict[str, object]) -> None:
    """Runs checks over facts, and then those that say what the first have not told."""
    _run(run, [check for check in checks if not ECHO & _needs(check)], facts)
    _run(run, [check for check in checks if ECHO & _needs(check)], facts)


def _run(run: Run, checks: list[Check], facts: dict[str, object]) -> None:
    """Runs checks over facts; notes the places that they call wrong; keeps the findings of selected rules."""
    found = run.report.found
    for check in checks:
        count = len(found)
        if "node" in check.needs:
            run.call_each(check, facts, _nodes(check, facts))
        else:
            run.call(check, facts)
        if check.code.startswith(OWN):
            for item in found[count:]:
                facts["told"].add(item)
        if check.code not in run.selection.enabled:
            del found[count:]


def _nodes(check: Check, facts: dict[str, object]) -> Iterator[Node]:
    """The nodes that a check looks at; but for checks of the structure, none of which a fault is told already."""
    model, told = facts["model"], facts["told"].places
    nodes = (node for op in sorted(check.ops) for node in model.by_op.get(op, ()))
    if check.code.startswith(("ONX", "FIL", "SEC")):
        return nodes
    generic = () if check.code.startswith("SHP") else model.generic  # SHP asks whether an attribute is a reference
    return (node for node in nodes if node.path not in told and node.path not in generic)  # one cause, one finding


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
