"""Linting and fixing one file after the other: what runs here for a few scripts, and in children for everything else.

The small records are named tuples: they cross pipes by the thousand, and a dataclass takes longer to define.
"""

from __future__ import annotations

import os
from collections import namedtuple
from collections.abc import Iterator

from onnx_lsp import engine
from onnx_lsp.diagnostics import Diagnostic, Severity
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace


class Mode(namedtuple("Mode", "fix unsafe write backup", defaults=(False, False, False, False))):
    """What to do with each file: `fix` applies fixes (`unsafe` ones too), and writes them only if `write`.

    `backup` keeps the file as it was, beside the new one.
    """

    __slots__ = ()


class Applied(namedtuple("Applied", "code name title")):
    """A fix that was applied, for `--show-fixes`."""

    __slots__ = ()


class Result(
    namedtuple(
        "Result",
        "path findings applied diff refused dependencies lasting",
        defaults=((), (), "", "", (), True),
    )
):
    """What became of one file.

    Attributes:
        path: as it was given.
        findings: what was found, or what remains after fixing.
        applied: the fixes.
        diff: the change, where it was not written.
        refused: why fixes could not be written, if they could not.
        dependencies: the files, besides this one, that the findings depend on.
        lasting: the same file will give the same findings again (it was read, and nothing died).
    """

    __slots__ = ()


Work = tuple[str, Settings]


def process(work: list[Work], mode: Mode) -> Iterator[engine.Stage | Result]:
    """Treats files in order: the stages of each model as they come, and one `Result` per file."""
    for path, settings in work:
        if mode.fix:
            from onnx_lsp.cli import fix

            yield from fix.fix(path, settings, mode)
        else:
            workspace = Workspace()
            found: tuple[Diagnostic, ...] = ()
            steps = stages(path, settings, workspace)
            for stage in steps:
                found = stage.findings
                yield stage
                if stage.phase == engine.DONE:
                    break  # and not one step more: what a large model took is given back once its result is out
            yield Result(path, found, dependencies=dependencies(workspace, path))


def stages(path: str, settings: Settings, workspace: Workspace) -> Iterator[engine.Stage]:
    """The stages of linting a file; a script has one. Findings carry absolute paths: they outlive this run."""
    absolute = os.path.abspath(path)
    if engine.kind_of(path) == "script":
        yield engine.Stage(engine.DONE, tuple(engine.lint_script(absolute, settings, workspace)))
    else:
        yield from engine.lint_model(absolute, settings, workspace, hints=False)  # `is_shown` would leave them out


def is_shown(item: Diagnostic, settings: Settings) -> bool:
    """Whether a finding is reported and fixed: a hint only if its rule was selected explicitly."""
    return item.severity is not Severity.HINT or item.code in settings.selection(item.file).explicit


def dependencies(workspace: Workspace, path: str) -> tuple[str, ...]:
    """The other files that were looked at."""
    return tuple(sorted(workspace.dependencies - {os.path.abspath(path)}))
