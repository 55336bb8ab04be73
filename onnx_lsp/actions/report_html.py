"""Reports as one self-contained HTML page: no network, no script. It follows the editor's theme inside VS Code."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from html import escape

from onnx_lsp.actions import charts
from onnx_lsp.actions.bench import BenchReport, ContestantReport
from onnx_lsp.actions.measure import Measured
from onnx_lsp.actions.optimize import OptimizeReport
from onnx_lsp.actions.report_text import interval, seconds, size, titles

SHOWN_OPS = 12
STYLE = """
:root { color-scheme: light dark;
  --ink: var(--vscode-editor-foreground, CanvasText); --paper: var(--vscode-editor-background, Canvas);
  --line: var(--vscode-panel-border, color-mix(in srgb, var(--ink) 25%, transparent));
  --blue: var(--vscode-charts-blue, #3b82c4); --green: var(--vscode-charts-green, #3a9a4b);
  --red: var(--vscode-charts-red, #d1483d); --soft: color-mix(in srgb, var(--ink) 12%, transparent); }
body { font: 14px/1.5 var(--vscode-font-family, system-ui, sans-serif); color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.05rem; margin-top: 2rem; }
.verdict { font-size: 1.1rem; }
.muted { opacity: .75; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
td:last-child { white-space: normal; }
svg { width: 100%; height: auto; margin: .5rem 0; }
svg text { fill: var(--ink); font-size: 12px; }
svg .small { font-size: 11px; opacity: .75; }
.axis { stroke: var(--ink); opacity: .5; }
.band { fill: var(--soft); }
.bar, .area, .dot { fill: var(--blue); }
.area { opacity: .75; }
.span { stroke: var(--blue); stroke-width: 3; }
.span.faster { stroke: var(--green); }
.dot.faster { fill: var(--green); }
.span.slower, .span.WRONG { stroke: var(--red); }
.dot.slower, .dot.WRONG { fill: var(--red); }
td.faster, td.ok, td.kept { color: var(--green); }
td.slower, td.WRONG, td.wrong, td.died, td.invalid { color: var(--red); }
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""


def render(report: BenchReport | OptimizeReport) -> str:
    """The whole page."""
    if isinstance(report, BenchReport):
        models = ", ".join(dict.fromkeys(os.path.basename(item.model) for item in report.contestants))
        title, body = f"Benchmark of {models}", _bench(report)
    else:
        title, body = f"Optimisation of {os.path.basename(report.model)}", _optimize(report)
    return PAGE.format(title=escape(title), style=STYLE, body="\n".join(body))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = [f"<tr>{cells}</tr>"]
    for row in rows:
        kind = row[-1].split(":")[0].split(" ")[0]
        inner = "".join(f"<td>{escape(cell)}</td>" for cell in row[:-1])
        lines.append(f'<tr>{inner}<td class="{escape(kind)}">{escape(row[-1])}</td></tr>')
    return f"<table>{''.join(lines)}</table>"


def _bench(report: BenchReport) -> list[str]:
    names = titles(report.contestants)
    parts: list[str] = []
    if report.measured:
        timed = [names[index] for index in report.timed]
        wrong = {entry for entry, index in enumerate(report.timed) if report.contestants[index].status == "wrong"}
        parts += _measured(report.measured, timed, report.cases, wrong)
    rows = [_contestant_row(name, item) for name, item in zip(names, report.contestants)]
    head = ("contestant", "runtime", "provider", "largest difference", "")
    parts += ["<h2>Providers</h2>", _table(head, rows)]
    for name, item in zip(names, report.contestants):
        parts += _placement(name, item) + _profile(name, item)
    return parts + _notes(report.notes)


def _contestant_row(name: str, item: ContestantReport) -> tuple[str, ...]:
    worst = item.agreement.worst if item.agreement else None
    word = "WRONG" if item.status == "wrong" else item.status
    said = f"{word}: {item.reason}" if item.reason else word
    return (name, item.runtime or "–", item.provider_name or "–", f"{worst.absolute:.2g}" if worst else "–", said)


def _placement(name: str, item: ContestantReport) -> list[str]:
    counts: Counter = Counter()
    for placed in item.placement or ():
        counts[placed.provider] += placed.nodes
    if not counts:
        return []
    rows = [(provider, float(count), f"{count} nodes") for provider, count in counts.most_common()]
    return [f"<h2>Where the nodes run: {escape(name)}</h2>", charts.bars(rows)]


def _profile(name: str, item: ContestantReport) -> list[str]:
    if not item.profile:
        return []
    total = sum(op.seconds for op in item.profile) or 1.0
    rows = [
        (
            f"{op.op} ({op.provider.removesuffix('ExecutionProvider')})",
            op.seconds,
            f"{seconds(op.seconds)}, {op.seconds / total:.0%}",
        )
        for op in item.profile[:SHOWN_OPS]
    ]
    return [
        f"<h2>Time by op: {escape(name)}</h2>",
        "<p class=muted>From a separate, profiled run.</p>",
        charts.bars(rows),
    ]


def _measured(measured: Measured, names: Sequence[str], cases: Sequence[str], wrong: set[int]) -> list[str]:
    parts = []
    for case, label in enumerate(cases):
        results = [item for item in measured.results if item.case == case and item.times]
        if not results:
            continue
        said = ["WRONG" if item.entry in wrong else item.verdict for item in results]
        rows = [(names[item.entry], item.ratio, word) for item, word in zip(results, said) if item.ratio]
        parts.append(f"<h2>{escape(label[:1].upper() + label[1:])}</h2>")
        if rows:
            parts.append(charts.ratios(rows, measured.floor[case]))
        parts.append(f"<p>{_floor(measured, case)}</p>")
        parts.append(_times([(names[item.entry], item, word) for item, word in zip(results, said)]))
        parts.append(charts.distributions([(names[item.entry], item.times) for item in results], seconds))
    parts += ["<h2>Once per process</h2>", _once(measured, names)]
    for entry, reason in measured.failed:
        parts.append(f"<p>{escape(names[entry])} failed while it was timed: {escape(reason)}</p>")
    told = f"{measured.generations} generations, {measured.rounds} rounds, {measured.seconds:.0f} s: {measured.stopped}"
    return [*parts, f"<p class=muted>{escape(told)}.</p>"]


def _floor(measured: Measured, case: int) -> str:
    floor, control = measured.floor[case], measured.control[case]
    if floor is None or control is None:
        return "The noise was not measured, so nothing is claimed."
    value, span = interval(control)
    return f"Noise floor ±{floor - 1:.1%} (shaded): the baseline against itself is {value}, {span}."


def _times(rows: Sequence[tuple]) -> str:
    rates = any(item.throughput for _, item, _ in rows)
    head = ("one run", "ratio", "95 % interval", "p50", "p90", "p99", "min", "MAD", *(("runs/s",) if rates else ()), "")
    lines = []
    for name, item, word in rows:
        ratio = interval(item.ratio) if item.ratio else ("1", "")
        times = [
            seconds(value)
            for value in (item.times.p50, item.times.p90, item.times.p99, item.times.minimum, item.times.mad)
        ]
        rate = (f"{item.throughput:.4g}" if item.throughput else "–",) if rates else ()
        lines.append((name, *ratio, *times, *rate, word))
    return _table(head, lines)


def _once(measured: Measured, names: Sequence[str]) -> str:
    head = ("once", "create, ratio", "95 % interval", "import", "create", "first run", "second run", "peak private", "")
    rows = []
    for item in measured.cold:
        memory = f"{item.peak_private_mb:.0f} MB" if item.peak_private_mb is not None else "–"
        times = [seconds(value) for value in (item.imported, item.created, item.first, item.second)]
        ratio = interval(item.ratio) if item.ratio else ("1", "")
        rows.append((names[item.entry], *ratio, *times, memory, item.verdict))
    return _table(head, rows)


def _optimize(report: OptimizeReport) -> list[str]:
    parts = [f'<p class="verdict">{escape(report.verdict)}.</p>']
    if report.written:
        parts.append(f"<p>Written: <code>{escape(report.written)}</code></p>")
    if report.confirmation and report.confirmed is not None:
        names = [os.path.basename(report.model), report.candidates[report.confirmed].name]
        parts += ["<h1>Before and after</h1>", *_measured(report.confirmation, names, report.cases, set())]
        parts += _ops(report)
    parts += ["<h1>Candidates</h1>", _candidates(report)]
    if report.screening:
        names = [os.path.basename(report.model), *(report.candidates[index].name for index in report.screened)]
        parts += _measured(report.screening, names, report.cases, set())
    if report.bench:
        parts += ["<h1>Benchmark</h1>", *_bench(report.bench)]
    return parts + _notes(report.notes)


def _candidates(report: OptimizeReport) -> str:
    rows = [(os.path.basename(report.model), str(report.original.nodes), size(report.original.size), "–", "original")]
    for index, item in enumerate(report.candidates):
        facts = (str(item.facts.nodes), size(item.facts.size)) if item.facts else ("–", "–")
        worst = f"{item.agreement.worst.absolute:.2g}" if item.agreement and item.agreement.worst else "–"
        status = "kept" if index == report.chosen else item.status
        portable = "" if item.facts is None or item.facts.portable else " (onnxruntime only)"
        rows.append((item.name, *facts, worst, f"{status}{portable}" + (f": {item.reason}" if item.reason else "")))
    return _table(("candidate", "nodes", "size", "largest difference", ""), rows)


def _ops(report: OptimizeReport) -> list[str]:
    before = Counter(dict(report.original.ops))
    after = Counter(dict(report.candidates[report.confirmed].facts.ops))
    changed = [
        op
        for op in sorted(before | after, key=lambda op: (-abs(before[op] - after[op]), op))
        if before[op] != after[op]
    ]
    rows = [(op, str(before[op]), str(after[op]), "") for op in changed]
    return ["<h2>Nodes by op</h2>", _table(("op", "before", "after", ""), rows)] if rows else []


def _notes(notes: Sequence[str]) -> list[str]:
    return [f"<p class=muted>{escape(note)}</p>" for note in notes]
