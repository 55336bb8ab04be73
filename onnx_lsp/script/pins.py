"""Which torch a script is for: the setting, else the nearest pin in the project's files, else the newest.

Read upwards from the script's folder, to the first folder that requires torch. There the first file that holds it back
decides: lock files, pyproject.toml, requirements.txt, conda environments, setup files. `torch>=2.0` allows the newest,
`torch<2.6` does not. Variants such as requirements-gpu.txt only count where none of those files names torch.
"""

from __future__ import annotations

import os
import re

from onnx_lsp.script.torch_api import NEWEST, Version
from onnx_lsp.workspace import Workspace

# The last minor release of each major version that is over.
LAST_MINOR = {0: 4, 1: 13}
# The files that decide, in this order; several of one kind decide together, by the lowest. The last kind: variants.
FILES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:uv|poetry|pdm)\.lock|Pipfile\.lock",
        r"pyproject\.toml|Pipfile",
        r"requirements\.txt",
        r"environment\.ya?ml",
        r"setup\.cfg|setup\.py",
        r".*requirements.*\.(?:txt|in)|constraints.*\.txt|(?:.*environment.*|conda.*)\.ya?ml",
    )
)
VARIANTS = FILES[-1]
LOCKED = re.compile(
    r"""^name = "torch"\s*\nversion = "(\d+)\.(\d+)|"torch": \{[^}]*"version": "==(\d+)\.(\d+)""", re.MULTILINE
)
# A requirement: on a line of its own, as an item of a YAML list, or quoted; `rest` is its version.
REQUIREMENT = re.compile(
    r"""(?:^[ \t]*(?:-[ \t]+)?|["'])(?:[\w.-]+::)?(?:py)?torch(?![\w.:-])(?:\[[^\]\n]*\])?["']?(?P<rest>[^\n#;]*)""",
    re.MULTILINE,
)
CHANNELS = re.compile(r"^channels:[^\n]*\n(?:[ \t]*-[^\n]*\n)+", re.MULTILINE)
POETRY = re.compile(r"""\s*=\s*(?:\{.*?version\s*=\s*)?["'](?P<version>[^"']*)""")
WHEEL = re.compile(r"torch-(\d+)\.(\d+)")
CLAUSE = re.compile(r"(===?|~=|!=|<=?|>=?|\^|~|=)\s*v?(\d+)(?:\.(\d+))?(\.[\w.+*]+)?")
TOP_OF_A_PROJECT = (".git", ".hg")
LOOKED_FOR = re.compile("|".join(f"(?:{kind.pattern})$" for kind in FILES) + r"|\.(?:git|hg)$")


def target(path: str, setting: str | None, workspace: Workspace) -> Version:
    """The (major, minor) of the torch that the script at `path` is judged against."""
    if setting:
        return parsed(setting) or NEWEST
    folder = os.path.dirname(os.path.abspath(path))
    while True:
        names = workspace.names(folder, LOOKED_FOR)
        required = False
        for kind in FILES:
            if required and kind is VARIANTS:
                break
            files = [os.path.join(folder, name) for name in names if kind.fullmatch(name)]
            found = [said for file in files if (said := _in_file(file, workspace)) is not None]
            if found and min(found) < NEWEST:
                return min(found)
            required = required or bool(found)
        parent = os.path.dirname(folder)
        if required or parent == folder or any(mark in names for mark in TOP_OF_A_PROJECT):
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
    return newest_allowed(text) if "torch" in text else None


def newest_allowed(text: str) -> Version | None:
    """The newest torch that a requirements text allows; None where it does not require torch."""
    if match := LOCKED.search(text):
        major, minor = (group for group in match.groups() if group is not None)
        return (int(major), int(minor))
    match = REQUIREMENT.search(CHANNELS.sub("", text))
    return _allowed(match["rest"]) if match else None


def _allowed(rest: str) -> Version:
    """What a requirement's version part allows: `>=1.9,<2.1`, `= "^2.1"`, `@ https://…/torch-2.1.0….whl`."""
    if rest.lstrip().startswith("@") and (wheel := WHEEL.search(rest)):
        return (int(wheel[1]), int(wheel[2]))
    if poetry := POETRY.match(rest):
        exact = re.match(r"\d", poetry["version"])
        return _allowed(f"=={poetry['version']}" if exact else poetry["version"])
    rest = re.split(r"""["']""", rest)[0].strip(" \t(")
    bounds = [bound for clause in CLAUSE.finditer(rest) if (bound := _upper(clause)) is not None]
    return min([*bounds, NEWEST])


def _upper(clause: re.Match) -> Version | None:
    """The newest minor version that a clause allows; None where it sets no upper bound."""
    operator, major, minor = clause[1], int(clause[2]), int(clause[3] or 0)
    last = (major, LAST_MINOR.get(major, 999))
    if operator in ("==", "===", "="):
        return last if clause[3] is None else (major, minor)
    if operator == "<=":
        return (major, minor)
    if operator in ("~=", "~"):
        return (major, minor) if clause[4] or operator == "~" else last
    if operator == "^":
        return last
    if operator == "<":
        if clause[4] and clause[4].strip(".0"):
            return (major, minor)
        return (major, minor - 1) if minor else (major - 1, LAST_MINOR.get(major - 1, 999))
    return None
