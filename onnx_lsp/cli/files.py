"""Which files a run looks at: the paths that were named, and what lies below them that git does not ignore."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate

from onnx_lsp.engine import MODEL_SUFFIXES, SCRIPT_SUFFIXES, kind_of
from onnx_lsp.settings import Resolver, Settings


class PathError(ValueError):
    """A path on the command line that cannot be linted."""


def discover(paths: list[str], resolver: Resolver) -> list[str]:
    """The files to lint: each once, folders walked in sorted order.

    A file that is named is linted even where git ignores it or the settings exclude it, unless they say `force-exclude`.

    Raises:
        PathError: a named path does not exist, or is of a kind that is not linted.
        SettingsError: a configuration cannot be used.
    """
    found: dict[str, None] = {}
    for path in paths:
        path = os.path.normpath(path)
        settings = resolver.resolve(path)
        if settings.force_exclude and settings.excludes(os.path.abspath(path)):
            continue
        if os.path.isdir(path):
            if kind_of(path):
                found[path] = None  # a folder where a file should be: that is a finding
            found.update(dict.fromkeys(walk(path, resolver)))
        elif not os.path.lexists(path):
            raise PathError(f"{path}: there is no such file or folder{_nearest(path)}")
        elif kind_of(path) is None:
            suffixes = ", ".join((*SCRIPT_SUFFIXES, *MODEL_SUFFIXES))
            raise PathError(f"{path}: not a kind of file that onnx-lint reads ({suffixes})")
        else:
            found[path] = None
    return list(found)


def _nearest(path: str) -> str:
    from difflib import get_close_matches

    if "\\" in path and os.path.exists(slashed := path.replace("\\", "/")):
        return f"; did you mean `{slashed}`?"
    folder, name = os.path.split(path)
    try:
        close = get_close_matches(name, os.listdir(folder or "."), 1)
    except OSError:
        return ""
    return f"; did you mean `{os.path.join(folder, close[0])}`?" if close else ""


def walk(folder: str, resolver: Resolver) -> Iterator[str]:
    """The scripts and models below `folder`, without what git ignores or the settings exclude."""
    ignored = Ignored.above(folder)
    if ignored.covers(os.path.abspath(folder), is_folder=True):
        ignored = Ignored()  # named all the same
    yield from _walk(folder, os.path.abspath(folder), ignored, resolver, {})


def _walk(
    folder: str, absolute: str, ignored: Ignored, resolver: Resolver, excluded: dict[int, Excluded]
) -> Iterator[str]:
    settings = resolver.resolve(absolute)
    if id(settings) not in excluded:
        excluded[id(settings)] = Excluded(settings)
    excludes = excluded[id(settings)]
    if settings.respect_gitignore:
        ignored = ignored.entering(absolute)
    try:
        with os.scandir(folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError:
        return  # not ours to read
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        kind = kind_of(entry.name)
        if not is_folder and kind is None:
            continue
        inside = os.path.join(absolute, entry.name)
        if excludes(inside, entry.name) or settings.respect_gitignore and ignored.covers(inside, is_folder):
            continue
        path = entry.name if folder == "." else os.path.join(folder, entry.name)
        if not is_folder or kind == "model":
            yield path
        if is_folder:
            yield from _walk(path, inside, ignored, resolver, excluded)


class Excluded:
    """Answers whether the settings' patterns exclude a path: by its name, or by its path from the settings' root."""

    def __init__(self, settings: Settings) -> None:
        patterns = (*settings.exclude, *settings.extend_exclude)
        self._matches = re.compile("|".join(map(translate, patterns)) or r"(?!)").match
        self._root = os.path.join(settings.root, "")

    def __call__(self, absolute: str, name: str) -> bool:
        if self._matches(name):
            return True
        relative = absolute[len(self._root) :] if absolute.startswith(self._root) else name
        return bool(self._matches(relative.replace(os.sep, "/")))


class Ignored:
    """The .gitignore files in force at one folder, outermost first."""

    def __init__(self, specs: tuple[tuple[str, object], ...] = ()) -> None:
        self.specs = specs

    @classmethod
    def above(cls, folder: str) -> Ignored:
        """What the folders above `folder` ignore, up to the top of its repository."""
        absolute = os.path.abspath(folder)
        chain = []
        while not os.path.exists(os.path.join(absolute, ".git")):
            parent = os.path.dirname(absolute)
            if parent == absolute:
                return cls()  # no repository: only .gitignore files inside the folder count
            absolute = parent
            chain.append(absolute)
        top = chain[-1] if chain else os.path.abspath(folder)
        ignored = cls()._with(top, os.path.join(top, ".git", "info", "exclude"))
        for parent in reversed(chain):
            ignored = ignored.entering(parent)
        return ignored

    def entering(self, folder: str) -> Ignored:
        """The same with the folder's own .gitignore added."""
        return self._with(os.path.abspath(folder), os.path.join(folder, ".gitignore"))

    def _with(self, folder: str, file: str) -> Ignored:
        try:
            with open(file, encoding="utf-8", errors="replace") as lines:
                text = lines.read().splitlines()
        except OSError:
            return self
        from pathspec import GitIgnoreSpec

        return Ignored((*self.specs, (folder, GitIgnoreSpec.from_lines(text))))

    def covers(self, absolute: str, is_folder: bool) -> bool:
        """Whether git ignores the path; the innermost file that has an opinion decides."""
        for folder, spec in reversed(self.specs):
            relative = absolute[len(folder) :].lstrip(os.sep).replace(os.sep, "/")
            verdict = spec.check_file(relative + "/" * is_folder).include
            if verdict is not None:
                return verdict
        return False
