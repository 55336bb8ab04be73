"""`onnx-lint view`: prints a model as text.

It reads in this process, not in a child: nothing runs but this package's walk over the file and protobuf's parser of a
small message without weights, and there is no other file that must go on if it fails.
"""

from __future__ import annotations

import argparse
import sys

from onnx_lsp.cli.main import CLEAN, complain
from onnx_lsp.engine import os_reason

EPILOG = """\
examples:
  onnx-lint view model.onnx                        one line per input, initializer, node
  onnx-lint view model.onnx --path 'graph/node[5]' one node, with its bodies
  onnx-lint view model.onnx --full > model.onnxtxt  everything, as text that onnx-lint reads back
  git config diff.onnx.textconv 'onnx-lint view'   git shows what changed in a model (docs/git.md)
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "view",
        help="print a model as text",
        description="Print a model as text: ONNX's own syntax, one line per item, weights by type, size and digest.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--metadata", action="store_true", help="also show doc strings and metadata")
    parser.add_argument("--path", metavar="PATH", help="show one item, such as graph/node[5] or graph/initializer[\"w\"]")
    parser.add_argument(
        "--weights", choices=("digest", "place", "none"),
        help="what stands for big tensors: a hash of their bytes (default), where they lie, or nothing",
    )  # fmt: skip
    parser.add_argument(
        "--full", action="store_true", help="leave nothing out but big weights: all values, metadata, every node"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the model, or the item that was asked for."""
    from onnx_lsp.model import reading

    try:
        found = reading.read(args.model)
    except OSError as error:
        return complain(f"{args.model}: {os_reason(error)}")
    if not found.usable:
        # One comment and no failure: a `git log -p` must not end where a model was once broken.
        _write([f"# no ONNX model: {reading.why_not(found)}"])
        return CLEAN
    return _show(args, found.model)


def _show(args: argparse.Namespace, model) -> int:
    from onnx_lsp.model import text

    style = _style(args)
    shown = text.item(model, args.path, style) if args.path else text.render(model, style)
    if shown is None:
        return complain(f"{args.model} has no `{args.path}`{_nearest(args.path, model)}")
    _write(shown.lines)
    return CLEAN


def _style(args: argparse.Namespace):
    from dataclasses import replace

    from onnx_lsp.model.text.style import FULL, VIEW, Weights

    style = FULL if args.full else replace(VIEW, metadata=args.metadata, weights=Weights.DIGEST)
    return replace(style, weights=Weights(args.weights)) if args.weights else style


def _nearest(path: str, model) -> str:
    from difflib import get_close_matches

    scope = next((item for item in model.scopes if path.startswith(f"{item.path}/node[")), None)
    if scope is not None:
        return f"; `{scope.path}` has {len(scope.nodes)} nodes, counted from 0"
    close = get_close_matches(path, [item.path for item in model.scopes], 1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _write(lines: list[str]) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    sys.stdout.buffer.flush()
