"""What an editor asks of the actions, as their requests, and their reports as it shows them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from onnx_lsp.actions import report_html, report_json, report_text
from onnx_lsp.actions.bench import BenchReport, BenchRequest, bench
from onnx_lsp.actions.crew import ActionError, Progress, memory_for
from onnx_lsp.actions.dims import chosen, parse_dims
from onnx_lsp.actions.measure import Plan
from onnx_lsp.actions.optimize import OptimizeReport, OptimizeRequest, optimize
from onnx_lsp.actions.providers import Provider, parse
from onnx_lsp.server.documents import path_of
from onnx_lsp.settings import Settings


@dataclass(frozen=True, slots=True)
class Wanted:
    """The argument of both commands, a JSON object: the options of the command line, with the same defaults.

    Attributes:
        models: URIs; the first is optimised, or is the baseline.
        providers: as after `--ep`. An optimisation benchmarks on them afterwards, if there are any.
        dims: sizes by dimension, as in `--dim`: `{"batch": "1,8"}`.
        output: the URI to write to; beside the model when empty.
        goal: what to win, as after `--for`.
        stages: sequences to try instead of the portfolio, as after `--stages`.
        threads: intra-op threads; 1 for an optimisation and all cores for a benchmark when absent.
    """

    models: list[str]
    providers: list[str] = field(default_factory=list)
    dims: dict[str, str] = field(default_factory=dict)
    output: str = ""
    overwrite: bool = False
    goal: str = "latency"
    stages: list[str] = field(default_factory=list)
    seconds: float = 60.0
    threads: int | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The models' paths.

        Raises:
            ActionError: there are none, or one is no file.
        """
        found = tuple(path_of(uri) or uri for uri in self.models)
        if not found:
            raise ActionError("there is no model to work on")
        for path in found:
            if not os.path.isfile(path):
                raise ActionError(f"{path}: there is no such file")
        return found

    @property
    def on(self) -> tuple[Provider, ...]:
        return tuple(map(parse, self.providers))

    def sizes(self, remembered: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
        """The sizes of the dynamic dimensions; those that are not asked for as the configuration remembers them."""
        return chosen(remembered, parse_dims(f"{name}={sizes}" for name, sizes in self.dims.items()))


def run_bench(wanted: Wanted, settings: Settings, progress: Progress, cancel: threading.Event) -> dict:
    """Benchmarks the models on the providers."""
    request = BenchRequest(
        wanted.paths,
        wanted.on or (Provider(),),
        wanted.sizes(settings.dims),
        threads=wanted.threads or 0,
        plan=Plan(wanted.seconds),
        memory=memory_for(wanted.paths, settings.native_memory),
    )
    return _shown(bench(request, progress, cancel))


def run_optimize(wanted: Wanted, settings: Settings, progress: Progress, cancel: threading.Event) -> dict:
    """Optimises the first model, and benchmarks both on the providers, if any are asked for."""
    request = OptimizeRequest(
        wanted.paths[0],
        path_of(wanted.output) or wanted.output,
        wanted.overwrite,
        wanted.goal,
        tuple(tuple(text.split(",")) for text in wanted.stages),
        sizes=wanted.sizes(settings.dims),
        threads=1 if wanted.threads is None else wanted.threads,
        plan=Plan(wanted.seconds),
        bench=wanted.on,
        memory=memory_for(wanted.paths, settings.native_memory),
    )
    return _shown(optimize(request, progress, cancel))


def _shown(report: BenchReport | OptimizeReport) -> dict:
    text = report_text.render_bench if isinstance(report, BenchReport) else report_text.render_optimize
    return {"report": report_json.document(report), "html": report_html.render(report), "text": text(report)}
