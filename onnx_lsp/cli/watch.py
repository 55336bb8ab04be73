"""`--watch`: lints again whenever a file, a configuration or something that a finding depends on changes."""

from __future__ import annotations

import argparse
import sys
import time

from onnx_lsp.cache import Signature, signature
from onnx_lsp.cli.check import judged, lint
from onnx_lsp.cli.files import PathError, discover
from onnx_lsp.cli.main import CLEAN
from onnx_lsp.cli.report import report
from onnx_lsp.settings import Resolver, SettingsError

PAUSE = 0.3  # seconds between two looks; nothing tells every file system's changes to every system's programs
WIPE = "\x1b[2J\x1b[H"

State = dict[str, Signature]


def watch(args: argparse.Namespace, resolver: Resolver) -> int:
    """Lints until it is interrupted; a configuration that cannot be used is said, and waited out."""
    seen: State | None = None
    depended: set[str] = set()
    try:
        while True:
            resolver.clear()
            try:
                paths = discover(args.paths or ["."], resolver)
                state = _state(paths, depended, resolver)
                if state != seen:
                    needs = _round(args, resolver, paths)
                    # Files as they were before the round: what changed while it ran must be linted again.
                    state = {path: signature(path) for path in needs} | _state(paths, needs & depended, resolver, state)
                    depended = needs
            except (SettingsError, PathError) as error:
                state = {str(error): None}
                if state != seen:
                    print(f"onnx-lint: {error}", file=sys.stderr, flush=True)
            seen = state
            time.sleep(PAUSE)
    except KeyboardInterrupt:
        return CLEAN


def _state(paths: list[str], depended: set[str], resolver: Resolver, known: State | None = None) -> State:
    """The signatures of everything that matters: those in `known`, else as they are now."""
    known = known or {}
    sources = {source for path in paths if (source := resolver.source(path))}
    return {path: known[path] if path in known else signature(path) for path in {*paths, *depended, *sources}}


def _round(args: argparse.Namespace, resolver: Resolver, paths: list[str]) -> set[str]:
    """One run; returns what its findings depend on."""
    results = lint(args, resolver, paths)
    if sys.stdout.isatty():
        sys.stdout.write(WIPE)
    report(args, resolver, results, judged(args, resolver, results))
    sys.stdout.flush()
    return {need for result in results for need in result.dependencies}
