"""Prints the tables of the README. `python -m benchmarks [SUITE...]`: those in `SUITES`, all of them without a name."""

from __future__ import annotations

import compileall
import sys
import tempfile
from pathlib import Path

from benchmarks import cache, large, measure, optimize, scripts

REPOSITORY = Path(__file__).resolve().parent.parent


def cold_start(folder: Path) -> None:
    """One script from a cold start."""
    script = str(REPOSITORY / "examples" / "export.py")
    cold = measure.compare(measure.onnx_lint(script), measure.python("pass"), rounds=21)
    print(measure.HEADER)
    print(measure.row("one script, cold start", "`python -c pass`", cold, "≤ 8 ×"))


SUITES = {"start": cold_start, "scripts": scripts.suite, "models": large.suite, "cache": cache.suite, "optimize": optimize.suite}


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
