"""Wheels of other releases, taken one at a time with pip and read without installing them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoWheel(RuntimeError):
    """The index has no such wheel; the message is the end of pip's."""


@contextmanager
def wheel(requirement: str, python: str, platforms: tuple[str, ...] = ()) -> Iterator[Path]:
    """Downloads one wheel without its dependencies and deletes it afterwards.

    Args:
        requirement: such as `torch==2.4.*`.
        python: the Python version whose wheel is wanted, such as `3.11`.
        platforms: platform tags, any of which will do; none means this machine's.

    Raises:
        NoWheel: there is none for this Python and these platforms.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version", python, "--implementation", "cp", "--dest", folder]
        command += [part for tag in platforms for part in ("--platform", tag)]
        done = subprocess.run([*command, requirement], check=False, capture_output=True, text=True)
        found = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not found:
            raise NoWheel(f"{requirement}: {done.stderr.strip()[-300:]}")
        yield found[0]


def extract(path: Path, place: Path) -> None:
    """Unpacks a wheel into a folder that appears only when it is complete."""
    unfinished = place.with_suffix(".part")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unfinished)
    unfinished.rename(place)


def sources(path: Path, prefix: str) -> dict[str, str]:
    """The Python files of a wheel below `prefix`, by their name in the archive."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith(prefix) and name.endswith(".py")]
        return {name: archive.read(name).decode("utf-8") for name in names}
