"""`onnx-lint check`: lints files and folders, prints the findings, applies fixes."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

from onnx_lsp.cli import options
from onnx_lsp.cli.files import PathError, discover
from onnx_lsp.cli.lint import lint_all
from onnx_lsp.cli.main import CLEAN, COULD_NOT_RUN, FINDINGS, complain
from onnx_lsp.cli.report import OutputError, report
from onnx_lsp.cli.tasks import Mode, Result, is_shown
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.settings import Resolver, SettingsError

add_parser = options.add_parser


class UsageError(ValueError):
    """Options that do not go together."""


def run(args: argparse.Namespace) -> int:
    """Lints, fixes and prints; returns the exit code."""
    try:
        _consistent(args)
        resolver = Resolver(options.overlay(args), options.config_file(args), args.isolated)
        return _run(args, resolver)
    except (SettingsError, PathError, OutputError, UsageError) as error:
        return complain(str(error))
    except ValueError as error:
        if type(error).__name__ != "BaselineError":  # not imported unless a baseline is in use
            raise
        return complain(str(error))


def _consistent(args: argparse.Namespace) -> None:
    fixing = args.fix or args.fix_only or args.diff
    if args.unsafe_fixes and not fixing:
        raise UsageError("--unsafe-fixes goes with --fix, --fix-only or --diff")
    if args.backup and not (args.fix or args.fix_only):
        raise UsageError("--backup goes with --fix or --fix-only")
    if args.jobs is not None and args.jobs < 1:
        raise UsageError(f"--jobs must be at least 1, not {args.jobs}")
    if args.add_ignores and fixing:
        raise UsageError("--add-ignores does not go with fixing: fix first, then excuse what remains")
    if args.watch and (args.diff or args.add_ignores or args.write_baseline):
        raise UsageError("--watch only lints, or fixes with --fix")
    if args.isolated and any(not options.is_assignment(value) for value in args.config or ()):
        raise UsageError("--isolated ignores configuration files, and --config names one")
    if args.stdin_filename and args.paths not in ([], ["-"]):
        raise UsageError("--stdin-filename goes with `-`, standard input, and with no other path")


def _run(args: argparse.Namespace, resolver: Resolver) -> int:
    if args.paths == ["-"] or args.stdin_filename:
        from onnx_lsp.cli import stdin

        return stdin.run(args, resolver)
    paths = discover(args.paths or ["."], resolver)
    if args.show_files:
        from onnx_lsp.cli.output import shown_path

        print("".join(f"{shown_path(path)}\n" for path in paths), end="")
        return CLEAN
    if args.show_settings:
        from onnx_lsp.cli.show import show_settings

        return show_settings((args.paths or ["."])[0], resolver)
    if args.watch:
        from onnx_lsp.cli.watch import watch

        return watch(args, resolver)
    if args.add_ignores:
        from onnx_lsp.cli.add_ignores import add_ignores

        return add_ignores(paths, resolver)
    return once(args, resolver, paths)


def once(args: argparse.Namespace, resolver: Resolver, paths: list[str]) -> int:
    """Lints the paths, prints what was found and returns the exit code."""
    if not args.quiet:
        _note_targets(resolver.resolve((args.paths or ["."])[0]).targets)
    results = lint(args, resolver, paths)
    found = judged(args, resolver, results)
    report(args, resolver, results, found)
    return exit_code(args, resolver, results, found)


def _note_targets(asked: tuple[str, ...]) -> None:
    """Says on standard error which version answers for one that no table covers."""
    for text in asked:
        from onnx_lsp.targets import parse

        target = parse(text)
        if "@" in text and not target.sure:
            print(f"onnx-lint: note: target `{text}`: {target.note}", file=sys.stderr)


def lint(args: argparse.Namespace, resolver: Resolver, paths: list[str]) -> list[Result]:
    """The results of the paths, with a progress line where somebody watches."""
    from onnx_lsp.cli.progress import Progress

    mode = Mode(args.fix or args.fix_only or args.diff, args.unsafe_fixes, not args.diff, args.backup)
    cache = _cache(args, resolver)
    if mode.fix and mode.write:
        from onnx_lsp import atomic

        for folder in {os.path.dirname(path) for path in paths}:
            atomic.sweep(folder)
    with Progress(sys.stderr, hidden=args.quiet) as progress:
        results = lint_all(paths, resolver, mode, args.jobs, cache, progress)
    if cache:
        cache.prune()
    return results


def _cache(args: argparse.Namespace, resolver: Resolver):
    if args.no_cache:
        return None
    from onnx_lsp.cache import Cache, default_folder

    settings = resolver.resolve((args.paths or ["."])[0])
    if settings.cache_dir is None:
        return Cache(default_folder())
    root = settings.root if "cache-dir" not in resolver.overlay else os.getcwd()
    return Cache(os.path.join(root, os.path.expanduser(settings.cache_dir)))


def judged(args: argparse.Namespace, resolver: Resolver, results: list[Result]) -> list[Diagnostic]:
    """The findings that are reported: no unasked hints, nothing that a baseline lists, sorted."""
    found = [item for result in results for item in result.findings if is_shown(item, resolver.resolve(result.path))]
    if args.write_baseline:
        from onnx_lsp import baseline

        baseline.write(args.write_baseline, found)
        return []
    by_baseline: dict[str | None, list[Result]] = {}
    for result in results:
        by_baseline.setdefault(_baseline_of(result.path, resolver), []).append(result)
    if set(by_baseline) - {None}:
        found = [item for path, group in by_baseline.items() for item in _fresh(path, group, found, resolver)]
    return sorted(found, key=lambda item: item.sort_key)


def _baseline_of(path: str, resolver: Resolver) -> str | None:
    settings = resolver.resolve(path)
    if settings.baseline is None or "baseline" in resolver.overlay:
        return settings.baseline
    return os.path.join(settings.root, settings.baseline)


def _fresh(path: str | None, results: list[Result], found: list[Diagnostic], resolver: Resolver) -> list[Diagnostic]:
    files = [os.path.abspath(result.path) for result in results]
    mine = [item for item in found if item.file in set(files)]
    if path is None:
        return mine
    from onnx_lsp import baseline
    from onnx_lsp.cli.output import shown_path

    compared = baseline.compare(path, mine, files)
    return [
        *compared.fresh,
        *(
            _gone(file, count, shown_path(path), resolver)
            for file, count in compared.gone.items()
            if _says_gone(file, resolver)
        ),
    ]


def _says_gone(file: str, resolver: Resolver) -> bool:
    return "FIL010" in resolver.resolve(file).selection(file).enabled


def _gone(file: str, count: int, source: str, resolver: Resolver) -> Diagnostic:
    from onnx_lsp.checks import Report

    settings = resolver.resolve(file)
    report = Report(settings.rulebook(), file, lambda at: None)
    report.code = "FIL010"
    report("baseline", source=source, count=count, s="s" * (count != 1), are="are" if count != 1 else "is")
    return replace(report.found[0], severity=settings.severity.get("FIL010", report.found[0].severity))


def exit_code(args: argparse.Namespace, resolver: Resolver, results: list[Result], found: list[Diagnostic]) -> int:
    """What the run means to a script: 0, 1 or 2."""
    if any(result.refused for result in results):
        return COULD_NOT_RUN
    if args.exit_zero:
        return CLEAN
    if args.diff:
        return FINDINGS if any(result.diff for result in results) else CLEAN
    if args.fix_only:
        return CLEAN
    return FINDINGS if any(item.severity <= resolver.resolve(item.file).fail_on for item in found) else CLEAN
