"""The files of `rules/targets`: read when they are first asked, their lines parsed when an operator is looked up.

Every operator of a runtime's table has one line of alternatives, separated by `;`, each of them

    RANGE [VARIABLE=TYPES] [!VARIABLE=TYPES] [FACT=VALUES] [@VERSIONS] ["note"]

RANGE is about the revision of the operator (its `since_version`): `13` is that revision only, `6-12` all from 6 to 12, `13+` all from 13, `*` any.
TYPES are joined by `|`; `$name` is a list of the table's `[types]`. `!T=int4` excludes. VERSIONS are those of the target: `1.18..1.20`, `1.21..`.
A FACT is what a node must be besides; one that nobody knows of a node excludes nothing:

    rank(X)=3|4    the rank of an input            .mode=linear|nearest    an attribute, its default included
    const(W)=yes   an input is constant            outputs=1               how many of its outputs are used
    given(C)=no    an optional input is left out   opset=24                the opset of the model (for function bodies)
    squeezed=no    no input is what a Squeeze without axes left of sizes that are not known
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cache

from onnx_lsp.rulebook import builtin_folder

NOT_TARGETS = frozenset({"versions", "ops", "torch", "torch-ops", "torch-arguments"})
# The sections of operators are almost all of a file: they are cut into lines, and only what stands around them is read as TOML.
HEADER = re.compile(r'\[(ops|inlined|not_inlined|revisions)\."?([\w.]+)"?\]')
LINE = re.compile(r"^(\w+) = '(?:''\n(.*?)''|([^'\n]*))'$", re.MULTILINE | re.DOTALL)
FACT = re.compile(r"\.\w|(rank|const|given)\(|(outputs|opset|squeezed)=")
Choices = tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One alternative of a table's line: for revisions `low` to `high`, in the versions at positions `first` to `last`."""

    low: int
    high: int | None
    first: int
    last: int | None
    allowed: Choices = ()
    excluded: Choices = ()
    facts: Choices = ()
    note: str = ""

    def covers(self, since: int, position: int) -> bool:
        inside = self.low <= since and (self.high is None or since <= self.high)
        return inside and self.first <= position and (self.last is None or position <= self.last)


@dataclass(frozen=True, slots=True)
class Table:
    """A target's file.

    Attributes:
        data: everything but the sections of operators.
        sections: the text of those, by kind and domain.
    """

    name: str
    data: dict = field(repr=False)
    sections: dict[tuple[str, str], str] = field(repr=False)
    cut: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    parsed: dict[tuple[str, str, str], tuple[Entry, ...]] = field(default_factory=dict, repr=False)

    @property
    def versions(self) -> list[str]:
        return self.data["versions"]

    @property
    def date(self) -> str:
        return self.data["date"]

    def lines(self, section: str, domain: str) -> dict[str, str]:
        """Operator -> its line."""
        key = section, domain
        if key not in self.cut:
            self.cut[key] = {op: many or one for op, many, one in LINE.findall(self.sections.get(key, ""))}
        return self.cut[key]

    def entries(self, section: str, domain: str, op: str) -> tuple[Entry, ...]:
        key = section, domain, op
        if key not in self.parsed:
            line = self.lines(section, domain).get(op, "")
            self.parsed[key] = tuple(_entry(self, part.strip()) for part in line.split(";") if part.strip())
        return self.parsed[key]

    def subjects(self, domain: str, op: str) -> frozenset[str]:
        """What has to be known of a node besides its types: `rank(X)`, `.mode`."""
        return frozenset(name for entry in self.entries("ops", domain, op) for name, _ in entry.facts if name != "opset")

    def types(self, text: str) -> frozenset[str]:
        """`float|$numbers` as a set."""
        found: set[str] = set()
        for word in text.split("|"):
            found |= self.types(self.data["types"][word[1:]]) if word.startswith("$") else {word}
        return frozenset(found)


def _entry(table: Table, text: str) -> Entry:
    text, _, note = text.partition(' "')
    revisions, *words = text.split()
    low, high = _revisions(revisions)
    first, last = 0, None
    allowed, excluded, facts = [], [], []
    for word in words:
        name, _, values = word.lstrip("!").partition("=")
        if word.startswith("@"):
            first, last = _span(table.versions, word[1:])
        elif FACT.match(word):
            facts.append((name, frozenset(values.split("|"))))
        else:
            (excluded if word.startswith("!") else allowed).append((name, table.types(values)))
    return Entry(low, high, first, last, tuple(allowed), tuple(excluded), tuple(facts), note.rstrip('"'))


def _revisions(text: str) -> tuple[int, int | None]:
    if text == "*":
        return 0, None
    if text.endswith("+"):
        return int(text[:-1]), None
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def _span(versions: list[str], text: str) -> tuple[int, int | None]:
    first, _, last = text.partition("..")
    return versions.index(first) if first else 0, versions.index(last) if last else None


def folder() -> str:
    """Where the tables lie."""
    return os.path.join(builtin_folder(), "targets")


def names() -> list[str]:
    """The names of all targets."""
    stems = (file[:-5] for file in os.listdir(folder()) if file.endswith(".toml"))
    return sorted(stem for stem in stems if stem not in NOT_TARGETS)


@cache
def read(name: str) -> dict:
    """A file of `rules/targets`, by its stem. Read once per process: the tables do not change under a run."""
    import tomllib

    with open(os.path.join(folder(), f"{name}.toml"), "rb") as file:
        return tomllib.load(file)


@cache
def table(name: str) -> Table:
    """The table of a target; cached like `read`."""
    import tomllib

    with open(os.path.join(folder(), f"{name}.toml"), encoding="utf-8") as file:
        head, *parts = re.split(r"^(?=\[)", file.read(), flags=re.MULTILINE)
    sections = {}
    for part in parts:
        header, _, body = part.partition("\n")
        if found := HEADER.fullmatch(header):
            sections[found.groups()] = body
        else:
            head += part
    return Table(name, tomllib.loads(head), sections)


def revision(domain: str, op: str, opset: int) -> int | None:
    """The `since_version` of the operator that a model's opset selects; None where the domain or operator is not in `ops.toml`."""
    found = [number for number, _ in revisions(domain, op) if number <= opset]
    return found[-1] if found else None


@cache
def revisions(domain: str, op: str) -> tuple[tuple[int, str], ...]:
    """The revisions of a standard operator, each with its marks: `f` has a function body, `x` is deprecated."""
    line = read("ops").get("ops", {}).get(domain or "ai.onnx", {}).get(op, "")
    return tuple((int(word.rstrip("fx")), word.lstrip("0123456789")) for word in line.split())


def has_function(domain: str, op: str, since: int) -> bool:
    """Whether the standard gives this revision a function body."""
    return any(number == since and "f" in marks for number, marks in revisions(domain, op))
