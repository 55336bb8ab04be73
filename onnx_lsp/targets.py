"""Asks `rules/targets`: does this runtime version run this op at this opset with these element types, in this form?

A target is a name and a version, `onnxruntime-cpu@1.20`. The files themselves are read by `onnx_lsp.tables`, and asked by `onnx_lsp.verdicts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from onnx_lsp import tables
from onnx_lsp.tables import Table, names, read, revision, revisions
from onnx_lsp.verdicts import TYPE_IR, Answer, Binding, Facts, Kind, Verdict, answer_at, binding

__all__ = [
    "TYPE_IR", "Answer", "Binding", "Facts", "Kind", "Limits", "Target", "UnknownTarget", "Verdict", "binding",
    "first_version_that_runs", "limits", "names", "number", "parse", "read", "revision", "revisions", "runs", "table", "wanted",
]  # fmt: skip

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
ASKED = "onnxruntime-cpu"  # of the installed one, not only the version is taken
VERSION = re.compile(r"\d+(\.\d+)*([.-]?(a|b|rc|dev|post)\.?\d+)*(\+[\w.]+)?")
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
class Limits:
    """What a target says of whole models; None where there is no limit or none is known.

    `sure`: the table covers what was asked. `refuses`: besides, it was measured that a model beyond does not load.
    """

    max_opset: int | None
    max_ir: int | None
    min_opset: int | None
    sure: bool
    refuses: bool


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
    found = answer_at(source, target.version, kind, since)
    if target.other is not None:
        later = answer_at(source, target.other, kind, since)
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
