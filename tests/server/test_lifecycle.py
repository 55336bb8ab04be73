"""The server ends when its client does, at once and with everything it started."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onnx_lsp import __version__
from tests.server.session import COMMAND

pytestmark = pytest.mark.slow

PROMPT = 3.0  # seconds; one is promised, a loaded test machine gets more


class Wire:
    """A server process and its bare wire: for what a well-behaved client would not do."""

    def __init__(self, *arguments: str, **options) -> None:
        self.process = subprocess.Popen([*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)

    def send(self, method: str, params: object = None, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if number is None else {**message, "id": number}).encode()
        self.raw(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def raw(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self) -> dict:
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            assert name in (b"Content-Length", b"Content-Type"), f"not the protocol: {line!r}"
            length = int(value) if name == b"Content-Length" else length
        return json.loads(self.process.stdout.read(length))

    def initialize(self, parent: int | None = None) -> dict:
        self.send("initialize", {"processId": parent, "rootUri": None, "capabilities": {}}, 1)
        reply = self.receive()
        self.send("initialized", {})
        return reply

    def ends_within(self, seconds: float) -> int:
        """The exit code; waits no longer than promised."""
        return self.process.wait(timeout=seconds)


@pytest.fixture
def wire():
    started = Wire()
    yield started
    started.process.kill()
    started.process.wait()


def test_it_ends_with_its_input(wire):
    wire.initialize()
    wire.process.stdin.close()
    assert wire.ends_within(PROMPT) == 1


def test_exit_after_shutdown_is_clean(wire):
    wire.initialize()
    wire.send("shutdown", number=2)
    assert wire.receive()["result"] is None
    wire.send("exit")
    assert wire.ends_within(PROMPT) == 0


def test_exit_without_shutdown_is_not(wire):
    wire.initialize()
    wire.send("exit")
    assert wire.ends_within(PROMPT) == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(wire, end):
    wire.initialize()
    wire.process.send_signal(end)
    assert wire.ends_within(PROMPT) == -end


def test_it_ends_with_its_parent_although_its_input_stays_open():
    """The editor is killed while someone else still holds the pipe."""
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    wire = Wire()
    wire.initialize(parent=editor.pid)
    editor.kill()
    editor.wait()
    assert wire.ends_within(PROMPT) == 1


def test_an_invisible_parent_is_not_watched(wire):
    """An editor in another container names a process that does not exist here."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    wire.initialize(parent=gone.pid)
    time.sleep(1.0)
    wire.send("shutdown", number=2)
    assert wire.receive()["id"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")
@pytest.mark.parametrize("how", ["eof", "kill"])
def test_no_child_outlives_it(wire, tmp_path, how):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"\x08\x08")
    wire.initialize()
    document = {"uri": model.as_uri(), "languageId": "onnx", "version": 1, "text": ""}
    wire.send("textDocument/didOpen", {"textDocument": document})
    child = _child_of(wire.process.pid)
    wire.process.kill() if how == "kill" else wire.process.stdin.close()
    wire.ends_within(PROMPT)
    _wait_until(lambda: not Path(f"/proc/{child}").exists() or _state(child) == "Z", PROMPT)


def test_nonsense_on_the_wire_does_not_stop_it(wire):
    wire.initialize()
    for body in (b"{", b"[]", b'"x"', b'{"jsonrpc": "2.0", "method": 7}', b'{"jsonrpc": "2.0", "method": "no/such"}'):
        wire.raw(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    wire.send("textDocument/didChange", {"textDocument": {"uri": "file:///never-opened.py", "version": 2}})
    wire.send("shutdown", number=2)
    while (reply := wire.receive()).get("id") != 2:
        assert reply.get("method") != "window/showMessage", "no pop-up for a broken message"


def test_version_and_help_answer_without_serving():
    for option, expected in (("--version", f"onnx-lsp {__version__}"), ("--help", "--log-level")):
        done = subprocess.run([*COMMAND, option], capture_output=True, text=True, check=True, timeout=30)
        assert expected in done.stdout


def _child_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    _wait_until(lambda: children.read_text().split(), 10)
    return int(children.read_text().split()[0])


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def _wait_until(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
