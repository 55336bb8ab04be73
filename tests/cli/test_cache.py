"""The cache: the same answer, sooner; and never an old answer."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.cli.tool import CLEAN_MODEL, CLEAN_SCRIPT, MODEL, SCRIPT, Done, model, onnx_lint, script

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    script(root / "e.py")
    script(root / "clean.py", CLEAN_SCRIPT)
    model(root / "m.onnx")
    settle()
    return root


def settle() -> None:
    """What has just been written is not remembered; the clock, not the load, decides how long that is."""
    time.sleep(0.1)


def lint(root: Path, *arguments: object, **environment: str) -> Done:
    return onnx_lint(
        "check", "--output-format", "json", "--cache-dir", root.parent / "cache", *arguments, cwd=root, **environment
    )


def entries(root: Path) -> list[Path]:
    return sorted(path for path in (root.parent / "cache").glob("??/*") if path.is_file())


def poison(root: Path) -> None:
    """Makes every remembered finding say so, so that a run shows whether it looked or remembered."""
    import zlib

    for entry in entries(root):
        body = (
            entry.read_bytes()
            .partition(b"\n")[2]
            .replace(b" is the string ", b" REMEMBERED ")
            .replace(b"of Softmax", b"REMEMBERED")
        )
        entry.write_bytes(b"%08x\n" % zlib.crc32(body) + body)


def remembered(done: Done) -> set[str]:
    return {item["file"] for item in done.found if "REMEMBERED" in item["message"]}


def test_the_second_run_says_the_same_from_memory(project: Path) -> None:
    first = lint(project)
    assert len(entries(project)) == 3
    assert lint(project).out == first.out
    poison(project)
    assert remembered(lint(project)) == {"e.py", "m.onnx"}
    assert remembered(lint(project, "--no-cache")) == set()


def test_what_is_remembered_does_not_depend_on_the_working_directory(project: Path) -> None:
    lint(project)
    poison(project)
    done = onnx_lint(
        "check", "--output-format", "json", "--cache-dir", project.parent / "cache", "project", cwd=project.parent
    )
    assert remembered(done) == {"project/e.py", "project/m.onnx"}


CHANGES = {
    "content": lambda root: script(root / "e.py", SCRIPT + "\n"),
    "same size": lambda root: script(root / "e.py", SCRIPT.replace('"m.onnx"', '"n.onnx"')),
    "replaced, same size and time": lambda root: replaced(root / "e.py"),
    "requirements beside it": lambda root: (root / "requirements.txt").write_text("torch==2.0\n"),
    "requirements above it": lambda root: (root.parent / "requirements.txt").write_text("torch==2.0\n"),
    "configuration": lambda root: (root / "onnx-lint.toml").write_text('torch = "2.0"\n'),
}


def replaced(path: Path) -> None:
    status = path.stat()
    other = path.with_name("other")
    other.write_text(SCRIPT.replace('"m.onnx"', '"n.onnx"'))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(other, path)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_anything_that_findings_depend_on_is_seen(project: Path, change) -> None:
    lint(project)
    poison(project)
    assert "e.py" in remembered(lint(project))
    change(project)
    assert "e.py" not in remembered(lint(project))


def test_other_files_in_the_folder_change_nothing(project: Path) -> None:
    lint(project)
    poison(project)
    (project / "notes.txt").write_text("x")
    script(project / "new.py", CLEAN_SCRIPT)
    assert remembered(lint(project)) == {"e.py", "m.onnx"}


def test_pins_that_change_are_seen(project: Path) -> None:
    pins = project / "requirements.txt"
    pins.write_text("torch==2.1\n")
    settle()
    lint(project)
    poison(project)
    assert "e.py" in remembered(lint(project))
    pins.write_text("torch==2.3\n")
    assert "e.py" not in remembered(lint(project))


def test_external_data_that_changes_is_seen(project: Path) -> None:
    import numpy
    import onnx

    path = project / "big.onnx"
    graph = onnx.parser.parse_model(MODEL)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(numpy.zeros(2000, numpy.float32), "w"))
    onnx.save(graph, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    settle()
    lint(project)
    poison(project)
    assert "big.onnx" in remembered(lint(project))
    (project / "weights.bin").write_bytes(b"")
    assert "big.onnx" not in remembered(lint(project))


@pytest.mark.parametrize(
    "options", [["--select", "EXP504"], ["--config", "torch=2.0"], ["--severity", "EXP504=info"]], ids=" ".join
)
def test_other_settings_are_another_question(project: Path, options: list[str]) -> None:
    lint(project)
    poison(project)
    assert remembered(lint(project, *options)) == set()


def test_settings_that_change_no_finding_share_the_memory(project: Path) -> None:
    lint(project)
    poison(project)
    assert remembered(lint(project, "--fail-on", "info", "--extend-exclude", "x")) == {"e.py", "m.onnx"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + b"x",
        lambda data: b"00000000\n" + data.partition(b"\n")[2],
        lambda data: bytes(len(data)),
        lambda data: b'6adfb183\n"x"',
    ],
    ids=["empty", "cut", "changed", "wrong checksum", "zeros", "other json"],
)
def test_a_damaged_entry_is_a_miss(project: Path, damage) -> None:
    first = lint(project)
    for entry in entries(project):
        entry.write_bytes(damage(entry.read_bytes()))
    assert lint(project).out == first.out


def test_a_cache_that_cannot_be_written_is_no_error(project: Path) -> None:
    (project.parent / "cache").write_text("a file where the folder should be")
    assert sorted(lint(project).codes) == ["EXP504", "ONX010"]


def test_fixes_are_applied_to_remembered_findings_too(project: Path) -> None:
    lint(project)
    lint(project)
    lint(project, "--fix", "--unsafe-fixes")
    assert (project / "e.py").read_text() == CLEAN_SCRIPT
    assert lint(project).found == []


def test_a_fixed_file_is_looked_at_again(project: Path) -> None:
    lint(project)
    script(project / "e.py", CLEAN_SCRIPT)
    model(project / "m.onnx", CLEAN_MODEL)
    assert lint(project).found == []


def test_what_is_unreadable_is_not_remembered(project: Path) -> None:
    (project / "dangling.onnx").symlink_to("nowhere.onnx")
    assert "FIL001" in lint(project).codes
    shutil.copy(project / "m.onnx", project / "nowhere.onnx")
    assert "FIL001" not in lint(project).codes


def test_old_entries_are_removed_once_a_day(project: Path) -> None:
    lint(project)
    for entry in entries(project):
        os.utime(entry, (1, 1))
    mark = project.parent / "cache" / "looked"
    lint(project, "e.py")
    assert len(entries(project)) == 3
    os.utime(mark, (1, 1))
    lint(project, "--select", "EXP504", "e.py")
    assert len(entries(project)) == 1


def test_the_folder_is_the_users_and_can_be_moved(project: Path, tmp_path: Path) -> None:
    where = {
        "XDG_CACHE_HOME": tmp_path / "xdg" / "onnx-lint",
        "ONNX_LINT_CACHE_DIR": tmp_path / "own",
    }
    for variable, folder in where.items():
        value = str(folder.parent if variable == "XDG_CACHE_HOME" else folder)
        onnx_lint("check", cwd=project, **{"ONNX_LINT_CACHE_DIR": "", variable: value})
        assert list(folder.glob("??/*")), variable
    (project / "onnx-lint.toml").write_text('cache-dir = ".cache/lint"\n')
    onnx_lint("check", str(project), cwd=tmp_path)
    assert list((project / ".cache" / "lint").glob("??/*"))


def test_an_entry_holds_no_code(project: Path) -> None:
    lint(project)
    for entry in entries(project):
        checksum, _, body = entry.read_bytes().partition(b"\n")
        assert re.fullmatch(rb"[0-9a-f]{8}", checksum)
        json.loads(body)
