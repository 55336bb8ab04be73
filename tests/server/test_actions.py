"""Optimising and benchmarking from an editor: the report, its progress, and an end at any moment."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from onnx_lsp.actions.report_text import seconds
from tests.actions.conftest import children, write_mlp
from tests.server.session import COMMAND, Session, capabilities, session

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]
BENCHMARK, OPTIMIZATION = "onnx-lint.runBenchmark", "onnx-lint.runOptimization"
END = {"kind": "end"}
PROMPT = 1.0  # seconds from a cancellation to its answer


@pytest.fixture
def mlp(tmp_path, monkeypatch) -> Path:
    """A small model, alone in its folder; temporary files lie in another."""
    for name in ("models", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return write_mlp(tmp_path / "models" / "mlp.onnx")


async def test_a_benchmark_answers_with_its_report_and_shows_its_progress(mlp):
    async with session(capabilities(progress=True), root=mlp.parent) as editor:
        wanted = {"models": [mlp.as_uri()], "providers": ["CPU", "TensorRT"], "dims": {"batch": "1,4"}, "seconds": 1}
        answer = await editor.command(BENCHMARK, wanted)
        report = answer["report"]
        assert report["kind"] == "bench"
        assert [item["status"] for item in report["contestants"]] == ["ok", "refused"]
        assert report["cases"] == ["batch=1", "batch=4"]
        for result in report["measured"]["results"]:
            assert seconds(result["times"]["p50"]) in answer["html"]
            assert seconds(result["times"]["p50"]) in answer["text"]
        [shown] = editor.progress.values()
        begin, *reports, end = shown
        assert begin == {"kind": "begin", "title": "Benchmark mlp.onnx", "cancellable": True, "percentage": 0}
        assert {"preparing mlp.onnx", "looking at mlp.onnx on TensorRT"} <= {item["message"] for item in reports}
        percentages = [item["percentage"] for item in reports]
        assert percentages == sorted(percentages) and percentages[-1] > 0
        assert end == END


async def test_an_optimisation_writes_once_and_says_why_not_twice(mlp):
    async with session(root=mlp.parent) as editor:
        wanted = {
            "models": [mlp.as_uri()], "goal": "portability", "stages": ["onnxoptimizer"], "providers": ["CPU"],
            "seconds": 1,
        }  # fmt: skip
        answer = await editor.command(OPTIMIZATION, wanted, token="mine")
        written = Path(answer["report"]["written"])
        assert written == mlp.with_name("mlp.opt.onnx") and written.is_file()
        assert [Path(item["model"]).name for item in answer["report"]["bench"]["contestants"]] == [mlp.name, written.name]
        assert editor.progress["mine"][0]["title"] == "Optimize and benchmark mlp.onnx"
        assert await editor.command(OPTIMIZATION, wanted) is None
        [message] = editor.client.messages
        assert message.message == (
            f"onnx-lint: {written}: exists already; give another name with --output, or --overwrite"
        )
        assert list(editor.progress) == ["mine"], "nothing is shown to a client that has no progress"


async def test_what_there_is_to_choose(mlp):
    (mlp.parent / "onnx-lint.toml").write_text('[dims]\nbatch = "1..8"\n')
    async with session(root=mlp.parent) as editor:
        found = await editor.command("onnx-lint.choices", mlp.as_uri())
        assert "CPU" in found["providers"] and found["runtime"]
        assert found["dims"] == [{"name": "batch", "sizes": "1..8"}]
        assert found["output"] == mlp.with_name("mlp.opt.onnx").as_uri() and found["exists"] is False


@pytest.mark.parametrize("way", ["request", "progress"])
@pytest.mark.parametrize(("command", "moment"), [(BENCHMARK, "generation"), (OPTIMIZATION, "trying")])
async def test_cancelling_leaves_nothing(mlp, way, command, moment):
    async with session(capabilities(progress=True), root=mlp.parent, command=COMMAND) as editor:
        running = editor.command(command, {"models": [mlp.as_uri()], "seconds": 600}, number="long")
        token = await editor.progressed(lambda value: moment in value.get("message", ""))
        started = time.monotonic()
        cancel(editor, way, token)
        with pytest.raises(JsonRpcException) as refused:
            await running
        assert refused.value.code == types.LSPErrorCodes.RequestCancelled
        assert time.monotonic() - started < PROMPT
        assert_nothing_is_left(editor, mlp)
        assert editor.progress[token][-1] == END
        assert await editor.command("onnx-lint.choices", mlp.as_uri()), "the server goes on"


def cancel(editor: Session, way: str, token: types.ProgressToken) -> None:
    if way == "request":
        editor.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams("long"))
    else:
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))


def assert_nothing_is_left(editor: Session, model: Path) -> None:
    assert not children(editor.server.pid)
    assert os.listdir(model.parent) == [model.name]
    assert temporary_folders() == []


def temporary_folders() -> list[str]:
    """Ours; onnxruntime leaves a file of its own behind."""
    return [name for name in os.listdir(os.environ["TMPDIR"]) if name.startswith("onnx-lint")]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
async def test_the_end_of_the_client_ends_a_benchmark(mlp):
    with pytest.raises(RuntimeError, match="stopped"):  # what the client says of a server that is gone
        await end_while_it_runs(mlp)


async def end_while_it_runs(mlp: Path) -> None:
    async with session(capabilities(progress=True), root=mlp.parent, command=COMMAND) as editor:
        server = editor.server
        running = editor.command(BENCHMARK, {"models": [mlp.as_uri()], "seconds": 600})
        await editor.progressed(lambda value: "generation" in value.get("message", ""))
        assert (working := children(server.pid))
        server.stdin.close()
        await asyncio.wait_for(server.wait(), 2 * PROMPT)
        assert not [child for child in working if Path(f"/proc/{child}").exists()]
        assert temporary_folders() == []
        running.cancel()


@pytest.mark.skipif(sys.platform == "win32", reason="the environment is a shell script")
async def test_a_provider_that_crashes_is_reported_and_the_server_lives_on(mlp):
    python = mlp.parent.parent / "python"
    python.write_text("#!/bin/sh\nkill -SEGV $$\n")
    python.chmod(0o755)
    async with session(root=mlp.parent) as editor:
        wanted = {"models": [mlp.as_uri()], "providers": ["CPU", f"CPU@{python}"], "seconds": 1}
        answer = await editor.command(BENCHMARK, wanted)
        assert [item["status"] for item in answer["report"]["contestants"]] == ["ok", "died"]
        assert "SIGSEGV" in answer["report"]["contestants"][1]["reason"]
        assert "SIGSEGV" in answer["html"]
        assert await editor.command("onnx-lint.choices", mlp.as_uri()), "the server lives on"


async def test_two_at_once_are_refused(mlp):
    async with session(capabilities(progress=True), root=mlp.parent) as editor:
        running = editor.command(BENCHMARK, {"models": [mlp.as_uri()], "seconds": 600}, number="long")
        token = await editor.progressed()
        assert await editor.command(OPTIMIZATION, {"models": [mlp.as_uri()]}) is None
        [message] = editor.client.messages
        assert "another benchmark or optimisation is running" in message.message
        cancel(editor, "progress", token)
        with pytest.raises(JsonRpcException):
            await running


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"models": ["file:///no/such.onnx"]}, "/no/such.onnx: there is no such file"),
        ({"models": []}, "there is no model to work on"),
        ({"dims": {"batch": "many"}}, "`batch=many`: a dimension is written `batch=1,8` or `seq=16..512`"),
        ({"providers": ["=x.so"]}, "`=x.so`: which provider?"),
    ],
)
async def test_what_cannot_be_done_is_said(mlp, change, said):
    async with session(root=mlp.parent) as editor:
        assert await editor.command(BENCHMARK, {"models": [mlp.as_uri()], **change}) is None
        [message] = editor.client.messages
        assert message.message.startswith(f"onnx-lint: {said}")


async def test_an_option_that_does_not_exist_is_an_error(mlp):
    async with session(root=mlp.parent) as editor:
        with pytest.raises(JsonRpcException, match="nonsense"):
            await editor.command(BENCHMARK, {"models": [mlp.as_uri()], "nonsense": 1})
