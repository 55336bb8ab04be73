"""Applies fixes to one file: lint, apply what does not overlap, lint again, until nothing more can be applied."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, replace

from onnx_lsp import atomic, engine
from onnx_lsp.cli.lint import Linter
from onnx_lsp.cli.output import shown_path
from onnx_lsp.diagnostics import Applicability, Diagnostic, Fix
from onnx_lsp.workspace import Text, Workspace

MAX_PASSES = 10


@dataclass(frozen=True, slots=True)
class Fixed:
    """What fixing a file did: how many fixes, the findings that remain, and the change as a unified diff."""

    applied: int
    remaining: list[Diagnostic]
    diff: str = ""


def fix(path: str, linter: Linter, unsafe: bool, write: bool) -> Fixed:
    """Fixes one file, in place if `write`.

    Args:
        unsafe: apply unsafe fixes too.
        write: False computes the change and leaves the file alone.
    """
    allowed = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    if engine.kind_of(path) == "script":
        return _fix_script(path, linter, allowed, write)
    return _fix_model(path, linter, allowed, write)


def _fix_script(path: str, linter: Linter, allowed: set[Applicability], write: bool) -> Fixed:
    settings = linter.resolver.resolve(path)
    found = linter.lint(path)
    if not any(applicable(item, allowed) for item in found):
        return Fixed(0, found)
    from onnx_lsp.script.edits import apply_edits, without_overlaps

    original = linter.workspace.read(path)
    text, applied = original.text, 0
    for _ in range(MAX_PASSES):
        fixes = without_overlaps([fix for item in found if (fix := applicable(item, allowed))])
        if not fixes:
            break
        text = apply_edits(text, [edit for fix in fixes for edit in fix.edits])
        applied += len(fixes)
        found = engine.lint_script(path, settings, Workspace({os.path.abspath(path): text}))
    diff = _diff(path, original.text, text)
    if write:
        _write_script(path, original, text)
    return Fixed(applied, found, diff)


def applicable(item: Diagnostic, allowed: set[Applicability]) -> Fix | None:
    """The first fix of a finding that may be applied."""
    return next((fix for fix in item.fixes if fix.applicability in allowed and (fix.edits or fix.model)), None)


def _write_script(path: str, original: Text, text: str) -> None:
    """Raises `FileChanged` rather than overwrite what someone saved meanwhile."""
    if Workspace().read(path) != original:
        raise FileChanged(path)
    atomic.write(path, [text.encode(original.encoding)])


class FileChanged(RuntimeError):
    """The file changed between reading and writing; it was left alone."""


def _diff(path: str, before: str, after: str) -> str:
    name = shown_path(path)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _fix_model(path: str, linter: Linter, allowed: set[Applicability], write: bool) -> Fixed:
    """Model fixes are applied in the child, which knows how to write a model back."""
    settings = linter.resolver.resolve(path)
    applied, diff = 0, ""
    found = linter.lint(path)
    for _ in range(MAX_PASSES):
        edits = [fix.model for item in found if (fix := applicable(item, allowed))]
        if not edits:
            break
        steps = linter.worker(settings).steps("fix_model", path=os.path.abspath(path), edits=edits, write=write)
        result = list(steps)[-1]
        applied += result.applied
        diff += result.diff
        if not write or not result.applied:
            break
        found = linter.lint(path)
    return Fixed(applied, [replace(item) for item in found], diff)
