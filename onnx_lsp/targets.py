"""Asks `rules/targets`: does this runtime version run this op at this opset with these element types?

A target is a name and a version, `onnxruntime-cpu@1.20`. The files themselves are read by `onnx_lsp.tables`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from onnx_lsp import tables
from onnx_lsp.tables import Entry, Table, has_function, names, read, revision, revisions

ALIASES = {
    "onnxruntime": "onnxruntime-cpu",
    "onnxruntime-coreml": "onnxruntime-coreml-mlprogram",
    "onnxruntime-webgpu": "onnxruntime-web-webgpu",
    "onnxruntime-webgl": "onnxruntime-web-webgl",
    "onnxruntime-webnn": "onnxruntime-web-webnn",
    "tflite": "tflite-onnx2tf",
    "litert": "tflite-onnx2tf",
    "tensorflow": "tensorflow-onnx-tf",
}
# Packages that bring the module `onnxruntime`, the ordinary one first.
WHEELS = (
    "onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn", "onnxruntime-migraphx",
    "onnxruntime-training",
)  # fmt: skip
# Element types that came with an IR version (onnx/onnx.proto, enum Version and TensorProto.DataType): an older
# release cannot even read the tensor.
TYPE_IR = {
    "float8e4m3fn": 9, "float8e4m3fnuz": 9, "float8e5m2": 9, "float8e5m2fnuz": 9, "uint4": 10, "int4": 10,
    "float4e2m1": 11, "float8e8m0": 12, "uint2": 13, "int2": 13,
}  # fmt: skip
ASKED = "onnxruntime-cpu"  # of the installed one, not only the version is taken
VERSION = re.compile(r"\d+(\.\d+)*([.-]?(a|b|rc|dev|post)\.?\d+)*(\+[\w.]+)?")
Binding = tuple[tuple[str, frozenset[str]], ...]
Facts = tuple[tuple[str, str], ...]


def table(name: str) -> Table:
    """The table of a target; of `onnxruntime-cpu@installed`, what the installed one says."""
    shipped, _, installed = name.partition("@")
    return _of_installed(shipped) if installed else tables.table(name)


@cache
def _of_installed(name: str) -> Table:
    from onnx_lsp.installed import of_installed

    base, version = tables.table(name), _installed(name)
    return of_installed(base, version, base.versions.index(_at_version(name, base.versions, version, name).version))


class UnknownTarget(ValueError):
    """A target or version that no table has; the message lists the close ones."""


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
class Target:
    """A target that somebody asked for.

    `version` is the version of the table that answers; `other` is the next one of the table where the asked version lies between two.
    `sure` is false where the table does not cover what was asked, `note` then says what it covers.
    """

    name: str
    version: str
    asked: str
    other: str | None = None
    sure: bool = True
    note: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one node, what the table adds to it, and whether the table is certain."""

    verdict: Verdict
    note: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What a target says of whole models; None where there is no limit or none is known.

    `sure`: the table covers what was asked. `refuses`: besides, it was measured that a model beyond does not load.
    """

    max_opset: int | None
    max_ir: int | None
    min_opset: int | None
    sure: bool
    refuses: bool


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


def parse(text: str) -> Target:
    """The target that `NAME[@VERSION]` means.

    `installed` as the version is that of the installed Python package; onnxruntime is asked for its kernels when the table is.

    Raises:
        UnknownTarget: there is no such target, or that is no version.
    """
    name, _, version = text.strip().partition("@")
    name = ALIASES.get(name.lower(), name.lower())
    if name not in names():
        raise UnknownTarget(_unknown_name(name))
    versions = table(name).versions
    if version == "installed":
        installed = _installed(name)
        found = replace(_at_version(name, versions, installed, text), note=f"{installed} is installed")
        return replace(found, name=f"{name}@installed") if name == ASKED else found
    if not version:
        outdated = table(name).data.get("outdated", False)
        ends = f"the table ends at {versions[-1]}" if versions[-1][0].isdigit() else "the table is of no known release"
        note = ends if outdated else ""
        return Target(name, versions[-1], text, sure=not outdated, note=note)
    return _at_version(name, versions, version, text)


def _at_version(name: str, versions: list[str], version: str, text: str) -> Target:
    parts = version.split(".")
    for length in range(len(parts), 1, -1):
        prefix = ".".join(parts[:length])
        if prefix in versions:
            return Target(name, prefix, text)
    if version in versions:
        return Target(name, version, text)
    if not VERSION.fullmatch(version):
        raise UnknownTarget(f"`{version}` is no version of {name}; its table has {', '.join(versions)}")
    older = [known for known in versions if number(known) < number(version)]
    newer = [known for known in versions if number(known) > number(version)]
    nearest = older[-1] if older else newer[0]
    other = newer[0] if older and newer else None
    return Target(name, nearest, text, other, False, f"the table has no {version}, the nearest is {nearest}")


def number(version: str) -> tuple[float, ...]:
    """A sort key; a version without digits (`later`) is the newest."""
    return tuple(float(part) for part in re.findall(r"\d+", version)) or (float("inf"),)


def _installed(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    packages = WHEELS if name.startswith("onnxruntime") else (name,)
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    raise UnknownTarget(f"`{name}@installed`: the package `{packages[0]}` is not installed")


def _unknown_name(name: str) -> str:
    from difflib import get_close_matches

    known = [*names(), *ALIASES]
    close = get_close_matches(name, known, 3, 0.5) or [item for item in known if name and name in item]
    hint = f"did you mean {' or '.join(f'`{item}`' for item in close)}?" if close else f"known: {', '.join(known)}"
    return f"there is no target `{name}`; {hint}"


def binding(types: Mapping[str, set[str] | frozenset[str]] | None) -> Binding | None:
    """Element types by type variable or parameter name, as tables want them: sorted and hashable."""
    return None if types is None else tuple(sorted((name, frozenset(found)) for name, found in types.items()))


@lru_cache(maxsize=65536)
def runs(kind: Kind, target: Target) -> Answer:
    """Whether a target runs nodes of a kind."""
    if (kind.home, kind.op) == ("ai.onnx", "Constant"):
        return Answer(Verdict.KERNEL)  # only there while a model is loaded
    source = table(target.name)
    since = revision(kind.home, kind.op, kind.opset)
    if since is None:
        if source.data["kind"] == "standard":
            return Answer(Verdict.REFUSES, "is no operator of ONNX")
        covered = ("ops", kind.home) in source.sections or "fallback" in source.data
        if kind.home in read("ops")["ops"] or not covered:
            return Answer(Verdict.UNKNOWN, f"{kind.home}.{kind.op} is not in the table", sure=False)
        since = kind.opset
    found = _at(source, target.version, kind, since)
    if target.other is not None:
        later = _at(source, target.other, kind, since)
        if later.verdict != found.verdict:
            return Answer(Verdict.UNKNOWN, f"differs between {target.version} and {target.other}", sure=False)
    if not found.verdict.runs and "fallback" in source.data:
        found = _fallback(source, found, kind, target)
    return found if target.sure else Answer(found.verdict, found.note, sure=False)


def _fallback(source: Table, found: Answer, kind: Kind, target: Target) -> Answer:
    """What becomes of a node that the provider leaves to another one."""
    version = f"@{target.version}" if target.version[0].isdigit() else ""
    beside = parse(source.data["fallback"] + version)
    if kind.op in table(beside.name).data["removed_first"].get(kind.home, ()):
        return Answer(Verdict.KERNEL)
    answer = runs(kind, beside)
    if answer.verdict is Verdict.INLINED:  # its body's operators are given to the provider again
        return Answer(Verdict.INLINED, answer.note, sure=False)
    if answer.verdict.runs:
        why = f": {found.note}" if found.note else ""
        return Answer(Verdict.FALLS_BACK, f"{beside.label} runs it{why}", found.sure)
    return Answer(answer.verdict, answer.note, answer.sure and found.sure)


def _at(source: Table, version: str, kind: Kind, since: int) -> Answer:
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


def wanted(op: str, domain: str, target: Target) -> frozenset[str]:
    """The FACTs (see `onnx_lsp.tables`) that the target's table asks for about nodes of this operator."""
    source = table(target.name)
    found = source.subjects(domain or "ai.onnx", op)
    if "fallback" in source.data:
        found |= table(source.data["fallback"]).subjects(domain or "ai.onnx", op)
    return found


def first_version_that_runs(kind: Kind, target: Target) -> Target | None:
    """The oldest later version in the table that runs the operator and loads its opset."""
    versions = table(target.name).versions
    for version in versions[versions.index(target.version) + 1 :]:
        later = Target(target.name, version, target.asked)
        limit = limits(later).max_opset
        enough = limit is None or kind.home != "ai.onnx" or kind.opset <= limit
        if enough and runs(kind, later).verdict.runs:
            return later
    return None


def limits(target: Target) -> Limits:
    """The opset and IR bounds of whole models.

    An execution provider has those of the onnxruntime it belongs to.
    """
    source = table(target.name).data
    family = read("versions").get(target.name.partition("-")[0], {})
    row = source.get("limits", {}).get(target.version) or family.get(target.version) or {}
    measured = source.get("measured", False) or target.name.startswith("onnxruntime")
    return Limits(row.get("opset"), row.get("ir"), row.get("min_opset"), target.sure, target.sure and measured)
