"""A script as checks see it: `parse` never fails, and everything else is worked out when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property

from onnx_lsp.diagnostics import Diagnostic, TextRange
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.source import Source, Span
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

Parts = tuple[tuple[int, str], ...]

TOP_LEVEL_AWAIT = 0x2000  # PyCF_ALLOW_TOP_LEVEL_AWAIT: what notebooks allow
ONLY_AST = 0x400  # PyCF_ONLY_AST of Include/cpython/compile.h; importing ast for it would cost more than the check


class SyntaxProblem:
    """Why Python cannot read the script: `at` is a span of bytes, `message` is Python's."""

    __slots__ = ("at", "message")

    def __init__(self, at: Span, message: str) -> None:
        self.at, self.message = at, message


class Script:
    """One script.

    Attributes:
        source: text, trees and positions.
        path, settings, workspace: where it is, what is asked, and what other files say.
        parts: the texts that Python reads one by one, with their first lines: the cells of a notebook, or the script.
    """

    def __init__(
        self, text: str, path: str, settings: Settings, workspace: Workspace, parts: Parts | None = None
    ) -> None:
        self.text = text
        self.parts = ((0, text),) if parts is None else parts
        self._flags = ONLY_AST if parts is None else ONLY_AST | TOP_LEVEL_AWAIT
        self.path = path
        self.settings = settings
        self.workspace = workspace
        self._answers: dict[Callable[[str], bool], bool] = {}
        self.mentions_onnx = "onnx" in text.lower()
        self.flow = None

    @cached_property
    def source(self) -> Source:
        return Source(self.text, self.path)

    @cached_property
    def torch(self) -> tuple[int, int]:
        """The (major, minor) of torch that this script is judged against."""
        from onnx_lsp.script import pins

        return pins.target(self.path, self.settings.torch, self.workspace)

    @cached_property
    def calls(self) -> list:
        """The export calls (`calls.ExportCall`), in the order of the text."""
        if not self.mentions_onnx:
            return []
        from onnx_lsp.script.calls import find_calls

        return find_calls(self)

    @cached_property
    def uses(self) -> list:
        """What is done with models beside exporting them (`usage.Use`), in the order of the text."""
        if not self.mentions_onnx:
            return []
        from onnx_lsp.script.usage import find_uses

        return find_uses(self)

    @cached_property
    def modules(self):
        """The modules of the workspace that this script reaches (`modules.Modules`)."""
        from onnx_lsp.script.modules import Modules

        return Modules(self.path, self.settings.root, self.workspace)

    @cached_property
    def imports(self):
        """What the names of this file are imported from (`names.Imports`)."""
        from onnx_lsp.script.names import Imports

        return Imports(self.source)

    def remember(self, ask: Callable[[str], bool]) -> bool:
        """What `ask` says about the text in lower case, asked once for all calls of the script."""
        if ask not in self._answers:
            self._answers[ask] = ask(self.text.lower())
        return self._answers[ask]

    def locate(self, at: Node | Span) -> TextRange:
        """The place of a node, or of a span of bytes."""
        return self.source.range(at)

    def syntax_error(self) -> SyntaxProblem | None:
        """Why Python cannot read this, if the grammar doubts it and Python agrees."""
        if not self.source.broken and "\0" not in self.text:
            return None
        return next((problem for first, text in self.parts if (problem := self._problem(text, first))), None)

    def _problem(self, text: str, first: int) -> SyntaxProblem | None:
        """Why Python cannot read a part of the script that begins on the line `first`."""
        import warnings

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(text, os.path.basename(self.path), "exec", self._flags, dont_inherit=True)
        except SyntaxError as error:
            return SyntaxProblem(self._place(error, first), error.msg)
        except (ValueError, RecursionError, MemoryError) as error:
            return SyntaxProblem((0, 0), str(error) or "nested too deeply")
        return None

    def _place(self, error: SyntaxError, first: int) -> Span:
        line = min(first + (error.lineno or 1) - 1, len(self.source.starts) - 1)
        start, end = self.source.line_span(max(line, 0))
        text = self.source.slice(start, end)
        column = min(max((error.offset or 1) - 1, 0), len(text))
        at = start + len(text[:column].encode("utf-8", "surrogatepass"))
        return (at, end) if at < end else (max(start, end - 1), end)

    def without_suppressed(self, findings: list[Diagnostic]) -> list[Diagnostic]:
        """The findings that no `# onnx-lint: ignore` comment takes away."""
        if not findings:
            return findings
        from onnx_lsp.script.suppress import unsuppressed

        return unsuppressed(self.source, findings)


def parse(text: str, path: str, settings: Settings, workspace: Workspace, parts: Parts | None = None) -> Script:
    """The script with this text. Never fails: what cannot be understood is left out."""
    return Script(text, path, settings, workspace, parts)
