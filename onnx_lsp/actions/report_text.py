"""Reports as plain text: ratios with intervals first, absolute times second, the noise floor always."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onnx_lsp.actions import words
from onnx_lsp.actions.bench import BenchReport
from onnx_lsp.actions.measure import Measured
from onnx_lsp.actions.optimize import OptimizeReport
from onnx_lsp.actions.words import NONE, interval, seconds, size

Paint = Callable[[str, str], str]  # text and what it is in, text with colour out

SHOWN_OPS = 8
HEADING, QUIET = "heading", "quiet"
COLOURS = {"good": "32", "bad": "31", "warn": "33", HEADING: "1", QUIET: "2"}


def plain_paint(text: str, _: str) -> str:
    """No colour."""
    return text


def ansi_paint(text: str, kind: str) -> str:
    """Colours a verdict, a heading or a remark for a terminal."""
    colour = COLOURS.get(kind) or COLOURS.get(words.tone(kind))
    return f"\x1b[{colour}m{text}\x1b[0m" if colour and text else text


def table(rows: Sequence[Sequence[str]], paint: Paint = plain_paint, left: int = 1) -> list[str]:
    """Aligned lines under a heading: the first `left` columns and the last one to the left, the others to the right.

    The last column is the verdict, and coloured like one.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    last = len(widths) - 1
    lines = []
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row[:last], widths))
        ]
        line = "  ".join([*cells, paint(row[last], row[last])]).rstrip()
        lines.append(line if number else paint(line, HEADING))
    return lines


def render_bench(report: BenchReport, paint: Paint = plain_paint) -> str:
    """The report of a benchmark."""
    names = words.titles(report.contestants)
    lines: list[str] = []
    if report.measured:
        timed = [names[index] for index in report.timed]
        wrong = {entry for entry, index in enumerate(report.timed) if report.contestants[index].status == "wrong"}
        lines += _measured(report.measured, timed, report.cases, wrong, paint)
    lines += ["", *_problems(report, names, paint), *_placements(report, names), *_profiles(report, names, paint), ""]
    lines += [paint(f"note: {note}", QUIET) for note in report.notes]
    return _joined(lines)


def _measured(measured: Measured, names: list[str], cases: Sequence[str], wrong: set[int], paint: Paint) -> list[str]:
    ratios = _ratios(measured, names, cases, wrong, paint) if len(names) > 1 else []
    lines = [*ratios, *_floors(measured, cases, paint)]
    return [*lines, "", *_times(measured, names, cases, paint), "", *_once(measured, names, paint)]


def _ratios(measured: Measured, names: list[str], cases: Sequence[str], wrong: set[int], paint: Paint) -> list[str]:
    rows = [("time, as a ratio", *_case_column(cases, "inputs"), "ratio", "95 % interval", "")]
    for item in measured.results:
        ratio = interval(item.ratio) if item.entry else ("1", "")
        verdict = "WRONG" if item.entry in wrong else item.verdict
        rows.append((names[item.entry], *_case_column(cases, cases[item.case]), *ratio, verdict))
    return table(rows, paint, 1 + (len(cases) > 1))


def _floors(measured: Measured, cases: Sequence[str], paint: Paint) -> list[str]:
    lines = []
    for case, (floor, control) in enumerate(zip(measured.floor, measured.control)):
        where = f" at {cases[case]}" if len(cases) > 1 else ""
        lines.append(f"noise floor{where}: {words.noise(floor, control)}")
    return [*lines, paint(words.effort(measured), QUIET)]


def _case_column(cases: Sequence[str], text: str) -> tuple[str, ...]:
    return (text,) if len(cases) > 1 else ()


def _times(measured: Measured, names: list[str], cases: Sequence[str], paint: Paint) -> list[str]:
    rates = any(item.throughput for item in measured.results)
    head = ("p50", "p90", "p99", "min", "MAD", "runs") + (("runs/s",) if rates else ())
    rows = [("one run", *_case_column(cases, "inputs"), *head, "")]
    for item in measured.results:
        if item.times is None:
            continue
        spread = item.times
        cells = [seconds(value) for value in (spread.p50, spread.p90, spread.p99, spread.minimum, spread.mad)]
        rate = (f"{item.throughput:.4g}" if item.throughput else NONE,) if rates else ()
        rows.append((names[item.entry], *_case_column(cases, cases[item.case]), *cells, str(spread.runs), *rate, ""))
    return table(rows, paint, 1 + (len(cases) > 1))


def _once(measured: Measured, names: list[str], paint: Paint) -> list[str]:
    head = ("import", "create", "first run", "second run", "peak private", "create, ratio", "95 % interval", "")
    rows = [("once", *head)]
    for item in measured.cold:
        times = [seconds(value) for value in (item.imported, item.created, item.first, item.second)]
        memory = f"{item.peak_private_mb:.0f} MB" if item.peak_private_mb is not None else NONE
        ratio = interval(item.ratio) if item.entry else ("1", "")
        rows.append((names[item.entry], *times, memory, *ratio, item.verdict))
    if len(names) == 1:
        return table([(*row[:6], "") for row in rows], paint)
    floor = words.percent(measured.cold_floor) if measured.cold_floor else "not measured, so nothing is claimed"
    return [*table(rows, paint), f"noise floor of creation: {floor}"]


