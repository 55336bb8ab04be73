"""How a repository with many findings starts: ignores, a baseline, and the end of suppressions that do nothing."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import onnx
import pytest

from tests.cli.tool import CLEAN_MODEL, CLEAN_SCRIPT, MODEL, SCRIPT, check, model, onnx_lint, script

pytestmark = pytest.mark.slow

LONG = """\
import torch


def export(model, x):
    torch.onnx.export(
        model,
        (x,),
        "m.onnx",
        input_names="x",
        output_names=["y"],  # the only one
        dynamo=False,
    )
    torch.onnx.export(model, (x,), "n.onnx", input_names="x", output_names="y", dynamo=False)  # noqa
    torch.onnx.export(model, (x,), "o.onnx", input_names="x", dynamo=False)  # onnx-lint: ignore[EXP101, FIL010]
"""


@pytest.mark.parametrize("text", [SCRIPT, LONG, LONG.replace("\n", "\r\n")], ids=["short", "long", "CRLF"])
def test_add_ignores_excuses_every_finding_and_changes_nothing_else(tmp_path: Path, text: str) -> None:
    script(tmp_path / "e.py", text)
    assert check(cwd=tmp_path).code == 1
    done = onnx_lint("check", "--add-ignores", cwd=tmp_path)
    assert done.code == 0 and "in 1 file." in done.out, done
    assert check(cwd=tmp_path).found == []
    written = (tmp_path / "e.py").read_bytes().decode()
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(text))
    assert written.count("\r\n") == text.count("\r\n")
    assert onnx_lint("check", "--add-ignores", cwd=tmp_path).out == "Added 0 ignores in 0 files.\n"
    assert (tmp_path / "e.py").read_bytes().decode() == written


def test_add_ignores_joins_a_comment_that_is_there(tmp_path: Path) -> None:
    script(tmp_path / "e.py", LONG)
    onnx_lint("check", "--add-ignores", cwd=tmp_path)
    assert "# onnx-lint: ignore[EXP101, EXP504, FIL010]" in (tmp_path / "e.py").read_text()


def test_add_ignores_leaves_models_to_a_baseline(tmp_path: Path) -> None:
    model(tmp_path / "m.onnx")
    assert "use --write-baseline for 1" in onnx_lint("check", "--add-ignores", cwd=tmp_path).out


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    script(tmp_path / "src" / "e.py")
    model(tmp_path / "src" / "m.onnx")
    done = onnx_lint("check", "--write-baseline", "lint.json", cwd=tmp_path)
    assert done.code == 0, done
    return tmp_path


def accepted(root: Path, *arguments: object, cwd: Path | None = None) -> list[str]:
    return check("--baseline", root / "lint.json", *arguments, cwd=cwd or root).codes


def test_a_baseline_leaves_only_what_is_new(legacy: Path) -> None:
    assert accepted(legacy) == []
    assert accepted(legacy, ".", cwd=legacy / "src") == []
    script(legacy / "src" / "new.py")
    assert accepted(legacy) == ["EXP504"]


def test_a_baseline_survives_edits_elsewhere_in_the_file(legacy: Path) -> None:
    script(
        legacy / "src" / "e.py",
        "# a new line\n\nimport os\n" + SCRIPT.replace("model.eval()", "model.eval()\n    print(os)"),
    )
    model(
        legacy / "src" / "m.onnx",
        MODEL.replace("  hidden =", "  first = Abs(x)\n  hidden =").replace("Relu(x)", "Relu(first)"),
    )
    assert accepted(legacy) == []


def test_a_second_finding_of_the_same_kind_is_new(legacy: Path) -> None:
    script(legacy / "src" / "e.py", SCRIPT + SCRIPT.splitlines()[-1] + "\n")
    assert accepted(legacy) == ["EXP504"]


def test_another_name_is_new(legacy: Path) -> None:
    model(legacy / "src" / "m.onnx", MODEL.replace("Softmax(hiden)", "Softmax(hidn)"))
    assert accepted(legacy) == ["FIL010", "ONX010"]


def test_what_is_gone_is_said(legacy: Path) -> None:
    script(legacy / "src" / "e.py", CLEAN_SCRIPT)
    (item,) = check("--baseline", "lint.json", cwd=legacy).found
    assert (item["code"], item["severity"], item["file"]) == ("FIL010", "info", "src/e.py")
    assert "`lint.json` lists 1 finding of this file that is gone" in item["message"]
    assert check("--baseline", "lint.json", "src/m.onnx", cwd=legacy).found == []


def test_a_baseline_moves_with_its_repository_and_can_be_configured(
    legacy: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("clone") / "repository"
    shutil.copytree(legacy, copy)
    assert accepted(copy) == []
    (copy / "onnx-lint.toml").write_text('baseline = "lint.json"\n')
    assert check(cwd=copy).found == []
    assert check(copy, cwd=Path("/")).found == []


def test_a_baseline_is_sorted_and_says_what_it_accepts(legacy: Path) -> None:
    data = json.loads((legacy / "lint.json").read_text())
    assert [(entry["file"], entry["code"]) for entry in data["findings"]] == [
        ("src/e.py", "EXP504"),
        ("src/m.onnx", "ONX010"),
    ]
    first = (legacy / "lint.json").read_bytes()
    onnx_lint("check", "--write-baseline", "lint.json", cwd=legacy)
    assert (legacy / "lint.json").read_bytes() == first


EXCUSES = [
    ('[[ignore]]\ncode = "ONX010"', []),
    ('[[ignore]]\ncode = "undefined-tensor"\nfile = "*.onnx"', []),
    ('[[ignore]]\ncode = "ONX010"\nfile = "sub/m.onnx"', []),
    ('[[ignore]]\ncode = "ONX010"\npath = "graph/node[1]"', []),
    ('[[ignore]]\ncode = "ONX010"\npath = "graph/*"', []),
    ('[[ignore]]\ncode = "ONX010"\npath = "graph/node[2]"', ["ONX010"]),
    ('[[ignore]]\ncode = "ONX010"\nfile = "other.onnx"', ["ONX010"]),
    ('[[ignore]]\ncode = "ONX011"', ["ONX010"]),
    ('[[ignore]]\ncode = "ONX011"\nfile = "sub/m.onnx"', ["FIL010", "ONX010"]),
    ('[[ignore]]\ncode = "ONX011"\nfile = "sub/m.onnx"\n[[ignore]]\ncode = "FIL010"', ["FIL010", "ONX010"]),
]


@pytest.mark.parametrize(("toml", "codes"), EXCUSES, ids=lambda value: str(value))
def test_configuration_tables_excuse_models(tmp_path: Path, toml: str, codes: list[str]) -> None:
    model(tmp_path / "sub" / "m.onnx")
    (tmp_path / "pyproject.toml").write_text(toml.replace("[[ignore]]", "[[tool.onnx-lint.ignore]]"))
    assert sorted(check(cwd=tmp_path).codes) == codes


METADATA = [
    ("ONX010", []),
    ("undefined-tensor", []),
    ("ONX", []),
    ("ALL", []),
    ("ONX010, ONX011", ["FIL010"]),
    ("ONX999", ["FIL010", "ONX010"]),
    ("", ["ONX010"]),
]


@pytest.mark.parametrize(("value", "codes"), METADATA)
def test_a_model_can_say_what_to_ignore(tmp_path: Path, value: str, codes: list[str]) -> None:
    model(tmp_path / "m.onnx", metadata={"onnx-lint.ignore": value})
    assert sorted(check(cwd=tmp_path).codes) == codes


def test_a_suppression_of_a_rule_that_did_not_run_is_not_idle(tmp_path: Path) -> None:
    model(tmp_path / "m.onnx", CLEAN_MODEL, metadata={"onnx-lint.ignore": "ONX010"})
    script(tmp_path / "e.py", CLEAN_SCRIPT.rstrip("\n") + "  # onnx-lint: ignore[EXP504]\n")
    assert check(cwd=tmp_path).codes == ["FIL010", "FIL010"]
    assert check("--ignore", "ONX010,EXP504", cwd=tmp_path).codes == []
    assert check("--select", "FIL", cwd=tmp_path).codes == []


COMMENTS = [
    ("  # onnx-lint: ignore[EXP504]", [], ""),
    ("  # onnx-lint: ignore", [], ""),
    ("  # noqa # onnx-lint: ignore[names-as-string]", [], ""),
    ("  # onnx-lint: ignore[EXP504, EXP301]", ["FIL010"], "  # onnx-lint: ignore[EXP504]"),
    ("  # onnx-lint: ignore[EXP301] for now", ["EXP504", "FIL010"], ""),
    ("  # noqa # onnx-lint: ignore[EXP301]", ["EXP504", "FIL010"], "  # noqa"),
    ("  # onnx-lint: ignore[EXP301] # noqa", ["EXP504", "FIL010"], "  # noqa"),
    ("  # onnx-lint: ignore[EXP999]", ["EXP504", "FIL010"], "  # onnx-lint: ignore[EXP999]"),
]


@pytest.mark.parametrize(("comment", "codes", "fixed"), COMMENTS, ids=[comment for comment, _, _ in COMMENTS])
def test_comments_excuse_lines_and_idle_ones_are_removed(
    tmp_path: Path, comment: str, codes: list[str], fixed: str
) -> None:
    script(tmp_path / "e.py", SCRIPT.rstrip("\n") + comment + "\n")
    assert sorted(check(cwd=tmp_path).codes) == codes
    check("--fix", cwd=tmp_path)
    if "FIL010" in codes:
        assert (tmp_path / "e.py").read_text().splitlines()[-1].endswith("dynamo=False)" + fixed)


def test_a_comment_for_the_file(tmp_path: Path) -> None:
    script(tmp_path / "e.py", "# onnx-lint: ignore-file[EXP504]\n" + SCRIPT)
    assert check(cwd=tmp_path).codes == []
    script(tmp_path / "e.py", "# onnx-lint: ignore-file[EXP504]\n" + CLEAN_SCRIPT)
    assert check(cwd=tmp_path).codes == ["FIL010"]
    assert onnx_lint("check", "--fix", cwd=tmp_path).code == 0
    assert (tmp_path / "e.py").read_text() == CLEAN_SCRIPT


def test_metadata_of_a_fixed_model_is_kept(tmp_path: Path) -> None:
    model(tmp_path / "m.onnx", metadata={"onnx-lint.ignore": "ONX010", "other": "1"})
    onnx_lint("check", "--fix", "--select", "OPT001", cwd=tmp_path)
    assert {entry.key for entry in onnx.load(tmp_path / "m.onnx").metadata_props} == {"onnx-lint.ignore", "other"}
