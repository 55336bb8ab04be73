"""Every fix of every card, on every bad example in several styles: what it gives is Python, and is not found again."""

from __future__ import annotations

import re
import warnings

import pytest

from onnx_lsp import engine
from onnx_lsp.diagnostics import Applicability, Diagnostic, Severity
from onnx_lsp.rulebook import Rule, rulebook
from onnx_lsp.script.edits import apply_edits, apply_fixes
from onnx_lsp.settings import Settings, apply
from onnx_lsp.workspace import Workspace
from tests import examples
from tests.script.helpers import PATH

BOOK = rulebook()
RULES = [rule for rule in BOOK.rules.values() if rule.code.startswith("EXP")]
MOST_ROUNDS = 10


def inside(text: str) -> str:
    """The script as the body of a function, indented by tabs."""
    lines = (line if line.isspace() else "    " + line for line in text.splitlines(keepends=True))
    return ("def main():\n" + "".join(lines) + "\n\nmain()\n").replace("    ", "\t")


def commented(text: str) -> str:
    """A comment after every line that ends in a comma or an open bracket, and characters of several bytes."""
    return 'é = "日本"  # ü\n' + re.sub(r"(?m)([,(\[{])$", r"\1  # é, \"it's (", text)


def spread(text: str) -> str:
    """Calls of one line over several, without a comma after the last argument; no newline at the end."""
    return re.sub(r"(?m)(export\()([^\n]*)\)$", r"\1\n    \2\n)", text).rstrip("\n")


STYLES = {
    "as it is": lambda text: text,
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "inside a function": inside,
    "comments": commented,
    "spread": spread,
}


def lint(text: str, settings: Settings) -> list[Diagnostic]:
    return engine.lint_script(PATH, settings, Workspace({PATH: text}))


def is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, PATH, "exec")
    except SyntaxError:
        return False
    return True


def scripts(rule: Rule, style: str) -> list[tuple[str, Settings]]:
    """The bad examples of a card in a style, where that style can be."""
    found = []
    for example in examples.read(BOOK.card(rule.code).body):
        if example.kind == "bad" and example.language == "python":
            listed = {key: value.split(",") if key == "targets" else value for key, value in example.settings.items()}
            found.append((STYLES[style](example.text), apply(Settings(root="/project"), listed, "the example")))
    return [(text, settings) for text, settings in found if is_python(text)]


def errors(found: list[Diagnostic]) -> set[str]:
    return {item.code for item in found if item.severity == Severity.ERROR}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_fix_cures_its_finding(rule: Rule, style: str) -> None:
    for text, settings in scripts(rule, style):
        found = lint(text, settings)
        for item, fix in ((item, fix) for item in found if item.code == rule.code for fix in item.fixes if fix.edits):
            fixed = apply_edits(text, fix.edits)
            assert is_python(fixed), fixed
            after = lint(fixed, settings)
            left = [other for other in after if (other.code, other.message) == (item.code, item.message)]
            assert len(left) < sum((other.code, other.message) == (item.code, item.message) for other in found), fixed
            assert errors(after) <= errors(found), fixed


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_fixing_all_comes_to_an_end(rule: Rule) -> None:
    for text, settings in scripts(rule, "as it is"):
        for _ in range(MOST_ROUNDS):
            safe = [
                fix
                for item in lint(text, settings)
                for fix in item.fixes[:1]
                if fix.applicability is Applicability.SAFE and fix.edits
            ]
            if not safe:
                break
            text = apply_fixes(text, safe)[0]
            assert is_python(text), text
        assert not safe
