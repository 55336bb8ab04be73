"""Many files on all cores: one that crashes or hangs stops nothing, and a killed linter leaves nothing broken behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.cli.tool import CLEAN_SCRIPT, COMMAND, MODEL, SCRIPT, check, model, onnx_lint, script

pytestmark = pytest.mark.slow

# What takes the parser seconds; `native-timeout` says how many of them are granted.
ENDLESS = SCRIPT + "\n".join(f"torch.onnx.export(m{n}, [x, *y{n}], f'{{n}}', input_names='x')" for n in range(60_000))


def children(pid: int) -> list[int]:
    """The living processes below `pid`."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *children(child)]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def start(*arguments: object, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, "check", "--output-format", "json", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for number in range(40):
        script(tmp_path / f"s{number:02}.py")
    for number in range(4):
        model(tmp_path / f"m{number}.onnx")
    return tmp_path


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_any_number_of_processes_prints_the_same(many: Path, jobs: int) -> None:
    done = check("--jobs", jobs, cwd=many)
    assert done.codes == ["ONX010"] * 4 + ["EXP504"] * 40
    assert done.out == check(cwd=many).out


def test_a_few_scripts_need_no_other_process(tmp_path: Path) -> None:
    for number in range(3):
        script(tmp_path / f"s{number}.py")
    code = (
        "import sys; from onnx_lsp.cli.main import main; code = main(sys.argv[1:]);"
        "assert 'subprocess' not in sys.modules and 'threading' not in sys.modules or 'onnx_lsp.cli.pool' not in sys.modules"
    )
    done = subprocess.run([COMMAND[0], "-c", code, "check", "--no-cache"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("companions", [0, 40], ids=["alone", "among others"])
def test_a_script_that_takes_too_long_is_a_finding_and_the_others_are_linted(tmp_path: Path, companions: int) -> None:
    script(tmp_path / "endless.py", ENDLESS)
    for number in range(companions):
        script(tmp_path / f"s{number:02}.py")
    done = check("--config", "native-timeout=3", "--jobs", "2", cwd=tmp_path)
    (dead,) = [item for item in done.found if item["file"] == "endless.py"]
    assert dead["code"] == "FIL007" and "took longer than 3 s" in dead["message"]
    assert done.codes.count("EXP504") == companions


def test_a_child_that_crashes_is_a_finding_and_the_others_are_linted(many: Path) -> None:
    script(many / "endless.py", ENDLESS)
    running = start("--no-cache", "--jobs", "2", cwd=many)
    killer = threading.Thread(target=crash_one_that_is_busy, args=(running,))
    killer.start()
    out, err = running.communicate(timeout=120)
    killer.join()
    assert b"Traceback" not in err, err
    found = json.loads(out)
    (dead,) = [item for item in found if item["file"] == "endless.py"]
    assert dead["code"] == "FIL007" and "SIGSEGV" in dead["message"], dead
    assert [item["code"] for item in found].count("EXP504") == 40
    assert [item["code"] for item in found].count("ONX010") == 4


def crash_one_that_is_busy(running: subprocess.Popen[bytes]) -> None:
    """Waits until one child has used half a second of processor more than the others, and makes it crash."""
    while running.poll() is None:
        used = {pid: processor_time(pid) for pid in children(running.pid)}
        if used and max(used.values()) > 1.0:
            os.kill(max(used, key=used.get), signal.SIGSEGV)
            return
        time.sleep(0.05)


def processor_time(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_script_that_eats_memory_is_a_finding(tmp_path: Path) -> None:
    for number in range(20):
        script(tmp_path / f"s{number:02}.py")
    script(tmp_path / "hungry.py", ENDLESS)
    done = check("--config", "native-memory=48", cwd=tmp_path)
    assert {item["code"] for item in done.found if item["file"] == "hungry.py"} == {"FIL007"}
    assert done.codes.count("EXP504") == 20


def test_interrupting_ends_every_process_and_prints_one_line(many: Path) -> None:
    script(many / "endless.py", ENDLESS)
    running = start("--no-cache", cwd=many)
    while not (below := children(running.pid)):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, b"", b"onnx-lint: interrupted\n")
    wait_until(lambda: not [pid for pid in below if alive(pid)], "the children of an interrupted linter live on")


def test_a_linter_killed_at_any_moment_leaves_nothing_broken(tmp_path: Path) -> None:
    """200 times: kill -9 while it fixes; every file is the old one or the new one, and the cache tells the truth."""
    rounds, chance = 200, random.Random(0)
    root, cache = tmp_path / "project", tmp_path / "cache"
    scripts = [root / f"s{number:02}.py" for number in range(30)]
    models = [root / f"m{number}.onnx" for number in range(3)]
    broken_model = model(tmp_path / "broken.onnx").read_bytes()
    fixed_model = fixed(tmp_path / "fixed.onnx")
    options = ["--fix", "--unsafe-fixes", "--cache-dir", cache, "--select", "EXP504,ONX010"]
    root.mkdir()
    lasted = None
    orphans: list[int] = []
    killed = untouched = complete = 0
    for number in range(rounds):
        for path in scripts:
            path.write_text(SCRIPT)
        for path in models:
            path.write_bytes(broken_model)
        begin = time.perf_counter()
        running = start(*options, cwd=root)
        below: list[int] = []
        if lasted is None:
            running.communicate()
            lasted = time.perf_counter() - begin
            continue
        deadline = begin + chance.uniform(0, 1.1) * lasted
        while time.perf_counter() < deadline and running.poll() is None:
            below = children(running.pid) or below
            time.sleep(0.005)
        killed += running.poll() is None
        running.kill()
        running.communicate()
        orphans += below
        states = {path.read_text() for path in scripts} | {path.read_bytes() for path in models}
        assert states <= {SCRIPT, CLEAN_SCRIPT, broken_model, fixed_model}, f"round {number}: a half-written file"
        untouched += CLEAN_SCRIPT not in states
        complete += SCRIPT not in states
        lasted = min(lasted, 2.0)
    wait_until(lambda: not [pid for pid in orphans if alive(pid)], "the children of a killed linter live on")
    assert killed > rounds // 2 and untouched and killed - untouched - complete, (killed, untouched, complete)
    for path in scripts:
        path.write_text(SCRIPT)
    honest = check("--no-cache", cwd=root)
    assert check("--no-cache", cwd=root).out == honest.out
    for _ in range(2):
        remembered = onnx_lint("check", "--output-format", "json", "--cache-dir", cache, cwd=root)
        assert remembered.out == honest.out
    for path in root.iterdir():
        os.utime(path, (1, 1))
    onnx_lint("check", "--fix", cwd=root)
    left = [path.name for path in root.iterdir() if path not in scripts + models]
    assert left == [], "the next run that fixes takes away what the killed ones left"


def fixed(path: Path) -> bytes:
    model(path, MODEL)
    onnx_lint("check", "--fix", "--unsafe-fixes", "--select", "ONX010", path.name, cwd=path.parent)
    return path.read_bytes()


def wait_until(condition, otherwise: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
