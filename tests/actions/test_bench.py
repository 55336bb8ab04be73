"""Providers are what was asked for or refused; a crash and a wrong answer are reported; the figures are honest."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy
import onnx
import pytest

from onnx_lsp.actions.bench import BenchRequest, bench
from onnx_lsp.actions.contest import op_times
from onnx_lsp.actions.crew import ActionError
from onnx_lsp.actions.providers import Provider
from tests.actions.conftest import SHORT, children
from tests.actions.exports import EXPORTS
from tests.actions.plugins import libraries
from tests.models import real_models

pytestmark = pytest.mark.slow


def _quiet(text: str, share: float) -> None:
    pass


def test_the_cpu(mlp: Path) -> None:
    report = bench(BenchRequest((str(mlp),), plan=replace(SHORT, concurrency=2)), _quiet)
    (seen,) = report.contestants
    assert (seen.status, seen.provider_name) == ("ok", "CPUExecutionProvider")
    assert seen.agreement.equal and seen.agreement.worst.absolute == 0
    assert {item.op for item in seen.placement} >= {"MatMul"}
    assert {item.op for item in seen.profile} >= {"MatMul"}
    (result,) = report.measured.results
    assert 0 < result.times.minimum <= result.times.p50 <= result.times.p90 <= result.times.p99
    assert result.throughput > 0
    [floor] = report.measured.floor
    assert floor is None or floor >= 1.01, "a busy machine may leave too few generations to tell"
    assert report.measured.cold[0].created > 0
    assert not children()


def test_sizes_are_swept(mlp: Path) -> None:
    request = BenchRequest((str(mlp),), sizes={"batch": (1, 64), "nothing": (3,)}, plan=SHORT, profile=False)
    report = bench(request, _quiet)
    assert report.cases == ("batch=1", "batch=64")
    assert [item.case for item in report.measured.results] == [0, 1]
    assert any("`nothing`" in note for note in report.notes)


def test_io_binding_and_threads(mlp: Path) -> None:
    request = BenchRequest((str(mlp),), io_binding=True, threads=1, spin=True, plan=SHORT, profile=False)
    assert bench(request, _quiet).contestants[0].status == "ok"


def test_a_provider_that_is_not_there_is_refused(mlp: Path) -> None:
    request = BenchRequest(
        (str(mlp),), (Provider(), Provider("TensorRT"), Provider("Nonsense")), plan=SHORT, profile=False
    )
    cpu, tensorrt, nonsense = bench(request, _quiet).contestants
    assert cpu.status == "ok"
    assert tensorrt.status == nonsense.status == "refused"
    assert "has no provider `TensorRT`" in tensorrt.reason
    assert "onnxruntime-gpu" in tensorrt.reason


def test_a_library_that_is_none_is_refused(mlp: Path) -> None:
    providers = (Provider("x", "/nowhere/libx.so"), Provider("y", str(mlp)))
    missing, other = bench(BenchRequest((str(mlp),), providers, plan=SHORT, profile=False), _quiet).contestants
    assert (missing.status, missing.reason) == ("refused", "there is no library `/nowhere/libx.so`")
    assert other.status == "refused"
    assert other.reason.startswith(f"`{mlp}` cannot be loaded: ")
    assert other.reason.count(str(mlp)) <= 2


def test_an_interpreter_that_is_not_there_is_named(mlp: Path) -> None:
    request = BenchRequest((str(mlp),), (Provider(python="/nowhere/python"),), plan=SHORT)
    with pytest.raises(ActionError, match="/nowhere/python"):
        bench(request, _quiet)


def test_another_environment(mlp: Path) -> None:
    request = BenchRequest((str(mlp),), (Provider(), Provider(python=sys.executable)), plan=SHORT, profile=False)
    assert [seen.status for seen in bench(request, _quiet).contestants] == ["ok", "ok"]


def test_given_inputs(mlp: Path, tmp_path: Path) -> None:
    numpy.savez(tmp_path / "x.npz", x=numpy.ones((3, 16), "float32"))
    report = bench(BenchRequest((str(mlp),), given=str(tmp_path / "x.npz"), plan=SHORT, profile=False), _quiet)
    assert report.cases == ("x.npz",)
    numpy.savez(tmp_path / "y.npz", y=numpy.ones(3))
    with pytest.raises(ActionError, match="no array for `x`"):
        bench(BenchRequest((str(mlp),), given=str(tmp_path / "y.npz")), _quiet)


def test_a_model_that_takes_no_inputs_we_can_make(tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]>
    g (seq(float[2]) x) => (float[a, 2] y) { y = ConcatFromSequence <axis = 0, new_axis = 1> (x) }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "sequence.onnx")
    with pytest.raises(ActionError, match="give it with --inputs"):
        bench(BenchRequest((str(tmp_path / "sequence.onnx"),)), _quiet)


def test_time_inside_control_flow_is_counted_once() -> None:
    def event(op: str, ts: int, dur: int) -> dict:
        return {
            "cat": "Node",
            "name": f"{op}_kernel_time",
            "ts": ts,
            "dur": dur,
            "args": {"op_name": op, "provider": "CPU"},
        }

    events = [
        event("If", 0, 100),
        event("Conv", 10, 60),
        event("Loop", 75, 20),
        event("Add", 76, 15),
        event("Conv", 200, 40),
    ]
    found = {item.op: (round(item.seconds * 1e6), item.calls) for item in op_times(events, 1)}
    assert found == {"If": (20, 1), "Conv": (100, 2), "Loop": (5, 1), "Add": (15, 1)}


def test_one_interrupted_call_does_not_make_an_op_slow() -> None:
    event = {"cat": "Node", "name": "n_kernel_time", "args": {"op_name": "my_ep_1467232732_5", "provider": "my"}}
    events = [{**event, "ts": 10_000 * run, "dur": 9_000 if run == 7 else 10} for run in range(20)]
    (found,) = op_times(events, 20)
    assert (found.op, found.calls, round(found.seconds * 1e6)) == ("my_ep", 1, 10)


linux_plugins = pytest.mark.skipif(sys.platform != "linux", reason="the plugin wheels used here are for Linux")


def _model(name: str) -> str:
    return str(next(path for path in real_models() if path.name.endswith(name)))


@linux_plugins
def test_a_plugin_that_takes_some_nodes() -> None:
    model = _model("silero_vad_16k_op15.onnx")
    plugin = Provider("nxrt", libraries()["nxrt"])
    report = bench(BenchRequest((model,), (Provider(), plugin), plan=SHORT), _quiet)
    assert [seen.status for seen in report.contestants] == ["ok", "ok"]
    placed = {item.provider for item in report.contestants[1].placement}
    assert "CPUExecutionProvider" in placed and len(placed) == 2
    strict = BenchRequest((model,), (plugin,), strict=True, plan=SHORT)
    assert bench(strict, _quiet).contestants[0].status == "refused"


@linux_plugins
def test_a_plugin_that_takes_no_node_is_refused(mlp: Path) -> None:
    model = _model("magika__models__standard_v3_3__model.onnx")
    request = BenchRequest((model,), (Provider("ggml", libraries()["ggml"]),), plan=SHORT)
    (seen,) = bench(request, _quiet).contestants
    assert seen.status == "refused"
    assert "`ggml` took no node; everything would run on CPUExecutionProvider" in seen.reason


@linux_plugins
def test_a_plugin_that_fails_at_run_time_is_refused() -> None:
    request = BenchRequest((_model("melspectrogram.onnx"),), (Provider("nxrt", libraries()["nxrt"]),), plan=SHORT)
    (seen,) = bench(request, _quiet).contestants
    assert seen.status == "refused"
    assert "the model does not run" in seen.reason


@linux_plugins
def test_a_plugin_that_crashes(tmp_path: Path) -> None:
    EXPORTS["kv_cache"](tmp_path / "kv_cache.onnx")
    plugin = Provider("ggml", libraries()["ggml"])
    plan = replace(SHORT, burst=0.05)
    report = bench(BenchRequest((str(tmp_path / "kv_cache.onnx"),), (Provider(), plugin), plan=plan), _quiet)
    assert [seen.status for seen in report.contestants] == ["ok", "died"]
    assert "SIGSEGV" in report.contestants[1].reason
    assert not children()


@linux_plugins
def test_a_wrong_answer_is_wrong_not_fast(tmp_path: Path) -> None:
    EXPORTS["transformer"](tmp_path / "transformer.onnx")
    plugin = Provider("ggml", libraries()["ggml"])
    request = BenchRequest((str(tmp_path / "transformer.onnx"),), (Provider(), plugin), tolerance=1e-5, plan=SHORT)
    report = bench(request, _quiet)
    assert [seen.status for seen in report.contestants] == ["ok", "wrong"]
    assert "against the CPU provider" in report.contestants[1].reason


def test_without_onnxruntime_one_line_names_the_extra(
    mlp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "onnxruntime.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(ActionError, match=r"onnxruntime is not installed; run `pip install 'onnx-lsp\[optimize\]'`"):
        bench(BenchRequest((str(mlp),)), _quiet)


HOSTILE_RUNTIMES = {
    "segfault": ("import ctypes\nctypes.string_at(0)", "SIGSEGV"),
    "loop": ("while True: pass", "took longer than"),
    "memory": ("blocks = []\nwhile True: blocks.append(bytearray(2**26))", "memory"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="the environment is a shell script")
@pytest.mark.parametrize("kind", HOSTILE_RUNTIMES)
def test_an_environment_whose_runtime_is_hostile(mlp: Path, tmp_path: Path, kind: str) -> None:
    source, reason = HOSTILE_RUNTIMES[kind]
    (tmp_path / "onnxruntime.py").write_text(source)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexport PYTHONPATH="{tmp_path}"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    providers = (Provider(), Provider(python=str(python)))
    timeout = 15 if kind == "loop" else 120  # a busy machine is no endless loop
    request = BenchRequest((str(mlp),), providers, plan=SHORT, profile=False, timeout=timeout, memory=1000)
    report = bench(request, _quiet)
    assert [seen.status for seen in report.contestants] == ["ok", "died"]
    assert reason in report.contestants[1].reason
    assert report.timed == (0,)
    assert not children()
