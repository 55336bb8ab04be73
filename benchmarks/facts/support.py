"""Rows of support and their notation in `rules/targets` (described in `onnx_lsp/tables.py`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.facts import tables

# Shorter lists of types are written out.
NAMED_FROM = 4
Types = tuple[tuple[str, frozenset[str]], ...]
OpKey = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One alternative: the revisions of an operator that it covers, and with which types."""

    low: int | None
    high: int | None
    types: Types = ()
    excluded: Types = ()
    facts: Types = ()
    versions: str = ""
    note: str = ""


def typed(types: dict[str, Iterable[str]]) -> Types:
    return tuple(sorted((variable, frozenset(found)) for variable, found in types.items()))


def joined(rows: list[Types]) -> list[Types]:
    """Merges alternatives that differ in one variable only."""
    rows = list(dict.fromkeys(rows))
    position = 0
    while position < len(rows):
        for other in range(position + 1, len(rows)):
            merged = _merge(rows[position], rows[other])
            if merged is not None:
                rows[position] = merged
                del rows[other]
                position = -1
                break
        position += 1
    return sorted(rows, key=_order)


def _merge(one: Types, two: Types) -> Types | None:
    if [name for name, _ in one] != [name for name, _ in two]:
        return None
    differing = [number for number, (left, right) in enumerate(zip(one, two, strict=True)) if left != right]
    if len(differing) != 1:
        return None
    place = differing[0]
    return (*one[:place], (one[place][0], one[place][1] | two[place][1]), *one[place + 1 :])


def over_versions(
    by_version: dict[str, dict[OpKey, list[Row]]], versions: Sequence[str]
) -> dict[OpKey, list[Row]]:
    """Joins the rows of several versions; a row that not all versions have says which."""
    having: dict[tuple[OpKey, Row], list[str]] = defaultdict(list)
    for version in versions:
        for key, rows in by_version.get(version, {}).items():
            for row in rows:
                having[key, row].append(version)
    out: dict[OpKey, list[Row]] = defaultdict(list)
    for (key, row), found in having.items():
        for span in tables.ranges(found, versions):
            text = "" if span == f"{versions[0]}.." else span.removeprefix(versions[0]) if found[0] == versions[0] else span
            out[key].append(replace(row, versions=text))
    return out


def render(section: str, rows: dict[OpKey, list[Row]], names: dict[frozenset[str], str]) -> list[str]:
    """The lines of a section such as `ops`: one table per domain."""
    out: list[str] = []
    for domain in sorted({domain for domain, _ in rows}):
        out += ["", f"[{section}.{tables.key(domain)}]"]
        for key in sorted(rows):
            if key[0] == domain:
                out.append(_line(key[1], [_text(row, names) for row in sorted(rows[key], key=_row_order)]))
    return out


def _line(op: str, texts: list[str]) -> str:
    single = f"{op} = '{'; '.join(texts)}'"
    if len(single) <= 118:
        return single
    return "\n".join([f"{op} = '''", *(f"    {text};" for text in texts), "'''"])


def _text(row: Row, names: dict[frozenset[str], str]) -> str:
    words = [_range(row)]
    words += [f"{variable}={_types(found, names)}" for variable, found in row.types]
    words += [f"!{variable}={_types(found, names)}" for variable, found in row.excluded]
    words += [f"{subject}={'|'.join(sorted(found))}" for subject, found in row.facts]
    words += [f"@{row.versions}"] if row.versions else []
    words += [f'"{row.note}"'] if row.note else []
    return " ".join(words)


def _range(row: Row) -> str:
    if row.low is None:
        return "*"
    if row.high is None:
        return f"{row.low}+"
    return str(row.low) if row.low == row.high else f"{row.low}-{row.high}"


def _types(found: frozenset[str], names: dict[frozenset[str], str]) -> str:
    return f"${names[found]}" if found in names else "|".join(sorted(found))


def named(*sections: dict[OpKey, list[Row]]) -> dict[frozenset[str], str]:
    """Names for the longer type lists, the most frequent first."""
    counted: Counter[frozenset[str]] = Counter()
    for section in sections:
        for rows in section.values():
            for row in rows:
                counted.update(found for _, found in row.types + row.excluded if len(found) >= NAMED_FROM)
    ordered = sorted(counted, key=lambda found: (-counted[found], sorted(found)))
    return {found: f"t{number}" for number, found in enumerate(ordered, 1)}


def type_lines(names: dict[frozenset[str], str]) -> list[str]:
    return ["", "[types]", *(f"{name} = '{'|'.join(sorted(found))}'" for found, name in names.items())] if names else []


def _order(types: Types) -> list:
    return [(name, sorted(found)) for name, found in types]


def _row_order(row: Row) -> tuple:
    return (-(row.low or 0), row.high or 0, row.versions, _order(row.types), _order(row.excluded), _order(row.facts))
