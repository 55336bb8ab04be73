"""`onnx-lint convert`: another opset, with proof."""

from __future__ import annotations

import argparse

from onnx_lsp.actions.crew import ActionError
from onnx_lsp.actions.rewrite import RewriteRequest, rewrite
from onnx_lsp.cli.bench import add_output, memory, perform
from onnx_lsp.cli.rewriting import add_questions, add_writing, output, questions
from onnx_lsp.settings import Settings

DESCRIPTION = """\
Convert a model to another opset with onnx's version converter. The result is written only if it passes the full check,
has the same interface, and gives equal outputs on the same inputs, at two sizes of every dynamic dimension.
"""
EPILOG = """\
examples:
  onnx-lint convert model.onnx --opset 18                    writes model.opset18.onnx
  onnx-lint convert model.onnx --target onnxruntime-cpu@1.16 --target tensorrt
                                                             the highest opset that all of these load

exit codes: 0 converted (or nothing to do), 1 the result did not hold and was not written, 2 could not run
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "convert",
        help="convert a model to another opset, with proof",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL")
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("--opset", type=int, metavar="N", help="the opset of the default domain")
    wanted.add_argument(
        "--target", action="append", metavar="RUNTIME", help="the highest opset that these load (default: configured)"
    )
    add_writing(parser, "MODEL.opsetN.onnx")
    add_questions(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Converts and prints."""
    return perform(args, lambda settings, progress, cancel: rewrite(_request(args, settings), progress, cancel))


def _request(args: argparse.Namespace, settings: Settings) -> RewriteRequest:
    opset, max_ir = (args.opset, None) if args.opset else _loaded_by(args.target or list(settings.targets))
    return RewriteRequest(
        args.model,
        "convert",
        {"opset": opset, "max_ir": max_ir},
        output(args, f"opset{opset}"),
        args.overwrite,
        questions(args, settings),
        memory=memory(args, settings, [args.model]),
    )


def _loaded_by(names: list[str]) -> tuple[int, int | None]:
    """The highest opset, and the newest IR version, that all targets load."""
    from onnx_lsp import targets

    if not names:
        raise ActionError("say the opset with --opset, or the runtimes with --target")
    limits = [targets.limits(targets.parse(name)) for name in names]
    opsets = [item.max_opset for item in limits if item.max_opset]
    if not opsets:
        raise ActionError(f"the tables know no highest opset of {', '.join(names)}; say it with --opset")
    return min(opsets), min((item.max_ir for item in limits if item.max_ir), default=None)
