"""`onnx-lint info`: what is in a model, and which providers are here to run it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnx_lsp.actions.dims import parse_dims
from onnx_lsp.cli.describing import about, ask
from onnx_lsp.cli.main import CLEAN, COULD_NOT_RUN, complain
from onnx_lsp.settings import Resolver, Settings, SettingsError
from onnx_lsp.work.worker import ChildDied

if TYPE_CHECKING:
    from onnx_lsp.model.flops import Flops
    from onnx_lsp.model.summary import Summary
    from onnx_lsp.runtimes import Installed

SUMMARY, INSTALLED = "onnx_lsp.model.summary:summary", "onnx_lsp.runtimes:installed"
NOT_INSTALLED = "onnxruntime is not installed; `pip install 'onnx-lsp[runtime]'` adds it"
DESCRIPTION = """\
Say what is in a model: inputs and outputs, opsets, weights, operators, and the work of one run. FLOPs are those of
matrix products, convolutions and recurrent layers, two per multiply-add; a loop's body counts once."""
SHOWN = 12
UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("info", help="what is in a model", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--dim", action="append", default=[], metavar="NAME=SIZE", help="count for this size; NAME may be INPUT:AXIS"
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text (default) or json")


def run(args: argparse.Namespace) -> int:
    """Prints the summary."""
    try:
        settings = Resolver().resolve(args.model)
        sizes = {name: one for name, (one, *_) in parse_dims(args.dim).items()}
    except (SettingsError, ValueError) as error:
        return complain(str(error))
    found = about(args.model, settings, SUMMARY, sizes=sizes)
    if found is None:
        return COULD_NOT_RUN
    runtime, problem = _runtime(settings)
    show = _json if args.format == "json" else _text
    for line in show(args.model, found, sizes, runtime, problem):
        print(line)
    return CLEAN


def _runtime(settings: Settings) -> tuple[Installed | None, str]:
    """The installed onnxruntime, or why nothing is known of one."""
    try:
        found = ask(settings, INSTALLED)
    except ChildDied as error:
        return None, f"the installed onnxruntime could not be asked: it {error}"
    return (found, "") if found else (None, NOT_INSTALLED)


def _text(path: str, found: Summary, sizes: dict[str, int], runtime: Installed | None, problem: str) -> Iterator[str]:
    yield path
    for label, lines in _facts(found, sizes):
        for number, line in enumerate(lines):
            yield f"  {'' if number else label:<12}{line}"
    here = f"{', '.join(runtime.providers)} (onnxruntime {runtime.version})" if runtime else problem
    yield f"  {'providers':<12}{here}"


def _facts(found: Summary, sizes: dict[str, int]) -> Iterator[tuple[str, list[str]]]:
    opsets = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in found.opsets.items())
    yield "inputs", [f"{value.name}: {value}" for value in found.inputs] or ["none"]
    yield "outputs", [f"{value.name}: {value}" for value in found.outputs] or ["none"]
    dynamic = [f"{name} in {', '.join(values)}" for name, values in found.dynamic.items()]
    yield "dynamic", dynamic or ["nothing, all sizes are fixed"]
    yield "opsets", [opsets or "none"]
    yield "IR version", [str(found.ir)]
    yield "producer", [found.producer or "not said"]
    kinds = ", ".join(f"{name} {count:,}" for name, count in found.parameters.items())
    yield "parameters", [f"{sum(found.parameters.values()):,}{f' ({kinds})' if kinds else ''}"]
    yield "size", [f"{size(found.size)}, of which weights {size(found.inline)}"]
    files = [f"{size(file.taken)} in {file.location}{'' if file.exists else ' (missing)'}" for file in found.files]
    yield "external", files or ["nothing, all weights are in the file"]
    yield "FLOPs", [*work(found.flops, sizes), *_hint(found, sizes)]
    yield "nodes", [_nodes(found)]


def _hint(found: Summary, sizes: dict[str, int]) -> Iterator[str]:
    if found.flops.unknown and found.dynamic and not sizes:
        yield "`--dim NAME=SIZE`, or `--dim INPUT:AXIS=SIZE`, counts for that size of a dynamic input"


def _nodes(found: Summary) -> str:
    shown = ", ".join(f"{op} {count}" for op, count in list(found.nodes.items())[:SHOWN])
    more = f" and {len(found.nodes) - SHOWN} more operators" if len(found.nodes) > SHOWN else ""
    functions = f"; {found.functions} functions" if found.functions else ""
    return f"{sum(found.nodes.values())}{f': {shown}{more}' if shown else ''}{functions}"


def work(flops: Flops, sizes: dict[str, int]) -> Iterator[str]:
    """The work of one run: a number and the sizes that it holds for, its formula, and what is not in it."""
    if flops.terms:
        names = ", ".join(f"{name} = {number}" for name, number in _at(flops, sizes).items())
        yield quantity(flops.at({})) + (f" with {names}" if names else "")
        if flops.names:
            yield f"in general {flops.formula()}"
    elif not flops.unknown:
        yield "0, no matrix products, convolutions or recurrent layers"
    if flops.unknown:
        ops = ", ".join(f"{op} {count}" for op, count in sorted(flops.unknown.items()))
        yield f"{'without' if flops.terms else 'unknown:'} nodes whose sizes or work are not known: {ops}"


def _at(flops: Flops, sizes: dict[str, int]) -> dict[str, int]:
    """The sizes for which the work is said: those asked for, and 1 for every other name."""
    return {**sizes, **dict.fromkeys(flops.names, 1)}


def quantity(number: int) -> str:
    """`1.82 G`, or the number itself below a thousand."""
    return next((f"{number / unit:.3g} {name}" for unit, name in UNITS if number >= unit), str(number))


def size(count: int) -> str:
    """Bytes as people say them: `4.1 MB`."""
    return f"{quantity(count)}B" if count >= 1000 else f"{count} bytes"


def _json(path: str, found: Summary, sizes: dict[str, int], runtime: Installed | None, problem: str) -> Iterator[str]:
    from dataclasses import asdict

    flops = found.flops
    yield json.dumps(
        {
            "model": path,
            **asdict(found),
            "opsets": {domain or "ai.onnx": version for domain, version in found.opsets.items()},
            "flops": {
                "total": flops.at({}) if flops.terms or not flops.unknown else None,
                "sizes": _at(flops, sizes),
                "formula": flops.formula() if flops.terms else None,
                "not_counted": flops.unknown,
            },
            "onnxruntime": asdict(runtime) if runtime else {"version": None, "providers": [], "note": problem},
        },
        indent=2,
    )
