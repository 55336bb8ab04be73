"""Compares the tables with real runtimes: does a model load where the table says so?

    python -m benchmarks.facts.verify_targets WHEELS [MINOR ...] [--show] [--openvino] [--models PATH ...]

For each onnxruntime wheel (1.18, 1.20, 1.24 and 1.32 unless named) the models are all node tests of the onnx package, their expanded forms too: lowered
to the opset and IR version that the wheel loads, and as they are; and the given models. With --openvino, OpenVINO's newest wheel converts
them as well. Everything is loaded in child processes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import onnx

from benchmarks.facts import node_tests, openvino
from benchmarks.facts import onnxruntime_wheels as wheels
from onnx_lsp import targets
from onnx_lsp.model.compat import compared
from onnx_lsp.model.inferred import NoModel, infer

MINORS = ("1.18", "1.20", "1.24", "1.32")
# Nothing is lowered to these.
NO_BOUND = 1000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("minors", nargs="*", default=MINORS)
    parser.add_argument("--show", action="store_true", help="print every model where they differ")
    parser.add_argument("--openvino", action="store_true")
    parser.add_argument("--models", type=Path, nargs="*", default=[])
    options = parser.parse_args(arguments)
    for minor in options.minors:
        release = wheels.unpack(minor, options.wheels)
        target = targets.parse(f"onnxruntime-cpu@{release.minor}")
        verify(f"onnxruntime {release.version}", release, wheels.LOAD, target, options)
    if options.openvino:
        release = openvino.unpack(options.wheels)
        target = targets.parse(f"openvino@{openvino.VERSION}")
        verify(f"openvino {release.version}", release, openvino.CONVERT, target, options)
    return 0


def verify(title: str, release: wheels.Release, code: str, target: targets.Target, options: argparse.Namespace) -> None:
    """Prints the agreement for one wheel."""
    bounds = targets.limits(target)
    with tempfile.TemporaryDirectory() as folder:
        lowest = Path(folder) / "lowered"
        groups = {"models": [node_tests.case_of(path.name, path, onnx.load(path, load_external_data=False)) for path in options.models]}
        groups["node tests as they are"] = node_tests.prepare(Path(folder) / "plain", NO_BOUND, NO_BOUND)
        if bounds.max_opset:
            groups["node tests, lowered"] = node_tests.prepare(lowest, bounds.max_opset, bounds.max_ir or NO_BOUND)
        for name, cases in groups.items():
            if cases:
                answers = wheels.loads(release, [case.path for case in cases], code)
                _compare(f"{title}: {name}", cases, answers, target, options.show)


def _compare(title: str, cases: list[node_tests.Case], answers: list[str], target: targets.Target, show: bool) -> None:
    counted: Counter[tuple[str, bool]] = Counter()
    for case, answer in zip(cases, answers, strict=True):
        said, why = predict(case.path, target)
        loads = answer == "loads"
        counted[said, loads] += 1
        if show and said != ("loads" if loads else "refuses"):
            print(f"    {case.name}: table {said} ({why}); {answer}")
    agree = counted["loads", True] + counted["refuses", False]
    decided = sum(count for (said, _), count in counted.items() if said in ("loads", "refuses"))
    print(
        f"{title}: {len(cases)}, agreement {agree} of {decided} decided ({agree / max(decided, 1):.1%}), "
        f"of all {agree / len(cases):.1%}; undecided {len(cases) - decided}; "
        f"said to be refused but loads {counted['refuses', True]}, said to load but refused {counted['loads', False]}",
        flush=True,
    )


def predict(path: Path, target: targets.Target) -> tuple[str, str]:
    """What `onnx-lint compat` says of the model: `loads`, `refuses`, or else `unknown`; and what would have to change."""
    try:
        (column,) = compared(infer(str(path)), [target]).columns
    except NoModel as error:
        return "unknown", str(error)
    answer = column.answer
    if answer.verdict is targets.Verdict.REFUSES:
        return ("refuses" if answer.sure else "unknown"), "; ".join(column.changes)
    return ("unknown" if answer.verdict is targets.Verdict.UNKNOWN else "loads"), answer.note


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
