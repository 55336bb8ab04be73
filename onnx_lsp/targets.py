"""Asks `rules/targets`: does this runtime version run this op at this opset with these element types?

A target is a name and a version, `onnxruntime-cpu@1.20`. The files themselves are read by `onnx_lsp.tables`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from onnx_lsp.tables import Entry, Table, has_function, names, read, revision, revisions, table

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
Binding = tuple[tuple[str, frozenset[str]], ...]


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
    """What a target says of whole models; None where there is no limit or none is known."""

    max_opset: int | None
    max_ir: int | None
    min_opset: int | None
    sure: bool


def parse(text: str) -> Target:
    """The target that `NAME[@VERSION]` means.

    `installed` as the version is the version of the installed Python package.

    Raises:
        UnknownTarget: there is no such target, or that is no version.
    """
    name, _, version = text.strip().partition("@")
    name = ALIASES.get(name.lower(), name.lower())
    if name not in names():
        raise UnknownTarget(_unknown_name(name))
    versions = table(name).versions
    if version == "installed":
        version = _installed(name)
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
    if not re.fullmatch(r"\d+(\.\w+)*", version):
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
    """Element types by type variable or parameter name, as `runs` wants them: sorted and hashable."""
    return None if types is None else tuple(sorted((name, frozenset(found)) for name, found in types.items()))


@lru_cache(maxsize=65536)
def runs(op: str, domain: str, opset: int, types: Binding | None, target: Target) -> Answer:
    """Whether a target runs an operator.

    Args:
        op: the operator.
        domain: its domain; the empty one is ai.onnx.
        opset: the version of that domain which the model imports.
        types: element types by type variable and parameter name (see `binding`), or None when they are not known.
        target: who is asked.
    """
    domain = domain or "ai.onnx"
    since = revision(domain, op, opset)
    source = table(target.name)
    if since is None:
        covered = domain in source.data["ops"] or "fallback" in source.data
        if domain in read("ops")["ops"] or not covered:
            return Answer(Verdict.UNKNOWN, f"{domain}.{op} is not in the table", sure=False)
        since = opset
    found = _at(source, source.versions.index(target.version), domain, op, since, types)
    if target.other is not None:
        later = _at(source, source.versions.index(target.other), domain, op, since, types)
        if later.verdict != found.verdict:
            return Answer(Verdict.UNKNOWN, f"differs between {target.version} and {target.other}", sure=False)
    if not found.verdict.runs and "fallback" in source.data:
        found = _fallback(source, found, op, domain, opset, types, target)
    return found if target.sure else Answer(found.verdict, found.note, sure=False)


def _fallback(source: Table, found: Answer, op: str, domain: str, opset: int, types, target: Target) -> Answer:
    """What becomes of a node that the provider leaves to another one."""
    version = f"@{target.version}" if target.version[0].isdigit() else ""
    beside = parse(source.data["fallback"] + version)
    gone = table(beside.name).data
    if op in (*gone["no_kernel_needed"].get(domain, ()), *gone["removed_first"].get(domain, ())):
        return Answer(Verdict.KERNEL)
    answer = runs(op, domain, opset, types, beside)
    if answer.verdict.runs:
        why = f": {found.note}" if found.note else ""
        return Answer(Verdict.FALLS_BACK, f"{beside.label} runs it{why}", found.sure)
    return Answer(answer.verdict, answer.note, answer.sure and found.sure)


def _at(source: Table, position: int, domain: str, op: str, since: int, types: Binding | None) -> Answer:
    """The answer of one version of a table, without looking at fallbacks."""
    since = _known_revision(source, position, domain, op, since)
    takes = source.data.get("takes_opset")
    if takes and domain == "ai.onnx" and since > takes:
        return Answer(Verdict.REFUSES, f"takes operators up to opset {takes}")
    limit = source.data.get("limits", {}).get(source.versions[position], {}).get("ir")
    refused = source.data.get("refused_types", ())
    for _, found in types or ():
        if unknown := sorted(found.intersection(refused)):
            return Answer(Verdict.REFUSES, f"does not know {unknown[0]}")
        young = [name for name in found if limit and TYPE_IR.get(name, 0) > limit]
        if young:
            return Answer(Verdict.REFUSES, f"does not know {young[0]}, which came with IR version {TYPE_IR[young[0]]}")
    miss = ""
    for entry in source.entries("ops", domain, op):
        if entry.covers(since, position):
            wrong, casts = _mismatch(source, entry, types)
            if not wrong:
                return Answer(Verdict.KERNEL, "; ".join(part for part in (entry.note, casts) if part))
            miss = miss or wrong
    if op in source.data.get("no_kernel_needed", {}).get(domain, ()):
        return Answer(Verdict.KERNEL)
    return _through_body(source, position, domain, op, since, types) or _miss(source, domain, op, since, miss)


def _through_body(source: Table, position: int, domain: str, op: str, since: int, types) -> Answer | None:
    """What is known of running the operator's function body; None if nothing is."""
    refused = None
    for entry in source.entries("inlined", domain, op):
        if entry.covers(since, position):
            wrong = _mismatch(source, entry, types)[0]
            if not wrong:
                return Answer(Verdict.INLINED, entry.note)
            if entry.excluded:
                refused = Answer(Verdict.REFUSES, wrong)
    for entry in source.entries("not_inlined", domain, op):
        if entry.covers(since, position) and not _mismatch(source, entry, types)[0]:
            refused = refused or Answer(Verdict.REFUSES, "has neither a kernel nor a function body that fits")
    return refused


