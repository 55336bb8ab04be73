"""Makes `rules/targets/onnxruntime-cpu.toml`: measured, wheel by wheel.

    python -m benchmarks.facts.onnxruntime_cpu WHEELS

WHEELS is a folder for the unpacked wheels (100 MB each, downloaded when they are not there). Each wheel is asked in child processes for its
kernels (`get_all_opkernel_def`), for the highest opset and IR version that it loads, and to create a session for every
single-node test of the onnx package, which shows what runs through a function body. Five minutes when the wheels are there.
"""

from __future__ import annotations

import datetime
import re
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, defs, helper

from benchmarks.facts import node_tests, support, tables
from benchmarks.facts import onnxruntime_wheels as wheels
from benchmarks.facts.support import Row
from onnx_lsp import targets
from onnx_lsp.model.usage import SQUEEZE_BY_INPUT

MINORS = tuple(f"1.{minor}" for minor in range(16, 33))
OPEN = 2**31 - 1
# The basic graph optimisations, on by default, take these out before nodes are given to providers (EliminateIdentity, EliminateDropout).
REMOVED_FIRST = {"ai.onnx": ["Dropout", "Identity"]}
INTERNAL_DOMAINS = ("com.microsoft.nchwc", "com.ms.internal.nhwc")
# Measured by the node tests test_lstm_batchwise, test_gru_batchwise and test_simple_rnn_batchwise.
NO_LAYOUT = frozenset({"GRU", "LSTM", "RNN"})
# Up to 1.22, a Squeeze without axes (below opset 13) of sizes that are not known is inferred to be a scalar, which these refuse: measured with 27 models.
NO_SCALARS, SCALARS_UNTIL = frozenset({"Concat", "Flatten", "Gather", "MatMul", "Split"}), (1, 22)
# A float16 node without a float16 kernel gets Casts around a float kernel (onnxruntime's InsertCastTransformer).
CASTS = {"float16": "float"}
PROBE_OPS = ("Identity", "Relu", "Abs")


@dataclass(frozen=True, slots=True)
class Seen:
    """A node test of an operator with a function body for which no kernel fits: what it was, and whether it loads all the same."""

    opset: int
    types: dict[str, frozenset[str]]
    loads: bool
    has_kernel: bool


def main(folder: str) -> int:
    kernels, bodies, refused, limits, known = {}, {}, {}, {}, {}
    for minor in MINORS:
        release = wheels.unpack(minor, Path(folder))
        with tempfile.TemporaryDirectory() as place:
            limits[minor] = measure_limits(release, Path(place))
            schemas = wheels.schemas(release)
            known[minor] = {(domain, op, since) for domain, op, since, _ in schemas}
            kernels[minor] = kernel_rows(wheels.kernels(release), schemas, minor)
            cases = node_tests.prepare(Path(place), limits[minor]["opset"], limits[minor]["ir"], variants=True)
            bodies[minor], refused[minor] = body_rows(release, [case for case in cases if case.single], kernels[minor], known[minor])
        print(minor, limits[minor], len(cases), file=sys.stderr)
    print(tables.save("onnxruntime-cpu.toml", _comment(), render(kernels, bodies, refused, late_revisions(known, limits), limits)))
    return 0


def _comment() -> str:
    return f"""ONNX Runtime's CPU provider. Made by `python -m benchmarks.facts.onnxruntime_cpu`; do not edit.
Measured on {datetime.date.today()} in the PyPI wheels listed under [limits], with the node tests of onnx {onnx.__version__}.
The notation is described in onnx_lsp/tables.py. [inlined]: there is no such kernel, but the function body runs;
[not_inlined]: it was tried and refused. What has a function body and is in neither was not tried."""


def measure_limits(release: wheels.Release, folder: Path) -> dict[str, object]:
    """The highest ai.onnx opset and IR version of a one-node model that loads."""

    def loads(opset: int, ir: int) -> bool:
        paths = []
        for op in PROBE_OPS:
            graph = helper.make_graph([helper.make_node(op, ["x"], ["y"])], "g", *_ports())
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
            paths.append(folder / f"limit-{op}-{opset}-{ir}.onnx")
            paths[-1].write_bytes(model.SerializeToString())
        return "loads" in wheels.loads(release, paths)

    opset = max(number for number in range(15, 31) if loads(number, 8))
    ir = max(number for number in range(8, 16) if loads(15, number))
    return {"opset": opset, "ir": ir, "wheel": release.version}


