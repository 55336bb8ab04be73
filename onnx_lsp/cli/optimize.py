"""`onnx-lint optimize`: the guarded portfolio, from the command line."""

from __future__ import annotations

import argparse

from onnx_lsp.actions.optimize import GOALS, OptimizeRequest, optimize
from onnx_lsp.actions.providers import Provider
from onnx_lsp.cli.bench import add_measuring, add_output, memory, perform, plan, providers, sizes
from onnx_lsp.settings import Settings

DESCRIPTION = """\
Optimise a model with onnxoptimizer, onnxscript and onnxslim, alone and one after another. A result is kept only if it
passes the full check, has the same interface, gives equal outputs, and is measured to be better. Otherwise nothing is
written, and the report says why.
"""
EPILOG = """\
examples:
  onnx-lint optimize model.onnx                            writes model.opt.onnx if it is faster
  onnx-lint optimize model.onnx --for startup              if its session is created faster
  onnx-lint optimize model.onnx --pass fuse_bn_into_conv   one pass of onnxoptimizer
  onnx-lint optimize model.onnx --bench --ep CPU --ep CUDA and benchmark both there

exit codes: 0 done (also when there was nothing to win), 2 could not run
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "optimize",
        help="make a model faster or smaller, and prove it",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("-o", "--output", default="", metavar="FILE", help="default: MODEL.opt.onnx beside the model")
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    parser.add_argument("--for", dest="goal", choices=GOALS, default="latency", help="what to win (latency)")
    parser.add_argument(
        "--stages",
        action="append",
        default=[],
        metavar="STAGE[,STAGE]",
        help="try this sequence instead of the portfolio: fixes, onnxoptimizer, onnxscript, onnxslim, onnxruntime, "
        "transformers, or module:function(source, target)",
    )
    parser.add_argument("--pass", dest="passes", action="append", default=[], metavar="NAME", help="of onnxoptimizer")
    parser.add_argument("--runtime-only", action="store_true", help="also try stages whose result needs onnxruntime")
    parser.add_argument("--stage-timeout", type=float, default=300.0, metavar="SECONDS", help="for one stage (300)")
    add_measuring(parser, threads=1)
    benchmark = parser.add_argument_group("benchmark")
    benchmark.add_argument("--bench", action="store_true", help="then measure both models on the providers")
    benchmark.add_argument("--ep", action="append", metavar="PROVIDER", help="as for `onnx-lint bench`")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Optimises and prints."""
    return perform(args, lambda settings, progress, cancel: optimize(_request(args, settings), progress, cancel))


def _request(args: argparse.Namespace, settings: Settings) -> OptimizeRequest:
    stages = tuple(tuple(text.split(",")) for text in args.stages)
    if args.passes and not stages:
        stages = (("onnxoptimizer",),)
    return OptimizeRequest(
        args.model,
        args.output,
        args.overwrite,
        args.goal,
        stages,
        args.runtime_only,
        tuple(args.passes),
        sizes(args, settings),
        args.inputs,
        args.threads,
        args.tolerance,
        plan(args),
        (providers(args.ep) or (Provider(),)) if args.bench or args.ep else (),
        args.stage_timeout,
        args.timeout,
        memory=memory(args, settings, [args.model]),
    )
