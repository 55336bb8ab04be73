"""Writes sizes of dynamic dimensions into the configuration, and leaves everything else in it as it is."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping

from onnx_lsp import atomic
from onnx_lsp.actions.crew import ActionError
from onnx_lsp.settings import Settings

NEW = "onnx-lint.toml"


def remember(settings: Settings, model: str, sizes: Mapping[str, str]) -> str:
    """Writes `sizes` (`batch` → `1,8`) into the model's configuration, or into a new one beside the model.

    Returns:
        The path of the configuration.

    Raises:
        ActionError: it cannot be written, or holds its sizes in a form that is not changed here.
    """
    path = settings.source or os.path.join(os.path.dirname(os.path.abspath(model)), NEW)
    try:
        before = _read(path)
        table = _table(path, before)
        after = with_sizes(before, sizes, table)
        if _stored(after, table) != {**_stored(before, table), **sizes}:
            raise ActionError(f"{path}: holds sizes in a form that is not changed here; write a table `{table}` by hand")
        atomic.write(path, [after.encode()])
    except OSError as error:
        raise ActionError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return path


def _read(path: str) -> str:
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def _table(path: str, text: str) -> str:
    """The header of the table that the sizes are in."""
    inside = os.path.basename(path) == "pyproject.toml" or re.search(r"^\s*\[+tool\.onnx-lint\b", text, re.MULTILINE)
    return "[tool.onnx-lint.dims]" if inside else "[dims]"


def _stored(text: str, table: str) -> dict[str, object] | None:
    """The sizes in a configuration; None where it cannot be read."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    for key in table.strip("[]").split("."):
        found = found.get(key, {})
    return found


def with_sizes(text: str, sizes: Mapping[str, str], header: str) -> str:
    """The text of a configuration with `sizes` in the table `header`: in place, or after what is there."""
    lines = text.splitlines(keepends=True)
    starts = [index for index, line in enumerate(lines) if line.split("#")[0].strip() == header]
    if not starts:
        end = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{end}{chr(10) if text else ''}{header}\n{''.join(map(_line, sizes.items()))}"
    first = starts[0] + 1
    last = next((index for index in range(first, len(lines)) if lines[index].lstrip().startswith("[")), len(lines))
    while last > first and not lines[last - 1].strip():
        last -= 1
    table = [line if line.endswith("\n") else f"{line}\n" for line in lines[first:last]]
    for name, size in sizes.items():
        found = next((index for index, line in enumerate(table) if _key(line) == name), None)
        if found is None:
            table.append(_line((name, size)))
        else:
            table[found] = _line((name, size))
    return "".join([*lines[:first], *table, *lines[last:]])


def _line(size: tuple[str, str]) -> str:
    name, value = size
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
    return f'{key} = "{value}"\n'


def _key(line: str) -> str:
    return line.partition("=")[0].strip().strip("\"'")
