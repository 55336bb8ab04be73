"""Reads the executed examples of a rule card: the fenced blocks whose info string says bad, good or quiet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FENCE = re.compile(r"^```(\w+) (bad|good|quiet)\b([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """One block: `kind` is bad, good or quiet; `language` is python, onnx or builder."""

    kind: str
    language: str
    text: str
    also: frozenset[str] = frozenset()
    fix: str = ""
    builder: str = ""
    settings: dict[str, str] = field(default_factory=dict)


def read(body: str) -> list[Example]:
    """All executed examples of a card, in order."""
    return [_example(*match) for match in FENCE.findall(body)]


def _example(language: str, kind: str, info: str, text: str) -> Example:
    words = info.split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    return Example(
        kind=kind,
        language=language,
        text=text,
        also=frozenset(filter(None, options.pop("also", "").split(","))),
        fix=options.pop("fix", ""),
        builder=next((word for word in words if "=" not in word), ""),
        settings=options,
    )


def pairs(examples: list[Example]) -> list[tuple[Example, Example]]:
    """Each bad example that promises a fix, with the good one that the fix gives."""
    return [
        (bad, good)
        for bad, good in zip(examples, examples[1:], strict=False)
        if bad.kind == "bad" and bad.fix and good.kind == "good"
    ]
