"""The operators of a model against targets: what each of them does with every operator, and what would have to change.

Everything here is plain data from the tables; an answer that a table is not sure of keeps its doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onnx_lsp import targets as tables
from onnx_lsp.model.inferred import Inferred, NoModel, infer
from onnx_lsp.model.opsets import taken
from onnx_lsp.model.usage import Usage
from onnx_lsp.targets import Answer, Kind, Target, Verdict

CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})
BEST_FIRST = (Verdict.KERNEL, Verdict.INLINED, Verdict.FALLS_BACK, Verdict.UNKNOWN, Verdict.REFUSES)


@dataclass(frozen=True, slots=True)
class Row:
    """One operator in one revision: how many nodes, and what each target does with the worst of them."""

    op: str
    revision: int
    count: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """What one target does with the whole model.

    Attributes:
        label, date: of the target and of its table.
        answer: the worst of its answers; refuses also for an opset or IR version out of its range.
        changes: what would have to change before it loads the model.
        note: what its table does not cover, and what the target wants of a whole model.
    """

    label: str
    date: str
    answer: Answer
    changes: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Compat:
    """The whole table.

    Attributes:
        opset: of ai.onnx, as the model imports it; None where it does not.
        common: the highest opset at which no target refuses an operator, `beyond` left out; None where there is none.
        beyond: the targets that refuse the model at every opset.
    """

    opset: int | None
    ir: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    common: int | None
    beyond: tuple[str, ...]


def compat(path: str, targets: Sequence[Target]) -> Iterator[Compat | str]:
    """Yields the table, or in words why there is none. A task of a child."""
    try:
        yield compared(infer(path), targets)
    except NoModel as error:
        yield str(error)


def compared(inferred: Inferred, targets: Sequence[Target]) -> Compat:
    """The table of a model."""
    model = inferred.model
    usage = Usage(model, inferred.shapes, targets)
    opset = model.opsets.get("")
    good = [taken(usage, target) for target in targets]
    possible = [found for found in good if found]
    common = max(frozenset.intersection(*possible), default=None) if possible else None
    return Compat(
        opset,
        model.proto.ir_version,
        tuple(_column(usage, opset, model.proto.ir_version, *pair) for pair in zip(targets, good, strict=True)),
        tuple(_rows(usage, targets)),
        common,
        tuple(target.label for target, found in zip(targets, good, strict=True) if not found),
    )


def _rows(usage: Usage, targets: Sequence[Target]) -> Iterator[Row]:
    """One row per operator and revision, by name."""
    found: dict[tuple[str, int], list[Kind]] = {}
    for kind in usage.kinds:
        revision = tables.revision(kind.domain, kind.op, kind.opset) or kind.opset
        found.setdefault((kind.title, revision), []).append(kind)
    for (op, revision), kinds in sorted(found.items()):
        answers = tuple(worst([tables.runs(kind, target) for kind in kinds]) for target in targets)
        yield Row(op, revision, sum(len(usage.kinds[kind]) for kind in kinds), answers)


def worst(answers: Sequence[Answer]) -> Answer:
    """The answer that counts for all; a doubtful refusal counts less than a sure one."""
    return max(answers, key=lambda item: (BEST_FIRST.index(item.verdict), item.sure), default=Answer(Verdict.KERNEL))


def _column(usage: Usage, opset: int | None, ir: int, target: Target, good: frozenset[int]) -> Column:
    answers = {kind: tables.runs(kind, target) for kind in usage.kinds}
    limits = tables.limits(target)
    changes, whole = [], list(answers.values())
    if opset and not (limits.min_opset or 0) <= opset <= (limits.max_opset or opset):
        way = f"convert to opset {max(good)}" if good else "no other opset helps"
        edge = (
            f"up to {limits.max_opset}" if limits.max_opset and opset > limits.max_opset else f"from {limits.min_opset}"
        )
        changes.append(f"takes opsets {edge}, the model has {opset}: {way}")
        whole.append(Answer(Verdict.REFUSES, sure=limits.refuses and "up" in edge))
    if limits.max_ir and ir > limits.max_ir:
        changes.append(f"takes IR versions up to {limits.max_ir}, the model has {ir}: lower it")
        whole.append(Answer(Verdict.REFUSES, sure=limits.refuses))
    changes += _replacements(usage, answers, target, opset, good)
    return Column(target.label, tables.table(target.name).date, worst(whole), tuple(changes), _note(usage, target))


def _note(usage: Usage, target: Target) -> str:
    """What the table does not cover, and what the target says of whole models."""
    said = tables.table(target.name).data
    notes = [target.note] if target.note else []
    notes += ["wants fixed input shapes"] if said.get("fixed_shapes") else []
    bodies = not said.get("control_flow", True) and any(
        kind.op in CONTROL_FLOW and not kind.domain for kind in usage.kinds
    )
    return "; ".join([*notes, "has no control flow"] if bodies else notes)


def _replacements(usage: Usage, answers, target: Target, opset: int | None, good: frozenset[int]) -> Iterator[str]:
    """What to do about each refused operator, one sentence per operator and reason."""
    refused: dict[tuple[str, str], list[Kind]] = {}
    for kind, answer in answers.items():
        if answer.verdict is Verdict.REFUSES:
            doubt = "" if answer.sure else " (the table is not sure)"
            refused.setdefault((kind.title, answer.note + doubt), []).append(kind)
    for (op, why), kinds in sorted(refused.items()):
        ways = [f"convert to opset {max(good)}"] if good and opset not in good else []
        kind = kinds[0]
        later = tables.first_version_that_runs(kind, target)
        ways += [f"{later.label} runs it"] if later else []
        count = sum(len(usage.kinds[kind]) for kind in kinds)
        places = f" ({count} nodes)" if count > 1 else ""
        yield f"{op}{places}: {why or 'refused'}; {' or '.join(ways or ['replace it'])}"