def _problems(report: BenchReport, names: list[str], paint: Paint) -> list[str]:
    lines = []
    for name, item in zip(names, report.contestants):
        if item.reason:
            lines.append(f"{paint(words.status(item), item.status)}: {name}: {item.reason}")
        elif item.agreement and item.agreement.worst and not item.provider.is_cpu:
            worst = item.agreement.worst
            difference = f"largest difference {worst.absolute:.2g}, {words.share(worst)}"
            lines.append(f"outputs agree with the CPU provider: {name}, {difference}")
    return lines


def _placements(report: BenchReport, names: list[str]) -> list[str]:
    lines = []
    for name, item in zip(names, report.contestants):
        if counts := words.placed(item):
            shown = ", ".join(f"{count} on {provider}" for provider, count in counts.items())
            lines.append(f"nodes: {name} (onnxruntime {item.runtime}): {shown}")
    return lines


def _profiles(report: BenchReport, names: list[str], paint: Paint) -> list[str]:
    """Time by op, a column per contestant, the slowest ops of all first."""
    profiles = [(name, item.profile) for name, item in zip(names, report.contestants) if item.profile]
    if not profiles:
        return []
    slowest: dict[tuple[str, str], float] = {}
    for _, profile in profiles:
        for op in profile:
            key = (op.op, op.provider)
            slowest[key] = max(slowest.get(key, 0.0), op.seconds)
    rows = [("time by op, in a profiled run", *(name for name, _ in profiles), "")]
    for key in sorted(slowest, key=lambda item: (-slowest[item], item))[:SHOWN_OPS]:
        cells = [_share(profile, key) for _, profile in profiles]
        rows.append((f"  {key[0]} on {key[1].removesuffix('ExecutionProvider')}", *cells, ""))
    return ["", *table(rows, paint)]


def _share(profile: Sequence, key: tuple[str, str]) -> str:
    found = next((op for op in profile if (op.op, op.provider) == key), None)
    total = sum(op.seconds for op in profile)
    return f"{seconds(found.seconds)}  {found.seconds / total:4.0%}" if found and total else NONE


def render_optimize(report: OptimizeReport, paint: Paint = plain_paint) -> str:
    """The report of an optimisation."""
    verdict = paint(f"{report.verdict}.", "faster" if report.chosen is not None else HEADING)
    lines = [verdict, *([f"Written: {report.written}"] if report.written else []), ""]
    if report.confirmation and report.confirmed is not None:
        lines += [*_before_and_after(report, paint), ""]
    original, *candidates = words.candidate_rows(report)
    numbered = [(f"({index}) {name}", *cells) for index, (name, *cells) in enumerate(candidates, 1)]
    lines += table([words.CANDIDATE_HEAD, original, *numbered], paint)
    if report.screening:
        lines += [_worst_of(report), *_floors(report.screening, report.cases, paint)]
    lines += ["", *_ops(report, paint), ""]
    lines += [paint(f"note: {note}", QUIET) for note in report.notes]
    if report.bench:
        lines += ["", paint("Benchmark", HEADING), "", render_bench(report.bench, paint)]
    return _joined(lines)


def _worst_of(report: OptimizeReport) -> str:
    return f"ratios are the worst of {len(report.cases)} sizes" if len(report.cases) > 1 else ""


def _before_and_after(report: OptimizeReport, paint: Paint) -> list[str]:
    """What one candidate is against the original, in the measurement that decided."""
    best = report.candidates[report.confirmed]
    facts = [("", "before", "after", "ratio", "95 % interval", "")]
    for name, old, new, shown in (
        ("nodes", report.original.nodes, best.facts.nodes, str),
        ("size", report.original.size, best.facts.size, size),
    ):
        facts.append((name, shown(old), shown(new), f"{new / old:.3f}" if old else NONE, "", ""))
    measured = report.confirmation
    for case, label in enumerate(report.cases):
        rows = [row for row in measured.results if row.case == case and row.times]
        if len(rows) == 2:
            old, new = rows
            name = f"one run{f' at {label}' if len(report.cases) > 1 else ''}"
            facts.append((name, seconds(old.times.p50), seconds(new.times.p50), *interval(new.ratio), new.verdict))
    if len(measured.cold) == 2:
        old, new = measured.cold
        facts.append(("create", seconds(old.created), seconds(new.created), *interval(new.ratio), new.verdict))
        facts.append(("first run", seconds(old.first), seconds(new.first), "", "", ""))
    return [*table(facts, paint), *_floors(measured, report.cases, paint)]


def _ops(report: OptimizeReport, paint: Paint) -> list[str]:
    """Nodes by op, a column per candidate, numbered as in the table above."""
    rows = words.op_rows(report)
    if not rows:
        return []
    numbers = [f"({index})" for index in range(1, len(report.candidates) + 1)]
    shown = [(f"  {row[0]}", *row[1:], "") for row in rows[: 2 * SHOWN_OPS]]
    more = [f"  and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else []
    return [*table([("nodes by op", "original", *numbers, ""), *shown], paint), *more]


def _joined(lines: Sequence[str]) -> str:
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip("\n")
