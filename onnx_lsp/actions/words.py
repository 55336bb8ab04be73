"""What all reports say in the same words: times, sizes, ratios, noise floors, and the names of contestants."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from onnx_lsp.actions.bench import ContestantReport
from onnx_lsp.actions.measure import Measured, Result
from onnx_lsp.actions.optimize import OptimizeReport
from onnx_lsp.actions.pipelines import Facts
from onnx_lsp.actions.rewrite import RewriteReport
from onnx_lsp.actions.stats import Ratio
from onnx_lsp.actions.verify import Difference

NONE = "–"
TONES = {
    **dict.fromkeys(("faster", "ok", "kept"), "good"),
    **dict.fromkeys(("slower", "wrong", "died", "invalid"), "bad"),
    **dict.fromkeys(("refused", "unable"), "warn"),
}
LARGE_FLOOR = 2.0  # from here on a noise floor is a factor, not a percentage


def tone(said: str) -> str:
    """How a verdict sounds by its first word: `good`, `bad`, `warn`, or nothing."""
    return TONES.get(said.split(" ")[0].rstrip(":,").lower(), "")


def seconds(value: float) -> str:
    """A time with three digits and a fitting unit: `52.3 µs`."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        amount = value / factor
        if amount >= 0.9995:
            return f"{amount:.3g} {unit}" if amount < 999.5 else f"{amount:.0f} {unit}"
    return f"{value / 1e-9:.3g} ns"


def size(value: int) -> str:
    """A number of bytes: `1.3 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value} B"


def interval(ratio: Ratio | None) -> tuple[str, str]:
    """A ratio and its interval."""
    return (f"{ratio.value:.3f}", f"{ratio.low:.3f} – {ratio.high:.3f}") if ratio else (NONE, NONE)


def percent(floor: float) -> str:
    """How large a noise floor is: `±1.2 %`, or a factor where it is enormous."""
    return f"±{floor - 1:.1%}" if floor < LARGE_FLOOR else f"a factor of {floor:.3g}"


def noise(floor: float | None, control: Ratio | None) -> str:
    """The noise floor in words, and where it comes from."""
    if floor is None or control is None:
        return "not measured, so nothing is claimed"
    value, span = interval(control)
    return f"{percent(floor)} (the baseline against itself: {value}, {span})"


def effort(measured: Measured) -> str:
    """How much was measured, and why no more."""
    return f"{measured.generations} generations, {measured.rounds} rounds, {measured.seconds:.0f} s: {measured.stopped}"


def titles(contestants: Sequence[ContestantReport]) -> list[str]:
    """A short, distinct name for each contestant: the model where models differ, the provider where those do."""
    names = [os.path.basename(item.model) for item in contestants]
    if len({item.model for item in contestants}) != len(set(names)):
        names = [item.model for item in contestants]
    if len({item.provider for item in contestants}) == 1:
        shown = names
    elif len({item.model for item in contestants}) == 1:
        shown = [item.provider.label for item in contestants]
    else:
        shown = [f"{name} on {item.provider.label}" for name, item in zip(names, contestants)]
    return [f"{name} ({index + 1})" if shown.count(name) > 1 else name for index, name in enumerate(shown)]


def status(item: ContestantReport) -> str:
    """A contestant's status; a wrong answer is said loudly."""
    return "WRONG" if item.status == "wrong" else item.status


def placed(item: ContestantReport) -> Counter[str]:
    """Nodes per provider, most first."""
    counts: Counter[str] = Counter()
    for part in item.placement or ():
        counts[part.provider] += part.nodes
    return Counter(dict(counts.most_common()))


def share(found: Difference) -> str:
    """A difference as a share of what it is a difference of."""
    return f"{found.error:.1g} of the largest value of `{found.output}`"


def worst(measured: Measured | None, entry: int) -> Result | None:
    """An entry's result in the case where it does worst; None where it was not measured."""
    rows = [item for item in measured.results if item.entry == entry and item.ratio] if measured else []
    return max(rows, key=lambda item: item.ratio.value, default=None)


CANDIDATE_HEAD = ("candidate", "nodes", "size", "create", "ratio", "95 % interval", "difference", "")


def candidate_rows(report: OptimizeReport) -> list[tuple[str, ...]]:
    """The original and every candidate, as cells under `CANDIDATE_HEAD`; of several sizes, the worst ratio."""
    created = {item.entry: seconds(item.created) for item in report.screening.cold} if report.screening else {}
    original = (str(report.original.nodes), size(report.original.size), created.get(0, NONE))
    rows = [(os.path.basename(report.model), *original, "1", "", "", "original")]
    for index, item in enumerate(report.candidates):
        entry = report.screened.index(index) + 1 if index in report.screened else None
        seen = worst(report.screening, entry) if entry else None
        facts = (str(item.facts.nodes), size(item.facts.size)) if item.facts else (NONE, NONE)
        difference = f"{item.agreement.worst.absolute:.2g}" if item.agreement and item.agreement.worst else NONE
        kept = "kept" if index == report.chosen else item.status
        label = "" if item.facts is None or item.facts.portable else " (onnxruntime only)"
        said = f"{kept}{label}{': ' + item.reason if item.reason else ''}"
        rows.append((item.name, *facts, created.get(entry, NONE), *interval(seen and seen.ratio), difference, said))
    return rows


REWRITE_VERDICTS = {
    "ok": "the same model",
    "invalid": "not a model with this interface",
    "wrong": "not the same model",
}


def rewrite_verdict(report: RewriteReport) -> str:
    """Whether the other file is the same model, and why not."""
    judgement = report.judgement
    reason = f": {judgement.reason}" if judgement.reason else ""
    return f"{report.other} is {REWRITE_VERDICTS[judgement.status]}{reason}."


def changed_ops(before: Facts, after: Facts) -> list[tuple[str, int, int]]:
    """Ops and their counts before and after, where these differ; the most changed first."""
    old, new = Counter(dict(before.ops)), Counter(dict(after.ops))
    changed = [op for op in old | new if old[op] != new[op]]
    return [(op, old[op], new[op]) for op in sorted(changed, key=lambda op: (-abs(old[op] - new[op]), op))]


def op_rows(report: OptimizeReport) -> list[tuple[str, ...]]:
    """Nodes by op: the op, its count in the original, and in each candidate that was made; the most changed first."""
    before = Counter(dict(report.original.ops))
    made = [Counter(dict(item.facts.ops)) if item.facts else None for item in report.candidates]
    changes = Counter()
    for after in made:
        if after is not None:
            changes.update({op: abs(after[op] - before[op]) for op in before | after if after[op] != before[op]})
    ops = sorted(changes, key=lambda op: (-changes[op], op))
    return [(op, str(before[op]), *(NONE if after is None else str(after[op]) for after in made)) for op in ops]
