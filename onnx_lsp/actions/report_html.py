"""Reports as one self-contained HTML page: no network, no script. It follows the editor's theme inside VS Code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from onnx_lsp.actions import charts, words
from onnx_lsp.actions.bench import BenchReport, ContestantReport
from onnx_lsp.actions.charts import Bar
from onnx_lsp.actions.measure import Measured, Result
from onnx_lsp.actions.optimize import OptimizeReport
from onnx_lsp.actions.pipelines import Facts
from onnx_lsp.actions.rewrite import RewriteReport
from onnx_lsp.actions.words import NONE, interval, seconds, size

SHOWN_OPS, CHANGED_OPS = 12, 8
OPEN_CASES = 3  # so many sizes are shown unfolded
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body><main>
{body}
</main></body></html>
"""


@cache
def _style() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def render(report: BenchReport | OptimizeReport | RewriteReport) -> str:
    """The whole page."""
    if isinstance(report, BenchReport):
        name = ", ".join(dict.fromkeys(os.path.basename(item.model) for item in report.contestants))
        kind, lead, body = "Benchmark", "", _bench(report)
    elif isinstance(report, OptimizeReport):
        name, kind, lead, body = os.path.basename(report.model), "Optimisation", f"{report.verdict}.", _optimize(report)
    else:
        name, kind, lead = os.path.basename(report.other), "Comparison", words.rewrite_verdict(report)
        body = _rewrite(report)
    title = escape(f"{kind} of {name}")
    return PAGE.format(title=title, style=_style(), body="\n".join([_header(kind, name, lead), *body]))


def _header(kind: str, title: str, lead: str = "") -> str:
    said = f'<p class="lead">{escape(lead)}</p>' if lead else ""
    return f'<header><p class="kind">{escape(kind)}</p><h1>{escape(title)}</h1>{said}</header>'


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _cards(cards: Sequence[str]) -> str:
    return f'<section class="cards">{"".join(cards)}</section>'


def _card(label: str, figure: str, tone: str, *remarks: str) -> str:
    small = "".join(f"<small>{escape(text)}</small>" for text in remarks if text)
    return f'<div class="card {tone}"><small>{escape(label)}</small><b>{escape(figure)}</b>{small}</div>'


