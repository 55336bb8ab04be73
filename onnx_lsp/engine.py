"""Picks the checks, runs them as their facts come to exist, guards them, suppresses and sorts what they found.

`lint_script` is quick, pure Python and tree-sitter: it runs where it is called. `lint_model` calls native code: it runs
in a child process (`onnx_lsp.work`) and yields its findings stage by stage, so that they can be shown, and survive,
whatever the later stages do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from onnx_lsp.checks import SCRIPT_CHECKS, Check, Report
from onnx_lsp.diagnostics import Diagnostic, Related
from onnx_lsp.rulebook import UnknownRule
from onnx_lsp.settings import Selection, Settings
from onnx_lsp.workspace import Text, Workspace

NOTEBOOK_SUFFIX = ".ipynb"
SCRIPT_SUFFIXES = (".py", NOTEBOOK_SUFFIX)
MODEL_SUFFIXES = (".onnx", ".onnxtxt", ".onnxtext", ".onnxjson", ".textproto")
MAX_RELATED = 20
DONE = "done"  # the phase of the last stage


def kind_of(path: str) -> str | None:
    """`script`, `model`, or None for a file that is not linted; by its suffix."""
    lowered = path.lower()
    if lowered.endswith(SCRIPT_SUFFIXES):
        return "script"
    return "model" if lowered.endswith(MODEL_SUFFIXES) else None


def is_notebook(path: str) -> bool:
    """Whether a script is a notebook, by its suffix."""
    return path.lower().endswith(NOTEBOOK_SUFFIX)


@dataclass(frozen=True, slots=True)
class Stage:
    """What `lint_model` yields: the phase that begins now, and all findings so far (each stage holds the earlier)."""

    phase: str
    findings: tuple[Diagnostic, ...]


class Run:
    """One file being linted: runs enabled checks over facts and collects what they report."""

    def __init__(self, path: str, settings: Settings, locate: Callable) -> None:
        self.settings = settings
        self.selection: Selection = settings.selection(path)
        self.report = Report(settings.rulebook(), path, locate)

    def enabled(self, checks: Iterable[Check]) -> list[Check]:
        return [check for check in checks if check.code in self.selection.enabled]

    def call(self, check: Check, facts: dict[str, object]) -> None:
        """Runs one check. A check that fails is a finding of its own, never the end of the run."""
        self._guarded(check, self._arguments(check, facts))

    def call_each(self, check: Check, facts: dict[str, object], nodes: Iterable[object]) -> None:
        """Runs one check for every one of these nodes."""
        arguments, place = self._arguments(check, facts | {"node": None}), check.needs.index("node")
        for node in nodes:
            arguments[place] = node
            self._guarded(check, arguments)

    def _arguments(self, check: Check, facts: dict[str, object]) -> list[object]:
        return [self.report if name == "report" else facts[name] for name in check.needs]

    def _guarded(self, check: Check, arguments: list[object]) -> None:
        self.report.code = check.code
        try:
            check.function(*arguments)
        except Exception as error:  # the one place where a bug in any check must stop
            import logging

            logging.getLogger(__name__).debug("%s failed", check.code, exc_info=True)
            self.say("FIL099", "check", code=check.code, error=f"{type(error).__name__}: {error}")

    def say(self, code: str, case: str, at: object = None, /, **fields: object) -> None:
        """Reports a finding that no check makes: a problem of the file itself."""
        if code in self.selection.enabled:
            self.report.code = code
            self.report(case, at, **fields)

    def findings(self) -> list[Diagnostic]:
        """What was found, with configured severities, one finding per cause, in order."""
        levels = self.settings.severity
        found = [replace(item, severity=levels.get(item.code, item.severity)) for item in self.report.found]
        return sorted(dict.fromkeys(found), key=lambda item: item.sort_key)

    def unsuppressed(self, metadata: str = "", done: bool = False) -> list[Diagnostic]:
        """The findings without those that the configuration, or the model's own `metadata`, excuses.

        Args:
            done: the run is over: suppressions that did nothing are findings now.
        """
        from onnx_lsp.suppression import suppress

        file = self.report.file
        result = suppress(self.findings(), file, self.settings, self.selection.enabled, metadata)
        if not done or not (result.idle or result.idle_selectors):
            return result.kept
        count = len(self.report.found)
        source = os.path.basename(self.settings.source or "the configuration")
        for excuse in result.idle:
            self.say("FIL010", "configuration", selector=excuse.code, source=source)
        for selector in result.idle_selectors:
            self.say("FIL010", "metadata", selector=selector)
        return sorted([*result.kept, *self.report.found[count:]], key=lambda item: item.sort_key)


def lint_script(path: str, settings: Settings, workspace: Workspace) -> list[Diagnostic]:
    """Every finding in one export script. Never raises on bad input."""
    from onnx_lsp.script import checks, syntax  # noqa: F401  (importing the checks registers them)

    try:
        source = workspace.read(path)
    except OSError as error:
        run = Run(path, settings, locate=lambda at: None)
        run.say("FIL001", "unreadable", reason=os_reason(error))
        return run.findings()
    if not is_notebook(path):
        return _lint_text(syntax.parse(source.text, path, settings, workspace), source)
    from onnx_lsp.script import notebook

    try:
        book = notebook.parse(source.text)
    except notebook.NotANotebook as error:
        run = Run(path, settings, locate=lambda at: None)
        run.say("FIL012", error.case, **error.fields)
        return run.unsuppressed(done=True)
    script = syntax.parse(book.text, path, settings, workspace, book.parts)
    return notebook.in_cells(book, path, _lint_text(script, source))


def _lint_text(script, source: Text) -> list[Diagnostic]:
    """The findings in a script, as places in its text."""
    path, settings = script.path, script.settings
    run = Run(path, settings, script.locate)
    if source.problem:
        run.say("FIL008", "undecodable", problem=source.problem)
    if problem := script.syntax_error():
        run.say("FIL009", "about-onnx" if script.mentions_onnx else "other", problem.at, problem=problem.message)
    for check in run.enabled(SCRIPT_CHECKS):
        if "call" in check.needs:
            for call in script.calls:
                run.call(check, {"call": call, "file": script})
        else:
            run.call(check, {"file": script})
    found = run.unsuppressed(done=True)
    if "onnx-lint" not in script.text:
        return found
    kept = script.without_suppressed(found)
    return sorted([*kept, *_idle_comments(run, script, found)], key=lambda item: item.sort_key)


def _idle_comments(run: Run, script, found: list[Diagnostic]) -> list[Diagnostic]:
    """Findings about comments that suppress nothing; none where the script was not linted to its end."""
    from onnx_lsp.script.suppress import idle, suppressions
    from onnx_lsp.suppression import UNSURE

    if any(item.code in UNSURE for item in found):
        return []
    book, count = run.report.rulebook, len(run.report.found)
    enabled = {code: book.rules[code].name for code in run.selection.enabled}
    for comment in idle(script.source, found, enabled):
        run.say("FIL010", "comment", comment.at, fixes={"remove": comment.edits}, selector="`, `".join(comment.names))
    for comment in suppressions(script.source):
        for name in comment.names:
            try:
                book.expand(name)
            except UnknownRule as error:
                run.say("FIL010", "unknown", comment.match.span(), selector=name, problem=str(error))
    levels = run.settings.severity
    return [replace(item, severity=levels.get(item.code, item.severity)) for item in run.report.found[count:]]


def lint_model(path: str, settings: Settings, workspace: Workspace, hints: bool = True) -> Iterator[Stage]:
    """Every finding in one model, stage by stage. Runs native code: call it in a child process.

    Args:
        hints: also run rules that can only hint and that nobody selected explicitly.
    """
    from onnx_lsp.model import lint

    yield from lint.stages(path, settings, workspace, hints)


def after_death(path: str, settings: Settings, stage: Stage, how: str) -> list[Diagnostic]:
    """The findings of a model whose child died: what it had found by then, and one finding that names the phase."""
    run = Run(path, settings, locate=lambda at: None)
    run.report.found = list(stage.findings)
    run.say("FIL007", "died", phase=stage.phase, how=how)
    return run.findings()


def os_reason(error: OSError) -> str:
    """Why a file could not be opened, in words."""
    if os.path.islink(error.filename or "") and not os.path.exists(error.filename):
        return f"it is a link to `{os.readlink(error.filename)}`, which does not exist"
    return (error.strerror or str(error)).lower()


def fold(findings: list[Diagnostic]) -> list[Diagnostic]:
    """One finding per rule and message: further places go into `related` (at most 20), with a count."""
    groups: dict[tuple, list[Diagnostic]] = {}
    for item in findings:
        groups.setdefault((item.code, item.message), []).append(item)
    return [_folded(group) for group in groups.values()]


def _folded(group: list[Diagnostic]) -> Diagnostic:
    first, *others = group
    if not others:
        return first
    places = tuple(Related(item.file, "also here", item.range, item.location) for item in others[:MAX_RELATED])
    return replace(first, message=f"{first.message} ({len(group)} places)", related=(*first.related, *places))
