"""Settings from files and overlays; what the command line makes of them is tested in tests/cli/test_configuration.py."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from onnx_lsp.diagnostics import Severity
from onnx_lsp.rulebook import rulebook
from onnx_lsp.settings import KEYS, Excuse, Resolver, Settings, SettingsError, apply, select

SELECTIONS = [
    ((), (), (), {"FIL001", "EXP504", "ONX010"}, set()),
    (("EXP",), (), (), {"EXP504"}, {"EXP504"}),
    (("EXP",), (), ("EXP504",), {"EXP206"}, {"EXP206"}),
    (("EXP504",), (), ("EXP",), {"EXP504"}, {"EXP504"}),
    (("EXP504",), (), ("EXP504",), set(), set()),
    (("names-as-string",), (), ("EXP504",), {"EXP504"}, {"EXP504"}),
    ((), ("ONX010",), ("ONX",), {"ONX010", "EXP504"}, {"ONX010"}),
    (("ALL",), (), ("EXP",), {"ONX010"}, {"ONX010"}),
]


@pytest.mark.parametrize(("wanted", "extended", "ignored", "some", "explicit"), SELECTIONS)
def test_the_longest_selector_decides(wanted, extended, ignored, some: set[str], explicit: set[str]) -> None:
    chosen = select(rulebook(), wanted, extended, ignored)
    assert some <= chosen.enabled
    assert explicit <= chosen.explicit <= chosen.enabled
    if wanted and "ALL" not in wanted:
        families = {code[:3] for code in some}
        assert {code[:3] for code in chosen.enabled} == families


def test_an_overlay_adds_ignores_and_severities_and_replaces_the_rest(tmp_path: Path) -> None:
    (tmp_path / "onnx-lint.toml").write_text(
        'ignore = ["EXP206", {code = "ONX010"}]\nexclude = ["a"]\nseverity = {EXP504 = "info"}\n'
    )
    overlay = {"ignore": ["EXP301"], "exclude": ["b"], "severity": {"EXP206": "error"}}
    settings = Resolver(overlay).resolve(str(tmp_path / "e.py"))
    assert settings.ignore == ("EXP206", "EXP301")
    assert settings.excuses == (Excuse("ONX010"),)
    assert settings.exclude == ("b",)
    assert settings.severity == {"EXP504": Severity.INFO, "EXP206": Severity.ERROR}


def test_what_was_read_is_forgotten_on_clear(tmp_path: Path) -> None:
    resolver = Resolver()
    path = str(tmp_path / "e.py")
    assert resolver.resolve(path).source != str(tmp_path / "onnx-lint.toml")
    (tmp_path / "onnx-lint.toml").write_text('torch = "2.6"\n')
    resolver.clear()
    assert resolver.resolve(path).torch == "2.6"


EXCUSES = [
    (Excuse("ONX010"), True),
    (Excuse("undefined-tensor"), True),
    (Excuse("ONX"), True),
    (Excuse("ONX010", file="m.onnx"), True),
    (Excuse("ONX010", file="models/*"), True),
    (Excuse("ONX010", file="other/*"), False),
    (Excuse("ONX010", path="graph/node[12]"), True),
    (Excuse("ONX010", path="graph/node[1]"), False),
    (Excuse("ONX010", path="graph/node[*]"), True),
    (Excuse("EXP"), False),
]


@pytest.mark.parametrize(("excuse", "matches"), EXCUSES, ids=str)
def test_an_excuse_must_match_in_everything_that_it_says(tmp_path: Path, excuse: Excuse, matches: bool) -> None:
    settings = Settings(root=str(tmp_path), excuses=(excuse,))
    found = settings.excuse_for(str(tmp_path / "models" / "m.onnx"), "ONX010", "graph/node[12]")
    assert found == (excuse if matches else None)


TAKEN_AS_TEXT = {"torch", "baseline", "cache-dir"}


@pytest.mark.parametrize("key", sorted(KEYS - TAKEN_AS_TEXT))
def test_a_value_of_the_wrong_kind_is_refused(key: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"here: `{key}` cannot be")):
        apply(Settings(), {key: [object()] if key.startswith("native") else 7}, "here")


def test_the_documented_configuration_is_one_and_names_every_key(repository: Path) -> None:
    text = (repository / "docs" / "configuration.md").read_text()
    for block in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        apply(Settings(), tomllib.loads(block)["tool"]["onnx-lint"], "docs")
    assert [key for key in KEYS if f"`{key}`" not in text] == []
