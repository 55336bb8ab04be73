"""What a call in `forward()` becomes: the ONNX operators that the exporter in use writes for it, and who runs them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from onnx_lsp.script import torch_api
from onnx_lsp.script.calls import ExportCall
from onnx_lsp.script.forward import Event

if TYPE_CHECKING:
    from onnx_lsp.targets import Answer, Target

METHOD_OF = ("torch.Tensor.", "torch.", "torch.nn.functional.")


@cache
def _texts() -> dict[str, str]:
    """Dotted name -> its rows in `rules/targets/torch-ops.toml`, as text: few of 360 are needed. The table does not change under a run."""
    from onnx_lsp import tables

    with open(os.path.join(tables.folder(), "torch-ops.toml"), encoding="utf-8") as file:
        return dict(re.findall(r'^"([\w.]+)" = (\[.*?\])(?=\n(?:"|\Z))', file.read(), re.MULTILINE | re.DOTALL))


@cache
def rows(name: str) -> list[dict]:
    """What was measured of a call, once for every kind of arguments on which the answer depends."""
    import tomllib

    return tomllib.loads(f"rows = {_texts()[name]}")["rows"]


def name_of(event: Event) -> str | None:
    """The table's name for a call; a method is looked up wherever torch has it."""
    names = [place + event.text[1:] for place in METHOD_OF] if event.text.startswith(".") else [event.text]
    return next((name for name in names if name in _texts()), None)


def operators(name: str, exporter: str) -> list[str]:
    """The operators that are written for a call whatever its arguments are.

    What the old exporter writes was not measured: only the operator that is called like the function is certain.
    """
    written = [frozenset(row.get("onnx", ())) for row in rows(name)]
    shared = sorted(op for op in frozenset.intersection(*written) if not op.startswith("fn:"))
    plain = name.rpartition(".")[2].replace("_", "").lower()
    return shared if exporter == "new" else [op for op in shared if op.lower() == plain]


def opset_of(call: ExportCall) -> int | None:
    """The opset that a call asks for, or that its exporter takes by itself; None where that is not known."""
    if call.get("opset_version") is not None and call.given("opset_version") is not False:
        value = call.get("opset_version").constant
        return value if type(value) is int else None
    facts = torch_api.table()["exporter"].get(".".join(map(str, call.torch)), {})
    return facts.get(f"{call.exporter}_default")


def answers(name: str, call: ExportCall, targets: tuple[str, ...]) -> Iterator[tuple[str, int, Target, Answer]]:
    """Each operator that a call becomes, its revision, and what each target does with it."""
    from onnx_lsp import tables
    from onnx_lsp.targets import Kind, parse, runs

    opset = opset_of(call)
    for op in operators(name, call.exporter) if opset and call.exporter else ():
        revision = tables.revision("", op, opset)
        if revision is not None:
            for target in map(parse, targets):
                yield op, revision, target, runs(Kind(op, "", opset), target)
