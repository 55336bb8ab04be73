"""What a run prints: the findings in a format, the changes of fixes, statistics, and one closing line."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections import Counter

from onnx_lsp.cli.color import OF_SEVERITY, Paint, paint_for
from onnx_lsp.cli.output import FOR_PEOPLE, Context, shown_path
from onnx_lsp.cli.tasks import Result
from onnx_lsp.diagnostics import Applicability, Diagnostic, Severity
from onnx_lsp.settings import Resolver
from onnx_lsp.workspace import Workspace


class OutputError(ValueError):
    """The output cannot be written; the message names the file."""


def report(
    args: argparse.Namespace,
    resolver: Resolver,
    results: list[Result],
    found: list[Diagnostic],
    workspace: Workspace | None = None,
) -> None:
    """Prints a run.

    Args:
        workspace: where the text of scripts comes from, if not from the disk.

    Raises:
        OutputError: `--output-file` cannot be written.
    """
    for result in results:
        if result.refused:
            print(f"onnx-lint: {shown_path(result.path)}: not fixed: {result.refused}", file=sys.stderr)
    if args.diff:
        write("".join(result.diff for result in results), args.output_file)
        if not args.quiet:
            print(_would_change(args, results, found), file=sys.stderr)
        return
    paint = Paint(False) if args.output_file else paint_for(sys.stdout, args.color)
    if not args.fix_only:
        files = tuple(result.path for result in results)
        context = Context(paint, lambda file: resolver.resolve(file).rulebook(), workspace or Workspace(), files)
        text = _text(args, found, context)
        write(text + "\n" if text else "", args.output_file)
    if args.quiet:
        return
    stream = sys.stdout if args.output_format in FOR_PEOPLE and not args.output_file else sys.stderr
    if args.show_fixes:
        print(fixes_text(results), end="", file=stream)
    print(_closing(args, results, found), file=stream if stream.isatty() else sys.stderr)


def write(text: str, file: str | None) -> None:
    """Writes to a file, or to standard output.

    Raises:
        OutputError: the file cannot be written.
    """
    if file is None:
        sys.stdout.write(text)
        return
    try:
        with open(file, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise OutputError(f"{file}: the output cannot be written ({(error.strerror or str(error)).lower()})") from None


def _text(args: argparse.Namespace, found: list[Diagnostic], context: Context) -> str:
    if args.statistics:
        return _statistics(found, args.output_format, context.paint)
    return importlib.import_module(f"onnx_lsp.cli.output.{args.output_format}").render(found, context)


def _statistics(found: list[Diagnostic], output_format: str, paint: Paint) -> str:
    counts = Counter((item.code, item.name) for item in found)
    fixable = Counter(item.code for item in found if _has(item, Applicability.SAFE))
    worst = {code: min(item.severity for item in found if item.code == code) for code, _ in counts}
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    if output_format == "json":
        import json

        rows = [
            {"code": code, "name": name, "count": count, "fixable": fixable[code], "severity": worst[code].label}
            for (code, name), count in ordered
        ]
        return json.dumps(rows, indent=2)
    width = len(str(max(counts.values(), default=0)))
    return "\n".join(
        f"{count:>{width}} {paint(code, OF_SEVERITY[worst[code]], 'bold')} [{'*' if fixable[code] else ' '}] {name}"
        for (code, name), count in ordered
    )


def fixes_text(results: list[Result]) -> str:
    """The fixes that were applied, by file."""
    lines = []
    for result in results:
        if result.applied:
            lines.append(f"{shown_path(result.path)}:")
            counts = Counter(result.applied)
            lines += [f"  {count} × {fix.code} {fix.name}: {fix.title}" for fix, count in counts.items()]
    return "".join(f"{line}\n" for line in lines)


def _closing(args: argparse.Namespace, results: list[Result], found: list[Diagnostic]) -> str:
    changed = sum(len(result.applied) for result in results)
    if args.write_baseline:
        return f"Wrote {shown_path(args.write_baseline)} for {_plural(len(results), 'file')}."
    if args.fix_only:
        return f"Fixed {changed}."
    return summary(found, changed, len(results))


def _would_change(args: argparse.Namespace, results: list[Result], found: list[Diagnostic]) -> str:
    changes = sum(len(result.applied) for result in results)
    files = sum(bool(result.diff) for result in results)
    said = f"{_plural(changes, 'fix', 'fixes')} would change {_plural(files, 'file')}." if changes else "Nothing to fix."
    more = 0 if args.unsafe_fixes else sum(_has(item, Applicability.UNSAFE) for item in found)
    return f"{said} {more} more with `--unsafe-fixes`." if more else said


def summary(found: list[Diagnostic], changed: int, files: int) -> str:
    """One closing line: what was found, what was fixed, what a fix could do."""
    parts = [f"Fixed {changed}."] if changed else []
    if not files:
        return "Nothing to lint: no script or model is here that is neither ignored nor excluded."
    if not found:
        parts.append(f"No findings in {_plural(files, 'file')}.")
        return " ".join(parts)
    counts = Counter(item.severity for item in found)
    parts.append("Found " + ", ".join(_plural(counts[level], level.label) for level in Severity if counts[level]) + ".")
    safe = sum(_has(item, Applicability.SAFE) for item in found)
    unsafe = sum(_has(item, Applicability.UNSAFE) and not _has(item, Applicability.SAFE) for item in found)
    if safe:
        parts.append(f"{safe} fixable with `--fix`.")
    if unsafe:
        parts.append(f"{unsafe} {'more ' if safe else 'fixable '}with `--fix --unsafe-fixes`.")
    return " ".join(parts)


def _has(item: Diagnostic, applicability: Applicability) -> bool:
    return any(fix.applicability is applicability for fix in item.fixes)


def _plural(number: int, noun: str, several: str = "") -> str:
    return f"{number} {noun if number == 1 else several or noun + 's'}"
