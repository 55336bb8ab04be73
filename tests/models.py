"""Real models for tests: read from the wheels of packages that ship them, pinned by version and hash.

The wheels are fetched once with pip into the user's cache, opened as archives and never installed or imported.
All of these models are valid and load in onnxruntime, so none may raise an error.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

# package==version -> sha256 of the wheel for manylinux x86-64 (or for any platform)
PINNED = {
    "atspm-detector==1.1.0": "59f724aa551c5bbaa51004802597314c062ae77fbf03f2fa62df9ac54004d1fc",
    "basic-pitch==0.4.0": "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0",
    "brainmaze-eeg-models==0.1.0": "25ec131ac5ed39cf8032a07cc22f5744f13a589f45b10885726e096e41e1d104",
    "caustic-nmr==0.4.1": "0c0feeca008ca6da738e1653590c518583938a104207c828301f1652847b8bbb",
    "magika==1.0.3": "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
    "nudenet==3.4.2": "5937dbd84e5d8e5de038f08ffea5a1bb50a08475776bf2b4795914ce0eaf0331",
    "openwakeword==0.4.0": "2c353f49a35d384507403efde3db439353d8281a52d08a0e42a5b493e5145075",
    "rapidocr==3.10.0": "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050",
    "rapidocr-onnxruntime==1.4.4": "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
    "silero-vad==6.2.3": "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    "speechmos==0.0.1.1": "31c4c9d3234f6ee10102edff74333014c50006a3f389daf7ecacae34e68ebbf7",
    "text2tashkeel==0.1.0": "dd1ad22b6b012a71f1467d95fbaceecc38b22f4882c31389a6d35cdc1669967c",
}
COUNT = 66
# One model each of eight makers, for what takes too long to be done with all: how their files end.
VARIED = (
    "nudenet__320n.onnx",
    "magika__models__standard_v3_3__model.onnx",
    "basic_pitch__saved_models__icassp_2022__nmp.onnx",
    "openwakeword__resources__models__embedding_model.onnx",
    "rapidocr_onnxruntime__models__ch_PP-OCRv4_rec_infer.onnx",
    "speechmos__plcmos_models__plcmos_v2.onnx",
    "text2tashkeel__models__rawi.int8.onnx",
    "atspm_detector__weights__funcnet__x100_w32full_pair.onnx",
)


def cache_folder() -> Path:
    """Where fetched wheels and their models lie."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "onnx-lsp" / "models"


@cache
def real_models() -> tuple[Path, ...]:
    """The 66 models of the pinned wheels; fetched on first use.

    Raises:
        subprocess.CalledProcessError: pip could not fetch them, or a hash differs.
    """
    folder = cache_folder()
    key = hashlib.sha256(repr(sorted(PINNED.items())).encode()).hexdigest()[:16]
    done = folder / key
    if not done.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            _fetch(Path(temporary))
            _unpack(Path(temporary), Path(temporary) / "models")
            os.rename(Path(temporary) / "models", done)
    found = tuple(sorted(done.glob("*.onnx")))
    assert len(found) == COUNT
    return found


def _fetch(folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{package} --hash=sha256:{digest}\n" for package, digest in PINNED.items()))
    platform = ["--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--python-version=3.11"]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *platform,
         "--dest", str(folder), "--requirement", str(requirements)],
        check=True,
    )  # fmt: skip


def _unpack(wheels: Path, target: Path) -> None:
    target.mkdir()
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".onnx"):
                    name = "__".join((wheel.name.partition("-")[0], *Path(member.filename).parts[1:]))
                    (target / name).write_bytes(archive.read(member))


def onnx_models() -> tuple[Path, ...]:
    """The small models that the onnx package ships for backends to test against."""
    import onnx

    return tuple(sorted((Path(onnx.__file__).parent / "backend" / "test" / "data").rglob("*.onnx")))
