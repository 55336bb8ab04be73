"""`--add-ignores`: writes an ignore comment for every finding in a script, so that a project can start from zero."""

from __future__ import annotations

import os
import re

from onnx_lsp import engine
from onnx_lsp.cli.fix import FileChanged, write_script
from onnx_lsp.cli.main import CLEAN, complain
from onnx_lsp.cli.output import shown_path
from onnx_lsp.cli.tasks import is_shown
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.settings import Resolver, Settings
from onnx_lsp.workspace import Workspace

COMMENT = re.compile(r"(#\s*onnx-lint:\s*ignore\[)([^\]]*)\]\s*$")
UNEXCUSABLE = frozenset({"FIL001", "FIL007", "FIL008", "FIL009", "FIL010", "FIL012", "FIL099"})  # faults of the file itself


def add_ignores(paths: list[str], resolver: Resolver) -> int:
    """Adds the comments to the scripts among the paths and says how many; models are left to a baseline."""
    added = files = 0
    code = CLEAN
    for path in paths:
        if engine.kind_of(path) != "script":
            continue
        try:
            count = _excuse(os.path.abspath(path), resolver.resolve(path))
        except (OSError, FileChanged, UnicodeEncodeError) as error:
            code = complain(f"{shown_path(path)}: {error}")
            continue
        added += count
        files += count > 0
    models = sum(engine.kind_of(path) == "model" for path in paths)
    hint = f" Models take no comments: use --write-baseline for {models}." if models else ""
    print(f"Added {added} ignore{'s' * (added != 1)} in {files} file{'s' * (files != 1)}.{hint}")
    return code


def _excuse(path: str, settings: Settings) -> int:
    """Excuses the findings of one script; returns how many. A comment that would excuse nothing is not written."""
    if not _excusable(engine.lint_script(path, settings, Workspace()), settings):
        return 0
    original = Workspace().read(path)
    text = original.text
    before = found = _excusable(_lint(path, text, settings), settings)
    for last_line in (True, False):
        attempt = (_commented_cells if engine.is_notebook(path) else _commented)(text, found, last_line)
        remaining = _lint(path, attempt, settings)
        if any(item.code == "FIL009" for item in remaining):
            continue
        remaining = _excusable(remaining, settings)
        if len(remaining) < len(found):
            text, found = attempt, remaining
        if not found:
            break
    if text != original.text:
        write_script(path, original, text)
    return len(before) - len(found)


def _lint(path: str, text: str, settings: Settings) -> list[Diagnostic]:
    return engine.lint_script(path, settings, Workspace({path: text}))


def _excusable(found: list[Diagnostic], settings: Settings) -> list[Diagnostic]:
    return [item for item in found if item.range and item.code not in UNEXCUSABLE and is_shown(item, settings)]


def _commented_cells(text: str, found: list[Diagnostic], last_line: bool) -> str:
    from onnx_lsp.script import notebook

    sources = notebook.parse(text).sources
    cells: dict[int, list[Diagnostic]] = {}
    for item in found:
        cells.setdefault(item.cell, []).append(item)
    return notebook.rewrite(
        text, {cell: _commented(sources[cell - 1], items, last_line) for cell, items in cells.items()}
    )


def _commented(text: str, found: list[Diagnostic], last_line: bool) -> str:
    """The text with a comment on the last (or first) line of every finding."""
    codes: dict[int, set[str]] = {}
    for item in found:
        codes.setdefault(item.range.end.line if last_line else item.range.start.line, set()).add(item.code)
    lines = text.splitlines(keepends=True)
    for number, wanted in codes.items():
        line = lines[number]
        content = line.rstrip("\r\n")
        lines[number] = _with_comment(content, wanted) + line[len(content) :]
    return "".join(lines)


def _with_comment(line: str, codes: set[str]) -> str:
    if match := COMMENT.search(line):
        listed = sorted({*codes, *(code.strip() for code in match[2].split(",") if code.strip())})
        return f"{line[: match.start()]}{match[1]}{', '.join(listed)}]"
    return f"{line.rstrip()}  # onnx-lint: ignore[{', '.join(sorted(codes))}]"
