"""Writes the TOML of `rules/targets`: a comment at the top, short lines, ranges instead of copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "targets"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def ranges(present: Iterable[str], versions: Sequence[str]) -> list[str]:
    """Runs of `versions` (oldest first) in which something is present.

    Returns:
        `"2.1..2.4"` from first to last, or `"2.5.."` where the last is the newest version known.
    """
    wanted, runs, start = set(present), [], None
    for position, version in enumerate(versions):
        if version in wanted and start is None:
            start = version
        following = versions[position + 1] if position + 1 < len(versions) else None
        if start is not None and following is None and version in wanted:
            runs.append(f"{start}..")
        elif start is not None and following not in wanted and version in wanted:
            runs.append(f"{start}..{version}")
            start = None
    return runs


def key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else value(name)


def value(item: object) -> str:
    """One TOML value on one line."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, (int, float)):
        return str(item)
    if isinstance(item, str):
        return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(item, dict):
        return "{ " + ", ".join(f"{key(name)} = {value(inner)}" for name, inner in item.items()) + " }"
    return "[" + ", ".join(value(inner) for inner in item) + "]"


def lines(table: dict[str, object]) -> list[str]:
    """The `key = value` lines of a table; None values are left out."""
    return [f"{key(name)} = {value(item)}" for name, item in table.items() if item is not None]


def wrapped(name: str, items: Sequence[str], width: int = 118) -> list[str]:
    """An array of strings over as many lines as it needs."""
    single = f"{key(name)} = {value(list(items))}"
    if len(single) <= width:
        return [single]
    out, row = [f"{key(name)} = ["], "   "
    for item in items:
        if len(row) + len(value(item)) + 2 > width:
            out.append(row)
            row = "   "
        row += f" {value(item)},"
    return [*out, row, "]"]


def save(name: str, comment: str, body: Iterable[str]) -> Path:
    """Writes `rules/targets/NAME` under a comment."""
    head = [f"# {line}".rstrip() for line in comment.strip().splitlines()]
    path = FOLDER / name
    path.write_text("\n".join([*head, "", *body]) + "\n", encoding="utf-8")
    return path
