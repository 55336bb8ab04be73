"""ONE resolver of settings, for the CLI and the server: path -> Settings.

Settings come from the nearest `onnx-lint.toml` or `pyproject.toml` with a `[tool.onnx-lint]` table, looked for from
the linted file upwards, and then from an overlay (command-line options, or what the editor sends). The working
directory never matters.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatch
from functools import lru_cache

from onnx_lsp.diagnostics import Severity
from onnx_lsp.rulebook import Rulebook, UnknownRule, rulebook

DEFAULT_EXCLUDE = (
    ".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    "__pycache__", "__pypackages__", "node_modules", "site-packages", ".eggs", "build", "dist",
    ".ipynb_checkpoints",
)  # fmt: skip


class SettingsError(ValueError):
    """A configuration that cannot be used: says which file, which key, and the closest right one."""


@dataclass(frozen=True, slots=True)
class Excuse:
    """One `[[tool.onnx-lint.ignore]]` table: what it excuses must match every key that it has.

    Attributes:
        code: a selector.
        file: a pattern for the path relative to the configuration file; any file without it.
        path: a pattern for the place in a model (`graph/node[3]`); any place without it.
    """

    code: str
    file: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a lint run is asked to do. Field names are the configuration's keys with `_` for `-`."""

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    severity: dict[str, Severity] = field(default_factory=dict)
    per_file_ignores: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    baseline: str | None = None
    cache_dir: str | None = None
    fail_on: Severity = Severity.WARNING
    torch: str | None = None
    targets: tuple[str, ...] = ()
    rule_paths: tuple[str, ...] = ()
    native_timeout: float = 60.0
    native_memory: int = 4096
    dims: dict[str, str] = field(default_factory=dict)
    deep: bool = False
    inlay_hints: bool = False
    root: str = ""
    source: str | None = None

    def rulebook(self) -> Rulebook:
        """The built-in rules and those of `rule_paths` (relative to `root`)."""
        return rulebook(tuple(os.path.join(self.root, path) for path in self.rule_paths))

    def selection(self, path: str) -> Selection:
        """Which rules run on the file `path`.

        Raises:
            SettingsError: a selector names no rule.
        """
        ignored = self.ignore
        for pattern, codes in self.per_file_ignores.items():
            if self.names(path, pattern):
                ignored += codes
        return select(self.rulebook(), self.select, self.extend_select, ignored)

    def names(self, path: str, pattern: str) -> bool:
        """Whether a pattern of the configuration names the file: by its path from `root`, or by its last part."""
        relative = os.path.relpath(path, self.root or os.getcwd()).replace(os.sep, "/")
        return fnmatch(relative, pattern) or fnmatch(os.path.basename(path), pattern)

    def excuse_for(self, file: str, code: str, location: str | None) -> Excuse | None:
        """The `[[ignore]]` table that excuses a finding, if any does."""
        for excuse in self.excuses:
            if code not in self.rulebook().expand(excuse.code):
                continue
            if excuse.file and not self.names(file, excuse.file):
                continue
            if not excuse.path or _same_place(location or "", excuse.path):
                return excuse
        return None

    def excludes(self, path: str, root: str | None = None) -> bool:
        """Whether a walk over `root` (default: the settings' own) would leave out this file or a folder it lies in."""
        relative = os.path.relpath(path, root or self.root).replace(os.sep, "/")
        if relative.startswith("../"):
            return False
        parts = relative.split("/")
        prefixes = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        return any(
            fnmatch(name, pattern) or fnmatch(prefix, pattern)
            for name, prefix in zip(parts, prefixes, strict=True)
            for pattern in (*self.exclude, *self.extend_exclude)
        )


KEYS = {item.name.replace("_", "-") for item in fields(Settings)} - {"root", "source", "excuses"}


