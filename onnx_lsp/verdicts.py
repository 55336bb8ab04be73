"""What a table says of nodes of one kind: the look-up of an operator, its revision, its element types and its form.

Everything here asks one version of one table; what a target makes of it, fallbacks for example, is said by `onnx_lsp.targets`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from onnx_lsp.tables import Entry, Table, has_function, read, revisions

# Element types that came with an IR version (onnx/onnx.proto, enum Version and TensorProto.DataType): an older
# release cannot even read the tensor.
TYPE_IR = {
    "float8e4m3fn": 9, "float8e4m3fnuz": 9, "float8e5m2": 9, "float8e5m2fnuz": 9, "uint4": 10, "int4": 10,
    "float4e2m1": 11, "float8e8m0": 12, "uint2": 13, "int2": 13,
}  # fmt: skip
Binding = tuple[tuple[str, frozenset[str]], ...]
Facts = tuple[tuple[str, str], ...]


class Verdict(enum.Enum):
    """What a target does with a node."""

    KERNEL = "runs"
    INLINED = "runs through its function body"
    FALLS_BACK = "falls back"
    REFUSES = "refuses"
    UNKNOWN = "unknown"

    @property
    def runs(self) -> bool:
        return self in (Verdict.KERNEL, Verdict.INLINED)


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one node, what the table adds to it, and whether the table is certain."""

    verdict: Verdict
    note: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """Nodes that are the same to a table.

    Attributes:
        op, domain: the operator; the empty domain is ai.onnx.
        opset: the version of that domain which the model, or the function around, imports.
        types: element types by type variable and parameter name (see `binding`); None when they are not known.
        facts: what else is known, of what `wanted` names.
    """

    op: str
    domain: str
    opset: int
    types: Binding | None = None
    facts: Facts = ()

    @property
    def home(self) -> str:
        """The domain as tables write it."""
        return self.domain or "ai.onnx"

    @property
    def title(self) -> str:
        return self.op if self.home == "ai.onnx" else f"{self.domain}.{self.op}"


def binding(types: Mapping[str, set[str] | frozenset[str]] | None) -> Binding | None:
    """Element types by type variable or parameter name, as tables want them: sorted and hashable."""
    return None if types is None else tuple(sorted((name, frozenset(found)) for name, found in types.items()))


def answer_at(source: Table, version: str, kind: Kind, since: int) -> Answer:
    """The answer of one version of a table, without looking at fallbacks."""
    if source.data["kind"] == "standard":
        newest = source.data["limits"][version]["opset"]
        young = kind.home == "ai.onnx" and since > newest
        return Answer(Verdict.REFUSES, f"ends at opset {newest}") if young else Answer(Verdict.KERNEL)
    position = source.versions.index(version)
    since = _known_revision(source, position, kind, since)
    takes = source.data.get("takes_opset")
    if takes and kind.home == "ai.onnx" and since > takes:
        return Answer(Verdict.REFUSES, f"takes operators up to opset {takes}")
    unknown = _unknown_type(source, version, kind)
    if unknown:
        return Answer(Verdict.REFUSES, unknown)
    miss = ""
    for entry in source.entries("ops", kind.home, kind.op):
        if entry.covers(since, position):
            wrong, casts = _mismatch(source, entry, kind)
            if not wrong:
                return Answer(Verdict.KERNEL, "; ".join(part for part in (entry.note, casts) if part))
            miss = miss or wrong
    return _through_body(source, position, kind, since) or _miss(source, kind, since, miss)


def _unknown_type(source: Table, version: str, kind: Kind) -> str:
    """The element type of a node that the target does not know at all."""
    limit = source.data.get("limits", {}).get(version, {}).get("ir")
    for _, found in kind.types or ():
        if refused := sorted(found.intersection(source.data.get("refused_types", ()))):
            return f"does not know {refused[0]}"
        young = sorted(name for name in found if limit and TYPE_IR.get(name, 0) > limit)
        if young:
            return f"does not know {young[0]}, which came with IR version {TYPE_IR[young[0]]}"
    return ""


