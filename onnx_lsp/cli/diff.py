"""`onnx-lint diff`: says what differs between two models.

Like `view`, it reads in this process: this package's walk over the files, protobuf's parser, and SHA-256.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnx_lsp.cli.main import complain
from onnx_lsp.engine import os_reason

if TYPE_CHECKING:
    from onnx_lsp.model.compare import Change

SAME, DIFFERENT = 0, 1
SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LIMIT = 50  # changes of one kind in one graph, before the rest is counted
EPILOG = """\
exit codes: 0 the models are the same, 1 they differ, 2 they could not be compared
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "diff",
        help="say what differs between two models",
        description="Say what differs between two models: nodes, types, weights, whatever their values are called.",
        epilog=EPILOG,
    )
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    parser.add_argument("--no-weights", action="store_true", help="compare the types of weights, and do not read them")
    parser.add_argument("--all", action="store_true", help="show every change, however many there are")
    parser.add_argument("--output-format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> int:
    """Compares, prints, and returns the exit code."""
    from onnx_lsp.model import reading

    models = []
    for path in (args.before, args.after):
        try:
            found = reading.read(path)
        except OSError as error:
            return complain(f"{path}: {os_reason(error)}")
        if not found.usable:
            return complain(f"{path}: no ONNX model: {reading.why_not(found)}")
        models.append(found.model)
    from onnx_lsp.model.compare import compare

    changes = compare(*models, weights=not args.no_weights)
    lines = _json(changes) if args.output_format == "json" else _text(changes, args)
    sys.stdout.flush()
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    sys.stdout.buffer.flush()
    return DIFFERENT if changes else SAME


def _json(changes: list[Change]) -> Iterator[str]:
    import json
    from dataclasses import asdict

    yield json.dumps([{key: value for key, value in asdict(item).items() if value} for item in changes], indent=2)


def _text(changes: list[Change], args: argparse.Namespace) -> Iterator[str]:
    if not changes:
        return
    yield f"--- {args.before}"
    yield f"+++ {args.after}"
    scope = ""
    shown: dict[tuple, int] = {}
    for item in changes:
        if item.scope != scope:
            scope = item.scope
            yield f"@@ {scope} @@"
        count = shown[item.kind, item.scope, item.what] = shown.get((item.kind, item.scope, item.what), 0) + 1
        if count <= LIMIT or args.all:
            yield _line(item)
    hidden = sum(count - LIMIT for count in shown.values() if count > LIMIT)
    if hidden and not args.all:
        yield f"… {hidden} more changes (--all shows them)"
    yield _summary(changes)


def _line(item: Change) -> str:
    old, new = (path.rpartition("/")[2] for path in (item.before, item.after))
    place = new or old
    if item.what == "node":
        place = f"{old} -> {new}" if old and new and old != new else place
        what = f"{place}: {item.item}"
    else:
        what = f"{item.what} {item.item}"
    return f"{SIGNS[item.kind]} {what}{f': {item.detail}' if item.detail else ''}"


def _summary(changes: list[Change]) -> str:
    counts: dict[str, dict[str, int]] = {}
    for item in changes:
        of_kind = counts.setdefault(item.what, {})
        of_kind[item.kind] = of_kind.get(item.kind, 0) + 1
    return "; ".join(
        f"{what}: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}" for what, kinds in counts.items()
    )
