"""`--show-settings`: what decides about a path, as a configuration that could be pasted back."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from onnx_lsp.diagnostics import Severity
from onnx_lsp.settings import Resolver


def show_settings(path: str, resolver: Resolver) -> int:
    """Prints the settings of one path as TOML, each key with its value."""
    settings = resolver.resolve(path)
    print(f"# settings of {path}")
    print(f"# from {settings.source or 'no configuration file'}, relative to {settings.root}")
    for item in fields(settings):
        if item.name in ("root", "source", "excuses"):
            continue
        value = getattr(settings, item.name)
        if item.name == "ignore" and settings.excuses:
            tables = [_toml({key: text for key, text in asdict(excuse).items() if text}) for excuse in settings.excuses]
            shown = f"[{', '.join([*map(_toml, value), *tables])}]"
        else:
            shown = _toml(value)
        key = item.name.replace("_", "-")
        print(f"{key} = {shown}" if value is not None else f"# {key} is not set")
    return 0


def _toml(value: object) -> str:
    if isinstance(value, Severity):
        return f'"{value.label}"'
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)} = {_toml(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are written as in TOML