def _through_body(source: Table, position: int, kind: Kind, since: int) -> Answer | None:
    """What is known of running the operator's function body; None if nothing is."""
    refused = None
    for entry in source.entries("inlined", kind.home, kind.op):
        if entry.covers(since, position):
            wrong = _mismatch(source, entry, kind)[0]
            if not wrong:
                return Answer(Verdict.INLINED, entry.note)
            if entry.excluded or entry.facts:
                refused = Answer(Verdict.REFUSES, wrong)
    for entry in source.entries("not_inlined", kind.home, kind.op):
        if entry.covers(since, position) and not _mismatch(source, entry, kind)[0]:
            refused = refused or Answer(Verdict.REFUSES, "has neither a kernel nor a function body that fits")
    return refused


def _miss(source: Table, kind: Kind, since: int, miss: str) -> Answer:
    """Why nothing fits, and how certain that is."""
    measured = source.data.get("measured", False)
    known = source.entries("ops", kind.home, kind.op)
    reason = miss or (f"has {kind.op} in other revisions, not in {since}" if known else f"has no {kind.op}")
    if kind.op in source.data.get("unsupported", {}).get(kind.home, ()):
        return Answer(Verdict.REFUSES, reason)
    if measured and has_function(kind.home, kind.op, since):
        return Answer(Verdict.UNKNOWN, f"{reason}, and its function body was not tried", sure=False)
    if kind.home not in read("ops")["ops"] or (("ops", kind.home) not in source.sections and not measured):
        return Answer(Verdict.UNKNOWN, reason, sure=False)
    return Answer(Verdict.REFUSES, reason, sure=measured or source.data.get("complete", False))


def _known_revision(source: Table, position: int, kind: Kind, since: int) -> int:
    """The revision that the target takes the node for: a release that does not know the newest one applies the one before."""
    for entry in source.entries("revisions", kind.home, kind.op):
        if entry.low == since and not entry.covers(since, position):
            older = [number for number, _ in revisions(kind.home, kind.op) if number < since]
            return older[-1] if older else since
    return since


def _mismatch(source: Table, entry: Entry, kind: Kind) -> tuple[str, str]:
    """What does not fit an entry, and what fits only after a cast."""
    casts = source.data.get("casts", {})
    have, cast = dict(kind.types or ()), []
    for variable, allowed in entry.allowed:
        for name in sorted(have.get(variable, frozenset()) - allowed):
            if casts.get(name) not in allowed:
                return f"does not take {name} as {variable}", ""
            cast.append(f"{name} is cast to {casts[name]}")
    for variable, excluded in entry.excluded:
        for name in sorted(have.get(variable, frozenset()) & excluded):
            return f"does not take {name} as {variable}", ""
    facts = {**dict(kind.facts), "opset": str(kind.opset)}
    for subject, allowed in entry.facts:
        if facts.get(subject, next(iter(allowed))) not in allowed:
            return f"takes it only {_said(subject, allowed)}", ""
    return "", "; ".join(dict.fromkeys(cast))


def _said(subject: str, allowed: frozenset[str]) -> str:
    """A FACT as people say it: `with 3 or 4 dimensions of `X``."""
    what, _, name = subject.rstrip(")").partition("(")
    values = " or ".join(sorted(allowed))
    match what:
        case "rank":
            return f"with {values} dimensions of `{name}`"
        case "const":
            return f"with a constant `{name}`"
        case "given":
            return f"without `{name}`"
        case "opset":
            return f"at opset {values}"
        case "squeezed":
            return "without the output of a `Squeeze` that names no axes"
        case "outputs":
            return f"where {values} of its outputs {'is' if values == '1' else 'are'} used"
    return f"with `{what[1:]}` = {values}"
