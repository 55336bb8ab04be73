"""Remembers what was found in a file, until something that the findings depend on changes.

The name of an entry is made of what is asked: tool and onnx version, code and cards of the linter, settings, path. The
entry lists the files that the findings depend on, by size, mtime and inode (models: external data too). Entries are
written beside and renamed, so a killed linter leaves whole ones; one that does not read back exactly is a miss.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import zlib
from dataclasses import fields
from hashlib import blake2b

from onnx_lsp import __version__
from onnx_lsp.diagnostics import (
    Applicability,
    Diagnostic,
    Fix,
    ModelEdit,
    Position,
    Related,
    Severity,
    TextEdit,
    TextRange,
)
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import LISTING, names_in

RACY = 50_000_000  # ns; a file that changed so shortly before it was read may change again within the same tick
KEPT = 30 * 24 * 3600  # seconds that an entry is kept unused
LOOKED = 24 * 3600  # seconds between two searches for old entries
IRRELEVANT = {"exclude", "extend_exclude", "force_exclude", "respect_gitignore", "baseline", "cache_dir", "fail_on"}

Signature = tuple[int, int, int] | None


def default_folder() -> str:
    """The user's cache folder: `ONNX_LINT_CACHE_DIR`, else where the platform keeps such things."""
    if own := os.environ.get("ONNX_LINT_CACHE_DIR"):
        return own
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA", home), "onnx-lint", "Cache")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "onnx-lint")
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "onnx-lint")


