"""A real VS Code with our extension, built from the checkout, in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.vscode.processes import servers_in
from tests.e2e.vscode.workbench import Workbench

HERE = Path(__file__).parent
CLIENT = HERE.parents[2] / "vscode-client"
BUILT = ("node_modules", "out", "*.vsix")
BROWSER_ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SERVER_ARGUMENTS = ["--bind-addr", "127.0.0.1:0", "--auth", "none", "--disable-telemetry", "--disable-update-check"]
SETTINGS = {"workbench.startupEditor": "none", "files.autoSave": "off", "chat.disableAIFeatures": True}


class VsCode:
    """An installed VS Code.

    Args:
        root: the folder that `setup` filled.
    """

    def __init__(self, root: Path) -> None:
        self.node = root / "node" / "node_modules" / ".bin"
        self.entry = root / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        self.environment = {**os.environ, "PATH": f"{self.node}{os.pathsep}{os.environ['PATH']}"}

    def command(self, *arguments: str, home: Path) -> list[str]:
        """The command line of a VS Code whose settings and extensions lie in `home`."""
        places = ["--user-data-dir", str(home / "data"), "--extensions-dir", str(home / "extensions")]
        return [str(self.node / "node"), str(self.entry), *places, *arguments]

    @contextmanager
    def serve(self, home: Path, *arguments: str) -> Iterator[str]:
        """Runs it for browsers; gives its address."""
        log = home / "code-server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                self.command(*SERVER_ARGUMENTS, *arguments, home=home),
                stdout=subprocess.PIPE, stderr=output, text=True, env=self.environment,
            )  # fmt: skip
        try:
            for line in process.stdout:
                if found := re.search(r"HTTP server listening on (http://\S+?)/?$", line):
                    yield found[1]
                    break
            else:
                pytest.fail(f"VS Code did not start: {log.read_text()}")
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def vscode() -> VsCode:
    """VS Code, installed on the first use."""
    done = subprocess.run([HERE / "setup"], stdout=subprocess.PIPE, text=True, check=True)
    return VsCode(Path(done.stdout.strip()))


@pytest.fixture(scope="session")
def vsix(vscode, tmp_path_factory) -> Path:
    """Our extension, built as the README of the client says."""
    folder = tmp_path_factory.mktemp("build") / "vscode-client"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns(*BUILT))
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "package"]):
        done = subprocess.run(command, cwd=folder, env=vscode.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "onnx-lint.vsix"


@pytest.fixture(scope="package")
def browser() -> Iterator:
    """Debian's Chromium. Only for this package: Playwright's event loop would stop the asyncio tests that follow."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        yield playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS, chromium_sandbox=False)


Open = Callable[..., Workbench]


@pytest.fixture(scope="session")
def equipped(vscode, vsix, tmp_path_factory) -> Path:
    """The home of a VS Code with our extension."""
    home = tmp_path_factory.mktemp("equipped") / "home"
    install = vscode.command("--install-extension", str(vsix), home=home)
    subprocess.run(install, env=vscode.environment, check=True, capture_output=True)
    write(home / "data" / "User" / "settings.json", SETTINGS)
    return home


@pytest.fixture
def open_folder(vscode, equipped, browser, tmp_path) -> Iterator[Open]:
    """Opens a folder in a VS Code of its own: `open_folder(folder, interpreter=…, trusted=…)`."""
    home = shutil.copytree(equipped, tmp_path / "home")

    with ExitStack() as stack:

        def start(folder: Path, interpreter: str = sys.executable, trusted: bool = True) -> Workbench:
            # The interpreter belongs to the machine, as in every remote window.
            write(home / "data" / "Machine" / "settings.json", {"onnx-lint.interpreter": interpreter})
            trust = ["--disable-workspace-trust"] if trusted else []
            address = stack.enter_context(vscode.serve(home, *trust))
            page = stack.enter_context(browser.new_context(viewport={"width": 1400, "height": 900})).new_page()
            page.goto(f"{address}/?folder={folder}")
            stack.callback(page.screenshot, path=tmp_path / "at-the-end.png")
            return Workbench(page)

        yield start

    deadline = time.monotonic() + 10
    while servers_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not servers_in(tmp_path), "the servers end with the editor"


def write(path: Path, settings: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings))