def _miss(source: Table, domain: str, op: str, since: int, miss: str) -> Answer:
    """Why nothing fits, and how certain that is."""
    measured = source.data.get("measured", False)
    known = source.entries("ops", domain, op)
    reason = miss or (f"has {op} in other revisions, not in {since}" if known else f"has no {op}")
    if op in source.data.get("unsupported", {}).get(domain, ()):
        return Answer(Verdict.REFUSES, reason)
    if measured and has_function(domain, op, since):
        return Answer(Verdict.UNKNOWN, f"{reason}, and its function body was not tried", sure=False)
    if domain not in read("ops")["ops"] or (domain not in source.data["ops"] and not measured):
        return Answer(Verdict.UNKNOWN, reason, sure=False)
    return Answer(Verdict.REFUSES, reason, sure=measured)


def _known_revision(source: Table, position: int, domain: str, op: str, since: int) -> int:
    """The revision that the target takes the node for: a release that does not know the newest one applies the one before."""
    for entry in source.entries("revisions", domain, op):
        if entry.low == since and not entry.covers(since, position):
            older = [number for number, _ in revisions(domain, op) if number < since]
            return older[-1] if older else since
    return since


def _mismatch(source: Table, entry: Entry, types: Binding | None) -> tuple[str, str]:
    """What does not fit an entry, and what fits only after a cast."""
    if types is None:
        return "", ""
    casts = source.data.get("casts", {})
    have, cast = dict(types), []
    for variable, allowed in entry.allowed:
        for name in sorted(have.get(variable, frozenset()) - allowed):
            if casts.get(name) not in allowed:
                return f"does not take {name} as {variable}", ""
            cast.append(f"{name} is cast to {casts[name]}")
    for variable, excluded in entry.excluded:
        for name in sorted(have.get(variable, frozenset()) & excluded):
            return f"does not take {name} as {variable}", ""
    return "", "; ".join(dict.fromkeys(cast))


def first_version_that_runs(op: str, domain: str, opset: int, types: Binding | None, target: Target) -> Target | None:
    """The oldest later version in the table that runs the operator and loads its opset."""
    versions = table(target.name).versions
    for version in versions[versions.index(target.version) + 1 :]:
        later = Target(target.name, version, target.asked)
        limit = limits(later).max_opset
        enough = limit is None or domain not in ("", "ai.onnx") or opset <= limit
        if enough and runs(op, domain, opset, types, later).verdict.runs:
            return later
    return None


def refused_attribute(op: str, domain: str, attributes: Mapping[str, object], target: Target) -> str | None:
    """The attribute value, such as `layout=1`, with which the target refuses an operator that it has otherwise."""
    refused = table(target.name).data.get("refused_attributes", {}).get(domain or "ai.onnx", {}).get(op, {})
    return next((f"{name}={value}" for name, value in refused.items() if attributes.get(name) == value), None)


def limits(target: Target) -> Limits:
    """The opset and IR bounds of whole models.

    An execution provider has those of the onnxruntime it belongs to.
    """
    source = table(target.name).data
    family = read("versions").get(target.name.partition("-")[0], {})
    row = source.get("limits", {}).get(target.version) or family.get(target.version) or {}
    return Limits(row.get("opset"), row.get("ir"), row.get("min_opset"), target.sure)
