"""ONE resolver of settings, for the CLI and the server: path -> Settings.

Settings come from the nearest `onnx-lint.toml` or `pyproject.toml` with a `[tool.onnx-lint]` table, looked for from
the linted file upwards, and then from an overlay (command-line options, or what the editor sends). The working
directory never matters.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatch

from onnx_lsp.diagnostics import Severity
from onnx_lsp.rulebook import Rulebook, UnknownRule, rulebook

DEFAULT_EXCLUDE = (
    ".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache",
    "__pycache__", "__pypackages__", "node_modules", "site-packages", ".eggs", "build", "dist",
)  # fmt: skip


class SettingsError(ValueError):
    """A configuration that cannot be used: says which file, which key, and the closest right one."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a lint run is asked to do. Field names are the configuration's keys with `_` for `-`."""

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: dict[str, Severity] = field(default_factory=dict)
    per_file_ignores: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    fail_on: Severity = Severity.WARNING
    torch: str | None = None
    targets: tuple[str, ...] = ()
    rule_paths: tuple[str, ...] = ()
    native_timeout: float = 60.0
    native_memory: int = 4096
    dims: dict[str, str] = field(default_factory=dict)
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
        relative = os.path.relpath(path, self.root or os.getcwd()).replace(os.sep, "/")
        ignored = list(self.ignore)
        for pattern, codes in self.per_file_ignores.items():
            if fnmatch(relative, pattern) or fnmatch(os.path.basename(path), pattern):
                ignored += codes
        return select(self.rulebook(), self.select, self.extend_select, ignored)

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
            for pattern in self.exclude
        )


KEYS = {item.name.replace("_", "-") for item in fields(Settings)} - {"root", "source"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that run, and those among them that somebody asked for by name, prefix or ALL (their hints show)."""

    enabled: frozenset[str]
    explicit: frozenset[str]


def select(book: Rulebook, wanted, extended, ignored) -> Selection:
    """Resolves selectors: the longest one that covers a rule decides; at equal length, ignoring wins."""
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
        overlay = {key: value for key, value in self.overlay.items() if key != "ignore"}
        settings = apply(settings, overlay, self.origin)
        extra = tuple(self.overlay.get("ignore", ()))
        settings = replace(settings, ignore=(*settings.ignore, *extra))
        select(settings.rulebook(), settings.select, settings.extend_select, settings.ignore)
        return settings


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
    changes = {}
    for key, value in table.items():
        if key not in KEYS:
            from difflib import get_close_matches

            close = get_close_matches(key, KEYS, 1)
            hint = f"; did you mean `{close[0]}`?" if close else f"; known keys: {', '.join(sorted(KEYS))}"
            raise SettingsError(f"{origin}: unknown key `{key}`{hint}")
        try:
            changes[key.replace("-", "_")] = _convert(key, value)
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"{origin}: `{key}` cannot be {value!r} ({error})") from None
    return replace(settings, **changes)


def _convert(key: str, value: object) -> object:
    if key == "fail-on":
        return Severity.parse(value)
    if key == "severity":
        return {code.upper(): Severity.parse(level) for code, level in value.items()}
    if key == "per-file-ignores":
        return {pattern: _strings(codes) for pattern, codes in value.items()}
    if key == "native-timeout":
        return float(value)
    if key == "native-memory":
        return int(value)
    if key == "torch":
        return str(value)
    if key == "dims":
        return {name: str(sizes) for name, sizes in value.items()}
    return _strings(value)


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise TypeError("expected a list of strings")
    return tuple(value)
