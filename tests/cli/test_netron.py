"""`onnx-lint netron` starts the real Netron, read from its wheel."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.cli.tool import CLEAN_MODEL, COMMAND, onnx_lint
from tests.cli.tool import model as write_model
from tests.models import cache_folder

WHEEL = "netron==9.3.3"


@pytest.fixture(scope="module")
def netron() -> Path:
    """A folder from which `netron` can be imported; fetched once."""
    folder = cache_folder().with_name(WHEEL.replace("==", "-"))
    if not (folder / "netron").is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
        subprocess.run(command, check=True)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for another process on Windows")
def test_netron_shows_the_model_until_ctrl_c(netron: Path, repository: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", CLEAN_MODEL)
    process = subprocess.Popen(
        [*COMMAND, "netron", str(tmp_path / "m.onnx"), "--no-browser"],
        env={**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{netron}", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        lines = []
        while not (found := re.search(r"http://\S+", "".join(lines))):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        with urllib.request.urlopen(found[0]) as page:
            assert "Netron" in page.read().decode()
    finally:
        os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 0


def test_without_netron_one_line_names_it(tmp_path: Path) -> None:
    write_model(tmp_path / "m.onnx", CLEAN_MODEL)
    done = onnx_lint("netron", "m.onnx", cwd=tmp_path, PATH="")
    assert done.complaint() == "Netron is not installed; run `pip install netron`"
    assert "there is no such file" in onnx_lint("netron", "n.onnx", cwd=tmp_path).complaint()
