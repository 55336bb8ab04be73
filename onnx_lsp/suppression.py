"""Suppressions other than comments: `[[ignore]]` tables of the configuration, and what a model says about itself.

A suppression that suppresses nothing is a finding (FIL010): it hides the next fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.rulebook import Rulebook, UnknownRule
from onnx_lsp.settings import Excuse, Settings

METADATA_KEY = "onnx-lint.ignore"
UNSURE = frozenset({"FIL001", "FIL007", "FIL009", "FIL099"})  # the file was not linted to its end
GLOB = re.compile(r"[*?]|\[(?!\d+\])")


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What suppressing left over, and which suppressions did nothing.

    Attributes:
        kept: the findings that remain.
        idle: tables of the configuration that name this very file and excuse nothing in it.
        idle_selectors: selectors of the model's metadata that excuse nothing.
    """

    kept: list[Diagnostic]
    idle: tuple[Excuse, ...] = ()
    idle_selectors: tuple[str, ...] = ()


def suppress(
    found: Iterable[Diagnostic], file: str, settings: Settings, enabled: frozenset[str], metadata: str = ""
) -> Suppressed:
    """Takes out what the configuration, or a model's `onnx-lint.ignore` metadata, excuses.

    Args:
        file: the path of the linted file.
        enabled: the codes of the rules that ran; a suppression of others is not idle, it waits.
        metadata: the value of the metadata entry: selectors, comma-separated.
    """
    book = settings.rulebook()
    own = {selector: _codes(selector, book) for word in metadata.split(",") if (selector := word.strip())}
    used: set[Excuse | str] = set()
    kept = []
    for item in found:
        excuse = settings.excuse_for(file, item.code, item.location)
        reasons = [excuse] if excuse else [selector for selector, codes in own.items() if item.code in codes]
        used.update(reasons)
        if not reasons:
            kept.append(item)
    if any(item.code in UNSURE for item in kept):
        return Suppressed(kept)
    named = [excuse for excuse in settings.excuses if excuse.file and not GLOB.search(excuse.file)]
    idle = [
        excuse
        for excuse in named
        if excuse not in used and settings.names(file, excuse.file) and book.expand(excuse.code) & enabled
    ]
    silent = [name for name, codes in own.items() if name not in used and (codes & enabled or not codes)]
    return Suppressed(kept, tuple(idle), tuple(silent))


def _codes(selector: str, book: Rulebook) -> frozenset[str]:
    try:
        return book.expand(selector)
    except UnknownRule:
        return frozenset()
