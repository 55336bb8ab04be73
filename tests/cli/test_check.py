"""Selecting, fixing and exit codes of `onnx-lint check`, and `onnx-lint rule`."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.cli.tool import CLEAN_MODEL, CLEAN_SCRIPT, PLANTED, SCRIPT, check, model, onnx_lint, script

SELECTIONS = [
    (["--select", "EXP504"], {"EXP504"}),
    (["--select", "exp504"], {"EXP504"}),
    (["--select", "EXP"], {"EXP504"}),
    (["--select", "names-as-string"], {"EXP504"}),
    (["--select", "undefined-tensor"], {"ONX010"}),
    (["--select", "EXP504,ONX010"], {"EXP504", "ONX010"}),
    (["--select", "EXP504", "--select", "ONX010"], {"EXP504", "ONX010"}),
    (["--select", "OPT"], {"OPT001"}),
    (["--select", "ALL", "--ignore", "EXP,ONX"], {"OPT001"}),
    (["--select", "ALL", "--ignore", "EXP,ONX,unused-initializer"], set()),
    (["--ignore", "ALL"], set()),
    (["--ignore", "ALL", "--select", "EXP504"], {"EXP504"}),
    (["--ignore", "EXP5", "--select", "EXP504"], {"EXP504"}),
    (["--ignore", "EXP504", "--select", "EXP"], set()),
    (["--extend-select", "OPT001"], {"EXP504", "ONX010", "OPT001"}),
    ([], {"EXP504", "ONX010"}),
]


def options(value: object) -> str:
    """The words on the command line are what tells one case from the next."""
    return " ".join(value) if isinstance(value, list) else ""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    script(tmp_path / "export.py")
    model(tmp_path / "m.onnx")
    return tmp_path


@pytest.mark.parametrize(("options", "codes"), SELECTIONS, ids=options)
def test_rules_are_selected_by_code_prefix_name_or_all(project: Path, options: list[str], codes: set[str]) -> None:
    assert PLANTED & set(check(*options, cwd=project).codes) == codes


FAMILIES = [
    (["--select", "EXP504"], {"EXP"}),
    (["--select", "EXP"], {"EXP"}),
    (["--select", "OPT"], {"OPT"}),
    (["--select", "ALL", "--ignore", "EXP,ONX"], {"OPT", "MET"}),
    (["--ignore", "EXP504", "--select", "EXP5"], set()),
]


@pytest.mark.parametrize(("options", "families"), FAMILIES, ids=options)
def test_nothing_is_found_that_is_not_selected(project: Path, options: list[str], families: set[str]) -> None:
    assert {code[:3] for code in check(*options, cwd=project).codes} == families


def test_hints_are_neither_shown_nor_fixed_unless_their_rule_is_selected(project: Path) -> None:
    before = (project / "m.onnx").read_bytes()
    assert "OPT001" not in check("m.onnx", cwd=project).codes
    assert "OPT001" not in check("m.onnx", "--fix", cwd=project).codes
    assert (project / "m.onnx").read_bytes() == before
    check("m.onnx", "--fix", "--extend-select", "OPT001", cwd=project)
    assert not onnx.load(project / "m.onnx").graph.initializer


EXITS = [
    (["export.py"], 1),
    (["export.py", "--select", "ONX"], 0),
    (["m.onnx", "--select", "OPT"], 0),
    (["m.onnx", "--select", "OPT", "--fail-on", "hint"], 1),
    (["export.py", "--severity", "EXP504=info"], 0),
    (["export.py", "--severity", "EXP504=info", "--fail-on", "info"], 1),
    (["export.py", "--exit-zero"], 0),
    (["export.py", "--fix"], 0),
    (["export.py", "--fix-only"], 0),
    (["export.py", "--diff"], 1),
    (["m.onnx", "--diff"], 0),
    (["gone.py"], 2),
    (["export.py", "--config", "gone.toml"], 2),
]


@pytest.mark.parametrize(("arguments", "code"), EXITS, ids=options)
def test_the_exit_code_says_what_happened(project: Path, arguments: list[str], code: int) -> None:
    assert onnx_lint("check", *arguments, cwd=project).code == code


def test_a_safe_fix_is_applied_once_and_the_file_is_clean(project: Path) -> None:
    done = onnx_lint("check", "export.py", "--fix", "--show-fixes", cwd=project)
    assert done.code == 0, done
    assert (project / "export.py").read_text() == CLEAN_SCRIPT
    assert "export.py:\n  1 × EXP504 names-as-string" in done.out + done.err
    assert "Fixed 1." in done.err
    assert check("export.py", cwd=project).found == []


@pytest.mark.parametrize("name", ["export.py", "sort.onnx"])
def test_a_backup_keeps_what_was_replaced(project: Path, name: str) -> None:
    path = project / name
    if name.endswith(".onnx"):
        model(path, '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { y = Relu(a) a = Neg(b) b = Identity(x) }')
    before = path.read_bytes()
    done = onnx_lint("check", name, "--fix", "--backup", "--select", "ALL", "--isolated", cwd=project)
    assert done.code in (0, 1), done
    assert path.read_bytes() != before == (project / f"{name}.bak").read_bytes()
    assert sorted(item.name for item in project.iterdir() if item.name.startswith(name)) == [name, f"{name}.bak"]


def test_without_a_change_there_is_no_backup(project: Path) -> None:
    onnx_lint("check", "m.onnx", "--fix", "--backup", cwd=project)
    assert not list(project.glob("*.bak"))


def test_a_diff_changes_nothing_and_is_what_the_fix_would_do(project: Path) -> None:
    import subprocess

    done = onnx_lint("check", "--diff", cwd=project)
    assert done.err == "1 fix would change 1 file. 1 more with `--unsafe-fixes`.\n"
    assert (project / "export.py").read_text() == SCRIPT
    subprocess.run(["patch", "-p1"], input=done.out.encode(), cwd=project, check=True, capture_output=True)
    assert (project / "export.py").read_text() == CLEAN_SCRIPT


def test_unsafe_fixes_are_applied_only_when_asked_for(project: Path) -> None:
    before = (project / "m.onnx").read_bytes()
    assert onnx_lint("check", "m.onnx", "--fix", cwd=project).code == 1
    assert (project / "m.onnx").read_bytes() == before
    done = onnx_lint("check", "m.onnx", "--fix", "--unsafe-fixes", cwd=project)
    assert done.code == 0, done
    assert onnx.load(project / "m.onnx").graph.node[1].input == ["hidden"]


def test_fix_only_reports_nothing_that_remains(project: Path) -> None:
    done = onnx_lint("check", "--fix-only", cwd=project)
    assert (done.code, done.out) == (0, "")
    assert (project / "export.py").read_text() == CLEAN_SCRIPT


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_a_fix_keeps_line_ends_and_encoding(tmp_path: Path, ending: str, encoding: str) -> None:
    head = f"# -*- coding: {encoding} -*-\n# größer\n"
    (tmp_path / "e.py").write_bytes((head + SCRIPT).replace("\n", ending).encode(encoding))
    assert onnx_lint("check", "e.py", "--fix", cwd=tmp_path).code == 0
    assert (tmp_path / "e.py").read_bytes() == (head + CLEAN_SCRIPT).replace("\n", ending).encode(encoding)


def test_json_has_exactly_the_documented_shape(project: Path) -> None:
    (from_script,) = check("export.py", cwd=project).found
    line = SCRIPT.splitlines()[5]
    column = line.index('"x"') + 1
    assert from_script == {
        "code": "EXP504",
        "name": "names-as-string",
        "severity": "error",
        "message": from_script["message"],
        "file": "export.py",
        "range": {"start": {"line": 6, "column": column}, "end": {"line": 6, "column": column + 3}},
        "location": None,
        "fixes": [{"title": from_script["fixes"][0]["title"], "applicability": "safe", "preferred": True}],
        "related": [],
        "url": "rules/script/EXP504-names-as-string.md",
    }
    (from_model,) = check("m.onnx", cwd=project).found
    assert from_model == {
        **from_model,
        "code": "ONX010",
        "severity": "error",
        "file": "m.onnx",
        "range": None,
        "location": "graph/node[1]",
        "url": "rules/model/ONX010-undefined-tensor.md",
    }
    assert set(from_model) == set(from_script)


def test_positions_are_one_based_and_count_code_points(tmp_path: Path) -> None:
    text = SCRIPT.replace("    torch.onnx", '    "😀é"; torch.onnx')
    script(tmp_path / "e.py", text)
    (item,) = check("e.py", cwd=tmp_path).found
    assert item["range"]["start"] == {"line": 6, "column": text.splitlines()[5].index('"x"') + 1}


def test_clean_files_are_clean(tmp_path: Path) -> None:
    script(tmp_path / "e.py", CLEAN_SCRIPT)
    model(tmp_path / "m.onnx", CLEAN_MODEL)
    assert check(cwd=tmp_path).out == "[]\n"
    done = onnx_lint("check", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "", "No findings in 2 files.\n")


def test_a_folder_without_anything_to_lint_says_so(tmp_path: Path) -> None:
    script(tmp_path / "venv" / "e.py")
    done = onnx_lint("check", cwd=tmp_path)
    assert (done.code, done.out) == (0, "") and done.err.startswith("Nothing to lint: ")


@pytest.mark.parametrize("word", ["EXP504", "exp504", "names-as-string"])
def test_rule_prints_a_card_by_code_or_name(tmp_path: Path, word: str) -> None:
    done = onnx_lint("rule", word, cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith("# EXP504 names-as-string\n")
    assert "## Why is this bad?" in done.out


def test_rule_lists_all_cards(tmp_path: Path, repository: Path) -> None:
    listed = {line.split()[0] for line in onnx_lint("rule", "--all", cwd=tmp_path).out.splitlines()}
    wanted = ("script", "model")
    assert listed == {
        path.name.partition("-")[0] for folder in wanted for path in (repository / "rules" / folder).glob("*.md")
    }


def test_a_broken_pipe_is_no_error(project: Path) -> None:
    import subprocess

    from tests.cli.tool import COMMAND

    done = subprocess.run(
        f"{' '.join(COMMAND)} rule --all | head -1", shell=True, cwd=project, capture_output=True, text=True
    )
    assert done.stderr == ""


def test_help_teaches(tmp_path: Path) -> None:
    assert "onnx-lint check . " in onnx_lint("--help", cwd=tmp_path).out
    alone = onnx_lint(cwd=tmp_path)
    assert alone.code == 2 and alone.err == onnx_lint("--help", cwd=tmp_path).out
    shown = onnx_lint("check", "--help", cwd=tmp_path).out
    for word in ("examples:", "exit codes:", "adoption:", "rules:", "--baseline FILE", "RULES=LEVEL"):
        assert word in shown
