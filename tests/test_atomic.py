"""Files are written completely or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from onnx_lsp import atomic


@pytest.fixture(params=["nameless", "named"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, on a system with files that have no name and on one without."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return tmp_path


def test_a_file_is_replaced_and_keeps_its_mode(folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(b"old")
    path.chmod(0o640)
    atomic.write(str(path), [b"new ", b"text"])
    assert path.read_bytes() == b"new text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(folder) == ["x"]


def test_a_new_file_has_the_usual_mode(folder: Path) -> None:
    (folder / "usual").touch()
    atomic.write(str(folder / "x"), [b"new"])
    assert (folder / "x").stat().st_mode == (folder / "usual").stat().st_mode


def test_a_link_is_followed(folder: Path) -> None:
    (folder / "real").write_bytes(b"old")
    (folder / "link").symlink_to("real")
    atomic.write(str(folder / "link"), [b"new"])
    assert (folder / "link").is_symlink() and (folder / "real").read_bytes() == b"new"


def test_a_failure_leaves_the_file_and_nothing_else(folder: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("on purpose")

    (folder / "x").write_bytes(b"old")
    with pytest.raises(ValueError, match="on purpose"):
        atomic.write(str(folder / "x"), chunks())
    assert (folder / "x").read_bytes() == b"old"
    assert os.listdir(folder) == ["x"]


def test_only_what_a_dead_process_left_long_ago_is_swept(folder: Path) -> None:
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    names = [
        f".onnx-lint-{dead}-old",
        f".onnx-lint-{dead}-new",
        f".onnx-lint-{os.getpid()}-old",
        ".onnx-lint-x-old",
        "x-old",
    ]
    for name in names:
        (folder / name).touch()
        if name.endswith("old"):
            os.utime(folder / name, (1, 1))
    atomic.sweep(str(folder))
    assert sorted(os.listdir(folder)) == sorted(names[1:])
