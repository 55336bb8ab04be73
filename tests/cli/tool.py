"""Runs the real tool as a process, and writes the small scripts and models that it is run on."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import ready

COMMAND = [sys.executable, "-m", "onnx_lsp.cli"]
PLAIN = {"NO_COLOR": "", "FORCE_COLOR": "", "PYTHONUTF8": "1"}

# What is planted below: an error, and nothing else but hints, of which there are more with every new rule.
PLANTED = {"EXP504", "ONX010", "OPT001"}

# An error with a safe fix (EXP504).
SCRIPT = """\
import torch


def export(model, x):
    model.eval()
    torch.onnx.export(model, (x,), "m.onnx", input_names="x", output_names=["y"], dynamo=False)
"""
CLEAN_SCRIPT = SCRIPT.replace('input_names="x"', 'input_names=["x"]')

# An undefined tensor (ONX010, an error) and an unused initializer (OPT001, a hint with a safe fix).
MODEL = """\
<ir_version: 8, opset_import: ["" : 17]>
g (float[N,3] x) => (float[N,3] y) <float[3] unused = {1,2,3}>
{
  hidden = Relu(x)
  y = Softmax(hiden)
}
"""
CLEAN_MODEL = """\
<ir_version: 8, opset_import: ["" : 17]>
g (float[N,3] x) => (float[N,3] y)
{
  y = Relu(x)
}
"""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run gave."""

    code: int
    out: str
    err: str

    @property
    def found(self) -> list[dict]:
        """The findings of a run with `--output-format json`."""
        return json.loads(self.out)

    @property
    def codes(self) -> list[str]:
        return [item["code"] for item in self.found]

    def complaint(self) -> str:
        """The one line of a run that could not be done."""
        assert self.code == 2, self
        assert self.out == "", self
        assert self.err.startswith("onnx-lint: ") and self.err.count("\n") == 1, self
        return self.err.removeprefix("onnx-lint: ").rstrip("\n")


@functools.cache
def quick_command() -> list[str]:
    """Like `COMMAND`, with the imports done beforehand, once for all runs of this process."""
    checks = ("onnx_lsp.script.checks.*", "onnx_lsp.cli.output.*")
    return ready.command("onnx_lsp.cli.main:main", "onnx_lsp.cli.check", "onnx_lsp.cli.pool", *checks)


def onnx_lint(*arguments: object, cwd: Path, stdin: bytes | None = None, **environment: str) -> Done:
    """Runs `onnx-lint` in a folder. A traceback anywhere is a failure."""
    done = subprocess.run(
        [*quick_command(), *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        env={**os.environ, **PLAIN, **environment},
        timeout=120,
    )
    result = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.err + result.out, result.err + result.out
    return result


def check(*arguments: object, cwd: Path, **environment: str) -> Done:
    """`onnx-lint check --output-format json`, without a cache."""
    return onnx_lint("check", "--output-format", "json", "--no-cache", *arguments, cwd=cwd, **environment)


def script(path: Path, text: str = SCRIPT) -> Path:
    """Writes a script, with folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def model(path: Path, text: str = MODEL, metadata: dict[str, str] | None = None) -> Path:
    """Writes a model given as ONNX text."""
    import onnx

    path.parent.mkdir(parents=True, exist_ok=True)
    built = onnx.parser.parse_model(text)
    for key, value in (metadata or {}).items():
        built.metadata_props.add(key=key, value=value)
    path.write_bytes(built.SerializeToString())
    return path
