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
    ("openvino@2024.6", "Attention", 23, None, Verdict.REFUSES, True),
    ("openvino@2026.4", "Attention", 23, None, Verdict.KERNEL, True),
    ("litert", "Relu", 14, None, Verdict.KERNEL, True),
    ("onnxruntime-web-webgl@1.21", "Constant", 13, None, Verdict.KERNEL, True),
    ("onnxruntime-cpu@1.32", "Swish", 24, FLOAT, Verdict.INLINED, True),
    ("onnxruntime-cpu@1.32", "Swish", 25, FLOAT, Verdict.REFUSES, True),
    ("onnxruntime-xnnpack@1.21", "Relu", 14, FLOAT, Verdict.FALLS_BACK, True),
    ("onnx", "SwiGLU", 28, FLOAT, Verdict.KERNEL, True),
    ("onnx@1.17", "SwiGLU", 28, FLOAT, Verdict.REFUSES, True),
]
# target, op, opset, what is known of a node -> whether it runs there
FORMS = [
    ("onnxruntime-cpu@1.32", "LSTM", 14, {".layout": "1"}, False),
    ("onnxruntime-cpu@1.32", "LSTM", 14, {".layout": "0"}, True),
    ("onnxruntime-cpu@1.32", "LSTM", 14, {}, True),
    ("onnxruntime-cpu@1.22", "Concat", 11, {"squeezed": "yes"}, False),
    ("onnxruntime-cpu@1.23", "Concat", 11, {"squeezed": "yes"}, True),
    ("tensorrt@10.15", "GridSample", 16, {"rank(X)": "5"}, False),
    ("tensorrt@10.15", "MaxPool", 12, {"rank(X)": "4", "outputs": "2"}, False),
    ("tensorrt@10.15", "Attention", 23, {"given(past_key)": "yes"}, False),
    ("onnxruntime-nnapi@1.21", "Gather", 13, {"const(indices)": "no"}, True),
    ("onnxruntime-web-webnn@1.21", "Reshape", 14, {"const(shape)": "no"}, False),
    ("openvino@2026.4", "Resize", 13, {".coordinate_transformation_mode": "tf_crop_and_resize"}, False),
]


@pytest.mark.parametrize(("name", "op", "opset", "types", "verdict", "sure"), ANSWERS)
def test_a_table_answers(name: str, op: str, opset: int, types, verdict: Verdict, sure: bool) -> None:
    answer = targets.runs(targets.Kind(op, "", opset, targets.binding(types)), targets.parse(name))
    assert (answer.verdict, answer.sure) == (verdict, sure), answer


@pytest.mark.parametrize(("name", "op", "opset", "facts", "runs"), FORMS)
def test_a_table_knows_forms_of_an_operator(name: str, op: str, opset: int, facts: dict[str, str], runs: bool) -> None:
    answer = targets.runs(targets.Kind(op, "", opset, None, tuple(sorted(facts.items()))), targets.parse(name))
    assert answer.verdict.runs is runs, answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onnxruntme-cpu", ["no target `onnxruntme-cpu`", "`onnxruntime-cpu`"]),
        ("trt", ["`tensorrt`"]),
        ("tensorrt@ten", ["`ten` is no version of tensorrt", "10.15"]),
        ("", ["no target"]),
        ("onnxruntime-cpu@1.99z", ["`1.99z` is no version"]),
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
    assert [bounds[name].refuses for name in bounds] == [True, True, False]  # a document does not say what is refused


def test_versions_agree_with_what_was_measured() -> None:
    measured = tables.table("onnxruntime-cpu").data["limits"]
    said = targets.read("versions")["onnxruntime"]
    assert {minor: (row["opset"], row["ir"]) for minor, row in measured.items()} == {
        minor: (row["opset"], row["ir"]) for minor, row in said.items() if minor in measured
    }


@pytest.mark.parametrize("name", targets.names())
def test_every_line_of_every_table_can_be_read(name: str) -> None:
    source = targets.table(name)
    assert source.date[:2] == "20" and source.data["source"] and source.data["title"]
    for section in ("ops", "inlined", "not_inlined", "revisions"):
        for kind, domain in source.sections:
            for op in source.lines(section, domain) if kind == section else ():
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
        "import sys; from onnx_lsp import targets as t; t.runs(t.Kind('Resize', '', 13), t.parse('openvino'));"
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


def test_the_installed_one_is_asked_in_a_child(tmp_path, monkeypatch) -> None:
    import sys

    pytest.importorskip("onnxruntime", reason="it asks the onnxruntime that is installed")
    monkeypatch.setenv("ONNX_LINT_CACHE_DIR", str(tmp_path))
    targets._of_installed.cache_clear()
    loaded = "onnxruntime" in sys.modules
    target = targets.parse("onnxruntime-cpu@installed")
    asked, shipped = targets.table(target.name), tables.table("onnxruntime-cpu")
    assert ("onnxruntime" in sys.modules) is loaded
    assert "is installed" in target.note
    assert [file.name.partition("-")[0] for file in tmp_path.iterdir()] == ["kernels"]
    assert set(asked.lines("ops", "ai.onnx")) <= set(shipped.lines("ops", "ai.onnx"))
    for op in ("Relu", "LSTM", "Swish", "DeformConv"):
        kind = targets.Kind(op, "", 22, targets.binding(FLOAT))
        assert targets.runs(kind, target).verdict is targets.runs(kind, targets.parse(f"onnxruntime@{target.version}")).verdict


def test_kernels_that_the_shipped_table_does_not_know_count(monkeypatch) -> None:
    from onnx_lsp import installed

    base = tables.table("onnxruntime-cpu")
    kernels = [("ai.onnx", "Relu", 14, 14, {"T": ["float"]}), ("ai.onnx", "SwiGLU", 28, 28, {"T": ["float"]})]
    monkeypatch.setattr(installed, "_asked", lambda version: kernels)
    table = installed.of_installed(base, "1.40.0", base.versions.index("1.32"))
    assert table.entries("ops", "ai.onnx", "SwiGLU")[0].allowed == (("T", frozenset({"float"})),)
    assert not table.entries("ops", "ai.onnx", "Conv")
    assert table.entries("inlined", "ai.onnx", "Swish") == base.entries("inlined", "ai.onnx", "Swish")


def test_findings_about_the_installed_one_are_not_kept_beyond_it(monkeypatch) -> None:
    from onnx_lsp.cache import _stamp

    pytest.importorskip("onnxruntime", reason="its version is looked up")
    fixed, installed = (Settings(targets=(f"onnxruntime-cpu@{version}",)) for version in ("1.32", "installed"))
    before = _stamp(fixed), _stamp(installed)
    monkeypatch.setattr(targets, "_installed", lambda name: "1.40.0")
    assert (_stamp(fixed) == before[0], _stamp(installed) == before[1]) == (True, False)
