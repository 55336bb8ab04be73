"""Bad input of every kind gives one clear finding, or one line of error; never a traceback."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from tests.cli.tool import COMMAND, MODEL, SCRIPT, check, model, onnx_lint, script

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    whole = model(path).read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def lfs_pointer(path: Path) -> None:
    path.write_text(LFS)


def html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>404</body></html>")


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", "x")


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": [1.0, 2.0]}))


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere.onnx")


def socket(path: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(4096))


MODELS = [
    (empty, "FIL002", ""),
    (lfs_pointer, "FIL003", "git lfs pull"),
    (html, "FIL004", "HTML"),
    (zipped, "FIL004", "zip"),
    (pickled, "FIL004", "pickle"),
    (zeros, "FIL004", ""),
    (truncated, "FIL005", ""),
    (folder, "FIL001", "folder"),
    (dangling, "FIL001", "nowhere.onnx"),
    (socket, "FIL001", ""),
]


@pytest.mark.parametrize(("make", "code", "words"), MODELS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_no_model_is_one_finding(tmp_path: Path, make, code: str, words: str) -> None:
    make(tmp_path / "x.onnx")
    done = check("x.onnx", cwd=tmp_path)
    assert done.code == 1, done
    assert done.codes == [code], done.out
    assert words.lower() in done.found[0]["message"].lower()
    assert check(cwd=tmp_path).codes == [code], "also when the folder is walked"


SCRIPTS = {
    "syntax-error": (SCRIPT + "def broken(:\n", ["EXP504", "FIL009"]),
    "tabs": (SCRIPT.replace("    ", "\t"), ["EXP504"]),
    "crlf": (SCRIPT.replace("\n", "\r\n"), ["EXP504"]),
    "emoji": (SCRIPT.replace("    torch", '    "😀"; torch'), ["EXP504"]),
    "empty": ("", []),
    "form-feed": ("\f" + SCRIPT, ["EXP504"]),
    "no-newline-at-the-end": (SCRIPT.rstrip("\n"), ["EXP504"]),
    "byte-order-mark": ("\ufeff" + SCRIPT, ["EXP504"]),
}


@pytest.mark.parametrize(("text", "codes"), SCRIPTS.values(), ids=SCRIPTS)
def test_scripts_as_they_come(tmp_path: Path, text: str, codes: list[str]) -> None:
    script(tmp_path / "e.py", text)
    assert sorted(check("e.py", cwd=tmp_path).codes) == codes
    for form in ("full", "sarif"):  # what shows or counts the text
        assert onnx_lint("check", "e.py", "--no-cache", "--output-format", form, cwd=tmp_path).code == bool(codes)


def test_latin_1_without_a_coding_line_is_said_and_linted_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "e.py").write_bytes(("# größer\n" + SCRIPT).encode("latin-1"))
    assert sorted(check("e.py", cwd=tmp_path).codes) == ["EXP504", "FIL008"]


def test_a_coding_line_that_names_no_encoding(tmp_path: Path) -> None:
    script(tmp_path / "e.py", "# -*- coding: klingon -*-\n" + SCRIPT)
    assert sorted(check("e.py", cwd=tmp_path).codes) == ["EXP504", "FIL008"]


# Root reads everything, unless it gives that right away.
AS_OTHERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.skipif(bool(AS_OTHERS) and not shutil.which("setpriv"), reason="run by root, without setpriv")
@pytest.mark.parametrize("name", ["e.py", "m.onnx"])
def test_no_permission_is_a_finding(tmp_path: Path, name: str) -> None:
    (script if name.endswith(".py") else model)(tmp_path / name).chmod(0)
    command = [*AS_OTHERS, *COMMAND, "check", "--no-cache", "--output-format", "concise", name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done
    assert "FIL001" in done.stdout and "permission denied" in done.stdout


def test_a_file_that_vanishes_between_walk_and_read_is_a_finding(tmp_path: Path) -> None:
    """A link into a process's own file table vanishes with the process: listed, then gone."""
    holder = subprocess.Popen(["sleep", "60"], stdin=open(script(tmp_path / "really.py"), "rb"))
    (tmp_path / "e.py").symlink_to(f"/proc/{holder.pid}/fd/0")
    assert check("e.py", cwd=tmp_path).codes == ["EXP504"]
    holder.kill()
    holder.wait()
    assert check("e.py", cwd=tmp_path).codes == ["FIL001"]