class Cache:
    """Findings by file. A folder that cannot be written is a cache that remembers nothing.

    Args:
        folder: where entries are kept.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._began = time.time_ns()
        self._stamps: dict[int, str] = {}
        self._signatures: dict[str, Signature] = {}
        self._before: dict[str, Signature] = {}
        self._settings: list[Settings] = []  # keeps the objects alive, so that their ids stay theirs

    def get(self, path: str, settings: Settings) -> tuple[Diagnostic, ...] | None:
        """What was found in a file, if nothing has changed since."""
        absolute = os.path.abspath(path)
        self._before[path] = now = signature(absolute)
        try:
            with open(self._entry(absolute, settings), "rb") as file:
                checksum, _, body = file.read().partition(b"\n")
            if now is None or int(checksum, 16) != zlib.crc32(body):
                return None
            own, needs, findings = json.loads(body)
            if tuple(own) != now or any(self._now(need) != (seen and tuple(seen)) for need, seen in needs):
                return None
            return tuple(map(_unpack, findings))
        except (OSError, ValueError, TypeError, KeyError, IndexError):
            return None

    def put(self, result, settings: Settings) -> None:
        """Remembers a `Result`, unless it would not come out the same again or the file is changing right now."""
        absolute = os.path.abspath(result.path)
        now = signature(absolute)
        if not result.lasting or now is None or now != self._before.get(result.path) or self._racy(absolute):
            return
        if any(self._racy(need) for need in result.dependencies):
            return
        needs = [(need, self._now(need)) for need in result.dependencies]
        body = json.dumps([now, needs, [_pack(item) for item in result.findings]], separators=(",", ":")).encode()
        entry = self._entry(absolute, settings)
        temporary = f"{entry}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(entry), exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(b"%08x\n" % zlib.crc32(body) + body)
            os.replace(temporary, entry)
        except OSError:
            return  # read-only or full: the findings are printed all the same

    def _racy(self, path: str) -> bool:
        try:
            status = os.stat(path)
        except (OSError, ValueError):  # not there, or a listing
            return False
        return max(status.st_mtime_ns, status.st_ctime_ns) > self._began - RACY

    def _now(self, path: str) -> Signature:
        if path not in self._signatures:
            self._signatures[path] = signature(path)
        return self._signatures[path]

    def _entry(self, absolute: str, settings: Settings) -> str:
        stamp = self._stamps.get(id(settings))
        if stamp is None:
            self._settings.append(settings)
            stamp = self._stamps[id(settings)] = _stamp(settings)
        digest = blake2b(f"{stamp}\0{absolute}".encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        return os.path.join(self.folder, digest[:2], digest[2:])

    def prune(self) -> None:
        """Removes entries that were not written for a month; looks for them at most once a day."""
        mark = os.path.join(self.folder, "looked")
        now = time.time()
        try:
            if os.path.exists(mark) and now - os.stat(mark).st_mtime < LOOKED:
                return
            with open(mark, "w"):
                pass
            for folder, _, names in os.walk(self.folder):
                for name in names:
                    path = os.path.join(folder, name)
                    if now - os.stat(path).st_mtime > KEPT:
                        os.unlink(path)
        except OSError:
            return


def signature(path: str) -> Signature:
    """Size, mtime and inode of a file; None where there is none. Of a listing (see `Workspace.names`), its names."""
    folder, listing, pattern = path.partition(LISTING)
    if listing:
        names = names_in(folder, re.compile(pattern))
        return len(names), zlib.crc32("\0".join(names).encode("utf-8", "surrogateescape")), 0
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _stamp(settings: Settings) -> str:
    """What findings depend on besides files: the linter itself, its cards, onnx, and the settings."""
    asked = {item.name: getattr(settings, item.name) for item in fields(settings) if item.name not in IRRELEVANT}
    if not (settings.per_file_ignores or settings.excuses):
        del asked["root"], asked["source"]  # only patterns are relative to it, and only messages about tables name it
    if any("@installed" in name for name in settings.targets):
        from onnx_lsp.targets import parse

        asked["installed"] = [parse(name).note for name in settings.targets]
    package = os.path.dirname(os.path.abspath(__file__))
    cards = sorted({os.path.dirname(os.path.dirname(rule.path)) for rule in settings.rulebook().rules.values()})
    state = [file for folder in (package, *cards) for file in _state(folder)]
    return blake2b(repr([__version__, sys.version, _onnx_version(), asked, state]).encode(), digest_size=16).hexdigest()


def _state(folder: str) -> list[tuple]:
    """The files below a folder of code or cards, as they are now."""
    found = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    found += _state(entry.path)
            elif entry.name.endswith((".py", ".md", ".toml")):
                status = entry.stat()
                found.append((entry.path, status.st_size, status.st_mtime_ns))
    return found


def _onnx_version() -> str:
    """The installed onnx, by the name of its metadata folder: importlib.metadata would cost more than the look-up."""
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder) if name.startswith("onnx-") and name.endswith(".dist-info")]
        except OSError:
            continue
        if names:
            return names[0]
    return ""


def _pack(item: Diagnostic) -> list:
    return [
        item.code,
        item.name,
        int(item.severity),
        item.message,
        _pack_range(item.range),
        item.location,
        [_pack_fix(fix) for fix in item.fixes],
        [[place.file, place.message, _pack_range(place.range), place.location, place.cell] for place in item.related],
        item.card,
        item.subject,
        item.file,
        item.cell,
    ]


def _pack_range(span: TextRange | None) -> list[int] | None:
    return [span.start.line, span.start.column, span.end.line, span.end.column] if span else None


def _pack_fix(fix: Fix) -> list:
    edits = [[_pack_range(edit.range), edit.text, edit.cell] for edit in fix.edits]
    model = fix.model
    edit = [model.code, model.key, model.at, model.arguments, model.digest] if model else None
    return [fix.title, fix.applicability.value, edits, edit, fix.preferred, fix.key]


def _unpack(data: list) -> Diagnostic:
    code, name, severity, message, span, location, fixes, related, card, subject, file, cell = data
    return Diagnostic(
        file,
        code,
        name,
        Severity(severity),
        message,
        _unpack_range(span),
        location,
        tuple(map(_unpack_fix, fixes)),
        tuple(Related(file, text, _unpack_range(at), where, cell) for file, text, at, where, cell in related),
        card,
        subject,
        cell,
    )


def _unpack_range(span: list[int] | None) -> TextRange | None:
    return TextRange(Position(span[0], span[1]), Position(span[2], span[3])) if span else None


def _unpack_fix(data: list) -> Fix:
    title, applicability, edits, model, preferred, key = data
    return Fix(
        title,
        Applicability(applicability),
        tuple(TextEdit(_unpack_range(span), text, cell) for span, text, cell in edits),
        ModelEdit(model[0], model[1], model[2], _frozen(model[3]), model[4]) if model else None,
        preferred,
        key,
    )


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