def _ports() -> tuple[list, list]:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    return value[:1], value[1:]


def kernel_rows(kernels: list[list], schemas: list[list], minor: str) -> dict[support.OpKey, list[Row]]:
    """The registered kernels, those that differ in one type variable joined.

    A kernel may be registered for types that the release's own operator schemas do not allow: a model that uses one is refused before kernels are
    looked up, so only the common types count.
    """
    allowed: dict[support.OpKey, list[tuple[int, dict]]] = defaultdict(list)
    for domain, op, since, types in schemas:
        allowed[domain, op].append((since, {name: frozenset(map(_plain, found)) for name, found in types.items()}))
    grouped: dict[tuple, list[support.Types]] = defaultdict(list)
    uncast: dict[tuple, dict[str, frozenset[str]]] = defaultdict(dict)
    for domain, op, (low, high), types in kernels:
        if domain not in INTERNAL_DOMAINS:
            end = low if high == OPEN else high
            known = [found for since, found in allowed[domain, op] if low <= since <= end]
            found = {name: _common(name, frozenset(map(_plain, listed)), known) for name, listed in types}
            if all(found.values()):
                grouped[domain, op, low, end].append(support.typed(found))
                uncast[domain, op, low, end] |= _uncast(found, known)
    out: dict[support.OpKey, list[Row]] = defaultdict(list)
    for (domain, op, low, high), alternatives in grouped.items():
        excluded = support.typed(uncast[domain, op, low, high])
        facts = _facts(op, low, minor) if domain == "ai.onnx" else ()
        out[domain, op] += [Row(low, high, types, excluded, facts) for types in support.joined(alternatives)]
    return out


def _facts(op: str, low: int, minor: str) -> support.Types:
    """What the registry does not say of a kernel."""
    if op in NO_LAYOUT:
        return ((".layout", frozenset({"0"})),)
    scalars = tuple(int(part) for part in minor.split(".")) <= SCALARS_UNTIL and low < SQUEEZE_BY_INPUT
    return (("squeezed", frozenset({"no"})),) if scalars and op in NO_SCALARS else ()


def _uncast(types: dict[str, frozenset[str]], known: list[dict]) -> dict[str, frozenset[str]]:
    """The types that a Cast could bring to this kernel, but that the operator itself does not allow."""
    out = {}
    for variable, found in types.items():
        wider = {name for name, other in CASTS.items() if other in found and name not in found}
        refused = {name for name in wider if known and not any(name in row.get(variable, (name,)) for row in known)}
        if refused:
            out[variable] = frozenset(refused)
    return out


def _common(variable: str, listed: frozenset[str], known: list[dict]) -> frozenset[str]:
    if not known or not all(variable in found for found in known):
        return listed
    return listed & frozenset().union(*(found[variable] for found in known))


def _plain(text: str) -> str:
    """`float` for `tensor(float)`; maps, which kernels and schemas write differently, in one way."""
    if text.startswith("tensor("):
        return text[7:-1]
    return re.sub(r"tensor\((\w+)\)", r"\1", text).replace(" ", "") if "map(" in text else text


def body_rows(
    release: wheels.Release,
    cases: list[node_tests.Case],
    kernels: dict[support.OpKey, list[Row]],
    known: set[tuple[str, str, int]],
) -> tuple[dict[support.OpKey, list[Row]], dict[support.OpKey, list[Row]]]:
    """What runs although no kernel fits, and what was tried and does not: by operator revision, with the types that the tests saw."""
    answers = wheels.loads(release, [case.path for case in cases])
    seen: dict[tuple[str, str, int], list[Seen]] = defaultdict(list)
    for case, answer in zip(cases, answers, strict=True):
        node = case.nodes[0]
        since = targets.revision(node.domain, node.op, node.opset)
        if _as_written(node, since, known) and targets.has_function(node.domain, node.op, since):
            rows = [row for row in kernels.get((node.domain, node.op), ()) if row.low <= since <= row.high]
            if not any(_fits(row, dict(node.types)) for row in rows):
                seen[node.domain, node.op, since].append(Seen(node.opset, _variables(node), answer == "loads", bool(rows)))
    inlined: dict[support.OpKey, list[Row]] = defaultdict(list)
    refused: dict[support.OpKey, list[Row]] = defaultdict(list)
    for (domain, op, since), found in sorted(seen.items()):
        inlined[domain, op] += _body_row(since, found)
        refused[domain, op] += _refused_row(since, found)
    return tuple({key: rows for key, rows in table.items() if rows} for table in (inlined, refused))


