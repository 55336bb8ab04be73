"""Which files a run looks at: the paths that were named, and what lies below them that git does not ignore."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch

from onnx_lsp.engine import MODEL_SUFFIXES, SCRIPT_SUFFIXES, kind_of
from onnx_lsp.settings import Resolver


class PathError(ValueError):
    """A path on the command line that cannot be linted."""


def discover(paths: list[str], resolver: Resolver) -> list[str]:
    """The files to lint: each once, folders walked in sorted order.

    A file that is named is linted even where git ignores it.

    Raises:
        PathError: a named path does not exist, or is of a kind that is not linted.
    """
    found: dict[str, None] = {}
    for path in paths:
        path = os.path.normpath(path)
        if os.path.isdir(path):
            if kind_of(path):
                found[path] = None  # a folder where a file should be: that is a finding
            found.update(dict.fromkeys(walk(path, resolver)))
        elif not os.path.lexists(path):
            raise PathError(f"{path}: there is no such file or folder")
        elif kind_of(path) is None:
            suffixes = ", ".join((*SCRIPT_SUFFIXES, *MODEL_SUFFIXES))
            raise PathError(f"{path}: not a kind of file that onnx-lint reads ({suffixes})")
        else:
            found[path] = None
    return list(found)


def walk(folder: str, resolver: Resolver) -> Iterator[str]:
    """The scripts and models below `folder`, without what git ignores or the settings exclude."""
    settings = resolver.resolve(folder)
    yield from _walk(folder, Ignored.above(folder), settings.root, settings.exclude)


def _walk(folder: str, ignored: Ignored, root: str, exclude: tuple[str, ...]) -> Iterator[str]:
    ignored = ignored.entering(folder)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # not ours to read
    for entry in entries:
        path = os.path.normpath(entry.path)
        is_folder = entry.is_dir(follow_symlinks=False)
        if not is_folder and kind_of(entry.name) is None:
            continue
        if _excluded(path, entry.name, root, exclude) or ignored.covers(path, is_folder):
            continue
        if not is_folder:
            yield path
            continue
        if kind_of(entry.name) == "model":
            yield path
        yield from _walk(path, ignored, root, exclude)


def _excluded(path: str, name: str, root: str, patterns: tuple[str, ...]) -> bool:
    relative = os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/")
    return any(fnmatch(name, pattern) or fnmatch(relative, pattern) for pattern in patterns)


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

    def covers(self, path: str, is_folder: bool) -> bool:
        """Whether git ignores the path; the innermost file that has an opinion decides."""
        absolute = os.path.abspath(path)
        for folder, spec in reversed(self.specs):
            relative = os.path.relpath(absolute, folder).replace(os.sep, "/")
            verdict = spec.check_file(relative + "/" * is_folder).include
            if verdict is not None:
                return verdict
        return False
