"""The server, imported once and forked for every session: half a second less for each.

    python ready.py SOCKET           waits for sessions, until its standard input ends
    python ready.py --join SOCKET    hands its environment, stdin, stdout and stderr to a new server, and ends when that does
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys

STREAMS = (0, 1, 2)
LONGEST = 1 << 20  # bytes of a working directory and an environment


def wait(path: str) -> None:
    """Forks a server for everyone who joins."""
    import onnx_lsp.server.app  # noqa: F401  # what takes the time

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while 0 not in select.select([listener, 0], [], [])[0]:
        joined, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _become(joined)
        joined.close()


def _become(joined: socket.socket) -> None:
    """Is the server of one session, and never returns."""
    from onnx_lsp.server.main import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, streams, _, _ = socket.recv_fds(joined, LONGEST, len(STREAMS))
    folder, environment = json.loads(data)
    for theirs, ours in zip(streams, STREAMS, strict=True):
        os.dup2(theirs, ours)
        os.close(theirs)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 1
    try:
        code = main([])
    finally:
        joined.sendall(bytes([code]))
        os._exit(code)


def join(path: str) -> int:
    """The exit code of the server that was given this process's streams."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [json.dumps([os.getcwd(), dict(os.environ)]).encode()], STREAMS)
        return (server.recv(1) or b"\1")[0]


if __name__ == "__main__":
    if sys.argv[1] == "--join":
        sys.exit(join(sys.argv[2]))
    wait(sys.argv[1])
