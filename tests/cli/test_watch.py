"""`--watch` and `completion`, as a person meets them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import CLEAN_SCRIPT, COMMAND, PLAIN, SCRIPT, model, onnx_lint, script

pytestmark = pytest.mark.slow


class Watched:
    """A running `onnx-lint check --watch`, line by line."""

    def __init__(self, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "check", "--watch", "--no-cache", "--output-format", "concise"],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **PLAIN},
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()

    def until(self, words: str) -> list[str]:
        """The lines up to the one with these words."""
        seen = []
        while not seen or words not in seen[-1]:
            seen.append(self.lines.get(timeout=30))
        return seen


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    script(tmp_path / "e.py")
    running = Watched(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_watch_lints_again_when_something_changes(watched: Watched, tmp_path: Path) -> None:
    watched.until("Found 1 error.")
    script(tmp_path / "e.py", CLEAN_SCRIPT)
    watched.until("No findings in 1 file.")
    model(tmp_path / "m.onnx")
    assert any("ONX010" in line for line in watched.until("Found 1 error."))
    (tmp_path / "m.onnx").unlink()
    watched.until("No findings in 1 file.")
    script(tmp_path / "e.py", SCRIPT)
    watched.until("Found 1 error.")
    (tmp_path / "onnx-lint.toml").write_text("selekt = []\n")
    watched.until("did you mean `select`?")
    (tmp_path / "onnx-lint.toml").write_text('ignore = ["EXP504"]\n')
    watched.until("No findings in 1 file.")
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(timeout=10) == 0


COMPLETIONS = [
    (["onnx-lint", "che"], {"check"}),
    (["onnx-lint", "check", "--unsafe"], {"--unsafe-fixes"}),
    (["onnx-lint", "check", "--select", "EXP504"], {"EXP504"}),
    (["onnx-lint", "check", "--select", "names-as"], {"names-as-string"}),
    (["onnx-lint", "check", "--output-format", "s"], {"sarif"}),
    (["onnx-lint", "check", "--fail-on", "w"], {"warning"}),
    (["onnx-lint", "rule", "ONX010"], {"ONX010"}),
    (["onnx-lint", "completion", ""], {"bash", "zsh", "fish"}),
    (["onnx-lint", "check", "exp"], {"export.py"}),
]


@pytest.mark.parametrize(
    ("words", "wanted"), COMPLETIONS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bash_completes(tmp_path: Path, words: list[str], wanted: set[str]) -> None:
    script(tmp_path / "export.py")
    (tmp_path / "completion.bash").write_text(onnx_lint("completion", "bash", cwd=tmp_path).out)
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"source completion.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _onnx_lint; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == wanted, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_option(tmp_path: Path, shell: str) -> None:
    text = onnx_lint("completion", shell, cwd=tmp_path).out
    for word in ("check", "rule", "unsafe-fixes", "stdin-filename", "names-as-string"):
        assert word in text
