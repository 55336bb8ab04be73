"""Reports as plain text: ratios with intervals first, absolute times second, the noise floor always."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence

from onnx_lsp.actions.bench import BenchReport, ContestantReport
from onnx_lsp.actions.measure import ColdResult, Measured
from onnx_lsp.actions.optimize import OptimizeReport
from onnx_lsp.actions.stats import Ratio

Paint = Callable[[str, str], str]  # text and verdict in, text with colour out

SHOWN_OPS = 8
COLOURS = {
    "faster": "32", "better": "32", "ok": "32",
    "slower": "31", "wrong": "31", "WRONG": "31", "died": "31", "refused": "33", "invalid": "31", "unable": "33",
}  # fmt: skip


def plain_paint(text: str, _: str) -> str:
    """No colour."""
    return text


def ansi_paint(text: str, verdict: str) -> str:
    """Colours a verdict for a terminal."""
    colour = COLOURS.get(verdict)
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def seconds(value: float) -> str:
    """A time with three digits and a fitting unit: `52.3 µs`."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def size(value: int) -> str:
    """A number of bytes: `1.3 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value} B"


def interval(ratio: Ratio | None) -> tuple[str, str]:
    """A ratio and its interval."""
    return (f"{ratio.value:.3f}", f"{ratio.low:.3f} – {ratio.high:.3f}") if ratio else ("–", "–")


def table(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Aligned lines: the first `left` columns to the left, the others to the right, the last one to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    last = len(widths) - 1
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < left or column == last else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


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


def render_bench(report: BenchReport, paint: Paint = plain_paint) -> str:
    """The report of a benchmark."""
    names = titles(report.contestants)
    lines: list[str] = []
    measured = report.measured
    if measured:
        timed = [names[index] for index in report.timed]
        status = {names[index]: report.contestants[index].status for index in report.timed}
        lines += _ratios(measured, timed, report.cases, status, paint)
        lines += ["", *_times(measured, timed, report.cases), "", *_once(measured, timed)]
    lines += ["", *_problems(report, names, paint)]
    lines += _placements(report, names) + _profiles(report, names)
    lines += [f"note: {note}" for note in report.notes]
    return _joined(lines)


def _ratios(
    measured: Measured, names: list[str], cases: Sequence[str], status: dict[str, str], paint: Paint
) -> list[str]:
    rows = [("time, as a ratio", *_case_column(cases, "inputs"), "ratio", "95 % interval", "")]
    verdicts = [""]
    for item in measured.results:
        wrong = status.get(names[item.entry]) == "wrong"
        verdict = "WRONG" if wrong else item.verdict
        ratio = interval(item.ratio) if item.entry else ("1", "")
        rows.append((names[item.entry], *_case_column(cases, cases[item.case]), *ratio, verdict))
        verdicts.append(verdict)
    lines = _painted(table(rows, 1 + (len(cases) > 1)), verdicts, paint)
    for case, (floor, control) in enumerate(zip(measured.floor, measured.control)):
        where = f" at {cases[case]}" if len(cases) > 1 else ""
        lines.append(f"noise floor{where}: {_floor(floor, control)}")
    lines.append(
        f"{measured.generations} generations, {measured.rounds} rounds, {measured.seconds:.0f} s: {measured.stopped}"
    )
    return lines


def _floor(floor: float | None, control: Ratio | None) -> str:
    if floor is None or control is None:
        return "not measured, so nothing is claimed"
    value, span = interval(control)
    return f"±{floor - 1:.1%} (the baseline against itself: {value}, {span})"


def _case_column(cases: Sequence[str], text: str) -> tuple[str, ...]:
    return (text,) if len(cases) > 1 else ()


def _painted(lines: list[str], verdicts: Sequence[str], paint: Paint) -> list[str]:
    painted = []
    for line, verdict in zip(lines, verdicts):
        coloured = verdict and line.endswith(verdict)
        painted.append(line[: -len(verdict)] + paint(verdict, verdict) if coloured else line)
    return painted


def _times(measured: Measured, names: list[str], cases: Sequence[str]) -> list[str]:
    rates = any(item.throughput for item in measured.results)
    head = ("p50", "p90", "p99", "min", "MAD", "runs") + (("runs/s",) if rates else ())
    rows = [("one run", *_case_column(cases, "inputs"), *head, "")]
    for item in measured.results:
        if item.times is None:
            continue
        spread = item.times
        cells = [seconds(value) for value in (spread.p50, spread.p90, spread.p99, spread.minimum, spread.mad)]
        rate = (f"{item.throughput:.4g}",) if rates and item.throughput else ()
        rows.append((names[item.entry], *_case_column(cases, cases[item.case]), *cells, str(spread.runs), *rate, ""))
    return table([row for row in rows if len(row) == len(rows[0])], 1 + (len(cases) > 1))


def _once(measured: Measured, names: list[str]) -> list[str]:
    rows = [
        ("once", "import", "create", "first run", "second run", "peak private", "create, ratio", "95 % interval", "")
    ]
    for item in measured.cold:
        rows.append((names[item.entry], *_cold_cells(item)))
    floor = f"±{measured.cold_floor - 1:.0%}" if measured.cold_floor else "not measured"
    return [*table(rows), f"noise floor of creation: {floor}"]


def _cold_cells(item: ColdResult) -> tuple[str, ...]:
    times = [seconds(value) for value in (item.imported, item.created, item.first, item.second)]
    memory = f"{item.peak_private_mb:.0f} MB" if item.peak_private_mb is not None else "–"
    ratio = interval(item.ratio) if item.entry else ("1", "")
    return (*times, memory, *ratio, item.verdict)


def _problems(report: BenchReport, names: list[str], paint: Paint) -> list[str]:
    lines = []
    for name, item in zip(names, report.contestants):
        if item.reason:
            word = item.status.upper() if item.status == "wrong" else item.status
            lines.append(f"{paint(word, item.status)}: {name}: {item.reason}")
        elif item.agreement and item.agreement.worst and not item.provider.is_cpu:
            lines.append(f"outputs agree with the CPU provider: {name}, {_error(item.agreement.worst)}")
    return lines


def _error(worst) -> str:
    return f"largest difference {worst.absolute:.2g} ({worst.error:.1g} of the output's largest value)"


def _placements(report: BenchReport, names: list[str]) -> list[str]:
    lines = []
    for name, item in zip(names, report.contestants):
        if not item.placement:
            continue
        counts: Counter = Counter()
        for placed in item.placement:
            counts[placed.provider] += placed.nodes
        shown = ", ".join(f"{count} on {provider}" for provider, count in counts.most_common())
        lines.append(f"nodes: {name} ({item.runtime}): {shown}")
    return lines


def _profiles(report: BenchReport, names: list[str]) -> list[str]:
    lines = []
    for name, item in zip(names, report.contestants):
        total = sum(op.seconds for op in item.profile)
        if total:
            rows = [(f"by op: {name}", "time", "share", "calls", "")]
            for op in item.profile[:SHOWN_OPS]:
                share = f"{op.seconds / total:.0%}"
                rows.append((f"  {op.op} on {op.provider}", seconds(op.seconds), share, f"{op.calls:g}", ""))
            lines += ["", *table(rows)]
    return lines


def render_optimize(report: OptimizeReport, paint: Paint = plain_paint) -> str:
    """The report of an optimisation."""
    lines = [f"{report.verdict}.", *([f"Written: {report.written}"] if report.written else []), ""]
    lines += _candidates(report, paint)
    if report.chosen is not None:
        lines += ["", *_ops(report)]
    for title, measured, entries in _measurements(report):
        names = [os.path.basename(report.model), *(report.candidates[index].name for index in entries)]
        lines += ["", f"{title}:", *_ratios(measured, names, report.cases, {}, paint)]
        lines += ["", *_times(measured, names, report.cases), "", *_once(measured, names)]
    lines += ["", *(f"note: {note}" for note in report.notes)]
    if report.bench:
        lines += ["", "benchmark:", render_bench(report.bench, paint)]
    return _joined(lines)


def _measurements(report: OptimizeReport) -> list[tuple[str, Measured, Sequence[int]]]:
    found: list[tuple[str, Measured, Sequence[int]]] = []
    if report.screening:
        found.append(("screening, every candidate", report.screening, report.screened))
    if report.confirmation:
        found.append(("confirmation, the best candidate measured anew", report.confirmation, (report.confirmed,)))
    return found


def _candidates(report: OptimizeReport, paint: Paint) -> list[str]:
    original = report.original
    rows = [
        ("candidate", "nodes", "size", "difference", ""),
        (os.path.basename(report.model), str(original.nodes), size(original.size), "", "original"),
    ]
    verdicts = ["", ""]
    for index, item in enumerate(report.candidates):
        facts = (str(item.facts.nodes), size(item.facts.size)) if item.facts else ("", "")
        worst = f"{item.agreement.worst.absolute:.2g}" if item.agreement and item.agreement.worst else ""
        status = "kept" if index == report.chosen else item.status
        label = "" if item.facts is None or item.facts.portable else " (onnxruntime only)"
        rows.append((item.name, *facts, worst, f"{status}{label}{': ' + item.reason if item.reason else ''}"))
        verdicts.append("")
    return _painted(table(rows), verdicts, paint)


def _ops(report: OptimizeReport) -> list[str]:
    before, after = Counter(dict(report.original.ops)), Counter(dict(report.candidates[report.chosen].facts.ops))
    changed = [
        op
        for op in sorted(before | after, key=lambda op: (-abs(before[op] - after[op]), op))
        if before[op] != after[op]
    ]
    rows = [("nodes by op", "before", "after", "")]
    rows += [(f"  {op}", str(before[op]), str(after[op]), "") for op in changed[: 2 * SHOWN_OPS]]
    return table(rows)


def _joined(lines: Sequence[str]) -> str:
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip("\n")
