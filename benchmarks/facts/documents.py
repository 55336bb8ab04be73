"""Makes the tables of the targets that cannot be measured here, and OpenVINO's.

    python -m benchmarks.facts.documents FACTS WHEELS

FACTS is a folder with one JSON file of normalised facts per target: the source document and its release or commit, the operators with the revisions,
types and restrictions that it names. Each file says in `source` where they are from; this script only writes them in the notation of
`rules/targets`. WHEELS is a folder for OpenVINO's wheel, which is asked for the element types that it knows. onnxruntime-cpu is measured by `benchmarks.facts.onnxruntime_cpu` instead.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.facts import openvino, support, tables
from benchmarks.facts.support import Row
from onnx_lsp.tables import FACT

CPU = "onnxruntime-cpu"
# The releases of these end before the newest one that exists, or the document is of one release.
CURRENT = frozenset({"openvino", "tflite-onnx2tf", "tensorflow-onnx-tf"})
# What the parser turns a type into (docs/operators.md of onnx/onnx-tensorrt).
CASTS = {"tensorrt": {"double": "float"}}
# What `constraints` says, for the checks.
FLAGS = {"onnxruntime-qnn": {"fixed_shapes": True, "control_flow": False}}
KINDS = {"onnxruntime-ep": "provider"}
# Registered kernels, or documents that were compared with the source and named all of it: what they do not list is not there.
COMPLETE = frozenset({"openvino", "cuda", "directml", "nnapi", "qnn", "web-webgpu", "web-webnn", "xnnpack"})
LIMITS = tomllib.loads(Path(__file__).with_name("limits.toml").read_text(encoding="utf-8"))


def main(folder: str, wheels: str) -> int:
    refused = {"openvino": openvino.refused_types(openvino.unpack(Path(wheels)))}
    for path in sorted(Path(folder).glob("*.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if "typesets" in facts and facts["target"] != CPU:
            print(tables.save(f"{facts['target']}.toml", _comment(facts), render(facts, refused.get(facts["target"]))))
    return 0


def _comment(facts: dict) -> str:
    return f"""{facts["title"]}. Made by `python -m benchmarks.facts.documents`; do not edit.
The notation is described in onnx_lsp/tables.py."""


def render(facts: dict, refused_types: list[str] | None) -> list[str]:
    """The body of one table."""
    versions = [_version(text) for text in facts["versions"]]
    ops = _rows(facts, versions)
    names = support.named(ops)
    fallback = {"fallback": CPU} if "CPU" in facts["fallback"] else {}
    out = tables.lines({
        "title": facts["title"],
        "kind": KINDS.get(facts["kind"], facts["kind"]),
        "date": max(re.findall(r"\d{4}-\d\d(?:-\d\d)?", facts["source"]["date"])),
        "source": f"{facts['source']['how']} ({facts['source']['date']})",
        "versions": versions,
        "complete": facts["target"].removeprefix("onnxruntime-") in COMPLETE or None,
        "outdated": facts["target"] not in CURRENT,
        "constraints": facts.get("constraints"),
        "casts": CASTS.get(facts["target"]),
        "refused_types": refused_types,
        **fallback,
        **FLAGS.get(facts["target"], {}),
    })  # fmt: skip
    out += _limits(facts, versions) + _unsupported(facts)
    return out + support.render("ops", ops, names) + support.type_lines(names)


def _version(text: str) -> str:
    """`1.21.0` -> `1.21`, `2026.4.1` -> `2026.4`, `onnx2tf 2.6.7` -> `2.6.7`, `main (later ...)` -> `later`."""
    if text.startswith("main (later"):
        return "later"
    number = re.search(r"\d+(?:[.-]\d+)+", text).group()
    return ".".join(number.split(".")[:2]) if text == number else number


def _unsupported(facts: dict) -> list[str]:
    found = {"ai.onnx": facts["unsupported"], **facts.get("unsupported_other", {})}
    found["ai.onnx"] = [op for op in found["ai.onnx"] if op != "Constant"]  # no target needs to run it
    out = [line for domain, ops in found.items() if ops for line in tables.wrapped(domain, ops)]
    return ["", "# Known not to be supported.", "[unsupported]", *out] if out else []


def _limits(facts: dict, versions: list[str]) -> list[str]:
    row = {"opset": facts["max_opset"], "ir": facts["max_ir"], "min_opset": facts["min_opset"]}
    row = {name: number for name, number in row.items() if number is not None and (name, number) != ("min_opset", 1)}
    if facts["target"].startswith("onnxruntime"):
        # A provider loads what the onnxruntime around it loads; its own bound only says what it takes of that.
        own = row.get("opset") if not facts["target"].endswith(("cuda", "directml")) else None
        return [f"takes_opset = {own}"] if own else []
    return ["", "[limits]", f"{tables.key(versions[-1])} = {tables.value(row)}"] if row else []


def _rows(facts: dict, versions: list[str]) -> dict[support.OpKey, list[Row]]:
    out: dict[support.OpKey, list[Row]] = defaultdict(list)
    for domain, ops in facts["ops"].items():
        for op, entries in ops.items():
            rows = [row for entry in entries for row in _alternatives(_row(entry, facts, versions), facts["target"], op)]
            out[domain, op] = list(dict.fromkeys(rows))
    return out


def _row(entry: dict, facts: dict, versions: list[str]) -> Row:
    sets = facts["typesets"]
    types = {name: sets[found] if isinstance(found, str) else found for name, found in entry.get("types", {}).items()}
    low, high = entry.get("since"), entry.get("until")
    if low is not None and high is None and facts["open_end"] == "exact":
        high = low
    return Row(low, high, support.typed(types), versions=_span(entry, versions), note=_note(entry))


def _alternatives(row: Row, target: str, op: str) -> Iterator[Row]:
    """The row with what its note says as FACTs, once for each alternative."""
    limits = LIMITS.get(target, {}).get(op, "")
    for words in [limits] if isinstance(limits, str) else limits:
        pairs = [word.partition("=")[::2] for word in words.split()]
        types = {name: values.split("|") for name, values in pairs if not FACT.match(f"{name}=")}
        found = tuple((name, frozenset(values.split("|"))) for name, values in pairs if FACT.match(f"{name}="))
        yield replace(row, types=row.types + support.typed(types), facts=found)


def _span(entry: dict, versions: list[str]) -> str:
    first = next((_version(entry[name]) for name in ("ort_since", "ov_since") if name in entry), "")
    last = _version(entry["ort_until"]) if "ort_until" in entry else ""
    after = next((_version(entry[name]) for name in ("ort_after", "version_after") if name in entry), "")
    if after:
        first = versions[versions.index(after) + 1]
    first = "" if first == versions[0] else first
    return f"{first}..{last}" if first or last else ""


def _note(entry: dict) -> str:
    """The restriction, and what share of the standard's own tests compiles where that is not all."""
    notes = [entry["note"].replace('"', "").replace("'", "")] if "note" in entry else []
    if "tests" in entry and entry["tests"][1] < entry["tests"][0]:
        total, converted, _ = entry["tests"]
        notes.append(f"{converted} of {total} node tests convert")
    return "; ".join(notes).replace(";", ",")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
