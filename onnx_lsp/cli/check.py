"""`onnx-lint check`: lints files and folders, prints the findings, applies fixes."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections import Counter

from onnx_lsp.cli.files import PathError, discover
from onnx_lsp.cli.lint import Linter
from onnx_lsp.cli.main import CLEAN, COULD_NOT_RUN, FINDINGS
from onnx_lsp.cli.output import FORMATS
from onnx_lsp.diagnostics import Applicability, Diagnostic, Severity
from onnx_lsp.engine import kind_of
from onnx_lsp.settings import Resolver, SettingsError

DESCRIPTION = """\
Lint export scripts (.py) and models (.onnx). A rule is named by its code (EXP206), a prefix (EXP), its name
(missing-dynamic-axes) or ALL. Hints are shown only for rules that are selected explicitly.
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("check", help="find and fix faults", description=DESCRIPTION)
    parser.add_argument("paths", nargs="*", metavar="PATH", default=["."], help="files and folders (default: .)")
    rules = parser.add_argument_group("rules")
    rules.add_argument("--select", action="append", metavar="RULES", help="run only these rules (comma-separated)")
    rules.add_argument("--ignore", action="append", metavar="RULES", help="do not run these rules")
    fixes = parser.add_argument_group("fixes")
    fixes.add_argument("--fix", action="store_true", help="apply safe fixes")
    fixes.add_argument("--unsafe-fixes", action="store_true", help="with --fix or --diff: apply unsafe fixes too")
    fixes.add_argument("--diff", action="store_true", help="print what --fix would change, and change nothing")
    output = parser.add_argument_group("output")
    output.add_argument("--output-format", choices=FORMATS, default="concise", help="default: concise")
    output.add_argument("--fail-on", choices=[level.label for level in Severity], help="exit 1 from here (warning)")
    config = parser.add_argument_group("configuration")
    config.add_argument("--config", metavar="FILE", help="use this configuration file for every path")
    config.add_argument("--isolated", action="store_true", help="ignore all configuration files")


def run(args: argparse.Namespace) -> int:
    """Lints, fixes and prints; returns the exit code."""
    try:
        resolver = Resolver(overlay(args), args.config, args.isolated)
        paths = discover(args.paths, resolver)
        with Linter(resolver) as linter:
            return _check(args, paths, linter)
    except (SettingsError, PathError) as error:
        print(f"onnx-lint: {error}", file=sys.stderr)
        return COULD_NOT_RUN


def overlay(args: argparse.Namespace) -> dict:
    """The settings that the command line overrides, as a configuration table."""
    table: dict[str, object] = {}
    for key in ("select", "ignore"):
        if values := getattr(args, key):
            table[key] = [code.strip() for value in values for code in value.split(",") if code.strip()]
    if args.fail_on:
        table["fail-on"] = args.fail_on
    return table


def _check(args: argparse.Namespace, paths: list[str], linter: Linter) -> int:
    models = [path for path in paths if kind_of(path) == "model"]
    if models:
        linter.expect_models(models[0])
    found: list[Diagnostic] = []
    changed = 0
    for path in paths:
        if args.fix or args.diff:
            from onnx_lsp.cli.fix import fix

            result = fix(path, linter, unsafe=args.unsafe_fixes, write=not args.diff)
            changed += result.applied
            if args.diff:
                sys.stdout.write(result.diff)
            items = result.remaining
        else:
            items = linter.lint(path)
        found += shown(items, linter.resolver)
    found.sort(key=lambda item: item.sort_key)
    if not args.diff:
        _print(args, found, changed, len(paths))
    failing = any(item.severity <= linter.resolver.resolve(item.file).fail_on for item in found)
    return FINDINGS if failing or (args.diff and changed) else CLEAN


def shown(items: list[Diagnostic], resolver: Resolver) -> list[Diagnostic]:
    """Without the hints of rules that nobody selected explicitly."""
    if not any(item.severity is Severity.HINT for item in items):
        return items
    explicit = resolver.resolve(items[0].file).selection(items[0].file).explicit
    return [item for item in items if item.severity is not Severity.HINT or item.code in explicit]


def _print(args: argparse.Namespace, found: list[Diagnostic], changed: int, files: int) -> None:
    text = importlib.import_module(f"onnx_lsp.cli.output.{args.output_format}").render(found)
    if text:
        print(text)
    if args.output_format != "json":
        print(summary(found, changed, files), file=sys.stderr if not sys.stdout.isatty() else sys.stdout)


def summary(found: list[Diagnostic], changed: int, files: int) -> str:
    """One closing line: what was found, what was fixed, what a fix could do."""
    parts = [f"Fixed {changed}."] if changed else []
    if not found:
        parts.append(f"No findings in {files} file{'s' * (files != 1)}.")
        return " ".join(parts)
    counts = Counter(item.severity for item in found)
    parts.append("Found " + ", ".join(_count(counts[level], level) for level in Severity if counts[level]) + ".")
    safe = sum(any(fix.applicability is Applicability.SAFE for fix in item.fixes) for item in found)
    unsafe = sum(any(fix.applicability is Applicability.UNSAFE for fix in item.fixes) for item in found)
    if safe:
        parts.append(f"{safe} fixable with `--fix`.")
    if unsafe:
        parts.append(f"{unsafe} more with `--fix --unsafe-fixes`.")
    return " ".join(parts)


def _count(number: int, level: Severity) -> str:
    noun = "information" if level is Severity.INFO else level.label + "s" * (number != 1)
    return f"{number} {noun}"
