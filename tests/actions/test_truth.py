"""The claims that the command makes about itself, on real models: slow, and the only tests that look at speed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest

from onnx_lsp.actions import arrays
from onnx_lsp.actions.bench import BenchRequest, bench, prepare
from onnx_lsp.actions.crew import Crew
from onnx_lsp.actions.measure import Contest, Entry, Plan
from onnx_lsp.actions.optimize import OptimizeRequest, optimize
from onnx_lsp.actions.providers import Provider, SessionSetup
from onnx_lsp.work.worker import Worker
from tests.actions.conftest import children
from tests.actions.exports import EXPORTS
from tests.cli.tool import COMMAND
from tests.models import VARIED, real_models

pytestmark = pytest.mark.slow


def _quiet(text: str, share: float) -> None:
    pass


def _model(name: str) -> str:
    return str(next(path for path in real_models() if path.name.endswith(name)))


def test_a_model_against_itself_wins_at_most_once_in_twenty() -> None:
    model = _model("silero_vad_16k_op15.onnx")
    wins = 0
    for seed in range(20):
        plan = Plan(seconds=5, rounds=6, burst=0.01, seed=seed)
        report = bench(BenchRequest((model, model), threads=1, profile=False, plan=plan), _quiet)
        wins += any(item.verdict in ("faster", "slower") for item in report.measured.results if item.entry)
    assert wins <= 1


@pytest.mark.parametrize("name", ["silero_vad__data__silero_vad_16k_op15.onnx", "silero_vad__data__silero_vad.onnx"])
def test_the_win_of_constant_ifs_is_found(name: str, tmp_path: Path) -> None:
    output = str(tmp_path / "out.onnx")
    report = optimize(OptimizeRequest(_model(name), output, plan=Plan(seconds=45)), _quiet)
    assert report.chosen is not None, report.verdict
    assert dict(report.candidates[report.chosen].facts.ops)["If"] < dict(report.original.ops)["If"]
    onnx.checker.check_model(output, full_check=True)


class _AgainstBareLoop(Contest):
    """Times the second entry with a bare loop instead of `bench`'s own burst."""

    def _burst(self, index: int, worker: Worker, case: int) -> None:
        if index != 1:
            return super()._burst(index, worker, case)
        ask = self.crew.ask
        self.crew.ask = lambda worker, task, **arguments: ask(worker, "tests.actions.bare:burst", **arguments)
        try:
            super()._burst(index, worker, case)
        finally:
            self.crew.ask = ask


def test_the_overhead_over_a_bare_loop_is_within_three_percent(tmp_path: Path, hostile: str) -> None:
    model = _model("silero_vad_16k_op15.onnx")
    with Crew(None, 60, 4096) as crew:
        prepared = prepare(crew, model, str(tmp_path), {})
        entry = Entry(SessionSetup(model, Provider(), threads=1), (prepared.cases[0].feeds,))
        measured = _AgainstBareLoop([entry, entry], 1, crew, Plan(seconds=40, precision=0.005), _quiet).run()
    bare = measured.results[1].ratio
    assert 0.97 <= bare.value <= 1.03, (bare, measured.control)


REAL = (
    "silero_vad__data__silero_vad_16k_op15.onnx",
    "silero_vad__data__silero_vad_op18_ifless.onnx",
    *VARIED,
)
BRIEF = Plan(seconds=2, generations=2, rounds=4, burst=0.01)


@pytest.mark.parametrize("name", [*EXPORTS, *REAL])
def test_what_is_written_is_the_same_model(name: str, tmp_path: Path) -> None:
    model = str(tmp_path / f"{name}.onnx") if name in EXPORTS else _model(name)
    if name in EXPORTS:
        EXPORTS[name](Path(model))
    output = str(tmp_path / "out.onnx")
    request = OptimizeRequest(model, output, goal="portability", runtime_only=True, plan=BRIEF)
    report = optimize(request, _quiet)
    assert len(report.candidates) == 9
    assert all(item.agreement.equal for item in report.candidates if item.status == "ok")
    if report.written:
        onnx.checker.check_model(output, full_check=True)
        _same_outputs(model, output, tmp_path)


def _same_outputs(model: str, other: str, folder: Path) -> None:
    """Runs both models here, without the code that verified them."""
    with Crew(None, 60, 8192) as crew:
        prepared = prepare(crew, model, str(folder), {}, seed=7)
    feed = arrays.load(prepared.cases[0].feeds)
    sessions = [onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in (model, other)]
    assert [item.name for item in sessions[0].get_inputs()] == [item.name for item in sessions[1].get_inputs()]
    for one, two in zip(sessions[0].run(None, feed), sessions[1].run(None, feed), strict=True):
        numpy.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(sys.platform == "win32", reason="signals do not reach another process on Windows")
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["optimize", "bench"])
def test_an_interrupted_command_leaves_no_child_and_no_file(signal_: int, command: str, tmp_path: Path) -> None:
    EXPORTS["cnn"](tmp_path / "cnn.onnx")
    before = set(os.listdir(tmp_path))
    arguments = [*COMMAND, command, str(tmp_path / "cnn.onnx"), "--seconds", "600"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        arguments,
        stderr=subprocess.DEVNULL,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    family: set[int] = set()
    while not (any(name.startswith("onnx-lint-") for name in os.listdir(tmp_path)) and family):
        time.sleep(0.05)  # there is nothing to wait on but the file system and the process table
        family = children(process.pid)
    process.send_signal(signal_)
    started = time.monotonic()
    process.wait(10)
    assert time.monotonic() - started < 1
    assert set(os.listdir(tmp_path)) == before
    assert not family & set(map(int, filter(str.isdigit, os.listdir("/proc"))))
