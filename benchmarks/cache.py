"""A repository of 2,000 scripts and 200 models, linted twice: what the cache saves."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SCRIPT = '''\
"""Trains and exports model {number}."""

import torch
from torch import nn


class Net{number}(nn.Module):
    def __init__(self, width: int = {width}):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, 10)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def train(model, data, epochs=3):
    optimizer = torch.optim.Adam(model.parameters())
    for _ in range(epochs):
        for x, y in data:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def export(path="net{number}.onnx"):
    model = Net{number}().eval()
    example = torch.randn({batch}, {width})
    torch.onnx.export(model, (example,), path, input_names=["x"], output_names=["y"]{more})


if __name__ == "__main__":
    export()
'''


@dataclass(frozen=True, slots=True)
class Twice:
    """Seconds of a first and a second run, and of a run without a cache."""

    first: float
    second: float

    @property
    def ratio(self) -> float:
        return self.first / self.second


def repository(folder: Path, scripts: int = 2000, models: int = 200) -> Path:
    """Writes scripts and models into folders of 50; most are clean, as in a real repository."""
    import onnx

    for number in range(scripts):
        path = folder / f"package{number // 50:02}" / f"export{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        more = ', dynamic_axes={"x": {0: "batch"}}, dynamo=False' if number % 4 else ""
        path.write_text(SCRIPT.format(number=number, width=16 + number % 64, batch=1 + number % 3, more=more))
    for number in range(models):
        path = folder / f"models{number // 50}" / f"net{number}.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(_model(onnx, number), path)
    return folder


def _model(onnx, number: int):
    nodes = "\n".join(f"  v{step + 1} = Relu(v{step})" for step in range(1, 20 + number % 10))
    wrong = "lost" if number % 10 == 0 else f"v{20 + number % 10}"
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : 17]>\ng (float[N,4] x) => (float[N,4] y)\n'
        f"{{\n  v1 = Relu(x)\n{nodes}\n  y = Softmax({wrong})\n}}"
    )


def twice(folder: Path, cache: Path, rounds: int = 3) -> Twice:
    """Lints with an empty cache, then again; medians over the rounds. Both runs print the same."""
    command = [
        os.path.join(os.path.dirname(sys.executable), "onnx-lint"),
        "check",
        "--isolated",
        "--output-format",
        "json",
    ]
    seconds: tuple[list[float], list[float]] = ([], [])
    time.sleep(0.1)  # a file that has just been written is not remembered
    for _ in range(rounds):
        shutil.rmtree(cache, ignore_errors=True)
        outputs = []
        for which in range(2):
            begin = time.perf_counter()
            done = subprocess.run([*command, "--cache-dir", str(cache), str(folder)], capture_output=True)
            seconds[which].append(time.perf_counter() - begin)
            if done.returncode != 1 or b"FIL007" in done.stdout:
                sys.exit(f"{command} exited with {done.returncode}: {done.stderr.decode()[-500:]}")
            outputs.append(done.stdout)
        if outputs[0] != outputs[1]:
            sys.exit("the second run printed something else than the first")
    return Twice(*map(statistics.median, seconds))


def suite(folder: Path) -> None:
    """Prints the table."""
    result = twice(repository(folder / "repository"), folder / "cache")
    print("| 2,000 scripts and 200 models | first run | second run | faster | bar |\n|---|---|---|---|---|")
    print(f"| `onnx-lint check` | {result.first:.2f} s | {result.second:.2f} s | **{result.ratio:.1f} ×** | ≥ 10 × |")
