"""Large models: from a cold start beside what people use, the memory that costs, and what is quick once it is warm."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure, models
from onnx_lsp import engine
from onnx_lsp.model import reading, text
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

DOCTOR = "onnx-doctor==0.2.0"
USUAL = """\
import sys, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model)
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
"""
CHECK_PATH = "import sys, onnx.checker; onnx.checker.check_model(sys.argv[1], full_check=True)"
ROUNDS = 7


def suite(folder: Path) -> None:
    """Prints the tables."""
    big = str(models.transformer(folder / "transformer.onnx"))
    deep = str(models.many_nodes(folder / "deep.onnx"))
    wide = str(models.many_nodes(folder / "wide.onnx", nodes=50_000, width=64))
    huge = str(models.external(folder / "external.onnx"))
    rows = (
        (f"{_size(big)} transformer", big, "`onnx.load` + check + strict inference", measure.python(USUAL, big), "≤ 0.125 ×"),
        (f"{_size(deep)}, 5,000 nodes", deep, "`check_model(path, full_check=True)`", measure.python(CHECK_PATH, deep), "≤ 1.25 ×"),
        ("50,000 nodes", wide, f"`{DOCTOR.replace('==', ' ')}`", [_doctor(), "check", wide], "≤ 0.33 ×"),
        ("2.4 GB of external data", huge, "`check_model(path, full_check=True)`", measure.python(CHECK_PATH, huge), "≤ 1 s"),
    )
    print(measure.HEADER)
    for name, path, peer, command, bar in rows:
        result = measure.compare(measure.onnx_lint(path), command, rounds=ROUNDS)
        print(measure.row(name, peer, result, bar), flush=True)
    print("\n| private memory (RssAnon, all processes) | onnx-lint | the peer above | bar |\n|---|---|---|---|")
    for name, path, _, command, _ in rows:
        ours, theirs = (measure.megabytes(measure.private_memory(line)) for line in (measure.onnx_lint(path), command))
        print(f"| {name} | **{ours}** | {theirs} | {'' if path == wide else '≤ 120 MB'} |", flush=True)
    print("\n| once it is warm | processor time | bar |\n|---|---|---|")
    for name, action, bar in _warm(deep, wide, folder):
        print(f"| {name} | **{action() * 1000:.0f} ms** | {bar} |", flush=True)


def _warm(deep: str, wide: str, folder: Path) -> tuple[tuple[str, Callable[[], float], str], ...]:
    return (
        ("structure findings, 5,000 nodes", lambda: _median(lambda: _structure(deep)), "≤ 60 ms"),
        ("one more unchanged file (5,000 nodes) from the cache", lambda: _from_cache(deep, folder), "≤ 5 ms"),
        ("the model as text, 5,000 nodes", lambda: _median(lambda: _text(deep)), "≤ 150 ms"),
        ("the model as text, 50,000 nodes", lambda: _median(lambda: _text(wide)), "≤ 1,000 ms"),
    )


def _size(path: str) -> str:
    return measure.megabytes(os.stat(path).st_size)


def _median(action: Callable[[], object]) -> float:
    """Seconds of processor time that a call takes after a first one."""
    action()
    return statistics.median(_seconds(action) for _ in range(ROUNDS))


def _seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def _structure(path: str) -> None:
    stages = engine.lint_model(path, Settings(), Workspace())
    while next(stages).phase != "the ONNX checker":
        pass


def _text(path: str) -> None:
    text.render(reading.read(path).model, text.VIEW)


def _from_cache(path: str, folder: Path) -> float:
    """Seconds of processor time that a remembered model adds to a run over another one."""
    small = str(models.many_nodes(folder / "small.onnx", nodes=2, weights=1, width=2))
    command = [item for item in measure.onnx_lint() if item != "--no-cache"] + ["--cache-dir", str(folder / "cache")]
    pairs = [[_children(lambda: measure.wall([*command, *target])) for target in ((small, path), (small,))] for _ in range(4 * ROUNDS)]
    return statistics.median(both - one for both, one in pairs[1:])


def _children(action: Callable[[], object]) -> float:
    """Seconds of processor time that child processes take."""
    before = os.times()
    action()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _doctor() -> str:
    """The command of onnx-doctor, in an environment of its own that stays in the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "onnx-lsp" / "peers" / DOCTOR
    command = folder / "bin" / "onnx-doctor"
    if not command.exists():
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", DOCTOR], check=True, stdout=sys.stderr)
    return str(command)
