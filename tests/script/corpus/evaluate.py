"""Compares what the linter says about real export scripts with labels made by reading them.

    python tests/script/corpus/evaluate.py FOLDER [--labels FILE]

FOLDER holds the scripts as `<owner>/<name>/<path>`; README.md says how to get them and what the labels mean.
"""

from __future__ import annotations

import argparse
import ast
import csv
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from onnx_lsp.diagnostics import Diagnostic, Severity
from onnx_lsp.engine import lint_script
from onnx_lsp.settings import Resolver
from onnx_lsp.workspace import Workspace, decode

HERE = Path(__file__).resolve().parent
NEAR = 3
LOUD = (Severity.ERROR, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Label:
    """One true finding. `lines` are the places (1-based) where a rule may rightly put it, the best one first."""

    lines: tuple[int, ...]
    code: str
    severity: Severity
    sure: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.code} {self.severity.label}" + (f": {self.reason}" if self.reason else "")


@dataclass(slots=True)
class Script:
    """A labelled script: its place below FOLDER, its labels, and the torch release that its repository pins."""

    place: str
    repository: str
    labels: list[Label] = field(default_factory=list)
    torch: str | None = None
    pinned_in: str | None = None
    loud_only: bool = False  # nobody labelled information and hints here


@dataclass(slots=True)
class Outcome:
    """What became of the findings and of the labels of one script."""

    hits: list[tuple[Diagnostic, Label]] = field(default_factory=list)
    false_alarms: list[Diagnostic] = field(default_factory=list)
    misses: list[Label] = field(default_factory=list)


def read_labels(file: Path) -> list[Script]:
    """The labelled scripts of a `labels*.tsv`, in its order."""
    scripts: dict[tuple[str, str], Script] = {}
    with file.open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE):
            key = (row["repository"], row["path"])
            script = scripts.setdefault(key, Script("/".join(key), row["repository"]))
            if row["code"] == "torch":
                script.torch, _, script.pinned_in = row["reason"].partition(" in ")
            elif row["code"] == "loud":
                script.loud_only = True
            elif row["code"] != "clean":
                lines = tuple(int(line) for line in row["line"].split("|"))
                severity = Severity.parse(row["severity"])
                script.labels.append(Label(lines, row["code"], severity, row["certainty"] == "yes", row["reason"]))
    return list(scripts.values())


def lint(folder: Path, script: Script) -> list[Diagnostic]:
    """The EXP findings in one script, and FIL099, a check that failed.

    The pin is handed over only where FOLDER does not hold the file that pins: reading pins is the linter's work.
    """
    path = os.fspath(folder / script.place)
    known = script.pinned_in is None or (folder / script.repository / script.pinned_in).is_file()
    settings = Resolver({} if known else {"torch": script.torch}, isolated=True).resolve(path)
    findings = lint_script(path, settings, Workspace())
    findings = [item for item in findings if item.severity in LOUD] if script.loud_only else findings
    return [item for item in findings if item.code.startswith("EXP") or item.code == "FIL099"]


def calls(path: Path) -> list[tuple[int, int]]:
    """First and last line of every call that takes several lines; none where the script does not parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(decode(path.read_bytes()).text)
        except (SyntaxError, ValueError):
            return []
    spans = ((node.lineno, node.end_lineno) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [(first, last) for first, last in spans if first < last]


def line_of(item) -> int:
    """1-based line of a finding or of a related place; 1 for one about the whole file."""
    return item.range.start.line + 1 if item.range else 1


def distance(line: int, label: Label, spans: list[tuple[int, int]]) -> int | None:
    """Lines between a finding and a label, or None where they cannot mean the same place."""
    nearest = min(abs(line - other) for other in label.lines)
    if nearest <= NEAR:
        return nearest
    together = any(first <= line <= last and first <= other <= last for first, last in spans for other in label.lines)
    return nearest if together else None


def match(findings: list[Diagnostic], labels: list[Label], spans: list[tuple[int, int]]) -> Outcome:
    """Pairs findings and labels of the same code one to one: sure labels before doubtful ones, the nearest first."""
    pairs = sorted(
        (not label.sure, apart, i, j)
        for i, finding in enumerate(findings)
        for j, label in enumerate(labels)
        if finding.code == label.code and (apart := distance(line_of(finding), label, spans)) is not None
    )
    taken: dict[int, int] = {}
    for _, _, i, j in pairs:
        if i not in taken and j not in taken.values():
            taken[i] = j
    outcome = Outcome([(findings[i], labels[j]) for i, j in sorted(taken.items())])
    outcome.false_alarms = [item for i, item in enumerate(findings) if i not in taken]
    left = [label for j, label in enumerate(labels) if label.sure and j not in taken.values()]
    outcome.misses = [label for label in left if not folded(label, findings, spans)]
    return outcome


def folded(label: Label, findings: list[Diagnostic], spans: list[tuple[int, int]]) -> bool:
    """Whether a finding with the same cause, placed elsewhere in the script, names the label's place as related."""
    places = (other for item in findings if item.code == label.code for other in item.related)
    return any(distance(line_of(other), label, spans) is not None for other in places)


