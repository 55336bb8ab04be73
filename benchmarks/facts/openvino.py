"""OpenVINO's newest wheel, asked in child processes: which models it converts, and which element types it knows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from onnx import TensorProto, helper

from benchmarks.facts import wheels
from benchmarks.facts.onnxruntime_wheels import PYTHON, Release, loads

VERSION = "2026.4"
CONVERT = """
import sys
import openvino
core = openvino.Core()
for path in sys.stdin.read().splitlines():
    try:
        core.read_model(path)
        print("loads")
    except Exception as error:
        print("refuses " + " ".join(str(error).split())[-300:])
    sys.stdout.flush()
"""


def unpack(folder: Path) -> Release:
    """Downloads the wheel into `folder`, unless it is there."""
    place = folder / f"openvino-{VERSION}"
    if not place.exists():
        with wheels.wheel(f"openvino=={VERSION}.*", PYTHON) as path:
            wheels.extract(path, place)
    version = next(place.glob("openvino-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    return Release(version, str(place))


def refused_types(release: Release) -> list[str]:
    """The element types of which not even an Identity converts."""
    names = [name for name, number in TensorProto.DataType.items() if number]
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name in names:
            ports = [helper.make_tensor_value_info(port, TensorProto.DataType.Value(name), [2]) for port in "xy"]
            graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ports[:1], ports[1:])
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)], ir_version=13)
            paths.append(Path(folder) / f"{name}.onnx")
            paths[-1].write_bytes(model.SerializeToString())
        answers = loads(release, paths, CONVERT)
    return sorted(name.lower() for name, answer in zip(names, answers, strict=True) if answer != "loads")
