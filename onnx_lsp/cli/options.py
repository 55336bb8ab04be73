"""The options of `onnx-lint check`, and the settings that they stand for."""

from __future__ import annotations

import argparse
import os

from onnx_lsp.cli.output import FORMATS
from onnx_lsp.diagnostics import Severity
from onnx_lsp.settings import KEYS, SettingsError

DESCRIPTION = """\
Find faults in export scripts (.py, .ipynb) and models (.onnx, .onnxtxt), and fix them. A rule is named by its code
(EXP206), a prefix (EXP), its name (missing-dynamic-axes) or ALL. Hints are shown only for rules that are selected.
"""
EPILOG = """\
examples:
  onnx-lint check                                   everything below this folder
  onnx-lint check export.py --diff                  what would --fix change?
  onnx-lint check . --select EXP --ignore EXP506    one family, without one rule
  onnx-lint check . --severity EXP206=error         take a rule more seriously
  onnx-lint check . --write-baseline lint.json      accept what is there today;
  onnx-lint check . --baseline lint.json            from now on, only what is new
  onnx-lint check . --output-format sarif --output-file lint.sarif
  cat export.py | onnx-lint check - --stdin-filename export.py

exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run
"""
NUMBERLIKE = {"torch", "baseline", "cache-dir"}  # taken as they stand: `torch=2.10` is not the number 2.1
LISTS = {"select", "extend-select", "ignore", "exclude", "extend-exclude", "targets", "rule-paths"}


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the parser of `check`."""
    parser = commands.add_parser("check", help="find and fix faults", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders (default: .); - is standard input")
    _rules(parser.add_argument_group("rules"))
    _fixes(parser.add_argument_group("fixes"))
    _adoption(parser.add_argument_group("adoption"))
    _output(parser.add_argument_group("output"))
    _files(parser.add_argument_group("files"))
    _configuration(parser.add_argument_group("configuration"))
    _running(parser.add_argument_group("running"))


def _rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--select", action="append", metavar="RULES", help="run only these rules (comma-separated)")
    group.add_argument("--extend-select", action="append", metavar="RULES", help="run these too, hints included")
    group.add_argument("--ignore", action="append", metavar="RULES", help="do not run these")
    group.add_argument(
        "--severity", action="append", metavar="RULES=LEVEL", help="error, warning, info or hint, per rule"
    )
    group.add_argument(
        "--per-file-ignores", action="append", metavar="PATTERN:RULES", help="do not run these rules on these files"
    )
    group.add_argument("--target", action="append", metavar="RUNTIME", help="a runtime that the models must run on")
    group.add_argument("--deep", action="store_true", help="read all weights, however long it takes")


def _fixes(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--fix", action="store_true", help="apply safe fixes, and report what remains")
    group.add_argument("--fix-only", action="store_true", help="apply safe fixes, and report nothing else")
    group.add_argument("--unsafe-fixes", action="store_true", help="with one of these: apply unsafe fixes too")
    group.add_argument("--diff", action="store_true", help="print what --fix would change, and change nothing")
    group.add_argument("--backup", action="store_true", help="keep what a fix replaces, as NAME.bak beside it")
    group.add_argument("--show-fixes", action="store_true", help="list the fixes that were applied")


def _adoption(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--add-ignores", action="store_true", help="write an ignore comment for every script finding")
    group.add_argument("--baseline", metavar="FILE", help="leave out the findings that this file lists")
    group.add_argument("--write-baseline", metavar="FILE", help="list today's findings in this file")


def _output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--output-format", choices=FORMATS, default="full", metavar="FORMAT", help=f"{', '.join(FORMATS)} (full)"
    )
    group.add_argument("--output-file", metavar="FILE", help="write the findings there")
    group.add_argument("--statistics", action="store_true", help="print how often each rule was broken instead")
    group.add_argument("--fail-on", metavar="LEVEL", help="exit 1 from this severity on (warning)")
    group.add_argument("--exit-zero", action="store_true", help="exit 0 whatever was found")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="auto: on a terminal")
    group.add_argument("--quiet", "-q", action="store_true", help="no closing line, no progress")


def _files(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--exclude", action="append", metavar="PATTERNS", help="leave these out, instead of the usual")
    group.add_argument("--extend-exclude", action="append", metavar="PATTERNS", help="leave these out too")
    group.add_argument("--force-exclude", action="store_true", help="leave out excluded files even when named")
    group.add_argument("--no-respect-gitignore", action="store_true", help="lint what git ignores too")
    group.add_argument("--stdin-filename", metavar="PATH", help="lint standard input as if it were this script")
    group.add_argument("--show-files", action="store_true", help="print the files that would be linted, and stop")


def _configuration(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--config", action="append", metavar="FILE|KEY=VALUE", help="one configuration file for every path, or one key"
    )
    group.add_argument("--isolated", action="store_true", help="ignore all configuration files")
    group.add_argument("--show-settings", action="store_true", help="print the settings of the first path, and stop")


def _running(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--jobs", "-j", type=int, metavar="N", help="processes (default: one per core)")
    group.add_argument("--no-cache", action="store_true", help="lint everything anew, remember nothing")
    group.add_argument("--cache-dir", metavar="FOLDER", help="where results are remembered")
    group.add_argument("--watch", "-w", action="store_true", help="lint again whenever a file changes")


def config_file(args: argparse.Namespace) -> str | None:
    """The configuration file that `--config` names, if one does.

    Raises:
        SettingsError: more than one file is named.
    """
    files = [value for value in args.config or () if not is_assignment(value)]
    if len(files) > 1:
        raise SettingsError(f"--config names two files, `{files[0]}` and `{files[1]}`")
    return files[0] if files else None


def is_assignment(value: str) -> bool:
    """Whether a value of `--config` is `KEY=VALUE` and no file."""
    return "=" in value and not os.path.exists(value)


def overlay(args: argparse.Namespace) -> dict:
    """The settings that the command line overrides, as a configuration table.

    Raises:
        SettingsError: an option's value cannot be understood.
    """
    table: dict[str, object] = {}
    for text in args.config or ():
        if is_assignment(text):
            _assign(table, text)
    for key in ("select", "extend-select", "ignore", "exclude", "extend-exclude"):
        if values := getattr(args, key.replace("-", "_")):
            table[key] = _split(values)
    if args.target:
        table["targets"] = _split(args.target)
    if args.severity:
        table["severity"] = table.get("severity", {}) | dict(_pair("--severity", "=", text) for text in args.severity)
    if args.per_file_ignores:
        pairs = [_pair("--per-file-ignores", ":", text) for text in args.per_file_ignores]
        table["per-file-ignores"] = {pattern: _split([rules]) for pattern, rules in pairs}
    for key in ("fail-on", "baseline", "cache-dir"):
        if value := getattr(args, key.replace("-", "_")):
            table[key] = value
    if args.deep:
        table["deep"] = True
    if args.force_exclude:
        table["force-exclude"] = True
    if args.no_respect_gitignore:
        table["respect-gitignore"] = False
    return table


def _split(values: list[str]) -> list[str]:
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def _pair(option: str, separator: str, text: str) -> tuple[str, str]:
    left, found, right = text.rpartition(separator)
    if not found or not left.strip() or not right.strip():
        wanted = f"RULE=LEVEL, such as EXP206={Severity.ERROR.label}" if separator == "=" else "PATTERN:RULES"
        raise SettingsError(f"{option} cannot be `{text}`; expected {wanted}")
    return left.strip(), right.strip()


def _assign(table: dict, text: str) -> None:
    """Puts one `KEY=VALUE` of `--config` into the table; the value is TOML, or plain text where it is not."""
    import tomllib

    key, _, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if key not in KEYS and key.partition(".")[0] not in KEYS:
        from onnx_lsp.cli.parsing import closest

        raise SettingsError(f"--config: unknown key `{key}`{closest(key, sorted(KEYS))}")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    if key in NUMBERLIKE and not isinstance(parsed, str):
        parsed = value
    if key in LISTS and isinstance(parsed, str):
        parsed = _split([parsed])
    outer, dot, inner = key.partition(".")
    if dot:
        table.setdefault(outer, {})[inner] = parsed
    else:
        table[key] = parsed
