"""The onnxruntime that is installed, as a table: what it says of its own kernels, and the shipped table for everything else.

It is asked once, in a child, and the answer is kept in the cache until another one is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from onnx_lsp import atomic
from onnx_lsp.tables import Entry, Table

TASK = "onnx_lsp.installed:kernels"
SUFFIX = "@installed"
TIMEOUT, MEMORY = 60.0, 4096
Kernel = tuple[str, str, int, int, dict[str, list[str]]]


def kernels() -> Iterator[list[Kernel]]:
    """Yields the CPU provider's kernels: domain, operator, revisions from and to, types. A task of a child."""
    import onnxruntime.capi.onnxruntime_pybind11_state as state

    found = []
    for item in state.get_all_opkernel_def():
        if item.provider == "CPUExecutionProvider":
            low, high = item.version_range
            types = {name: list(map(_plain, listed)) for name, listed in item.type_constraints.items()}
            found.append((item.domain or "ai.onnx", item.op_name, low, high if high < 1 << 30 else low, types))
    yield found


def _plain(text: str) -> str:
    """`float` for `tensor(float)`."""
    return text[7:-1] if text.startswith("tensor(") else text


def of_installed(base: Table, version: str, position: int) -> Table:
    """The table of the installed onnxruntime.

    Args:
        base: the shipped table.
        version: what is installed.
        position: of the version in the shipped table that is nearest to it.
    """
    rows: dict[tuple[str, str], list[Kernel]] = defaultdict(list)
    for row in _asked(version):
        rows[row[0], row[1]].append(row)
    lines: dict[str, list[str]] = defaultdict(list)
    for (domain, op), found in sorted(rows.items()):
        shipped = [entry for entry in base.entries("ops", domain, op) if _is_of(entry, position)]
        same = {(entry.low, entry.high) for entry in shipped} == {(low, high) for _, _, low, high, _ in found}
        text = base.lines("ops", domain)[op] if same else "; ".join(_line(row, shipped) for row in found)
        lines[domain].append(f"{op} = '''\n{text}'''")
    sections = {("ops", domain): "\n".join(found) for domain, found in lines.items()}
    others = {key: text for key, text in base.sections.items() if key[0] != "ops"}
    return replace(base, name=base.name + SUFFIX, sections={**others, **sections}, cut={}, parsed={}) if rows else base


def _is_of(entry: Entry, position: int) -> bool:
    return entry.first <= position and (entry.last is None or position <= entry.last)


def _line(row: Kernel, shipped: list[Entry]) -> str:
    """One alternative in the notation of the tables, with what is known of the operator besides its kernels."""
    _, _, low, high, types = row
    words = [f"{name}={'|'.join(listed)}" for name, listed in types.items()]
    words += sorted({f"{subject}={'|'.join(sorted(values))}" for entry in shipped for subject, values in entry.facts})
    return " ".join([f"{low}-{high}", *words])


def _asked(version: str) -> list[Kernel]:
    """The kernels of what is installed, from the cache or from a child; empty where it could not be asked."""
    from onnx_lsp.cache import default_folder
    from onnx_lsp.work.worker import ChildDied, Worker

    path = os.path.join(default_folder(), f"kernels-{_key(version)}.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        pass
    worker = Worker(TIMEOUT, MEMORY)
    try:
        found = next(iter(worker.steps(TASK)), [])
    except ChildDied:
        return []
    finally:
        worker.close()
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        atomic.write(path, [json.dumps(found).encode()])
    except OSError:
        pass  # a cache that cannot be written is asked again
    return found


def _key(version: str) -> str:
    """What changes when another onnxruntime is installed: its version, its place and its date."""
    from importlib.util import find_spec

    spec = find_spec("onnxruntime")
    place = (spec.origin or "") if spec else ""
    stamp = os.stat(place).st_mtime_ns if os.path.isfile(place) else 0
    return hashlib.sha256(f"{version} {place} {stamp}".encode()).hexdigest()[:16]