def test_files_that_vanish_while_the_folder_is_linted_stop_nothing(tmp_path: Path) -> None:
    for number in range(150):
        script(tmp_path / f"s{number:03}.py")
    running = subprocess.Popen(
        [*COMMAND, "check", "--no-cache", "--output-format", "json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(0.15)
    for path in sorted(tmp_path.glob("*.py"), reverse=True)[:75]:
        path.unlink()
    out, err = running.communicate(timeout=60)
    assert running.returncode == 1 and b"Traceback" not in err, err
    import json

    assert {item["code"] for item in json.loads(out)} <= {"EXP504", "FIL001"}


WRONG = [
    (["gone.onnx"], "gone.onnx: there is no such file or folder"),
    (["exprt.py"], "did you mean `export.py`?"),
    (["notes.txt"], "not a kind of file that onnx-lint reads"),
    (["--select", "EXP50"], None),
    (["--select", "EXP999"], "there is no rule `EXP999`"),
    (["--ignore", "names-as-strng"], "did you mean `names-as-string`?"),
    (["--severity", "EXP504=eror"], "did you mean `error`?"),
    (["--severity", "EXP504"], "expected RULE=LEVEL"),
    (["--severity", "EXP999=error"], "there is no rule `EXP999`"),
    (["--fail-on", "warn"], "did you mean `warning`?"),
    (["--output-format", "jsn"], "did you mean `json`?"),
    (["--sellect", "EXP"], "there is no option `--sellect`; did you mean `--select`?"),
    (["--config", "selekt=EXP"], "did you mean `select`?"),
    (["--config", "gone.toml"], "there is no such configuration file"),
    (["--config", "broken.toml"], "broken.toml"),
    (["--config", "fail-on=never"], "`fail-on` cannot be `never`"),
    (["--unsafe-fixes"], "--unsafe-fixes goes with --fix"),
    (["--jobs", "0"], "--jobs must be at least 1"),
    (["--jobs", "many"], "invalid int value"),
    (["--baseline", "gone.json"], "there is no such baseline"),
    (["--baseline", "notes.txt"], "not a baseline that onnx-lint wrote"),
    (["--output-file", "no/such/folder.txt"], "the output cannot be written"),
    (["--stdin-filename", "m.onnx"], "only scripts are read from standard input"),
    (["--per-file-ignores", "EXP504"], "expected PATTERN:RULES"),
]


@pytest.mark.parametrize(
    ("arguments", "words"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_wrong_word_is_one_line_with_the_closest_right_one(
    tmp_path: Path, arguments: list[str], words: str | None
) -> None:
    script(tmp_path / "export.py")
    (tmp_path / "notes.txt").write_text("[1, 2]\n")
    (tmp_path / "broken.toml").write_text("select = [\n")
    done = onnx_lint("check", *arguments, cwd=tmp_path)
    if words is None:
        assert done.code == 1
    else:
        assert words in done.complaint()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek", "."], "there is no command `chek`; did you mean `check`?"),
        (["export.py"], "did you mean `onnx-lint check export.py`?"),
        (["check", "folder\\export.py"], "did you mean `folder/export.py`?"),
        (["rule", "EXP999"], "there is no rule `EXP999`"),
        (["rule", "names-as-sting"], "did you mean `names-as-string`?"),
    ],
)
def test_a_wrong_command_or_rule(tmp_path: Path, arguments: list[str], words: str) -> None:
    script(tmp_path / "export.py")
    script(tmp_path / "folder" / "export.py")
    assert words in onnx_lint(*arguments, cwd=tmp_path).complaint()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("selekt = []", "unknown key `selekt`; did you mean `select`?"),
        ('select = "EXP"', "expected a list of strings"),
        ('select = ["EXP999"]', "there is no rule `EXP999`"),
        ('fail-on = "warn"', "did you mean `warning`?"),
        ('per-file-ignores = ["EXP"]', "expected a table"),
        ('[[ignore]]\ncod = "EXP504"', "unknown key `cod`; did you mean `code`?"),
        ('[[ignore]]\nfile = "x.onnx"', "`code` is missing"),
        ("force-exclude = 1", "expected true or false"),
        ("select = [", "onnx-lint.toml"),
    ],
)
def test_a_wrong_configuration_is_one_line_that_names_the_file_and_the_key(
    tmp_path: Path, toml: str, words: str
) -> None:
    script(tmp_path / "export.py")
    (tmp_path / "onnx-lint.toml").write_text(toml)
    assert words in check(cwd=tmp_path).complaint()


def test_a_model_text_that_is_undefined_twice_is_still_one_finding(tmp_path: Path) -> None:
    model(tmp_path / "m.onnx", MODEL.replace("Softmax(hiden)", "Add(hiden, hiden)"))
    assert check(cwd=tmp_path).codes == ["ONX010"]
