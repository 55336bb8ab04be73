"""The command `onnx-lsp`: arguments, logging, and a clean wire."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import BinaryIO

from onnx_lsp import __version__

LEVELS = ("debug", "info", "warning", "error")


def main(argv: Sequence[str] | None = None) -> int:
    """Serves one client over stdin and stdout; returns the exit code: 0 after a `shutdown` request, else 1."""
    args = parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr, level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("pygls").setLevel(logging.WARNING)  # at INFO it logs whole documents
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C waits for the thread that reads stdin
    if sys.stdin.isatty():
        print("onnx-lsp speaks the Language Server Protocol on stdin and stdout: an editor starts it", file=sys.stderr)

    from onnx_lsp.server.app import create

    server = create()
    server.serve(sys.stdin.buffer, take_stdout())
    return 0 if server.shutdown_requested else 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="onnx-lsp", description="The language server for ONNX export scripts and models (LSP over stdio)."
    )
    result.add_argument("--version", action="version", version=f"onnx-lsp {__version__}")
    result.add_argument("--log-level", choices=LEVELS, default="warning", help="what goes to stderr (warning)")
    result.add_argument("--stdio", action="store_true", help="the only transport; accepted because clients pass it")
    return result


def take_stdout() -> BinaryIO:
    """The real stdout, for the protocol alone: whatever else prints from here on goes to stderr."""
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return wire
