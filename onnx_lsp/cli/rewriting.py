"""The options that `convert`, `quantize` and `verify` share."""

from __future__ import annotations

import argparse
import os

from onnx_lsp.actions.proof import Questions
from onnx_lsp.cli.bench import sizes
from onnx_lsp.settings import Settings


def add_writing(parser: argparse.ArgumentParser, default: str) -> None:
    """Adds the options for where the result goes."""
    parser.add_argument("-o", "--output", default="", metavar="FILE", help=f"default: {default} beside the model")
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it exists")


def add_questions(parser: argparse.ArgumentParser, tolerance: float | None = None) -> None:
    """Adds the options for what both models are asked."""
    shown = f" ({tolerance})" if tolerance else ""
    inputs = parser.add_argument_group("inputs")
    inputs.add_argument("--dim", action="append", default=[], metavar="NAME=SIZES", help="batch=1,8 or seq=16..512")
    inputs.add_argument("--inputs", default="", metavar="FILE.npz", help="use these arrays, by input name")
    inputs.add_argument("--seed", type=int, default=0, help="of the made-up inputs")
    inputs.add_argument(
        "--tolerance", type=float, default=tolerance, help=f"largest error, as a share of an output's largest value{shown}"
    )
    inputs.add_argument("--threads", type=int, default=1, help="intra-op threads, 0: all cores (1)")
    inputs.add_argument("--memory", type=int, metavar="MB", help="private memory of one child")


def questions(args: argparse.Namespace, settings: Settings) -> Questions:
    """What the options ask of both models."""
    return Questions(sizes(args, settings), args.inputs, args.seed, args.threads, args.tolerance)


def output(args: argparse.Namespace, label: str) -> str:
    """Where the result goes: `model.LABEL.onnx` beside `model.onnx`, unless it was said."""
    stem, suffix = os.path.splitext(args.model)
    return args.output or f"{stem}.{label}{suffix}"