@dataclass(slots=True)
class Count:
    """Sums over scripts. `found` counts labels, `right` and `wrong` count findings."""

    found: int = 0
    missed: int = 0
    right: int = 0
    wrong: int = 0

    def row(self, name: str) -> str:
        precision, recall = share(self.right, self.wrong), share(self.found, self.missed)
        return (
            f"{name:8}{self.found + self.missed:7}{self.missed:8}{self.right + self.wrong:10}{self.wrong:7}"
            f"{precision:>11}{recall:>8}"
        )


def share(good: int, bad: int) -> str:
    return f"{good / (good + bad):.3f}" if good + bad else "-"


HEADER = f"{'rule':8}{'labels':>7}{'missed':>8}{'findings':>10}{'wrong':>7}{'precision':>11}{'recall':>8}"


class Score:
    """Counts per rule, and over the findings and labels of severity error and warning."""

    def __init__(self) -> None:
        self.rules: dict[str, Count] = defaultdict(Count)
        self.loud = Count()

    def add(self, labels: list[Label], outcome: Outcome) -> None:
        for finding, label in outcome.hits:
            for count in self._counts(finding) if label.sure else ():
                count.right += 1
        for finding in outcome.false_alarms:
            for count in self._counts(finding):
                count.wrong += 1
        for label in labels:
            if label.sure:
                for count in self._counts(label):
                    missed = any(label is other for other in outcome.misses)
                    count.missed += missed
                    count.found += not missed

    def _counts(self, item: Diagnostic | Label) -> Iterator[Count]:
        yield self.rules[item.code]
        if item.severity in LOUD:
            yield self.loud

    def __str__(self) -> str:
        rows = [count.row(code) for code, count in sorted(self.rules.items())]
        return "\n".join([HEADER, *rows, self.loud.row("E and W")])


def disagreements(script: Script, outcome: Outcome) -> list[str]:
    """One line per false alarm, per miss, and per finding whose severity is not the label's."""
    found = [
        (line_of(item), f"{item.code}: false alarm ({item.severity.label}: {item.message})")
        for item in outcome.false_alarms
    ]
    found += [(label.lines[0], f"{label.code}: miss ({label})") for label in outcome.misses]
    found += [
        (line_of(item), f"{item.code}: says {item.severity.label}, label says {label.severity.label}")
        for item, label in outcome.hits
        if label.sure and item.severity != label.severity
    ]
    return [f"{script.place}:{line} {text}" for line, text in sorted(found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="holds the scripts as <owner>/<name>/<path>")
    parser.add_argument("--labels", type=Path, default=HERE / "labels.tsv")
    parser.add_argument("--rule", default="", help="show only disagreements about codes that match this expression")
    options = parser.parse_args()

    score, absent, read = Score(), [], 0
    for script in read_labels(options.labels):
        path = options.folder / script.place
        if not path.is_file():
            absent.append(script.place)
            continue
        read += 1
        outcome = match(lint(options.folder, script), script.labels, calls(path))
        score.add(script.labels, outcome)
        for line in disagreements(script, outcome):
            if re.search(options.rule, line):
                print(line)
    print(f"\n{read} scripts, {len(absent)} labelled scripts are not in the folder", *absent, sep="\n  ")
    print(f"\n{score}")


if __name__ == "__main__":
    main()
