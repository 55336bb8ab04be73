"""Real models from packages and fresh exports, optimised by the command line: what is won, and what is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from onnx_lsp.actions.words import percent
from tests.actions.exports import EXPORTS
from tests.models import VARIED, real_models

REAL = (
    "silero_vad_16k_op15.onnx",
    "silero_vad__data__silero_vad.onnx",
    *VARIED,
)
SECONDS = 45
HEADER = """\
| model | nodes | kept | one run | noise | create | difference |
|---|---|---|---|---|---|---|"""


def suite(folder: Path) -> None:
    """Optimises each model for latency, on one thread, and prints what was proven."""
    print(HEADER)
    for name, path in _models(folder):
        print(_row(name, _optimized(path, folder / "result.onnx")), flush=True)


def _models(folder: Path) -> Iterator[tuple[str, Path]]:
    for ending in REAL:
        path = next(path for path in real_models() if path.name.endswith(ending))
        yield path.name.split("__")[-1], path
    for name, export in EXPORTS.items():
        path = folder / f"{name}.onnx"
        export(path)
        yield f"torch export: {name}", path


def _optimized(model: Path, output: Path) -> dict:
    options = ["--seconds", str(SECONDS), "--overwrite", "--json", "--output", str(output)]
    command = [sys.executable, "-m", "onnx_lsp.cli", "optimize", str(model), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{model.name}: {done.stderr}")
    return json.loads(done.stdout)


def _row(name: str, report: dict) -> str:
    nodes, confirmed = str(report["original"]["nodes"]), report["confirmed"]
    if confirmed is None:
        return f"| {name} | {nodes} | – | – | – | – | – |"
    best, measured = report["candidates"][confirmed], report["confirmation"]
    run = next((row for row in measured["results"] if row["entry"] == 1), {"ratio": None})
    cold = next((row for row in measured["cold"] if row["entry"] == 1), {"ratio": None})
    floor = measured["floor"][0]
    noise = "–" if floor is None else percent(floor)
    nodes += f" → {best['facts']['nodes']}"
    kept = f"**{' + '.join(best['stages'])}**" if report["chosen"] is not None else "–"
    difference = best["agreement"]["worst"]["absolute"]
    return f"| {name} | {nodes} | {kept} | {_ratio(run)} | {noise} | {_ratio(cold)} | {difference:.1g} |"


def _ratio(row: dict) -> str:
    found = row["ratio"]
    return f"{found['value']:.3f} ({found['low']:.3f} – {found['high']:.3f})" if found else "–"
