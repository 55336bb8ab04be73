"""A program that is imported once and forked whenever it is wanted: what costs most of a short run is paid once.

    python ready.py SOCKET ENTRY [MODULE…]    imports, and waits for runs until its standard input ends
    python ready.py --join SOCKET [ARG…]      is a run of it: same arguments, environment, folder, streams and exit code

The tests that ask a program again and again do it through `command`. What starting and ending mean is tested on the real
command lines.
"""

from __future__ import annotations

import os
import socket
import sys

STREAMS = (0, 1, 2)
LONGEST = 1 << 20  # bytes of arguments and environment


def command(entry: str, *modules: str) -> list[str]:
    """The start of a command line that runs `package.module:function` in a fork of a process that has it imported.

    Args:
        entry: a function from arguments to an exit code.
        modules: what it would import later; `package.*` for all modules of a package.
    """
    import subprocess
    import tempfile

    path = os.path.join(tempfile.mkdtemp(), "socket")
    start = [sys.executable, __file__, path, entry, *modules]
    ours, _ = os.pipe()  # the other end is open as long as this process lives
    done = subprocess.run(start, stdin=ours, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUTF8": "1"}, check=True)
    os.close(ours)
    assert done.stdout == b"ready\n"
    return [sys.executable, "-S", __file__, "--join", path]


def wait(path: str, entry: str, *modules: str) -> None:
    """Forks a run for everyone who joins; as nobody's child, since tests count their children."""
    import select
    import signal
    from importlib import import_module
    from pkgutil import iter_modules

    name, _, function = entry.partition(":")
    run = getattr(import_module(name), function)
    for module in modules:
        package = import_module(module.removesuffix(".*"))
        for found in iter_modules(package.__path__) if module.endswith(".*") else ():
            import_module(f"{package.__name__}.{found.name}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        if os.fork():
            os._exit(0)
        os.dup2(2, 1)  # whoever asked for it reads to the end
        while 0 not in select.select([listener, 0], [], [])[0]:
            joined, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _become(joined, run)
            joined.close()


def _become(joined: socket.socket, run) -> None:
    """Is one run, and never returns."""
    import json

    data, streams, _, _ = socket.recv_fds(joined, LONGEST, len(STREAMS))
    arguments, folder, environment = json.loads(data)
    for theirs, ours in zip(streams, STREAMS, strict=True):
        os.dup2(theirs, ours)
        os.close(theirs)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 1
    try:
        code = run(arguments)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        joined.sendall(bytes([code or 0]))
        os._exit(0)


def join(path: str, arguments: list[str]) -> int:
    """The exit code of the run that was given this process's streams."""
    import json

    with socket.socket(socket.AF_UNIX) as joined:
        joined.connect(path)
        data = json.dumps([arguments, os.getcwd(), dict(os.environ)])
        socket.send_fds(joined, [data.encode()], STREAMS)
        return (joined.recv(1) or b"\1")[0]


if __name__ == "__main__":
    if sys.argv[1] == "--join":
        sys.exit(join(sys.argv[2], sys.argv[3:]))
    wait(*sys.argv[1:])