def _as_written(node: node_tests.Node, since: int, known: set[tuple[str, str, int]]) -> bool:
    """Whether the release takes the node for this revision, and not for an older one that it knows instead."""
    older = [number for number, _ in targets.revisions(node.domain, node.op) if number < since]
    return (node.domain, node.op, since) in known or not any((node.domain, node.op, number) in known for number in older)


def _fits(row: Row, types: dict[str, frozenset[str]]) -> bool:
    return all(
        name in allowed or CASTS.get(name) in allowed
        for variable, allowed in row.types
        for name in types.get(variable, ())
    )


def _body_row(since: int, found: list[Seen]) -> list[Row]:
    good, bad = [one for one in found if one.loads], [one for one in found if not one.loads]
    if not good:
        return []
    if any(one.has_kernel for one in found):
        # There are kernels for other types: only the types that were seen to run are known to.
        return [Row(since, since, types) for types in support.joined([support.typed(one.types) for one in good])]
    opsets = {one.opset for one in good}
    if bad and opsets.isdisjoint(one.opset for one in bad):
        # A body is only good for opsets in which its operators are the same.
        return [Row(since, since, facts=(("opset", frozenset(map(str, opsets))),))]
    excluded = {}
    for variable in {name for one in bad for name in one.types}:
        working = frozenset().union(*(one.types.get(variable, frozenset()) for one in good))
        failing = frozenset().union(*(one.types.get(variable, frozenset()) for one in bad)) - working
        if failing:
            excluded[variable] = failing
    explained = all(any(one.types.get(name, frozenset()) & gone for name, gone in excluded.items()) for one in bad)
    note = "" if explained else "some forms are refused"
    return [Row(since, since, (), support.typed(excluded), note=note)]


def _refused_row(since: int, found: list[Seen]) -> list[Row]:
    bad = [one.types for one in found if not one.loads]
    if any(one.has_kernel for one in found):
        return [Row(since, since, types) for types in support.joined([support.typed(types) for types in bad])]
    return [Row(since, since)] if len(bad) == len(found) else []


def _variables(node: node_tests.Node) -> dict[str, frozenset[str]]:
    """The element types by type variable, without those by parameter name."""
    schema = defs.get_schema(node.op, node.opset, "" if node.domain == "ai.onnx" else node.domain)
    variables = {constraint.type_param_str for constraint in schema.type_constraints}
    return {name: found for name, found in node.types if name in variables}


def late_revisions(known: dict[str, set], limits: dict[str, dict]) -> dict[support.OpKey, list[Row]]:
    """The standard's revisions that a release should know by its opset, but does not; with the releases that do."""
    out: dict[support.OpKey, list[Row]] = defaultdict(list)
    for op in targets.read("ops")["ops"]["ai.onnx"]:
        for since, _ in targets.revisions("ai.onnx", op):
            having = [minor for minor in MINORS if ("ai.onnx", op, since) in known[minor]]
            due = [minor for minor in MINORS if limits[minor]["opset"] >= since]
            if having and having != due:
                out["ai.onnx", op].append(Row(since, since, versions=tables.ranges(having, MINORS)[0]))
    return out


def render(kernels: dict, bodies: dict, refused: dict, late: dict, limits: dict[str, dict]) -> list[str]:
    """The body of the table."""
    ops = support.over_versions(kernels, MINORS)
    inlined = support.over_versions(bodies, MINORS)
    not_inlined = support.over_versions(refused, MINORS)
    names = support.named(ops, inlined, not_inlined)
    out = tables.lines({
        "title": "ONNX Runtime, CPU provider",
        "kind": "runtime",
        "date": str(datetime.date.today()),
        "source": "measured in the PyPI wheels",
        "measured": True,
        "versions": list(MINORS),
        "casts": CASTS,
        "removed_first": REMOVED_FIRST,
    })  # fmt: skip
    out += ["", "# The highest ai.onnx opset and IR version that load.", "[limits]"]
    out += [f"{tables.key(minor)} = {tables.value(row)}" for minor, row in limits.items()]
    out += support.render("ops", ops, names) + support.render("inlined", inlined, names)
    out += support.render("not_inlined", not_inlined, names)
    out += ["", "# Revisions that some release does not know although its opset has them: it applies the one before."]
    out += support.render("revisions", late, names)
    return out + support.type_lines(names)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
