"""`onnx-lint check -`: lints, or fixes, a script that comes over standard input."""

from __future__ import annotations

import argparse
import os
import sys

from onnx_lsp import engine
from onnx_lsp.cli.check import exit_code, judged
from onnx_lsp.cli.main import CLEAN, complain
from onnx_lsp.cli.report import report
from onnx_lsp.cli.tasks import Result
from onnx_lsp.settings import Resolver
from onnx_lsp.workspace import Workspace, decode

NAME = "stdin.py"


def run(args: argparse.Namespace, resolver: Resolver) -> int:
    """Lints the text under the name of `--stdin-filename`; with `--fix`, prints the fixed text instead of writing it."""
    name = args.stdin_filename or NAME
    if engine.kind_of(name) != "script":
        return complain(f"only scripts are read from standard input, and `{name}` is none")
    settings = resolver.resolve(name)
    source = decode(sys.stdin.buffer.read())
    if settings.force_exclude and settings.excludes(os.path.abspath(name)):
        if args.fix or args.fix_only:
            sys.stdout.buffer.write(source.text.encode(source.encoding))
        return CLEAN
    path = os.path.abspath(name)
    if args.fix or args.fix_only or args.diff:
        return _fix(args, resolver, path, source)
    found = engine.lint_script(path, settings, Workspace({path: source.text}))
    results = [Result(path, tuple(found))]
    remaining = judged(args, resolver, results)
    report(args, resolver, results, remaining, Workspace({path: source.text}))
    return exit_code(args, resolver, results, remaining)


def _fix(args: argparse.Namespace, resolver: Resolver, path: str, source) -> int:
    from onnx_lsp.cli.fix import diff, fixed_text

    text, applied, found = fixed_text(path, source.text, resolver.resolve(path), args.unsafe_fixes)
    change = diff(path, source.text, text) if args.diff else ""
    results = [Result(path, tuple(found), tuple(applied), change)]
    remaining = judged(args, resolver, results)
    if args.diff:
        sys.stdout.write(change)
    else:
        sys.stdout.buffer.write(text.encode(source.encoding))
    return exit_code(args, resolver, results, remaining)
