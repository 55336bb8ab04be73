"""Other releases of onnxruntime, each unpacked into a folder of its own and asked in child processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.facts import wheels

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# Releases up to this one were built against numpy 1 and do not import beside numpy 2.
LAST_FOR_NUMPY_1 = (1, 18)


@dataclass(frozen=True, slots=True)
class Release:
    """An unpacked wheel: the version it says, and what PYTHONPATH must hold."""

    version: str
    path: str

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


def unpack(minor: str, folder: Path) -> Release:
    """Downloads `onnxruntime==MINOR.*` (and numpy 1 where it needs it) into `folder`, unless it is there.

    Raises:
        NoWheel: the index has no such wheel for this Python.
    """
    place = folder / f"onnxruntime-{minor}"
    if not place.exists():
        with wheels.wheel(f"onnxruntime=={minor}.*", PYTHON) as path:
            wheels.extract(path, place)
    version = next(place.glob("onnxruntime-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    paths = [str(place)]
    if tuple(int(part) for part in minor.split(".")) <= LAST_FOR_NUMPY_1:
        numpy = folder / "numpy-1"
        if not numpy.exists():
            with wheels.wheel("numpy<2", PYTHON) as path:
                wheels.extract(path, numpy)
        paths.append(str(numpy))
    return Release(version, ":".join(paths))


KERNELS = """
import json
import onnxruntime.capi.onnxruntime_pybind11_state as state
rows = [
    [d.domain or "ai.onnx", d.op_name, list(d.version_range), sorted([k, sorted(v)] for k, v in d.type_constraints.items())]
    for d in state.get_all_opkernel_def() if d.provider == "CPUExecutionProvider"
]
print(json.dumps(rows))
"""

SCHEMAS = """
import json
import onnxruntime.capi.onnxruntime_pybind11_state as state
rows = [
    [s.domain or "ai.onnx", s.name, s.since_version, {t.type_param_str: t.allowed_type_strs for t in s.type_constraints}]
    for s in state.get_all_operator_schema()
]
print(json.dumps(rows))
"""

LOAD = """
import sys
import onnxruntime
onnxruntime.set_default_logger_severity(4)
for path in sys.stdin.read().splitlines():
    try:
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        print("loads")
    except Exception as error:
        print("refuses " + " ".join(str(error).split())[-300:])
    sys.stdout.flush()
"""


def kernels(release: Release) -> list[list]:
    """The registered kernels of the CPU provider: domain, op, version range, type constraints."""
    done = _run(release, KERNELS)
    return json.loads(done.stdout)


def schemas(release: Release) -> list[list]:
    """The operators it knows: domain, op, revision, allowed types by type variable."""
    return json.loads(_run(release, SCHEMAS).stdout)


def loads(release: Release, models: Sequence[Path], code: str = LOAD) -> list[str]:
    """Creates a session (or does what `code` does) for every model: `"loads"`, `"refuses MESSAGE"`, or `"dies"` where the process ended."""
    found: list[str] = []
    while len(found) < len(models):
        rest = "\n".join(str(path) for path in models[len(found) :])
        done = _run(release, code, rest, check=False)
        found += done.stdout.splitlines()
        if len(found) < len(models):
            if not done.stdout and done.returncode and "Traceback" in done.stderr:
                raise RuntimeError(done.stderr)
            found.append("dies")
    return found


def _run(release: Release, code: str, text: str = "", check: bool = True) -> subprocess.CompletedProcess:
    environment = {"PYTHONPATH": release.path, "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-c", code], input=text, env=environment, check=check, capture_output=True, text=True
    )
