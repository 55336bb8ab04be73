"""`onnx-lint verify`: is this still the same model?"""

from __future__ import annotations

import argparse

from onnx_lsp.actions.rewrite import verify
from onnx_lsp.cli.bench import add_output, memory, perform
from onnx_lsp.cli.rewriting import add_questions, questions

DESCRIPTION = """\
Hold a model against the one it was made from: the full check, the interface (names, types, dimensions), and the outputs
on the same inputs, at two sizes of every dynamic dimension, on the CPU provider.
"""
EPILOG = """\
examples:
  onnx-lint verify model.onnx optimized.onnx
  onnx-lint verify model.onnx model.int8.onnx --tolerance 0.05 --inputs real.npz

exit codes: 0 the same model, 1 not the same, 2 could not run
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "verify",
        help="is this still the same model?",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    for name in ("ORIGINAL", "MODEL"):
        parser.add_argument("models", metavar=name, action="append")
    add_questions(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Compares and prints."""

    def action(settings, progress, cancel):
        return verify(*args.models, questions(args, settings), progress, cancel, memory(args, settings, args.models))

    return perform(args, action)