def _muted(text: str) -> str:
    return f'<p class="muted">{escape(text)}</p>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose last column is a verdict, `word: reason`; the word becomes a coloured pill."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = [f"<tr>{cells}</tr>"]
    for row in rows:
        word, _, reason = row[-1].partition(": ")
        pill = f'<span class="pill {words.tone(word)}">{escape(word)}</span> {escape(reason)}' if word else ""
        inner = "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1])
        lines.append(f"<tr>{inner}<td>{pill}</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def _bench(report: BenchReport) -> list[str]:
    names = words.titles(report.contestants)
    parts = [_cards([_contestant_card(report, index, name) for index, name in enumerate(names)])]
    if report.measured:
        timed = [names[index] for index in report.timed]
        wrong = {entry for entry, index in enumerate(report.timed) if report.contestants[index].status == "wrong"}
        parts += _measured(report.measured, timed, report.cases, wrong)
    parts += [*_placement(names, report.contestants), *_profile(names, report.contestants)]
    rows = [_contestant_row(name, item) for name, item in zip(names, report.contestants)]
    head = ("", "onnxruntime", "provider", "difference to the CPU", "")
    parts.append(_section("Providers and outputs", _table(head, rows), *map(_muted, report.notes)))
    return parts


def _contestant_card(report: BenchReport, index: int, name: str) -> str:
    """The one figure of a contestant: its ratio, or why it has none."""
    item = report.contestants[index]
    if item.status != "ok":
        return _card(name, words.status(item), words.tone(item.status), "why is said below")
    entry = report.timed.index(index)
    results = [row for row in report.measured.results if row.entry == entry]
    medians = [row.times.p50 for row in results if row.times]
    span = " – ".join(dict.fromkeys(seconds(pick(medians)) for pick in (min, max))) if medians else NONE
    if not entry:
        return _card(name, span, "", "the baseline, median of one run")
    return _ratio_card(name, results, f"median of one run: {span}")


def _ratio_card(name: str, results: Sequence[Result], remark: str = "") -> str:
    found = [row.ratio for row in results if row.ratio]
    if not found:
        return _card(name, NONE, "", results[0].verdict)
    verdicts = [row.verdict for row in results]
    if len(results) == 1:
        value, span = interval(found[0])
        return _card(name, f"{value} ×", words.tone(verdicts[0]), f"{verdicts[0]}, {span}", remark)
    counts = ", ".join(f"{word} at {verdicts.count(word)}" for word in dict.fromkeys(verdicts))
    tones = {words.tone(word) for word in verdicts}
    low, high = (pick(ratio.value for ratio in found) for pick in (min, max))
    tone = tones.pop() if len(tones) == 1 else ""
    return _card(name, f"{low:.2f} – {high:.2f} ×", tone, f"{counts} of {len(results)} sizes", remark)


def _contestant_row(name: str, item: ContestantReport) -> tuple[str, ...]:
    said = f"{words.status(item)}: {item.reason}" if item.reason else words.status(item)
    worst = item.agreement.worst if item.agreement else None
    difference = f"{worst.absolute:.2g}" if worst else NONE
    return (name, item.runtime or NONE, item.provider_name or NONE, difference, said)


def _placement(names: Sequence[str], contestants: Sequence[ContestantReport]) -> list[str]:
    counts = [(name, words.placed(item)) for name, item in zip(names, contestants)]
    counts = [(name, placed) for name, placed in counts if placed]
    if not counts:
        return []
    providers = list(dict.fromkeys(provider for _, placed in counts for provider in placed))
    rows = [
        (
            name,
            [Bar(providers.index(provider), nodes, f"{nodes} on {provider}") for provider, nodes in placed.items()],
            " + ".join(str(nodes) for nodes in placed.values()) + " nodes",
        )
        for name, placed in counts
    ]
    return [_section("Where the nodes run", charts.legend(providers), charts.stacked(rows, share=True))]


def _profile(names: Sequence[str], contestants: Sequence[ContestantReport]) -> list[str]:
    """The time by op of all contestants beside each other."""
    profiled = [(name, item.profile) for name, item in zip(names, contestants) if item.profile]
    if not profiled:
        return []
    series: dict[str, list[Bar]] = {}
    for index, (_, profile) in enumerate(profiled):
        total = sum(op.seconds for op in profile) or 1.0
        for op in dict.fromkeys(op.op for op in profile):
            mine = [item for item in profile if item.op == op]
            spent = sum(item.seconds for item in mine)
            where = " and ".join(item.provider.removesuffix("ExecutionProvider") for item in mine)
            series.setdefault(op, []).append(Bar(index, spent, f"{seconds(spent)}, {spent / total:.0%}, {where}"))
    slowest = sorted(series.items(), key=lambda item: -max(bar.value for bar in item[1]))
    legend = charts.legend([name for name, _ in profiled]) if len(profiled) > 1 else ""
    remark = _muted("From a separate, profiled run, which is slower than the timed ones.")
    return [_section("Time by op", legend, charts.bars(slowest[:SHOWN_OPS]), remark)]


def _measured(measured: Measured, names: Sequence[str], cases: Sequence[str], wrong: set[int]) -> list[str]:
    parts = [_by_size(measured, names, cases)] if len(cases) > 1 else []
    for case, label in enumerate(cases):
        results = [item for item in measured.results if item.case == case and item.times]
        if not results:
            continue
        inner = _case(measured, names, case, results, wrong)
        title = "One run" if len(cases) == 1 else f"One run at {label}"
        if case < OPEN_CASES:
            parts.append(_section(title, *inner))
        else:
            parts.append(f"<section><details><summary>{escape(title)}</summary>{''.join(inner)}</details></section>")
    failures = [_muted(f"{names[entry]} failed while it was timed: {reason}") for entry, reason in measured.failed]
    parts.append(_once(measured, names, failures))
    return parts


def _case(measured: Measured, names: Sequence[str], case: int, results: Sequence[Result], wrong: set[int]) -> list[str]:
    said = ["WRONG" if item.entry in wrong else item.verdict for item in results]
    ratios = [(names[item.entry], item.ratio, word) for item, word in zip(results, said) if item.ratio]
    floor, control = measured.floor[case], measured.control[case]
    return [
        charts.ratios(ratios, floor) if ratios else "",
        _times([(names[item.entry], item, word) for item, word in zip(results, said)]),
        "<h3>How the times are spread</h3>",
        charts.distributions([(names[item.entry], item.entry, item.times) for item in results], seconds),
        _muted(f"Noise floor{' (shaded)' if ratios else ''}: {words.noise(floor, control)}. {words.effort(measured)}."),
    ]


def _by_size(measured: Measured, names: Sequence[str], cases: Sequence[str]) -> str:
    """The median of every contestant at every size."""
    rows = []
    for case, label in enumerate(cases):
        times = [item for item in measured.results if item.case == case and item.times]
        rows.append((label, [Bar(item.entry, item.times.p50, seconds(item.times.p50)) for item in times]))
    return _section("Median time by size", charts.legend(names), charts.bars(rows))


def _times(rows: Sequence[tuple[str, Result, str]]) -> str:
    rates = any(item.throughput for _, item, _ in rows)
    head = ("", "ratio", "95 % interval", "p50", "p90", "p99", "min", "MAD", *(("runs/s",) if rates else ()), "")
    lines = []
    for name, item, word in rows:
        ratio = interval(item.ratio) if item.entry else ("1", "")
        spread = item.times
        times = [seconds(value) for value in (spread.p50, spread.p90, spread.p99, spread.minimum, spread.mad)]
        rate = (f"{item.throughput:.4g}" if item.throughput else NONE,) if rates else ()
        lines.append((name, *ratio, *times, *rate, word))
    return _table(head, lines)


def _once(measured: Measured, names: Sequence[str], failures: Sequence[str]) -> str:
    """What happens once per process, and how long it is until the first answer."""
    head = ("", "create, ratio", "95 % interval", "import", "create", "first run", "second run", "peak private", "")
    rows, stacks = [], []
    for item in measured.cold:
        memory = f"{item.peak_private_mb:.0f} MB" if item.peak_private_mb is not None else NONE
        times = [seconds(value) for value in (item.imported, item.created, item.first, item.second)]
        ratio = interval(item.ratio) if item.entry else ("1", "")
        rows.append((names[item.entry], *ratio, *times, memory, item.verdict))
        steps = (("import", item.imported), ("create", item.created), ("first run", item.first))
        bars = [Bar(index, value, f"{name} {seconds(value)}") for index, (name, value) in enumerate(steps)]
        stacks.append((names[item.entry], bars, seconds(sum(bar.value for bar in bars))))
    floor = words.percent(measured.cold_floor) if measured.cold_floor else "not measured, so nothing is claimed"
    legend = charts.legend(("import onnxruntime", "create the session", "first run"))
    said = _muted(f"Noise floor of creation: {floor}.")
    return _section("Until the first answer", legend, charts.stacked(stacks), _table(head, rows), said, *failures)


def _optimize(report: OptimizeReport) -> list[str]:
    parts = [_written(report.written)] if report.written else []
    if report.confirmation and report.confirmed is not None:
        parts.append(_cards(_gains(report)))
        names = [os.path.basename(report.model), report.candidates[report.confirmed].name]
        parts += _measured(report.confirmation, names, report.cases, set())
        parts += _ops(report.original, report.candidates[report.confirmed].facts)
    parts.append(_candidates(report))
    if report.bench:
        parts += [_header("Benchmark", "Before and after, on the providers"), *_bench(report.bench)]
    return parts


def _written(path: str) -> str:
    return f'<p class="muted">Written: <code>{escape(path)}</code></p>'


def _gains(report: OptimizeReport) -> list[str]:
    """Before and after in a few figures."""
    best, before, measured = report.candidates[report.confirmed], report.original, report.confirmation
    rows = [item for item in measured.results if item.entry == 1]
    cards = [_ratio_card("one run", rows)] if rows else []
    cold = next((item for item in measured.cold if item.entry == 1), None)
    if cold and cold.ratio:
        value, span = interval(cold.ratio)
        cards.append(_card("create the session", f"{value} ×", words.tone(cold.verdict), f"{cold.verdict}, {span}"))
    cards.append(_card("nodes", str(best.facts.nodes), "", f"before: {before.nodes}"))
    cards.append(_card("size", size(best.facts.size), "", f"before: {size(before.size)}"))
    if best.agreement and best.agreement.worst:
        outputs = f"{best.agreement.outputs} outputs compared"
        cards.append(_card("largest difference", f"{best.agreement.worst.absolute:.2g}", "", outputs))
    return cards


def _candidates(report: OptimizeReport) -> str:
    parts = [_table(words.CANDIDATE_HEAD, words.candidate_rows(report))]
    if report.screening:
        seen = ((index, words.worst(report.screening, entry)) for entry, index in enumerate(report.screened, 1))
        rows = [(report.candidates[index].name, row.ratio, row.verdict) for index, row in seen if row]
        floor = max((item for item in report.screening.floor if item), default=None)
        sizes = f", at the worst of {len(report.cases)} sizes" if len(report.cases) > 1 else ""
        parts += [f"<h3>Screening: all candidates against the original{sizes}</h3>", charts.ratios(rows, floor)]
        parts.append(_muted(f"{words.effort(report.screening)}."))
    ops = [(*row, "") for row in words.op_rows(report)]
    if ops:
        head = ("op", "original", *(item.name for item in report.candidates), "")
        parts.append(f"<details><summary>Nodes by op, of every candidate</summary>{_table(head, ops)}</details>")
    return _section("Candidates", *parts, *map(_muted, report.notes))


def _ops(before: Facts, after: Facts) -> list[str]:
    changed = words.changed_ops(before, after)
    rows = [(op, [Bar(0, old, str(old)), Bar(1, new, str(new))]) for op, old, new in changed[:CHANGED_OPS]]
    more = _muted(f"and {len(changed) - CHANGED_OPS} more") if len(changed) > CHANGED_OPS else ""
    return [_section("Nodes by op", charts.legend(("before", "after")), charts.bars(rows), more)] if rows else []


def _rewrite(report: RewriteReport) -> list[str]:
    parts = [_written(report.written)] if report.written else []
    before, after, agreement = report.before, report.after, report.judgement.agreement
    cards = [_card("verdict", report.judgement.status, words.tone(report.judgement.status))]
    if agreement and agreement.worst:
        asked = f"{agreement.outputs} outputs at {len(report.cases)} sizes of the inputs"
        worst = agreement.worst
        cards.append(_card("largest difference", f"{worst.absolute:.2g}", "", words.share(worst), asked))
    if after:
        cards.append(_card("nodes", str(after.nodes), "", f"before: {before.nodes}"))
        cards.append(_card("size", size(after.size), "", f"before: {size(before.size)}"))
        parts += [_cards(cards), *_ops(before, after)]
    return [*parts, *map(_muted, report.notes)]
