"""What a run prints, in every format, and where."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.cli.tool import CLEAN_SCRIPT, COMMAND, MODEL, SCRIPT, model, onnx_lint, script

pytestmark = pytest.mark.slow

FORMATS = ("full", "concise", "json", "github", "gitlab", "sarif", "junit")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    script(tmp_path / "my export.py")
    model(tmp_path / "m.onnx")
    return tmp_path


def out(project: Path, form: str, *arguments: str) -> str:
    done = onnx_lint("check", "--no-cache", "--output-format", form, *arguments, cwd=project)
    assert done.code == 1, done
    return done.out


def test_full_is_the_default_and_shows_the_line_the_span_and_the_fix(project: Path) -> None:
    done = onnx_lint("check", "--no-cache", cwd=project)
    lines = done.out.splitlines()
    source = SCRIPT.splitlines()[5]
    assert f"  6 | {source}" in lines
    mark = lines[lines.index(f"  6 | {source}") + 1]
    assert mark.index("^") - 6 == source.index('"x"') and mark.count("^") == 3
    assert "    | y = Softmax(hiden)" in lines and "    | ^^^^^^^^^^^^^^^^^^" in lines
    assert any(line.startswith("error[EXP504] names-as-string: ") for line in lines)
    assert f"  --> my export.py:6:{source.index(chr(34) + 'x') + 1}" in lines
    assert "  --> m.onnx: graph/node[1]" in lines
    assert "    = help: onnx-lint rule EXP504" in lines
    assert any(line.startswith("    = fix: ") and line.endswith("(--fix)") for line in lines)
    assert any(line.startswith("    = fix: ") and line.endswith("(--fix --unsafe-fixes)") for line in lines)
    assert done.err == "Found 2 errors. 1 fixable with `--fix`. 1 more with `--fix --unsafe-fixes`.\n"


@pytest.mark.parametrize(
    ("prefix", "columns"),
    [("", 4), ("\t", 8), ('"日本語"; ', 14), ('"😀"; ', 10), ('"e\u0301"; ', 9), (f"print('{'x' * 200}'); ", None)],
    ids=["plain", "tab", "wide", "emoji", "combining", "long"],
)
def test_the_underline_stands_below_the_span_on_a_terminal(tmp_path: Path, prefix: str, columns: int | None) -> None:
    text = (
        SCRIPT.replace("    torch.onnx", f"    {prefix}torch.onnx")
        if prefix != "\t"
        else SCRIPT.replace("    ", "\t\t")
    )
    script(tmp_path / "e.py", text)
    lines = onnx_lint("check", "--no-cache", cwd=tmp_path).out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  6 | "))
    source, mark = lines[at][6:], lines[at + 1][6:]
    if columns is None:
        assert source.startswith("…") and len(source) < 130
        assert source[mark.index("^") : mark.index("^") + 3] == '"x"'
    else:
        assert mark.index("^") == columns + len('torch.onnx.export(model, (x,), "m.onnx", input_names=')


def test_concise_is_one_line_each(project: Path) -> None:
    first, second = out(project, "concise").splitlines()
    assert first.startswith("m.onnx: graph/node[1]: error ONX010 input `hiden`")
    assert re.match(r"my export\.py:6:\d+: error EXP504 \[\*\] `input_names`", second)


def test_github_escapes_what_its_commands_need(tmp_path: Path) -> None:
    script(tmp_path / "50%, a:b.py")
    (line,) = out(tmp_path, "github").splitlines()
    assert line.startswith(
        "::error title=onnx-lint EXP504 names-as-string,file=50%25%2C a%3Ab.py,line=6,endLine=6,col=58,endColumn=61::"
    )


def test_gitlab_is_a_code_quality_report(project: Path) -> None:
    issues = json.loads(out(project, "gitlab"))
    assert [issue["location"]["lines"]["begin"] for issue in issues] == [1, 6]
    assert len({issue["fingerprint"] for issue in issues}) == 2
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}


def test_junit_has_a_case_per_finding_and_one_per_clean_file(project: Path) -> None:
    script(project / "clean.py", CLEAN_SCRIPT)
    root = ElementTree.fromstring(out(project, "junit"))
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [
        ("clean.py", "0"),
        ("m.onnx", "1"),
        ("my export.py", "1"),
    ]
    assert root[2][0].find("failure").text.startswith("my export.py:6:58: error EXP504")


def test_sarif_has_fingerprints_that_survive_edits_and_logical_locations(project: Path) -> None:
    def results() -> dict[str, dict]:
        return {item["ruleId"]: item for item in json.loads(out(project, "sarif"))["runs"][0]["results"]}

    before = results()
    assert before["ONX010"]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "graph/node[1]"
    physical = before["EXP504"]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "my%20export.py", "uriBaseId": "SRCROOT"}
    assert physical["region"] == {"startLine": 6, "startColumn": 58, "endLine": 6, "endColumn": 61}
    assert before["EXP504"]["fixes"][0]["artifactChanges"][0]["replacements"]
    script(project / "my export.py", "# new\n" + SCRIPT)
    model(project / "m.onnx", MODEL.replace("  hidden =", "  first = Abs(x)\n  hidden ="))
    after = results()
    assert {code: item["partialFingerprints"] for code, item in before.items()} == {
        code: item["partialFingerprints"] for code, item in after.items()
    }
    assert after["EXP504"]["locations"][0]["physicalLocation"]["region"]["startLine"] == 7


@pytest.fixture(scope="session")
def sarif_schema(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The schema of the standard, as Microsoft's npm package ships it."""
    folder = tmp_path_factory.mktemp("schema")
    subprocess.run(
        ["npm", "pack", "--silent", "@microsoft/jest-sarif@1.0.0-beta.0"], cwd=folder, check=True, capture_output=True
    )
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return json.load(archive.extractfile("package/lib/schemas/sarif-2.1.0-rtm.5.json"))


