"""The tables answer, and say when they are not certain."""

from __future__ import annotations

import pytest

from onnx_lsp import tables, targets
from onnx_lsp.settings import Settings, SettingsError, apply
from onnx_lsp.targets import Verdict

FLOAT, DOUBLE, HALF, INT4 = ({"T": {name}} for name in ("float", "double", "float16", "int4"))

# target, op, opset, types -> verdict, certain
ANSWERS = [
    ("onnxruntime-cpu@1.20", "Relu", 14, FLOAT, Verdict.KERNEL, True),
    ("onnxruntime-cpu@1.20.1", "Relu", 14, FLOAT, Verdict.KERNEL, True),
    ("onnxruntime-cpu@1.18", "Exp", 13, HALF, Verdict.KERNEL, True),
    ("onnxruntime-cpu@1.18", "Mish", 18, FLOAT, Verdict.INLINED, True),
    ("onnxruntime-cpu@1.18", "DeformConv", 19, FLOAT, Verdict.REFUSES, True),
    ("onnxruntime-cpu@1.32", "DeformConv", 19, FLOAT, Verdict.KERNEL, True),
    ("onnxruntime-cpu@1.32", "SwiGLU", 28, FLOAT, Verdict.REFUSES, True),
    ("onnxruntime-cpu@1.17", "Identity", 19, INT4, Verdict.REFUSES, True),
    ("onnxruntime-cpu@1.99", "SwiGLU", 28, FLOAT, Verdict.REFUSES, False),
    ("onnxruntime-cpu@1.20", "Relu", 14, None, Verdict.KERNEL, True),
    ("onnxruntime-cpu@1.20", "NoSuchOp", 14, None, Verdict.UNKNOWN, False),
    ("onnxruntime-coreml-neuralnetwork@1.21", "GridSample", 16, None, Verdict.FALLS_BACK, False),
    ("onnxruntime-web-webgl@1.21", "GridSample", 16, None, Verdict.REFUSES, True),
    ("tensorrt@10.1", "Exp", 13, DOUBLE, Verdict.KERNEL, True),
    ("tensorrt@10.1", "Unique", 11, None, Verdict.REFUSES, True),
    ("tensorrt@10.5", "Attention", 23, None, Verdict.UNKNOWN, False),
    ("openvino@2024.6", "Attention", 23, None, Verdict.REFUSES, False),
    ("openvino@2026.4", "Attention", 23, None, Verdict.KERNEL, True),
    ("litert", "Relu", 14, None, Verdict.KERNEL, True),
]


@pytest.mark.parametrize(("name", "op", "opset", "types", "verdict", "sure"), ANSWERS)
def test_a_table_answers(name: str, op: str, opset: int, types, verdict: Verdict, sure: bool) -> None:
    answer = targets.runs(op, "", opset, targets.binding(types), targets.parse(name))
    assert (answer.verdict, answer.sure) == (verdict, sure), answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onnxruntme-cpu", ["no target `onnxruntme-cpu`", "`onnxruntime-cpu`"]),
        ("trt", ["`tensorrt`"]),
        ("tensorrt@ten", ["`ten` is no version of tensorrt", "10.15"]),
        ("", ["no target"]),
    ],
)
def test_an_unknown_target_lists_the_close_ones(text: str, words: list[str]) -> None:
    with pytest.raises(targets.UnknownTarget) as error:
        targets.parse(text)
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    ("text", "version", "other", "sure"),
    [
        ("onnxruntime-cpu@1.20.1", "1.20", None, True),
        ("onnxruntime@1.20", "1.20", None, True),
        ("onnxruntime-cpu@1.14", "1.16", None, False),
        ("tensorrt@10.5", "10.1", "10.15", False),
        ("tensorrt", "11.0", None, False),
        ("onnxruntime-coreml-mlprogram@later", "later", None, True),
    ],
)
def test_the_nearest_version_answers_with_a_note(text: str, version: str, other: str | None, sure: bool) -> None:
    target = targets.parse(text)
    assert (target.version, target.other, target.sure) == (version, other, sure)
    assert bool(target.note) is not sure


def test_whole_model_bounds() -> None:
    bounds = {name: targets.limits(targets.parse(name)) for name in ("onnxruntime-cpu@1.18", "onnxruntime-cuda@1.24", "tensorrt@10.1")}
    assert [(found.max_opset, found.max_ir) for found in bounds.values()] == [(21, 10), (25, 13), (20, None)]
    assert targets.limits(targets.parse("onnxruntime-cpu@1.32")).max_opset == 28


def test_versions_agree_with_what_was_measured() -> None:
    measured = targets.read("onnxruntime-cpu")["limits"]
    said = targets.read("versions")["onnxruntime"]
    assert {minor: (row["opset"], row["ir"]) for minor, row in measured.items()} == {
        minor: (row["opset"], row["ir"]) for minor, row in said.items() if minor in measured
    }


@pytest.mark.parametrize("name", targets.names())
def test_every_line_of_every_table_can_be_read(name: str) -> None:
    source = targets.table(name)
    assert source.date[:2] == "20" and source.data["source"] and source.data["title"]
    for section in ("ops", "inlined", "not_inlined", "revisions"):
        for domain, ops in source.data.get(section, {}).items():
            for op in ops:
                assert source.entries(section, domain, op), f"{section} {domain} {op}"


def test_the_tables_are_small() -> None:
    from pathlib import Path

    assert sum(path.stat().st_size for path in Path(tables.folder()).iterdir()) < 400_000


def test_a_wrong_target_in_a_configuration_is_an_error() -> None:
    with pytest.raises(SettingsError, match="onnxruntime-cpu"):
        apply(Settings(), {"targets": ["onnxruntime-cpo"]}, "pyproject.toml")


def test_asking_a_table_imports_no_onnx() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from onnx_lsp import targets as t; t.runs('Resize', '', 13, None, t.parse('openvino'));"
        "assert not {'onnx', 'numpy', 'google.protobuf'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_who_runs_an_operator_is_a_table() -> None:
    from onnx_lsp.cli.targets import support

    chosen = [targets.parse(name) for name in ("onnxruntime-cpu@1.20", "onnxruntime-web-webgl@1.21")]
    header, cpu, webgl = support("gridsample", None, chosen)
    assert header == ("target", "GridSample-16", "GridSample-20", "GridSample-22", "note")
    assert cpu[:3] == ("onnxruntime-cpu 1.20", "runs", "runs")
    assert webgl[1] == "refuses"
    with pytest.raises(targets.UnknownTarget, match="GridSample"):
        list(support("GrdSample", None, chosen))