def _same_place(location: str, pattern: str) -> bool:
    """Brackets are part of a model path, so only `*` and `?` are special."""
    return fnmatch(location, pattern.replace("[", "[[]"))


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that run, and those among them that somebody asked for by name, prefix or ALL (their hints show)."""

    enabled: frozenset[str]
    explicit: frozenset[str]


@lru_cache(maxsize=64)
def select(book: Rulebook, wanted: tuple[str, ...], extended: tuple[str, ...], ignored: tuple[str, ...]) -> Selection:
    """Resolves selectors: the longest one that covers a rule decides; at equal length, ignoring wins.

    Cached: most files of a run ask the same, and a rulebook never changes.

    Raises:
        SettingsError: a selector names no rule.
    """
    try:
        weight: dict[str, tuple[int, bool]] = {}
        chosen = [(selector, True) for selector in (*(wanted or ("ALL",)), *extended)]
        for selector, positive in [*chosen, *((selector, False) for selector in ignored)]:
            length = 0 if selector.upper() == "ALL" else len(selector)
            length = 99 if selector.lower() in book.by_name else length
            for code in book.expand(selector):
                old = weight.get(code, (-1, True))
                if length > old[0] or (length == old[0] and not positive):
                    weight[code] = (length, positive)
        explicit = frozenset().union(*(book.expand(selector) for selector in (*wanted, *extended)))
    except UnknownRule as error:
        raise SettingsError(str(error)) from None
    enabled = frozenset(code for code, (_, positive) in weight.items() if positive)
    return Selection(enabled, explicit & enabled)


class Resolver:
    """Finds and reads configuration files. `clear()` forgets what was read (a configuration file changed).

    Args:
        overlay: keys that override the files' (kebab-case, as in TOML).
        config: use this file for every path and look for none.
        isolated: read no configuration file at all.
        origin: where the overlay comes from, for messages.
    """

    def __init__(
        self,
        overlay: dict | None = None,
        config: str | None = None,
        isolated: bool = False,
        origin: str = "the command line",
    ) -> None:
        self.overlay = overlay or {}
        self.origin = origin
        self.config = os.path.abspath(config) if config else None
        self.isolated = isolated
        self._folders: dict[str, str | None] = {}
        self._settings: dict[str | None, Settings] = {}

    def clear(self) -> None:
        self._folders.clear()
        self._settings.clear()

    def resolve(self, path: str) -> Settings:
        """The settings of the file or folder `path`.

        Raises:
            SettingsError: its configuration cannot be used.
        """
        source = self.source(path)
        if source not in self._settings:
            self._settings[source] = self._read(source)
        return self._settings[source]

    def source(self, path: str) -> str | None:
        """The configuration file that decides about the file or folder `path`; it may be a broken one."""
        if self.isolated or self.config:
            return None if self.isolated else self.config
        absolute = os.path.abspath(path)
        return self._nearest(absolute if os.path.isdir(absolute) else os.path.dirname(absolute))

    def _nearest(self, folder: str) -> str | None:
        if folder not in self._folders:
            found = _config_in(folder)
            parent = os.path.dirname(folder)
            self._folders[folder] = found or (self._nearest(parent) if parent != folder else None)
        return self._folders[folder]

    def _read(self, source: str | None) -> Settings:
        root = os.path.dirname(source) if source else os.getcwd()
        base = Settings(root=root, source=source)
        table = read_config(source) if source else {}
        settings = apply(base, table, source or "the defaults")
        configured = settings
        settings = apply(settings, self.overlay, self.origin)
        if "ignore" in self.overlay:
            settings = replace(
                settings,
                ignore=(*configured.ignore, *settings.ignore),
                excuses=(*configured.excuses, *settings.excuses),
            )
        if "severity" in self.overlay:
            settings = replace(settings, severity={**configured.severity, **settings.severity})
        return _checked(settings)


def _checked(settings: Settings) -> Settings:
    """The settings with every selector looked up, and severities by code.

    Raises:
        SettingsError: a selector names no rule.
    """
    book = settings.rulebook()
    select(book, settings.select, settings.extend_select, settings.ignore)
    levels: dict[str, Severity] = {}
    try:
        for selector in sorted(
            settings.severity, key=lambda name: len(name) if name.lower() not in book.by_name else 99
        ):
            levels |= dict.fromkeys(book.expand(selector), settings.severity[selector])
        for codes in (*settings.per_file_ignores.values(), (excuse.code for excuse in settings.excuses)):
            for selector in codes:
                book.expand(selector)
    except UnknownRule as error:
        raise SettingsError(str(error)) from None
    return replace(settings, severity=levels)


def _config_in(folder: str) -> str | None:
    own = os.path.join(folder, "onnx-lint.toml")
    if os.path.isfile(own):
        return own
    project = os.path.join(folder, "pyproject.toml")
    try:
        with open(project, "rb") as file:
            return project if b"[tool.onnx-lint" in file.read() else None
    except OSError:
        return None


def read_config(path: str) -> dict:
    """The onnx-lint table of a configuration file.

    Raises:
        SettingsError: it cannot be read.
    """
    import tomllib

    try:
        with open(path, "rb") as file:
            data = tomllib.load(file)
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such configuration file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if os.path.basename(path) == "pyproject.toml" or "onnx-lint" in data.get("tool", {}):
        return data.get("tool", {}).get("onnx-lint", {})
    return data


def apply(settings: Settings, table: dict, origin: str) -> Settings:
    """`settings` with the keys of `table` (kebab-case) put in.

    Raises:
        SettingsError: an unknown key, or a value of the wrong kind.
    """
    changes: dict[str, object] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise SettingsError(f"{origin}: unknown key `{key}`{_closest(key, KEYS)}")
        try:
            if key == "ignore":
                changes["ignore"] = _strings([item for item in _list(value) if not isinstance(item, dict)])
                changes["excuses"] = tuple(_excuse(item) for item in value if isinstance(item, dict))
            else:
                changes[key.replace("-", "_")] = _convert(key, value)
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"{origin}: `{key}` cannot be {_shown(value)} ({_reason(error)})") from None
    return replace(settings, **changes)


def _closest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    return f"; did you mean `{close[0]}`?" if close else f"; known: {', '.join(sorted(known))}"


def _shown(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else repr(value)


def _reason(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _convert(key: str, value: object) -> object:
    match key:
        case "fail-on":
            return _level(value)
        case "severity":
            return {code: _level(level) for code, level in _table(value).items()}
        case "per-file-ignores":
            return {pattern: _strings(codes) for pattern, codes in _table(value).items()}
        case "dims":
            return {name: str(sizes) for name, sizes in _table(value).items()}
        case "targets":
            from onnx_lsp.targets import parse as parse_target

            for name in _strings(value):
                parse_target(name)
        case "native-timeout":
            return float(value)
        case "native-memory":
            return int(value)
        case "torch" | "baseline" | "cache-dir":
            return str(value)
        case "force-exclude" | "respect-gitignore" | "deep" | "inlay-hints":
            if not isinstance(value, bool):
                raise TypeError("expected true or false")
            return value
    return _strings(value)


def _level(value: object) -> Severity:
    labels = [level.label for level in Severity]
    if not isinstance(value, str) or value.lower() not in labels:
        raise ValueError(f"there is no severity {_shown(value)}{_closest(str(value), labels)}")
    return Severity.parse(value)


def _table(value: object) -> dict:
    if not isinstance(value, dict):
        raise TypeError("expected a table")
    return value


def _list(value: object) -> list | tuple:
    if not isinstance(value, list | tuple):
        raise TypeError("expected a list of strings")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not all(isinstance(item, str) for item in _list(value)):
        raise TypeError("expected a list of strings")
    return tuple(value)


def _excuse(table: dict) -> Excuse:
    known = {item.name for item in fields(Excuse)}
    for key, value in table.items():
        if key not in known:
            raise ValueError(f"unknown key `{key}`{_closest(key, known)}")
        if not isinstance(value, str):
            raise TypeError(f"`{key}` must be a string")
    if "code" not in table:
        raise ValueError("`code` is missing")
    return Excuse(**table)
