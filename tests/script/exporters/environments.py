"""Virtual environments with the exporters that the tests run, made once and kept in the cache of the user."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PIP_SECONDS = 540


class CannotInstall(Exception):
    """pip does not find or install the packages here; the text is what it says."""


def interpreter(name: str, wanted: dict) -> Path:
    """The Python of an environment, made if need be.

    Args:
        name: its folder in `${XDG_CACHE_HOME:-~/.cache}/onnx-lsp/exporters`.
        wanted: `packages`, `alone` and `shared`, as executions.toml describes them.

    Raises:
        CannotInstall: pip fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onnx-lsp" / "exporters"
    cache.mkdir(parents=True, exist_ok=True)
    folder, stamp = cache / name, cache / f"{name}.ready"
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of the tests may be making it
        content = _digest(wanted)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != content:
            stamp.unlink(missing_ok=True)
            _make(folder, wanted)
            stamp.write_text(content, encoding="utf-8")
    return folder / "bin" / "python"


def _digest(wanted: dict) -> str:
    parts = [wanted["packages"], wanted.get("alone", []), wanted["shared"], sys.version]
    if wanted["shared"]:
        parts.append(_shared())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _shared() -> str:
    """The folders of the packages that the tests themselves see, one per line."""
    return "\n".join(path for path in sys.path if Path(path).name == "site-packages")


def _make(folder: Path, wanted: dict) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if wanted["shared"]:
        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "shared.pth").write_text(_shared() + "\n", encoding="utf-8")
    _install(folder, *wanted["packages"])
    if "alone" in wanted:
        _install(folder, "--no-deps", *wanted["alone"])


def _install(folder: Path, *arguments: str) -> None:
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    try:
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PIP_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise CannotInstall(f"pip took more than {PIP_SECONDS} s") from late
    if ran.returncode:
        raise CannotInstall(next((line for line in ran.stderr.splitlines() if line.startswith("ERROR")), ran.stderr[-300:]))
