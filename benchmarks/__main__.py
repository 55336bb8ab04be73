"""Prints the tables of the README. `python -m benchmarks [SUITE...]`: those in `SUITES`, all of them without a name."""

from __future__ import annotations

import compileall
import sys
import tempfile
from pathlib import Path

from benchmarks import cache, measure, models, optimize, scripts

REPOSITORY = Path(__file__).resolve().parent.parent
USUAL = """\
import sys, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model)
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
"""
CHECK_PATH = "import sys, onnx.checker; onnx.checker.check_model(sys.argv[1], full_check=True)"


def cold_start(folder: Path) -> None:
    """One script from a cold start."""
    script = str(REPOSITORY / "examples" / "export.py")
    cold = measure.compare(measure.onnx_lint(script), measure.python("pass"), rounds=21)
    print(measure.HEADER)
    print(measure.row("one script, cold start", "`python -c pass`", cold, "≤ 8 ×"))


def large_models(folder: Path) -> None:
    """Large models from a cold start, and what that costs in memory."""
    big = str(models.transformer(folder / "transformer.onnx"))
    deep = str(models.many_nodes(folder / "deep.onnx"))
    print(measure.HEADER)
    usual = measure.compare(measure.onnx_lint(big), measure.python(USUAL, big), rounds=7)
    size = measure.megabytes(Path(big).stat().st_size)
    print(measure.row(f"{size} transformer", "`onnx.load` + check + strict inference", usual, "≤ 0.25 ×"))
    check = measure.compare(measure.onnx_lint(deep), measure.python(CHECK_PATH, deep), rounds=7)
    size = measure.megabytes(Path(deep).stat().st_size)
    print(measure.row(f"{size}, 5,000 nodes", "`check_model(path, full_check=True)`", check, "≤ 1.25 ×"))
    print()
    print("| private memory (RssAnon, all processes) | onnx-lint | `onnx.load` + check + inference | bar |\n|---|---|---|---|")
    for name, path in (("transformer", big), ("5,000 nodes", deep)):
        ours = measure.megabytes(measure.private_memory(measure.onnx_lint(path)))
        theirs = measure.megabytes(measure.private_memory(measure.python(USUAL, path)))
        print(f"| {name} | **{ours}** | {theirs} | ≤ 120 MB |")


SUITES = {"start": cold_start, "scripts": scripts.suite, "models": large_models, "cache": cache.suite, "optimize": optimize.suite}


def main(names: list[str]) -> int:
    """Runs the named suites."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"there is no suite `{unknown[0]}`; suites are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    compileall.compile_dir(REPOSITORY / "onnx_lsp", quiet=2)  # as pip does when it installs
    with tempfile.TemporaryDirectory() as folder:
        for name in names or SUITES:
            print(f"\n## {name}\n")
            SUITES[name](Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
