"""Which torch a script is for: the setting, else the nearest pin in the project's files, else the newest.

Read upwards from the script's folder: pyproject.toml, requirements files, lock files and conda environments. Only what
holds torch back counts: `torch>=2.0` allows the newest, `torch<2.6` does not.
"""

from __future__ import annotations

import os
import re

from onnx_lsp.script.torch_api import NEWEST, Version
from onnx_lsp.workspace import Workspace

# The last minor release of each major version that is over.
LAST_MINOR = {0: 4, 1: 13}
FILES = re.compile(
    r"^(?:pyproject\.toml|setup\.(?:py|cfg)|Pipfile(?:\.lock)?|(?:.*requirements.*|constraints.*)\.(?:txt|in)|"
    r"(?:.*environment.*|conda.*)\.ya?ml|(?:uv|poetry|pdm)\.lock)$"
)
REQUIREMENT = re.compile(
    r"""(?:^|["'\s])(?:py)?torch(?:\[[\w,\s-]*\])?["']?\s*(?:=\s*["{]?\s*(?:version\s*=\s*)?"?)?"""
    r"""\(?\s*((?:(?:===?|~=|!=|<=?|>=?|\^|=)\s*v?\d[\w.+*]*\s*,?\s*)+)""",
    re.MULTILINE,
)
BARE = re.compile(r"""^\s*["']?(?:py)?torch["']?\s*=\s*["'](\d[\w.+*]*)["']""", re.MULTILINE)
LOCKED = re.compile(r"""^name = "torch"\s*\nversion = "(\d+)\.(\d+)""", re.MULTILINE)
CLAUSE = re.compile(r"(===?|~=|!=|<=?|>=?|\^|=)\s*v?(\d+)(?:\.(\d+))?(\.[\w.+*]+)?")
TOP_OF_A_PROJECT = (".git", ".hg")


def target(path: str, setting: str | None, workspace: Workspace) -> Version:
    """The (major, minor) of the torch that the script at `path` is judged against."""
    if setting:
        return parsed(setting) or NEWEST
    folder = os.path.dirname(os.path.abspath(path))
    while True:
        names = workspace.names(folder)
        files = [os.path.join(folder, name) for name in names if FILES.match(name)]
        found = [pin for file in files if (pin := _in_file(file, workspace))]
        if found:
            return min(min(found), NEWEST)
        parent = os.path.dirname(folder)
        if parent == folder or any(mark in names for mark in TOP_OF_A_PROJECT):
            return NEWEST
        folder = parent


def parsed(text: str) -> Version | None:
    """`2.6`, `2.6.1+cpu` as (2, 6)."""
    match = re.match(r"\s*v?(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _in_file(path: str, workspace: Workspace) -> Version | None:
    try:
        text = workspace.read(path).text
    except OSError:
        return None
    return pin_of(text) if "torch" in text else None


def pin_of(text: str) -> Version | None:
    """The newest torch that a requirements text allows, where it holds torch back."""
    if match := LOCKED.search(text):
        return (int(match[1]), int(match[2]))
    if match := BARE.search(text):
        return parsed(match[1])
    for match in REQUIREMENT.finditer(text):
        highest = [bound for clause in CLAUSE.finditer(match[1]) if (bound := _upper(clause)) is not None]
        if highest and min(highest) < NEWEST:
            return min(highest)
    return None


def _upper(clause: re.Match) -> Version | None:
    """The newest minor version that a clause allows; None where it sets no upper bound."""
    operator, major, minor = clause[1], int(clause[2]), int(clause[3] or 0)
    if operator in ("==", "===", "=", "<="):
        return (major, LAST_MINOR.get(major, 999)) if clause[3] is None and operator != "<=" else (major, minor)
    if operator in ("~=", "^"):
        return (major, minor) if clause[4] and operator == "~=" else (major, LAST_MINOR.get(major, 999))
    if operator == "<":
        if clause[4] and clause[4].strip(".0"):
            return (major, minor)
        return (major, minor - 1) if minor else (major - 1, LAST_MINOR.get(major - 1, 999))
    return None
