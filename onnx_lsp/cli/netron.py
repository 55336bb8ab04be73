"""`onnx-lint netron`: shows a model in Netron, where that is installed."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys

from onnx_lsp.cli.main import CLEAN, complain

DESCRIPTION = "Show the graph of a model in Netron, in the browser. Netron is another project: `pip install netron`."


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("netron", help="show a model in Netron", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--port", type=int, metavar="N", help="where Netron serves the model (it finds a free port)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(args: argparse.Namespace) -> int:
    """Runs Netron until it ends, or until Ctrl-C, which is how one leaves it."""
    if not os.path.isfile(args.model):
        return complain(f"{args.model}: there is no such file")
    netron = command()
    if not netron:
        return complain("Netron is not installed; run `pip install netron`")
    options = [] if args.no_browser else ["--browse"]
    options += ["--port", str(args.port)] if args.port else []
    try:
        return subprocess.call([*netron, os.path.abspath(args.model), *options])
    except KeyboardInterrupt:
        return CLEAN


def command() -> list[str]:
    """How to start Netron: the package beside us, or a program on the path; empty where there is neither."""
    if importlib.util.find_spec("netron"):
        return [sys.executable, "-c", "import netron; netron.main()"]
    program = shutil.which("netron")
    return [program] if program else []
