"""The commands that optimise and benchmark: `onnx-lint optimize` and `onnx-lint bench`, for an editor.

Both take one JSON object (`wanted.Wanted`) and answer with the report three times: as data (`report`, what `--json`
prints), as a page (`html`) and as `text`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from onnx_lsp.actions.crew import ActionError
from onnx_lsp.actions.publish import default_output
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.documents import path_of, uri_of
from onnx_lsp.server.progress import perform
from onnx_lsp.work.aio import AsyncWorker
from onnx_lsp.work.worker import ChildDied

if TYPE_CHECKING:
    from onnx_lsp.server.wanted import Wanted

CHOICES = "onnx-lint.choices"
RUN_BENCHMARK = "onnx-lint.runBenchmark"
RUN_OPTIMIZATION = "onnx-lint.runOptimization"
FAILURES = (ActionError, ChildDied, OSError, ValueError)  # what a person can do something about


def register(server: OnnxServer) -> None:
    """Adds the commands."""
    server.command(CHOICES)(choices)
    server.command(RUN_BENCHMARK)(run_benchmark)
    server.command(RUN_OPTIMIZATION)(run_optimization)


async def choices(ls: OnnxServer, uri: str) -> dict:
    """What there is to choose for a model: providers, dimensions with their remembered sizes, where a result goes."""
    path = path_of(uri) or uri
    settings = ls.configuration.resolve(path)
    child = AsyncWorker(settings.native_timeout, settings.native_memory)
    try:
        async with aclosing(child.steps("onnx_lsp.actions.choices:choices", model=path)) as steps:
            found = [step async for step in steps][-1]
    finally:
        await child.close()
    output = default_output(path)
    return {
        **asdict(found),
        "dims": [{"name": name, "sizes": settings.dims.get(name)} for name in found.dims],
        "output": uri_of(output),
        "exists": os.path.exists(output),
    }


async def run_benchmark(ls: OnnxServer, asked: dict) -> dict | None:
    """Benchmarks models on providers."""
    from onnx_lsp.server import wanted

    return await ls.spawn(_answer(ls, "Benchmark", _request(asked), wanted.run_bench))


async def run_optimization(ls: OnnxServer, asked: dict) -> dict | None:
    """Optimises a model, and benchmarks both on the providers, if any are asked for."""
    from onnx_lsp.server import wanted

    request = _request(asked)
    title = "Optimize and benchmark" if request.providers else "Optimize"
    return await ls.spawn(_answer(ls, title, request, wanted.run_optimize))


def _request(asked: dict) -> Wanted:
    from onnx_lsp.server.wanted import Wanted

    try:
        return Wanted(**asked)
    except TypeError as error:
        raise JsonRpcInvalidParams.of(error) from None


async def _answer(ls: OnnxServer, title: str, request: Wanted, action: Callable[..., dict]) -> dict | None:
    """The report; None where it cannot be done, and the client is told why."""
    if ls.measuring.locked():
        _tell(ls, "another benchmark or optimisation is running; two at once would measure each other")
        return None
    try:
        async with ls.measuring:
            paths = request.paths
            settings = ls.configuration.resolve(paths[0])
            work = partial(action, request, settings)
            return await perform(ls, f"{title} {os.path.basename(paths[0])}", work)
    except FAILURES as error:
        _tell(ls, str(error))
        return None


def _tell(ls: OnnxServer, message: str) -> None:
    ls.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"onnx-lint: {message}"))