def test_sarif_obeys_the_schema_of_the_standard(project: Path, sarif_schema: dict) -> None:
    import jsonschema

    (project / "x.onnx").write_text("<html>")
    script(project / "broken.py", SCRIPT + "def f(:\n")
    for arguments in ([], ["--select", "ALL"], ["--select", "EXP101"]):
        done = onnx_lint("check", "--no-cache", "--output-format", "sarif", *arguments, cwd=project)
        jsonschema.validate(json.loads(done.out), sarif_schema)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_goes_to_a_file_without_colours(project: Path, form: str) -> None:
    printed = out(project, form)
    done = onnx_lint(
        "check", "--no-cache", "--output-format", form, "--output-file", "report", "--color", "always", cwd=project
    )
    assert (done.code, done.out) == (1, "")
    assert (project / "report").read_text() == printed
    assert "\x1b" not in printed


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_say_that_nothing_was_found(tmp_path: Path, form: str) -> None:
    script(tmp_path / "e.py", CLEAN_SCRIPT)
    done = onnx_lint("check", "--no-cache", "--output-format", form, cwd=tmp_path)
    assert done.code == 0, done
    {"json": json.loads, "gitlab": json.loads, "sarif": json.loads, "junit": ElementTree.fromstring}.get(form, str)(
        done.out
    )


COLOURS = [
    ({}, [], False),
    ({"FORCE_COLOR": "1"}, [], True),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
    ({}, ["--color", "always"], True),
    ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
]


@pytest.mark.parametrize(("environment", "options", "coloured"), COLOURS)
def test_colours_in_a_pipe(project: Path, environment: dict, options: list[str], coloured: bool) -> None:
    done = onnx_lint("check", "--no-cache", *options, cwd=project, **environment)
    assert ("\x1b[" in done.out) == coloured


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_on_a_terminal(project: Path, environment: dict, coloured: bool) -> None:
    assert ("\x1b[31;1m" in on_a_terminal(project, "check", "--no-cache", **environment)) == coloured


def on_a_terminal(cwd: Path, *arguments: str, **environment: str) -> str:
    ours, theirs = pty.openpty()
    base = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    running = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env={**base, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # the terminal is gone with its last user
        pass
    os.close(ours)
    running.wait()
    return b"".join(parts).decode()


def test_a_long_run_shows_progress_on_a_terminal_only(tmp_path: Path) -> None:
    for number in range(600):
        script(tmp_path / f"s{number}.py", SCRIPT + "\n".join(f"v{line} = [{line}] * {number}" for line in range(100)))
    shown = on_a_terminal(tmp_path, "check", "--no-cache", "--jobs", "1", "--statistics")
    assert re.search(r"linting \d+/600", shown)
    assert "linting" not in on_a_terminal(tmp_path, "check", "--no-cache", "--quiet", "--statistics")


def test_statistics_count_rules(project: Path) -> None:
    script(project / "two.py", SCRIPT.replace('["y"]', '"y"'))
    done = onnx_lint("check", "--no-cache", "--statistics", cwd=project)
    assert done.out == "3 EXP504 [*] names-as-string\n1 ONX010 [ ] undefined-tensor\n"
    rows = json.loads(out(project, "json", "--statistics"))
    assert rows[0] == {"code": "EXP504", "name": "names-as-string", "count": 3, "fixable": 3, "severity": "error"}


def stdin(text: str, *arguments: str, cwd: Path) -> tuple[int, str]:
    done = onnx_lint("check", "-", *arguments, cwd=cwd, stdin=text.encode())
    return done.code, done.out


def test_standard_input_is_linted_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "onnx-lint.toml").write_text('severity = {EXP504 = "info"}\n')
    code, text = stdin(SCRIPT, "--stdin-filename", "sub/new.py", "--output-format", "concise", cwd=tmp_path)
    assert code == 0 and text.startswith("sub/new.py:6:58: info EXP504")
    code, text = stdin(SCRIPT, cwd=tmp_path)
    assert code == 1 and "  6 |     torch.onnx.export" in text, "the line that is shown comes from standard input too"


def test_standard_input_is_fixed_onto_standard_output(tmp_path: Path) -> None:
    assert stdin(SCRIPT, "--fix", "--stdin-filename", "e.py", cwd=tmp_path) == (0, CLEAN_SCRIPT)
    assert stdin(CLEAN_SCRIPT, "--fix", cwd=tmp_path) == (0, CLEAN_SCRIPT)
    assert not (tmp_path / "e.py").exists()
    code, text = stdin(SCRIPT, "--diff", "--stdin-filename", "e.py", cwd=tmp_path)
    assert code == 1 and '+    torch.onnx.export(model, (x,), "m.onnx", input_names=["x"]' in text


def test_a_model_written_as_text_has_lines(tmp_path: Path) -> None:
    (tmp_path / "m.onnxtxt").write_text(MODEL)
    lines = onnx_lint("check", "--no-cache", cwd=tmp_path).out.splitlines()
    assert "  --> m.onnxtxt:5:3" in lines and "  5 |   y = Softmax(hiden)" in lines
    for form in FORMATS:
        assert onnx_lint("check", "--no-cache", "--output-format", form, cwd=tmp_path).code == 1
