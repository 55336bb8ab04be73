"""Runs commands side by side and measures them: wall time as paired ratios, memory as private memory of all processes."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

POLL = 0.002  # seconds between two looks at /proc


@dataclass(frozen=True, slots=True)
class Comparison:
    """A and B run in turn, in random order: medians in seconds, and the median of the pairwise ratios A / B."""

    a: float
    b: float
    ratio: float
    low: float
    high: float


def compare(a: list[str], b: list[str], rounds: int = 11) -> Comparison:
    """Times two commands as whole processes, interleaved; one warm-up round is not counted."""
    pairs = []
    for number in range(rounds + 1):
        order = [0, 1]
        random.shuffle(order)
        seconds = [0.0, 0.0]
        for which in order:
            seconds[which] = wall((a, b)[which])
        if number:
            pairs.append(seconds)
    ratios = sorted(x / y for x, y in pairs)
    return Comparison(
        statistics.median(x for x, _ in pairs),
        statistics.median(y for _, y in pairs),
        statistics.median(ratios),
        ratios[len(ratios) // 4],
        ratios[-1 - len(ratios) // 4],
    )


def wall(command: list[str]) -> float:
    """Seconds that a command takes as a process. Its exit code does not matter: a linter that finds something exits 1."""
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - begin
    if done.returncode not in (0, 1):
        sys.exit(f"{command} exited with {done.returncode}: {done.stderr.decode()[-500:]}")
    return seconds


def private_memory(command: list[str]) -> int:
    """The peak of RssAnon in bytes, added over the command and all its descendants (Linux)."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(rss_anon(pid) for pid in (process.pid, *descendants(process.pid))))
        time.sleep(POLL)
    return peak


def descendants(pid: int) -> list[int]:
    """The processes below `pid`."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def rss_anon(pid: int) -> int:
    """The private memory of one process in bytes; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def onnx_lint(*arguments: str) -> list[str]:
    """The command line of `onnx-lint check` in this environment, without configuration and without a cache."""
    return [os.path.join(os.path.dirname(sys.executable), "onnx-lint"), "check", "--isolated", "--no-cache", *arguments]


def python(code: str, *arguments: str) -> list[str]:
    """The command line of a bare Python process."""
    return [sys.executable, "-c", code, *arguments]


def megabytes(size: float) -> str:
    return f"{size / 1e6:.0f} MB"


def row(name: str, peer: str, result: Comparison, bar: str) -> str:
    """A line of a Markdown table."""
    return (
        f"| {name} | {peer} | **{result.ratio:.2f} ×** ({result.low:.2f}–{result.high:.2f}) | {bar} "
        f"| {result.a * 1000:.0f} / {result.b * 1000:.0f} ms |"
    )


HEADER = "| onnx-lint | peer | ratio (quartiles) | bar | absolute |\n|---|---|---|---|---|"
