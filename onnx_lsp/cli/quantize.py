"""`onnx-lint quantize`: weights as 8-bit integers, and what that costs in accuracy."""

from __future__ import annotations

import argparse

from onnx_lsp.actions.rewrite import RewriteRequest, rewrite
from onnx_lsp.cli.bench import add_output, memory, perform
from onnx_lsp.cli.rewriting import add_questions, add_writing, output, questions

DESCRIPTION = """\
Store the weights of matrix products as 8-bit integers (dynamic quantization by onnxruntime). Numbers change: the
report says by how much, and a result that differs by more than --tolerance is not written. Whether it is faster,
`onnx-lint bench MODEL RESULT` measures.
"""
EPILOG = """\
examples:
  onnx-lint quantize model.onnx                    writes model.int8.onnx
  onnx-lint quantize model.onnx --tolerance 0.02   only if no output moves by more than 2 % of its largest value
  onnx-lint quantize model.onnx --inputs real.npz  judge by real inputs: made-up ones are noise

exit codes: 0 quantized, 1 it differs by too much and was not written, 2 could not run
"""
TOLERANCE = 0.1  # of an output's largest value


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "quantize",
        help="store weights as 8-bit integers, and say what it costs",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--unsigned", action="store_true", help="uint8 weights (older processors without VNNI)")
    parser.add_argument("--per-channel", action="store_true", help="one scale per output channel: more exact")
    add_writing(parser, "MODEL.int8.onnx")
    add_questions(parser, TOLERANCE)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Quantizes and prints."""
    options = {"unsigned": args.unsigned, "per_channel": args.per_channel}

    def action(settings, progress, cancel):
        asked, limit = questions(args, settings), memory(args, settings, [args.model])
        request = RewriteRequest(args.model, "quantize", options, output(args, "int8"), args.overwrite, asked, memory=limit)
        return rewrite(request, progress, cancel)

    return perform(args, action)
