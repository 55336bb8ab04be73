"""Every card keeps its promises: its examples raise what they say, and its fixes give what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnx_lsp import engine
from onnx_lsp.checks import MODEL_CHECKS, SCRIPT_CHECKS
from onnx_lsp.diagnostics import Applicability, Diagnostic, Severity
from onnx_lsp.rulebook import Rule, rulebook
from onnx_lsp.settings import Settings, apply
from onnx_lsp.workspace import Workspace
from tests import examples
from tests.examples import Example

BOOK = rulebook()
REPORTED_BY_THE_ENGINE = {"FIL001", "FIL007", "FIL008", "FIL009", "FIL010", "FIL012", "FIL099"}
SECTIONS = ("What it does", "Why is this bad?", "Example", "Fix safety", "References")


def blocks(kinds: tuple[str, ...]) -> list:
    """Every example of the given kinds as a test parameter."""
    return [
        pytest.param(rule, example, id=f"{rule.code}-{example.kind}-{number}")
        for rule in BOOK.rules.values()
        for number, example in enumerate(examples.read(BOOK.card(rule.code).body))
        if example.kind in kinds
    ]


def fix_pairs() -> list:
    """Every promised fix as a test parameter."""
    return [
        pytest.param(rule, bad, good, id=f"{rule.code}-{bad.fix}-{number}")
        for rule in BOOK.rules.values()
        for number, (bad, good) in enumerate(examples.pairs(examples.read(BOOK.card(rule.code).body)))
    ]


def settings_of(example: Example, folder: Path) -> Settings:
    listed = {key: value.split(",") if key == "targets" else value for key, value in example.settings.items()}
    return apply(Settings(root=str(folder)), listed, "the example")


def write(example: Example, folder: Path) -> Path:
    """The example as a file."""
    if example.language == "python":
        path = folder / "example.py"
        path.write_text(example.text, encoding="utf-8")
        return path
    if example.language == "onnxtxt":
        path = folder / "example.onnxtxt"
        path.write_text(example.text, encoding="utf-8")
        return path
    path = folder / "example.onnx"
    if example.language == "builder":
        from tests.cases import build

        build(example.builder, path)
    else:
        import onnx

        path.write_bytes(onnx.parser.parse_model(example.text).SerializeToString())
    return path


def lint(path: Path, settings: Settings) -> list[Diagnostic]:
    if path.suffix == ".py":
        return engine.lint_script(str(path), settings, Workspace())
    return list(list(engine.lint_model(str(path), settings, Workspace()))[-1].findings)


def said(found: list[Diagnostic]) -> str:
    return "\n".join(f"{item.code} {item.severity.label}: {item.message}" for item in found)


@pytest.mark.parametrize(("rule", "example"), blocks(("bad",)))
def test_a_bad_example_raises_its_rule_and_nothing_else(rule: Rule, example: Example, tmp_path: Path) -> None:
    found = lint(write(example, tmp_path), settings_of(example, tmp_path))
    assert rule.code in {item.code for item in found}, said(found)
    others = {item.code for item in found if item.severity <= Severity.INFO} - {rule.code} - example.also
    assert not others, said(found)


@pytest.mark.parametrize(("rule", "example"), blocks(("good", "quiet")))
def test_a_good_example_is_quiet(rule: Rule, example: Example, tmp_path: Path) -> None:
    found = lint(write(example, tmp_path), settings_of(example, tmp_path))
    assert rule.code not in {item.code for item in found}, said(found)
    assert "FIL099" not in {item.code for item in found}, said(found)


@pytest.mark.parametrize(("rule", "bad", "good"), fix_pairs())
def test_fixing_the_bad_example_gives_the_good_one(rule: Rule, bad: Example, good: Example, tmp_path: Path) -> None:
    path = write(bad, tmp_path)
    found = lint(path, settings_of(bad, tmp_path))
    fixes = [fix for item in found if item.code == rule.code for fix in item.fixes if fix.key == bad.fix]
    assert fixes, said(found)
    if bad.language == "python":
        from onnx_lsp.script.edits import apply_edits

        assert apply_edits(bad.text, [edit for fix in fixes for edit in fix.edits]) == good.text
    else:
        import onnx

        from onnx_lsp.model.fixes import apply_fixes

        apply_fixes(str(path), [fix.model for fix in fixes], write=True)
        wanted = tmp_path / "wanted"
        wanted.mkdir()
        assert onnx.load(path).graph == onnx.load(write(good, wanted)).graph


@pytest.mark.parametrize("rule", BOOK.rules.values(), ids=lambda rule: rule.code)
def test_a_card_is_complete(rule: Rule) -> None:
    card = BOOK.card(rule.code)
    assert (card.code, card.name) == (rule.code, rule.name)
    assert card.summary and not card.summary.endswith(".")
    assert [section for section in SECTIONS if f"## {section}" not in card.body] == []
    kinds = {example.kind for example in examples.read(card.body)}
    if rule.code not in REPORTED_BY_THE_ENGINE:
        assert {"bad", "good"} <= kinds, "a card shows at least one bad and one good example"
    promised = {key for case in card.cases.values() for key, fix in case.fixes.items() if fix.applicability is not Applicability.DISPLAY}
    shown = {example.fix for example in examples.read(card.body) if example.kind == "bad"}
    assert promised <= shown | {""}, "every fix on a card has an example"
    for case in card.cases.values():
        assert not case.message.endswith("."), case.message


def test_every_card_has_a_check_and_every_check_a_card() -> None:
    from onnx_lsp.model import checks as _model_checks  # noqa: F401
    from onnx_lsp.script import checks as _script_checks  # noqa: F401

    checked = {check.code for check in (*SCRIPT_CHECKS, *MODEL_CHECKS)}
    declarative = {code for code in BOOK.rules if BOOK.card(code).match is not None}
    assert checked - set(BOOK.rules) == set(), "checks without a card"
    assert set(BOOK.rules) - checked - declarative - REPORTED_BY_THE_ENGINE == set(), "cards without a check"
