"""Compares the tables with real runtimes: does a session load where the table says so?

    python -m benchmarks.facts.verify_targets WHEELS [MINOR ...] [--show] [--models PATH ...]

For each onnxruntime wheel (1.18, 1.20, 1.24 and 1.32 unless named) the models are all node tests of the onnx package, their expanded forms too,
lowered to the opset and IR version that the wheel loads, and the given models as they are. Sessions are created in child processes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import onnx

from benchmarks.facts import node_tests
from benchmarks.facts import onnxruntime_wheels as wheels
from onnx_lsp import targets

MINORS = ("1.18", "1.20", "1.24", "1.32")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("minors", nargs="*", default=MINORS)
    parser.add_argument("--show", action="store_true", help="print every model where they differ")
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    options = parser.parse_args(arguments)
    for minor in options.minors:
        verify(wheels.unpack(minor, options.wheels), options)
    return 0


def verify(release: wheels.Release, options: argparse.Namespace) -> None:
    """Prints the agreement for one wheel."""
    target = targets.parse(f"onnxruntime-cpu@{release.minor}")
    bounds = targets.limits(target)
    with tempfile.TemporaryDirectory() as folder:
        cases = node_tests.prepare(Path(folder), bounds.max_opset, bounds.max_ir)
        real = [_real(path) for path in options.models]
        for title, group in (("node tests", cases), ("models", real)):
            if group:
                _compare(f"onnxruntime {release.version} {title}", group, release, target, options.show)


def _real(path: Path) -> node_tests.Case:
    return node_tests.Case(path.name, path, tuple(node_tests.nodes_of(onnx.load(path))))


def _compare(title: str, cases: list[node_tests.Case], release, target: targets.Target, show: bool) -> None:
    answers = wheels.loads(release, [case.path for case in cases])
    counted: Counter[tuple[str, bool]] = Counter()
    for case, answer in zip(cases, answers, strict=True):
        said, why = predict(case, target)
        loads = answer == "loads"
        counted[said, loads] += 1
        if show and said != ("loads" if loads else "refuses"):
            print(f"    {case.name}: table {said} ({why}); {answer}")
    agree = counted["loads", True] + counted["refuses", False]
    decided = sum(count for (said, _), count in counted.items() if said != "unknown")
    print(
        f"{title}: {len(cases)} models, agreement {agree} of {decided} decided ({agree / max(decided, 1):.1%}), "
        f"of all {agree / len(cases):.1%}; undecided {len(cases) - decided}; "
        f"said to be refused but loads {counted['refuses', True]}, said to load but refused {counted['loads', False]}"
    )


def predict(case: node_tests.Case, target: targets.Target) -> tuple[str, str]:
    """`loads`, `refuses` or `unknown`, and the first reason."""
    unknown = ""
    for node in case.nodes:
        answer = targets.runs(node.op, node.domain, node.opset, node.types, target)
        if answer.verdict is targets.Verdict.REFUSES:
            return "refuses", f"{node.op}: {answer.note}"
        refused = targets.refused_attribute(node.op, node.domain, dict(node.attributes), target)
        if refused:
            return "refuses", f"{node.op}: {refused}"
        if answer.verdict is targets.Verdict.UNKNOWN:
            unknown = unknown or f"{node.op}: {answer.note}"
    return ("unknown", unknown) if unknown else ("loads", "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
