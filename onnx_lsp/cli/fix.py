"""Applies fixes to one file: lint, apply what does not overlap, lint again, until nothing more can be applied."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator

from onnx_lsp import atomic, engine
from onnx_lsp.cli.output import shown_path
from onnx_lsp.cli.tasks import Applied, Mode, Result, dependencies, is_shown, stages
from onnx_lsp.diagnostics import Applicability, Diagnostic, Fix
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Text, Workspace

MAX_PASSES = 10


class FileChanged(RuntimeError):
    """The file changed between reading and writing; it was left alone."""


def fix(path: str, settings: Settings, mode: Mode) -> Iterator[engine.Stage | Result]:
    """Fixes one file, in place if `mode.write`: its stages, then its `Result`."""
    kind = _fix_script if engine.kind_of(path) == "script" else _fix_model
    yield from kind(path, settings, mode)


def applicable(item: Diagnostic, settings: Settings, unsafe: bool) -> Fix | None:
    """The first fix of a finding that may be applied; None for a finding that is not shown."""
    if not item.fixes or not is_shown(item, settings):
        return None
    allowed = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    return next((fix for fix in item.fixes if fix.applicability in allowed and (fix.edits or fix.model)), None)


def fixed_text(path: str, text: str, settings: Settings, unsafe: bool) -> tuple[str, list[Applied], list[Diagnostic]]:
    """A script's text with its fixes applied, the fixes, and the findings that remain."""
    if engine.is_notebook(path):
        from onnx_lsp.script.notebook import apply_fixes
    else:
        from onnx_lsp.script.edits import apply_fixes

    applied: list[Applied] = []
    path = os.path.abspath(path)
    found = engine.lint_script(path, settings, Workspace({path: text}))
    for _ in range(MAX_PASSES):
        owners = {fix: item for item in found if (fix := applicable(item, settings, unsafe))}
        text, made = apply_fixes(text, owners)
        if not made:
            break
        applied += [Applied(owners[fix].code, owners[fix].name, fix.title) for fix in made]
        found = engine.lint_script(path, settings, Workspace({path: text}))
    return text, applied, found


def _fix_script(path: str, settings: Settings, mode: Mode) -> Iterator[Result]:
    workspace = Workspace()
    found = engine.lint_script(os.path.abspath(path), settings, workspace)
    needs = dependencies(workspace, path)
    if not any(applicable(item, settings, mode.unsafe) for item in found):
        yield Result(path, tuple(found), dependencies=needs)
        return
    original = workspace.read(path)
    text, applied, remaining = fixed_text(path, original.text, settings, mode.unsafe)
    if not mode.write:
        yield Result(path, tuple(remaining), tuple(applied), diff=diff(path, original.text, text), lasting=False)
        return
    try:
        if mode.backup:
            atomic.keep(path)
        write_script(path, original, text)
    except (OSError, FileChanged, UnicodeEncodeError) as error:
        yield Result(path, tuple(found), refused=_reason(error), lasting=False)
    else:
        yield Result(path, tuple(remaining), tuple(applied), lasting=False)


def write_script(path: str, original: Text, text: str) -> None:
    """Replaces a script, in its own encoding.

    Raises:
        FileChanged: someone saved it meanwhile.
        OSError: it cannot be written.
    """
    if Workspace().read(path) != original:
        raise FileChanged("the file changed meanwhile")
    atomic.write(path, [text.encode(original.encoding)])


def _reason(error: Exception) -> str:
    return engine.os_reason(error) if isinstance(error, OSError) else str(error)


def diff(path: str, before: str, after: str) -> str:
    """The change as a unified diff that `git apply` and `patch -p1` read."""
    name = shown_path(path)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _fix_model(path: str, settings: Settings, mode: Mode) -> Iterator[engine.Stage | Result]:
    from onnx_lsp.model.fixes import FixRefused, apply_fixes

    applied: list[Applied] = []
    change = refused = ""
    while True:
        workspace = Workspace()
        found: tuple[Diagnostic, ...] = ()
        for stage in stages(path, settings, workspace):
            found = stage.findings
            yield stage
        owners = [(item, fix) for item in found if (fix := applicable(item, settings, mode.unsafe))]
        if not owners or len(applied) >= MAX_PASSES * len(owners) or change or refused:
            break
        try:
            if mode.backup and mode.write and not applied:
                atomic.keep(path)
            done = apply_fixes(os.path.abspath(path), [fix.model for _, fix in owners], mode.write)
        except (FixRefused, OSError) as error:
            refused = _reason(error)
            break
        applied += [Applied(item.code, item.name, fix.title) for item, fix in owners]
        change += done.diff if not mode.write else ""
        if not mode.write:
            fixed = [item for item, _ in owners]
            found = tuple(item for item in found if item not in fixed)
            break
    lasting = not applied and not refused
    yield Result(path, found, tuple(applied), change, refused, dependencies(workspace, path), lasting)
