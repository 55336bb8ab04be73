"""Whatever the stages do, the user's process lives, nothing false is written, and the report says why."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from onnx_lsp.actions import pipelines
from onnx_lsp.actions.crew import ActionError, Cancelled
from onnx_lsp.actions.optimize import OptimizeRequest, default_output, optimize
from tests.actions.conftest import SHORT, children

pytestmark = pytest.mark.slow


def _quiet(text: str, share: float) -> None:
    pass


HOSTILE = [
    ("segfault", "died", "SIGSEGV"),
    ("loop", "died", "took longer than 3 s"),
    ("eat_memory", "died", "memory"),
    ("write_nothing", "died", "No such file"),
    ("write_half", "died", "DecodeError"),
    ("raise_error", "died", "not to my liking"),
    ("wrong_answer", "wrong", "differs by"),
    ("other_interface", "invalid", "`renamed`"),
    ("invalid", "invalid", "checker"),
    ("copy", "same", "nothing was changed"),
]


@pytest.mark.parametrize(("stage", "status", "reason"), HOSTILE, ids=[case[0] for case in HOSTILE])
def test_hostile_stages(mlp: Path, hostile: str, stage: str, status: str, reason: str) -> None:
    before = mlp.read_bytes()
    request = OptimizeRequest(
        str(mlp),
        pipelines=((f"{hostile}:{stage}",),),
        plan=SHORT,
        stage_timeout=3 if stage == "loop" else 60,
        memory=1000,
    )
    report = optimize(request, _quiet)
    (candidate,) = report.candidates
    assert candidate.status == status
    assert reason in candidate.reason
    assert report.chosen is None
    assert report.verdict.startswith("Nothing to win here")
    assert os.listdir(mlp.parent) == ["mlp.onnx"]
    assert mlp.read_bytes() == before
    assert not children()


def test_what_follows_a_failed_stage_is_not_tried(mlp: Path, hostile: str) -> None:
    stages = (f"{hostile}:raise_error", "onnxslim")
    report = optimize(OptimizeRequest(str(mlp), pipelines=(stages,), plan=SHORT), _quiet)
    assert report.candidates[0].status == "died"


def test_a_smaller_model_is_written(mlp: Path) -> None:
    request = OptimizeRequest(str(mlp), goal="portability", pipelines=(("onnxoptimizer",),), plan=SHORT)
    report = optimize(request, _quiet)
    assert report.chosen == 0, report.verdict
    assert report.written == default_output(str(mlp))
    onnx.checker.check_model(report.written, full_check=True)
    assert report.candidates[0].facts.nodes < report.original.nodes
    assert {name for name, _ in report.candidates[0].facts.ops} == {"MatMul", "Relu"}


def test_an_output_is_not_overwritten_unasked(mlp: Path) -> None:
    (mlp.parent / "mlp.opt.onnx").write_text("precious")
    with pytest.raises(ActionError, match="exists already"):
        optimize(OptimizeRequest(str(mlp)), _quiet)
    assert (mlp.parent / "mlp.opt.onnx").read_text() == "precious"


@pytest.mark.parametrize(("place", "problem"), [("nowhere/out.onnx", "there is no folder"), (".", "cannot be written")])
def test_what_cannot_be_written_is_said_before_the_work(mlp: Path, place: str, problem: str) -> None:
    with pytest.raises(ActionError, match=problem):
        optimize(OptimizeRequest(str(mlp), str(mlp.parent / place), overwrite=True), _quiet)


def test_an_invalid_model_is_not_touched(mlp: Path) -> None:
    model = onnx.load(mlp)
    model.graph.node[0].input[0] = "nobody"
    onnx.save(model, mlp)
    with pytest.raises(ActionError, match="the original must be valid"):
        optimize(OptimizeRequest(str(mlp)), _quiet)


def test_a_random_model_is_not_optimised(tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]>
    g (float[4] x) => (float[4] y) { n = RandomNormalLike(x) y = Add(x, n) }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "random.onnx")
    with pytest.raises(ActionError, match="two runs on the same inputs differ"):
        optimize(OptimizeRequest(str(tmp_path / "random.onnx")), _quiet)


def test_an_unknown_pass_is_named(mlp: Path) -> None:
    request = OptimizeRequest(str(mlp), pipelines=(("onnxoptimizer",),), passes=("fuse_bn_into_con",), plan=SHORT)
    report = optimize(request, _quiet)
    assert report.candidates[0].status == "unable"
    assert "did you mean `fuse_bn_into_conv`?" in report.candidates[0].reason


def test_a_missing_package_names_the_extra(mlp: Path, hostile: str) -> None:
    report = optimize(OptimizeRequest(str(mlp), pipelines=(("no_such_package:stage",),), plan=SHORT), _quiet)
    assert report.candidates[0].status == "unable"
    assert "pip install 'onnx-lsp[optimize]'" in report.candidates[0].reason


def test_external_data_stays_external(mlp: Path) -> None:
    folder = mlp.parent / "external"
    folder.mkdir()
    big = folder / "big.onnx"
    onnx.save(onnx.load(mlp), big, save_as_external_data=True, location="weights.bin", size_threshold=0)
    pipelines = (("fixes",), ("onnxoptimizer",), ("onnxscript",), ("onnxslim",))
    for stages in pipelines:
        request = OptimizeRequest(str(big), str(folder / "out.onnx"), True, "portability", (stages,), plan=SHORT)
        report = optimize(request, _quiet)
        assert report.candidates[0].status == "ok", (stages, report.candidates[0])
        assert report.chosen == 0, report.verdict
        assert report.candidates[0].facts.external
        onnx.checker.check_model(report.written, full_check=True)
        modes = {os.stat(report.written + suffix).st_mode & 0o777 for suffix in ("", ".data")}
        assert modes == {os.stat(mlp).st_mode & 0o777}, "whoever reads the model reads its weights"


def test_cancel_leaves_nothing(mlp: Path, hostile: str) -> None:
    cancel = threading.Event()
    request = OptimizeRequest(str(mlp), pipelines=((f"{hostile}:loop",),), plan=SHORT)
    seconds = _cancelled_after(lambda progress: optimize(request, progress, cancel), cancel, "trying")
    assert seconds < 1
    assert os.listdir(mlp.parent) == ["mlp.onnx"]
    assert not children()


def test_cancel_while_measuring(mlp: Path) -> None:
    cancel = threading.Event()
    plan = replace(SHORT, seconds=600, most=10_000, generations=10_000)
    request = OptimizeRequest(str(mlp), goal="portability", pipelines=(("onnxoptimizer",),), plan=plan)
    seconds = _cancelled_after(lambda progress: optimize(request, progress, cancel), cancel, "generation")
    assert seconds < 1
    assert os.listdir(mlp.parent) == ["mlp.onnx"]
    assert not children()


def _cancelled_after(action, cancel: threading.Event, word: str) -> float:
    """Starts an action, sets `cancel` when its progress says `word`, and returns the seconds until it came back."""
    moment: list[float] = []

    def progress(text: str, share: float) -> None:
        if text.startswith(word) and not moment:
            threading.Timer(0.3, fire).start()
            moment.append(0.0)

    def fire() -> None:
        moment[0] = time.monotonic()
        cancel.set()

    with pytest.raises(Cancelled):
        action(progress)
    return time.monotonic() - moment[0]


def test_a_model_that_protobuf_cannot_hold(mlp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "PROTOBUF_LIMIT", 100)
    (made,) = pipelines.run_stage("onnxoptimizer", str(mlp), str(mlp.with_name("out.onnx")))
    assert made == pipelines.Unable("onnxoptimizer takes no model of over 2 GB")
