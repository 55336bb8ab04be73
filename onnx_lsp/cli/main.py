"""`onnx-lint`: finds the command and runs it. Each command is a module with `add_parser` and `run`.

Only the module of the command that was asked for is imported.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

from onnx_lsp import __version__
from onnx_lsp.cli.parsing import COULD_NOT_RUN, Parser

COMMANDS = {
    "check": "find faults in export scripts and models, and fix them",
    "rule": "explain a rule, or list all of them",
    "targets": "what the runtimes can run, and since when",
    "compat": "will a model run there? every operator against every target",
    "info": "what is in a model: inputs, sizes, operators, work",
    "bench": "measure models on execution providers",
    "optimize": "make a model faster, with proof",
    "convert": "convert a model to another opset, with proof",
    "quantize": "store weights as 8-bit integers, and say what it costs",
    "verify": "is this still the same model?",
    "view": "print a model as text",
    "diff": "say what differs between two models",
    "netron": "show a model in Netron, if it is installed",
    "completion": "print a script that completes commands and options in a shell",
}

CLEAN, FINDINGS = 0, 1
MANY_OBJECTS = 100_000

EPILOG = """\
examples:
  onnx-lint check .                    lint every script and model below this folder
  onnx-lint check export.py --fix      apply the safe fixes
  onnx-lint check model.onnx           lint one model
  onnx-lint rule missing-dynamic-axes  explain a rule

exit codes: 0 clean, 1 findings at or above --fail-on, 2 could not run
"""


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    gc.set_threshold(MANY_OBJECTS)  # what is imported stays: looking for garbage in it takes 4 % of a short run
    argv = sys.argv[1:] if argv is None else argv
    parser = Parser(prog="onnx-lint", description="The linter for ONNX export scripts and models.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"onnx-lint {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, prog="onnx-lint")
    module = None
    for name, summary in COMMANDS.items():
        if argv[:1] == [name]:
            module = importlib.import_module(f"onnx_lsp.cli.{name}")
            module.add_parser(commands)
        elif argv[:1] and argv[0] in COMMANDS:
            continue
        else:
            commands.add_parser(name, help=summary)
    if not argv:
        parser.print_help(sys.stderr)
        return COULD_NOT_RUN
    if module is None and argv[:1] and not argv[0].startswith("-") and argv[0] not in COMMANDS:
        return _unknown_command(argv[0])
    args = parser.parse_args(argv)
    try:
        return module.run(args)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # the reader went away (`| head`); do not complain at exit
        return FINDINGS
    except KeyboardInterrupt:
        print("onnx-lint: interrupted", file=sys.stderr)
        return 130


def complain(message: str) -> int:
    """Says in one line on standard error why nothing was done; returns the exit code for that."""
    print(f"onnx-lint: {' '.join(message.splitlines())}", file=sys.stderr)
    return COULD_NOT_RUN


def _unknown_command(word: str) -> int:
    from difflib import get_close_matches

    close = get_close_matches(word, COMMANDS, 1)
    if os.path.exists(word):
        hint = f"; did you mean `onnx-lint check {word}`?"
    elif close:
        hint = f"; did you mean `{close[0]}`?"
    else:
        hint = f"; commands are {', '.join(COMMANDS)}"
    return complain(f"there is no command `{word}`{hint}")


if __name__ == "__main__":
    raise SystemExit(main())
