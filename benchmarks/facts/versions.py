"""Makes `rules/targets/versions.toml`: which releases belong together.

    python -m benchmarks.facts.versions FACTS

FACTS is a JSON file with the rows `onnx` (release, IR version, opsets, tag date), `onnxruntime` (maximum opset and IR,
measured by loading models in each wheel), `tensorrt` (from the documents of onnx/onnx-tensorrt and the release notes),
and `openvino`. The opsets and IR versions of onnx are checked against the installed onnx package, and the rows of torch come from
`rules/targets/torch.toml`.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

from onnx import helper

from benchmarks.facts import tables

STANDARD = """The ONNX standard as a target: for models that any runtime may be given. Made by `python -m benchmarks.facts.versions`; do not edit.
Every operator of `ops.toml` is in it, and no other."""


def main(facts: str) -> int:
    data = json.loads(Path(facts).read_text(encoding="utf-8"))
    _agree(data["onnx"])
    print(tables.save("versions.toml", _head(data["source"]["date"]), render(data)))
    print(tables.save("onnx.toml", STANDARD, standard(data)))
    return 0


def _head(date: str) -> str:
    return f"""Which releases belong together. Made by `python -m benchmarks.facts.versions`; do not edit. Date of the facts: {date}.
onnx: onnx.helper.VERSION_TABLE and the dates of the v* tags. onnxruntime: measured by loading one-node models in each PyPI wheel.
tensorrt: docs/operators.md of onnx/onnx-tensorrt per release branch, and the TensorRT release notes. openvino: measured in the wheels.
torch: rules/targets/torch.toml."""


def _agree(rows: list[dict]) -> None:
    """Compares the rows with the installed onnx.

    Raises:
        ValueError: they differ.
    """
    known = {row[0]: (row[1], row[2]) for row in helper.VERSION_TABLE}
    for row in rows:
        said = row["ir"], row["ai.onnx"]
        if known.get(row["onnx"], said) != said:
            raise ValueError(f"onnx {row['onnx']}: the facts say {said}, the package {known[row['onnx']]}")


def render(data: dict) -> list[str]:
    """The body of the table: one line per release."""
    out = ["# The release whose IR version and opsets are the newest it defines.", "[onnx]"]
    for row in data["onnx"]:
        out.append(_line(row["onnx"], ir=row["ir"], opset=row["ai.onnx"], ml=row["ai.onnx.ml"], date=row["tag_date"]))
    out += ["", "# The newest IR version and ai.onnx opset that the release loads.", "[onnxruntime]"]
    for row in data["onnxruntime"]:
        out.append(_line(_minor(row["ort"]), ir=row["max_ir"], opset=row["max_opset"], wheel=row["ort"]))
    out += ["", "[tensorrt]"]
    for row in data["tensorrt"]:
        date = row["branch_date"] if row["branch_date"] and row["branch_date"].count("-") == 2 else None
        out.append(_line(row["tensorrt"], opset=row["max_opset"], min_opset=row["min_opset"], date=date))
    openvino = data["openvino"]
    out += ["", f"# {openvino['why']}; its newest conversion rule is for opset {openvino['newest_rule_opset']}.", "[openvino]"]
    out += [_line(_minor(version), newest_rule_opset=openvino["newest_rule_opset"]) for version in openvino["measured"][-1:]]
    return [*out, "", *_torch()]


def standard(data: dict) -> list[str]:
    """The table of the target `onnx`: per minor release, the newest opset and IR version that it defines."""
    limits = {_minor(row["onnx"]): {"opset": row["ai.onnx"], "ir": row["ir"]} for row in data["onnx"]}
    out = tables.lines({
        "title": "The ONNX standard, for models that any runtime may be given", "kind": "standard", "date": data["source"]["date"],
        "source": "onnx.defs and onnx.helper.VERSION_TABLE", "measured": True, "versions": list(limits),
    })  # fmt: skip
    return [*out, "", "[limits]", *(f"{tables.key(minor)} = {tables.value(row)}" for minor, row in limits.items())]


def _torch() -> list[str]:
    """What each torch writes when nobody names an opset: by the exporter that is its default, and by the other one."""
    table = tomllib.loads((tables.FOLDER / "torch.toml").read_text(encoding="utf-8"))
    out = ["# opset: what export() writes when none is asked; max: the legacy exporter's documented maximum.", "[torch]"]
    for version, row in table["exporter"].items():
        new = row.get("dynamo", False)
        opset = row["new_default"] if new else row["legacy_default"]
        out.append(_line(version, opset=opset, exporter="new" if new else "legacy", max=row["legacy_max"]))
    return out


def _line(version: str, **row: object) -> str:
    return f"{tables.value(version)} = {tables.value({name: item for name, item in row.items() if item is not None})}"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
