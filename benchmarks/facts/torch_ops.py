"""Makes `rules/targets/torch-ops.toml`: the lowest opset at which each exporter can export a call.

    python -m benchmarks.facts.torch_ops

Every call of `benchmarks.facts.torch_calls` is exported in a child process by the installed torch: with the legacy exporter at each opset,
and with the new one at its floor. Two minutes on two cores. torchvision's ops are not covered.
"""

from __future__ import annotations

import datetime
import io
import json
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

from benchmarks.facts import tables, torch_calls

LEGACY_OPSETS = range(7, 21)
NEW_OPSET = 18
MARK = "measured: "
ALIASES = {"F": "torch.nn.functional", "nn": "torch.nn", "torch": "torch", "x": "torch.Tensor"}


def main() -> int:
    calls = [line for line in torch_calls.CALLS.splitlines() if line]
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(_children, (calls[0::2], calls[1::2]))
    measured = {call: row for half in halves for call, row in half.items()}
    found = {call: measured[call] for call in calls}
    print(tables.save("torch-ops.toml", _head(), render(found)))
    return 0


def _head() -> str:
    from importlib.metadata import version

    return f"""What a call in forward() needs. Made by `python -m benchmarks.facts.torch_ops`; do not edit.
Measured on {datetime.date.today()} with torch {version("torch")} and onnxscript {version("onnxscript")}: every call was exported by itself.
legacy: the lowest opset from which on the legacy exporter (dynamo=False) exports it, up to 20; false: at none.
new: whether the new exporter (dynamo=True) exports it at opset 18. onnx: the operators that the new exporter writes for it, Constants apart;
"fn:NAME" is a local function. Where the answer depends on the arguments there are several rows: `call` is what was measured."""


def _children(calls: list[str]) -> dict[str, dict]:
    """Measures calls in one child process after another: where one dies, the next goes on behind the call that killed it."""
    found: dict[str, dict] = {}
    while rest := [call for call in calls if call not in found]:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.facts.torch_ops", "--child", *rest]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        rows = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
        found |= dict(zip(rest, (json.loads(row.removeprefix(MARK)) for row in rows), strict=False))
        if len(rows) < len(rest):
            found[rest[len(rows)]] = {"failed": done.stderr.strip()[-300:]}
    return found


def measure(call: str) -> dict:
    """The lowest legacy opset, whether the new exporter can, and the operators of the graph."""
    import torch

    module, args = _module(call)
    with torch.no_grad():
        module(*args)
    working = [opset for opset in LEGACY_OPSETS if _legacy(module, args, opset)]
    lowest = False
    for opset in reversed(LEGACY_OPSETS):
        if opset not in working:
            break
        lowest = opset
    ops = _new(module, args)
    return {"legacy": lowest, "new": ops is not None, "onnx": ops}


def _module(call: str):
    """A module whose `forward()` is the call, and example inputs."""
    import torch

    built, _, arguments = call.partition(" @ ")
    tensors = torch_calls.inputs()
    text = arguments if arguments else call
    names = [name for name in tensors if re.search(rf"(?<![\w.]){name}\b(?!=)", text)]
    scope = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn}

    class Call(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if arguments:
                self.inner = eval(built, scope)

        def forward(self, *args):
            values = dict(zip(names, args, strict=True))
            if arguments:
                return self.inner(*eval(f"({arguments},)", scope, values))
            return eval(call, scope, values)

    return Call().eval(), tuple(tensors[name] for name in names)


def _legacy(module, args, opset: int) -> bool:
    import torch

    try:
        torch.onnx.export(module, args, io.BytesIO(), dynamo=False, opset_version=opset)
    except Exception:  # noqa: BLE001 - whatever it raises, it did not export
        return False
    return True


def _new(module, args) -> list[str] | None:
    import torch

    try:
        program = torch.onnx.export(module, args, dynamo=True, opset_version=NEW_OPSET, verbose=False)
    except Exception:  # noqa: BLE001 - whatever it raises, it did not export
        return None
    model = program.model_proto
    functions = {function.name for function in model.functions}
    ops = {f"fn:{node.op_type}" if node.op_type in functions else node.op_type for node in model.graph.node}
    return sorted(ops - {"Constant"})


def render(found: dict[str, dict]) -> list[str]:
    """One table per callable, one line per measured call; equal answers for the same callable are one line."""
    by_name: dict[str, list[str]] = {}
    for call, row in found.items():
        if "failed" in row:
            print(f"{call}: {row['failed']}", file=sys.stderr)
            continue
        answer = {name: item for name, item in row.items() if item is not None}
        rows = by_name.setdefault(name_of(call), [])
        line = tables.value({"call": call, **answer})
        if not any(tables.value(answer)[1:] in old for old in rows):
            rows.append(line)
    out = ["[calls]"]
    for name, rows in sorted(by_name.items()):
        out.append(f"{tables.value(name)} = [{rows[0]}]" if len(rows) == 1 else f"{tables.value(name)} = [")
        if len(rows) > 1:
            out += [f"    {row}," for row in rows] + ["]"]
    return out


def name_of(call: str) -> str:
    """`F.pad(x)` -> `torch.nn.functional.pad`."""
    if call.startswith("x."):
        return "torch.Tensor." + re.findall(r"\.(\w+)", call.replace(".clone()", ""))[0]
    head = re.match(r"[\w.]+", call).group()
    alias, _, rest = head.partition(".")
    return f"{ALIASES[alias]}.{rest}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        warnings.simplefilter("ignore")
        for example in sys.argv[2:]:
            print(MARK + json.dumps(measure(example)), flush=True)
        sys.exit(0)
    sys.exit(main())
