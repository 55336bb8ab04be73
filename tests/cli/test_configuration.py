"""Which configuration decides about a file, and what the command line lays over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.tool import check, model, onnx_lint, script


def test_the_nearest_configuration_decides_whatever_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.onnx-lint]\nignore = ["EXP504"]\n')
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "onnx-lint.toml").write_text('ignore = []\nseverity = {EXP504 = "warning"}\n')
    (tmp_path / "inner" / "deeper").mkdir()
    (tmp_path / "inner" / "deeper" / "pyproject.toml").write_text("[project]\nname = 'x'\n")  # not about onnx-lint
    for folder in ("", "inner", "inner/deeper"):
        script(tmp_path / folder / "e.py")
    wanted = {"inner/e.py": "warning", "inner/deeper/e.py": "warning"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for cwd in (tmp_path, tmp_path / "inner", elsewhere, Path("/")):
        found = check(tmp_path, cwd=cwd).found
        assert {str((cwd / item["file"]).resolve().relative_to(tmp_path)): item["severity"] for item in found} == wanted


def test_onnx_lint_toml_wins_over_the_pyproject_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.onnx-lint]\nignore = ["EXP"]\n')
    (tmp_path / "onnx-lint.toml").write_text(
        '[tool.onnx-lint]\nseverity = {EXP = "hint"}\nextend-select = ["EXP504"]\n'
    )
    script(tmp_path / "e.py")
    assert [item["severity"] for item in check(cwd=tmp_path).found] == ["hint"]


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    (tmp_path / "onnx-lint.toml").write_text('ignore = ["EXP504"]\n')
    (tmp_path / "other.toml").write_text('fail-on = "info"\nseverity = {EXP504 = "info"}\n')
    script(tmp_path / "e.py")
    return tmp_path


OVERLAYS = [
    ([], 0, None),
    (["--isolated"], 1, "error"),
    (["--config", "other.toml"], 1, "info"),
    (["--isolated", "--severity", "EXP504=info"], 0, "info"),
    (["--isolated", "--severity", "EXP=hint", "--severity", "EXP504=warning"], 1, "warning"),
    (["--isolated", "--severity", "EXP504=warning", "--severity", "EXP=hint"], 1, "warning"),
    (["--isolated", "--config", 'severity={EXP504="info"}'], 0, "info"),
    (["--isolated", "--config", "severity.EXP504=info"], 0, "info"),
    (["--isolated", "--config", "fail-on=error", "--severity", "EXP504=warning"], 0, "warning"),
    (["--isolated", "--config", "ignore=EXP504"], 0, None),
    (["--isolated", "--config", 'ignore=["EXP504"]'], 0, None),
    (["--isolated", "--ignore", "EXP504", "--config", "select=EXP5"], 0, None),
    (["--isolated", "--per-file-ignores", "*.py:EXP504"], 0, None),
    (["--isolated", "--per-file-ignores", "tests/*:EXP504"], 1, "error"),
    (["--config", "other.toml", "--config", "fail-on=error"], 0, "info"),
]


@pytest.mark.parametrize(
    ("options", "code", "severity"), OVERLAYS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_the_command_line_lays_over_the_configuration(
    configured: Path, options: list[str], code: int, severity: str | None
) -> None:
    done = check("e.py", *options, cwd=configured)
    assert (done.code, [item["severity"] for item in done.found]) == (code, [severity] if severity else [])


def test_two_configuration_files_are_one_too_many(configured: Path) -> None:
    done = check("--config", "other.toml", "--config", "onnx-lint.toml", cwd=configured)
    assert "--config names two files" in done.complaint()


def test_per_file_ignores_are_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.onnx-lint.per-file-ignores]\n"tests/*" = ["EXP"]\n"old.py" = ["ALL"]\n'
    )
    for name in ("tests/e.py", "sub/tests/e.py", "e.py", "sub/old.py"):
        script(tmp_path / name)
    for cwd in (tmp_path, tmp_path / "tests"):
        found = check(tmp_path, cwd=cwd).found
        assert sorted((cwd / item["file"]).resolve().relative_to(tmp_path).as_posix() for item in found) == [
            "e.py",
            "sub/tests/e.py",
        ]


def test_severities_may_name_families_and_rules(tmp_path: Path) -> None:
    (tmp_path / "onnx-lint.toml").write_text('[severity]\nEXP = "warning"\nnames-as-string = "info"\nONX = "warning"\n')
    script(tmp_path / "e.py")
    model(tmp_path / "m.onnx")
    found = {item["code"]: item["severity"] for item in check(cwd=tmp_path).found}
    assert found == dict.fromkeys(found, "warning") | {"EXP504": "info"}
    assert {"EXP601", "ONX010"} <= set(found)  # a hint is one no longer when its family is made a warning


def test_show_settings_is_a_configuration_that_can_be_pasted_back(tmp_path: Path) -> None:
    text = 'ignore = ["EXP206", {file = "m.onnx", code = "ONX010"}]\ntorch = "2.10"\nfail-on = "info"\n'
    (tmp_path / "onnx-lint.toml").write_text(text)
    script(tmp_path / "e.py")
    shown = onnx_lint("check", "e.py", "--show-settings", cwd=tmp_path).out
    assert f"# from {tmp_path / 'onnx-lint.toml'}" in shown
    (tmp_path / "onnx-lint.toml").write_text(shown)
    assert onnx_lint("check", "e.py", "--show-settings", cwd=tmp_path).out == shown


def test_a_version_that_looks_like_a_number_stays_a_version(tmp_path: Path) -> None:
    script(tmp_path / "e.py")
    assert 'torch = "2.10"' in onnx_lint("check", "--show-settings", "--config", "torch=2.10", cwd=tmp_path).out


def test_cards_of_the_project_are_rules_too(tmp_path: Path) -> None:
    card = '+++\ncode = "ACME001"\nname = "acme"\nsummary = "x"\nsince = "1"\n[case.found]\nseverity = "error"\nmessage = "x"\n+++\nBody\n'
    (tmp_path / "cards" / "model").mkdir(parents=True)
    (tmp_path / "cards" / "model" / "ACME001-acme.md").write_text(card)
    (tmp_path / "onnx-lint.toml").write_text('rule-paths = ["cards"]\nselect = ["ACME"]\n')
    model(tmp_path / "m.onnx")
    assert check(cwd=tmp_path).found == []
    assert onnx_lint("rule", "acme", cwd=tmp_path).out.startswith("# ACME001 acme")
