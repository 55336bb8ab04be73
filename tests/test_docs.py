"""What the documentation shows is what happens: its commands exist, its sample is real output, its links lead somewhere."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest

from onnx_lsp.cli.main import COMMANDS
from onnx_lsp.cli.parsing import Parser
from tests.actions.conftest import write_mlp
from tests.cli.tool import SCRIPT, onnx_lint, script
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "vscode-client" / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "rules").rglob("*.md")),
]
# A command ends where its line, its code span or its comment does; `onnx-lint:` is a prefix of other things.
COMMAND = re.compile(r"(?<![\w/.'-])onnx-lint (?P<words>[a-z]+(?: [^`#\n]*)?)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def commands(text: str) -> list[str]:
    """The command lines that a page shows, in code blocks and in code spans."""
    shown = re.findall(r"^```(?:sh|yaml|console)?\n(.*?)^```$", text, re.M | re.S)
    shown += re.findall(r"^    \S.*$", text, re.M) + re.findall(r"`[^`\n]+`", text)
    found = [match["words"].strip() for block in shown for match in COMMAND.finditer(block)]
    return [words for words in dict.fromkeys(found) if words.split()[0] in COMMANDS]


SHOWN = [(page.relative_to(REPOSITORY).as_posix(), words) for page in PAGES for words in commands(page.read_text())]


@pytest.mark.parametrize(("page", "words"), SHOWN, ids=[f"{page}: {words}" for page, words in SHOWN])
def test_every_command_that_is_shown_is_understood(page: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *arguments = shlex.split(words)
    parser = Parser()
    importlib.import_module(f"onnx_lsp.cli.{command}").add_parser(parser.add_subparsers())
    try:
        parser.parse_args([command, *arguments])
    except SystemExit as end:  # `--help`, or prose that names a command or an option without its files
        assert end.code == 0 or "arguments are required" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("words", [words for words in commands(README) if " " in words])
def test_every_command_of_the_readme_works(words: str, tmp_path: Path) -> None:
    script(tmp_path / "export.py", SCRIPT)
    for name in ("model.onnx", "old.onnx", "new.onnx"):
        write_mlp(tmp_path / name)
    done = onnx_lint(*shlex.split(words), cwd=tmp_path)
    assert done.code in (0, 1), done


def test_the_sample_of_the_readme_is_real_output(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    done = onnx_lint("check", "examples/", cwd=tmp_path)
    sample = re.search(r"^```\n(.*?)^```$", README, re.M | re.S)
    assert sample[1] == done.out + done.err


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{target}#{anchor}: there is no such heading"


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
