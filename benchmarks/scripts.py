"""What linting scripts costs: after a keystroke, over a list of real scripts, and on texts that nobody should write.

`BENCHMARK_SCRIPTS` names a folder of real scripts (`tests/script/corpus/README.md` says how to get those that are
labelled); without it, the scripts of this environment's packages that mention onnx are taken. Times are those of the
processor, so that what else the machine does counts less.
"""

from __future__ import annotations

import ast
import os
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from onnx_lsp import engine
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace

PATH = "/project/export.py"
MOST_SCRIPTS, LONGEST_SCRIPT = 200, 200_000
HEAD = "import argparse\n\nimport torch\nfrom torch import nn\n\n\n"
NET = '''\
class Net{n}(nn.Module):
    def __init__(self, width: int = {n}, depth: int = 2):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for layer in self.layers:
            x = layer(x) + x
        if x.shape[0] > {n}:
            x = x[:{n}]
        return self.drop(x)


def train{n}(model, data, epochs=3):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(epochs):
        for x, y in data:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {{epoch}}: {{loss:.3f}}")


'''
EXPORT = '''\
def export{n}(path="net{n}.onnx", opset=11):
    model = Net{n}()
    example = torch.randn(1, {n})
    torch.onnx.export(model, (example,), path, input_names=["x"], output_names=["y"], opset_version=opset)


'''
CALL = 'net = nn.Sequential(nn.Linear(4, 4), nn.Dropout())\ntorch.onnx.export(net, (torch.randn(1, 4),), "net.onnx")\n'


def suite(folder: Path) -> None:
    """Prints the tables."""
    print("| a keystroke in 300 lines | median | p95 | bar |\n|---|---|---|---|")
    times = sorted(keystrokes(script_of(300)))
    p95 = times[len(times) * 95 // 100]
    print(f"| warm re-lint | **{statistics.median(times) * 1000:.1f} ms** | {p95 * 1000:.1f} ms | ≤ 10 ms, p95 ≤ 30 ms |")
    print("\n| onnx-lint | peer | ratio | bar | absolute |\n|---|---|---|---|---|")
    texts = real_scripts()
    lines = sum(text.count("\n") for _, text in texts)
    ours, theirs = beside_parsing(texts)
    name = f"{len(texts)} scripts, {lines:,} lines, one process"
    print(f"| {name} | `ast.parse` | **{ours / theirs:.2f} ×** | ≤ 5 × | {ours * 1000:.0f} / {theirs * 1000:.0f} ms |")
    print("\n| text | time | bar |\n|---|---|---|")
    for name, text in hostile().items():
        print(f"| {name} | **{seconds(lambda text=text: lint(text)):.2f} s** | ≤ 1 s |")
    print(f"| 30 modules that import each other | **{seconds(lambda: lint_file(cyclic(folder))):.2f} s** | ≤ 1 s |")


SETTINGS = Settings(root="/project")


def lint(text: str, path: str = PATH) -> None:
    engine.lint_script(path, SETTINGS, Workspace({path: text}))


def lint_file(path: Path) -> None:
    engine.lint_script(str(path), Settings(root=str(path.parent)), Workspace())


def seconds(run: Callable[[], object]) -> float:
    """The processor time that a run takes: the best of three."""

    def once() -> float:
        begin = time.process_time()
        run()
        return time.process_time() - begin

    return min(once() for _ in range(3))


def script_of(lines: int) -> str:
    """A script of about this many lines, with one export."""
    nets = [NET.format(n=n) for n in range(1, lines // NET.count("\n") + 1)]
    return HEAD + "".join(nets) + EXPORT.format(n=1) + "export1()\n"


def keystrokes(text: str, word: str = "dynamic_axes={'x': {0: 'batch'}}, ", rounds: int = 6) -> list[float]:
    """Seconds from each of the letters of a word, typed into the export call, to the findings."""
    lint(text)
    at = text.index("input_names=")
    typed = [text[:at] + word[:length] + text[at:] for length in range(1, len(word) + 1)] * rounds
    found = []
    for version in typed:
        begin = time.process_time()
        lint(version)
        found.append(time.process_time() - begin)
    return found


def real_scripts() -> list[tuple[str, str]]:
    """Paths and texts of scripts that Python can read."""
    folder = os.environ.get("BENCHMARK_SCRIPTS")
    packages = Path(find_spec("onnx").origin).parent.parent
    found = []
    for path in sorted(Path(folder or packages).rglob("*.py")):
        text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        if len(text) > LONGEST_SCRIPT or not (folder or "onnx" in text):
            continue
        if parses(text):
            found.append((str(path), text))
        if len(found) == MOST_SCRIPTS:
            break
    return found


def parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def beside_parsing(texts: list[tuple[str, str]], rounds: int = 3) -> tuple[float, float]:
    """Seconds that all scripts take here and in `ast.parse`, script by script in turn; medians over the rounds."""
    pairs = []
    for path, text in texts[:3]:
        lint(text, path)
    for _ in range(rounds):
        ours = theirs = 0.0
        for path, text in texts:
            begin = time.process_time()
            parses(text)
            between = time.process_time()
            lint(text, path)
            ours, theirs = ours + time.process_time() - between, theirs + between - begin
        pairs.append((ours, theirs))
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)


def hostile() -> dict[str, str]:
    """Texts that take any shortcut to its limit, by what they are."""
    sets = HEAD + "".join(NET.format(n=n) + EXPORT.format(n=n) + f"export{n}()\n" for n in range(1, 300))
    branches = "".join(f"if a{n}:\n    b = {{'k': [{n}]}}\nelse:\n    b = f({n})\n" for n in range(2000))
    table = "".join(f"    'key{n}': [{n}, {n}.5, 'value{n}'],\n" for n in range(27000))
    return {
        "10,000 lines, 299 exports": sets,
        "8,000 lines of branches": HEAD + branches + CALL,
        "2,000 nested calls": HEAD + "x = " + "f(" * 2000 + "1" + ")" * 2000 + "\n" + CALL,
        "2,000 calls nested in an export": HEAD + CALL.replace("torch.randn(1, 4)", "f(" * 2000 + ")" * 2000),
        "a dict literal of 1 MB": HEAD + "table = {\n" + table + "}\n" + CALL,
    }


def cyclic(folder: Path, modules: int = 30) -> Path:
    """An export of a class from modules of which each imports the next, and the last the first."""
    for number in range(modules):
        after = (number + 1) % modules
        text = (
            f"from torch import nn\nfrom m{after} import *\nfrom m{after} import Net{after} as Other\n\n\n"
            f"class Net{number}(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.other = Other()\n\n    def forward(self, x):\n        return self.other(x)\n"
        )
        (folder / f"m{number}.py").write_text(text, encoding="utf-8")
    script = folder / "export.py"
    script.write_text(
        "import torch\nfrom m0 import Net0\n\ntorch.onnx.export(Net0(), (torch.randn(1, 4),), 'net.onnx')\n",
        encoding="utf-8",
    )
    return script
