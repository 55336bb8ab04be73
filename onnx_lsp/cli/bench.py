"""`onnx-lint bench`: models on providers, measured against each other."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable

from onnx_lsp.actions import report_html, report_json, report_text
from onnx_lsp.actions.bench import BenchRequest, bench
from onnx_lsp.actions.crew import ActionError, Cancelled, memory_for
from onnx_lsp.actions.dims import chosen, parse_dims
from onnx_lsp.actions.measure import Plan
from onnx_lsp.actions.providers import Provider, parse
from onnx_lsp.actions.publish import check_place
from onnx_lsp.actions.remember import remember
from onnx_lsp.cli.main import CLEAN, COULD_NOT_RUN, FINDINGS, complain
from onnx_lsp.settings import Resolver, Settings, SettingsError

DESCRIPTION = """\
Benchmark models on execution providers. All contestants take turns in random order; the first one competes twice, and
what differs between the two is noise. A difference is claimed only where its interval lies outside that noise.
"""
EPILOG = """\
examples:
  onnx-lint bench model.onnx                                     one model on the CPU
  onnx-lint bench model.onnx model.opt.onnx                      is the second faster?
  onnx-lint bench model.onnx --ep CPU --ep CUDA                  is the GPU faster, and right?
  onnx-lint bench model.onnx --dim batch=1,8 --dim seq=16..512   at many sizes
  onnx-lint bench model.onnx --ep CPU --ep ./libmy_ep.so         a plugin provider

exit codes: 0 measured, 1 a provider was refused, died or gave wrong outputs, 2 could not run
"""
BAR = 24


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "bench",
        help="measure models on providers",
        description=DESCRIPTION,
        epilog=EPILOG,
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="the first one is the baseline")
    parser.add_argument(
        "--ep",
        action="append",
        metavar="PROVIDER",
        help="[NAME=]WHAT[:key=value,...][@PYTHON]: a provider's name or a plugin library, its options, and the "
        "interpreter of another environment (default: CPU; the first one is the baseline)",
    )
    parser.add_argument("--strict", action="store_true", help="refuse a provider that leaves nodes to the CPU")
    add_measuring(parser, threads=0)
    parser.add_argument("--io-binding", action="store_true", help="bind inputs and outputs once instead of per run")
    parser.add_argument("--spin", action="store_true", help="let idle threads spin (onnxruntime's own default)")
    parser.add_argument("--concurrency", type=int, default=1, metavar="K", help="also runs per second with K callers")
    parser.add_argument("--no-profile", action="store_true", help="leave out the time per op")
    add_output(parser)


def add_measuring(parser: argparse.ArgumentParser, threads: int) -> None:
    """Adds the options for inputs and for how long to measure."""
    inputs = parser.add_argument_group("inputs")
    inputs.add_argument("--dim", action="append", default=[], metavar="NAME=SIZES", help="batch=1,8 or seq=16..512")
    inputs.add_argument("--remember", action="store_true", help="write the sizes of --dim into the configuration")
    inputs.add_argument("--inputs", default="", metavar="FILE.npz", help="use these arrays, by input name")
    inputs.add_argument("--seed", type=int, default=0, help="of the made-up inputs and of the order of turns")
    inputs.add_argument("--tolerance", type=float, help="largest error, as a share of an output's largest value")
    measuring = parser.add_argument_group("measuring")
    measuring.add_argument("--seconds", type=float, default=60.0, help="stop after this time (60)")
    measuring.add_argument("--precision", type=float, default=1.0, metavar="PERCENT", help="stop when this sure (1)")
    measuring.add_argument("--threads", type=int, default=threads, help=f"intra-op threads, 0: all cores ({threads})")
    measuring.add_argument("--memory", type=int, metavar="MB", help="private memory of one child")
    measuring.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS", help="for one step of it (300)")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Adds the options for what is printed and written."""
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print the report as JSON")
    output.add_argument("--html", metavar="FILE", help="also write the report as one self-contained page")


def run(args: argparse.Namespace) -> int:
    """Benchmarks and prints."""
    return perform(args, lambda settings, progress, cancel: bench(_request(args, settings), progress, cancel))


def _request(args: argparse.Namespace, settings: Settings) -> BenchRequest:
    return BenchRequest(
        tuple(args.models),
        providers(args.ep) or (Provider(),),
        sizes(args, settings),
        args.inputs,
        args.threads,
        args.spin,
        args.io_binding,
        strict=args.strict,
        tolerance=args.tolerance,
        profile=not args.no_profile,
        plan=plan(args, args.concurrency),
        timeout=args.timeout,
        memory=memory(args, settings, args.models),
    )


def providers(texts: list[str] | None) -> tuple[Provider, ...]:
    """The providers of `--ep`."""
    return tuple(parse(text) for text in texts or ())


def plan(args: argparse.Namespace, concurrency: int = 1) -> Plan:
    """How long to measure."""
    return Plan(args.seconds, args.precision / 100, concurrency=concurrency, seed=args.seed)


def sizes(args: argparse.Namespace, settings: Settings) -> dict[str, tuple[int, ...]]:
    """The sizes of `--dim`, and those that the configuration remembers."""
    return chosen(settings.dims, parse_dims(args.dim))


def memory(args: argparse.Namespace, settings: Settings, models: list[str]) -> int:
    """The memory limit of a child in MB."""
    return args.memory or memory_for(models, settings.native_memory)


def perform(args: argparse.Namespace, action: Callable) -> int:
    """Runs an action, shows its progress and its report; Ctrl-C or SIGTERM stops it and leaves nothing behind."""
    cancel = threading.Event()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = _Bar() if sys.stderr.isatty() and not args.json else _silent
    models = args.models if hasattr(args, "models") else [args.model]
    try:
        for path in models:
            if not os.path.isfile(path):
                raise ActionError(f"{path}: there is no such file")
        if args.html:
            check_place(args.html)
        settings = Resolver().resolve(models[0])
        if getattr(args, "remember", False) and parse_dims(args.dim):
            remember(settings, models[0], dict(text.split("=", 1) for text in args.dim))
        report = action(settings, progress, cancel)
    except (ActionError, SettingsError, ValueError) as error:
        return complain(str(error))
    except Cancelled:
        return COULD_NOT_RUN
    finally:
        progress("", 1.0)
        signal.signal(signal.SIGTERM, before)
    show(report, args.json)
    if args.html and not _write(args.html, report_html.render(report)):
        return COULD_NOT_RUN
    judged = [*getattr(report, "contestants", ()), *filter(None, [getattr(report, "judgement", None)])]
    return FINDINGS if any(item.status != "ok" for item in judged) else CLEAN


def _write(path: str, text: str) -> bool:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        complain(f"{path}: {(error.strerror or str(error)).lower()}")
        return False
    return True


def show(report: object, as_json: bool) -> None:
    """Prints a report."""
    if as_json:
        print(report_json.render(report))
        return
    paint = (
        report_text.ansi_paint if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else report_text.plain_paint
    )
    print(_renderer(report)(report, paint))


def _renderer(report: object) -> Callable:
    if hasattr(report, "judgement"):
        from onnx_lsp.actions.report_rewrite import render_rewrite

        return render_rewrite
    return report_text.render_bench if hasattr(report, "contestants") else report_text.render_optimize


class _Bar:
    """A progress bar on one line of the terminal; an empty text clears it."""

    def __call__(self, text: str, share: float) -> None:
        filled = round(BAR * share)
        line = f"{'█' * filled}{'░' * (BAR - filled)} {text}" if text else ""
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def _silent(text: str, share: float) -> None:
    pass
