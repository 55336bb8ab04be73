"""What stays the same about a finding while a file is edited: rule, names and op, never a line or an index."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256

from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.script.notebook import text_at
from onnx_lsp.workspace import Workspace

QUOTED = re.compile(r"`([^`]*)`")
INDEX = re.compile(r"\[\d+\]")
BLOCK = re.compile(r"^([ \t]*)(?:async[ \t]+def|def|class)[ \t]+(\w+)")


class Fingerprints:
    """Fingerprints the findings of one run; reads each script once."""

    def __init__(self, workspace: Workspace | None = None) -> None:
        self._workspace = workspace or Workspace()
        self._lines: dict[tuple[str, int | None], list[str]] = {}
        self._seen: Counter[str] = Counter()

    def of(self, item: Diagnostic, file: str) -> str:
        """The fingerprint of a finding, 16 hexadecimal digits; findings that look alike share it.

        Args:
            file: how the file is called wherever the fingerprint is used: a relative path with forward slashes.
        """
        names = [INDEX.sub("[]", name) for name in QUOTED.findall(item.message)]
        subject = item.subject or INDEX.sub("[]", item.location or "") or self._block(item)
        return sha256("\0".join([item.code, file, subject, *names]).encode()).hexdigest()[:16]

    def unique(self, item: Diagnostic, file: str) -> str:
        """The same, with a number where a fingerprint comes again."""
        fingerprint = self.of(item, file)
        self._seen[fingerprint] += 1
        return f"{fingerprint}:{self._seen[fingerprint]}"

    def _block(self, item: Diagnostic) -> str:
        """The functions and classes around a finding in a script: `Trainer.export`."""
        if item.range is None:
            return ""
        key = item.file, item.cell
        if key not in self._lines:
            try:
                self._lines[key] = text_at(self._workspace, *key).splitlines()
            except OSError:
                self._lines[key] = []
        lines = self._lines[key][: item.range.start.line + 1]
        names: list[str] = []
        depth = _indent(lines[-1]) if lines else 0
        for line in reversed(lines[:-1]):
            match = BLOCK.match(line)
            if match and len(match[1].expandtabs()) < depth:
                names.append(match[2])
                depth = len(match[1].expandtabs())
        return ".".join(reversed(names))


def _indent(line: str) -> int:
    expanded = line.expandtabs()
    return len(expanded) - len(expanded.lstrip())
