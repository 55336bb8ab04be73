"""The rules as a person wrote them: finds cards in `rules/`, reads one when a finding needs it, resolves selectors.

The file name of a card (`EXP206-missing-dynamic-axes.md`) is enough to select, ignore and name a rule, so a clean run
opens no card at all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache

from onnx_lsp.diagnostics import Applicability, Severity

FRONT_MATTER = "+++"


class UnknownRule(ValueError):
    """A selector that names no rule; the message offers the closest one."""


@dataclass(frozen=True, slots=True)
class FixText:
    """What a card says about one fix of a case."""

    title: str
    applicability: Applicability


@dataclass(frozen=True, slots=True)
class Case:
    """One thing a rule can say: its severity, the message with named fields, and its fixes by key."""

    severity: Severity
    message: str
    fixes: dict[str, FixText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """A rule card: the front matter, and the Markdown body that follows it."""

    code: str
    name: str
    summary: str
    since: str
    cases: dict[str, Case]
    match: dict | None
    body: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as its card's file name gives it; `kind` is the folder: `script` or `model`."""

    code: str
    name: str
    kind: str
    path: str
    url: str


class Rulebook:
    """All rules of the given folders, by code and by name."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._cards: dict[str, Card] = {}
        self.rules: dict[str, Rule] = {}
        for folder in folders:
            for kind in ("script", "model"):
                self._scan(folder, kind)
        self.by_name = {rule.name: rule for rule in self.rules.values()}

    def _scan(self, folder: str, kind: str) -> None:
        try:
            names = sorted(os.listdir(os.path.join(folder, kind)))
        except FileNotFoundError:
            return
        for file in names:
            if not file.endswith(".md"):
                continue
            code, _, name = file[:-3].partition("-")
            path = os.path.join(folder, kind, file)
            self.rules[code] = Rule(code, name, kind, path, f"rules/{kind}/{file}")

    def find(self, selector: str) -> Rule:
        """The rule with this code or name.

        Raises:
            UnknownRule: there is none.
        """
        rule = self.rules.get(selector.upper()) or self.by_name.get(selector.lower())
        if rule is None:
            raise UnknownRule(self._unknown(selector))
        return rule

    def expand(self, selector: str) -> frozenset[str]:
        """The codes that a selector stands for: a code, a prefix of codes, a name, or ALL.

        Raises:
            UnknownRule: it stands for none.
        """
        if selector.upper() == "ALL":
            return frozenset(self.rules)
        if selector.lower() in self.by_name:
            return frozenset({self.by_name[selector.lower()].code})
        codes = frozenset(code for code in self.rules if selector and code.startswith(selector.upper()))
        if not codes:
            raise UnknownRule(self._unknown(selector))
        return codes

    def _unknown(self, selector: str) -> str:
        from difflib import get_close_matches

        known = [*self.rules, *self.by_name]
        close = get_close_matches(selector.upper(), known, 1) or get_close_matches(selector.lower(), known, 1)
        hint = f"; did you mean `{close[0]}`?" if close else "; `onnx-lint rule --all` lists the rules"
        return f"there is no rule `{selector}`{hint}"

    def only_hints(self, code: str) -> bool:
        """Whether all that a rule can say are hints. Its card is skimmed, not read."""
        import re

        with open(self.rules[code].path, encoding="utf-8") as file:
            front = file.read().split(FRONT_MATTER + "\n", 2)[1]
        return set(re.findall(r'^severity = "(\w+)"', front, re.MULTILINE)) == {"hint"}

    def card(self, code: str) -> Card:
        """The card of a rule, read on first use."""
        if code not in self._cards:
            self._cards[code] = read_card(self.rules[code].path)
        return self._cards[code]


def read_card(path: str) -> Card:
    """Reads one card.

    Raises:
        ValueError: the front matter is missing or incomplete.
    """
    import tomllib

    with open(path, encoding="utf-8") as file:
        text = file.read()
    _, front, body = text.split(FRONT_MATTER + "\n", 2)
    data = tomllib.loads(front)
    cases = {name: _case(table) for name, table in data.get("case", {}).items()}
    return Card(
        data["code"], data["name"], data["summary"], data["since"], cases, data.get("match"), body.lstrip("\n")
    )


def _case(table: dict) -> Case:
    fixes = {
        key: FixText(fix["title"], Applicability(fix["applicability"])) for key, fix in table.get("fix", {}).items()
    }
    return Case(Severity.parse(table["severity"]), table["message"], fixes)


def card_text(card: Card) -> str:
    """A card as a person reads it, in Markdown: title, what it can say, then the body."""
    lines = [f"# {card.code} {card.name}", "", card.summary, "", f"Since {card.since}.", ""]
    for case in card.cases.values():
        lines.append(f"- **{case.severity.label}**: {case.message}")
        lines += [f"  - fix ({fix.applicability.value}): {fix.title}" for fix in case.fixes.values()]
    return "\n".join([*lines, "", card.body.rstrip()])


def builtin_folder() -> str:
    """Where the built-in cards lie: inside an installed package, or at the top of a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, "rules")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "rules")


@lru_cache(maxsize=8)
def rulebook(extra: tuple[str, ...] = ()) -> Rulebook:
    """The built-in rules and those of the `extra` folders. Cached per process: cards do not change under a run."""
    return Rulebook((builtin_folder(), *extra))
