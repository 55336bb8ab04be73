"""Will it run there? The model against the tables of the configured targets."""

from __future__ import annotations

from collections.abc import Iterator

from onnx_lsp import targets as tables
from onnx_lsp.checks import Report, check
from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.engine import MAX_RELATED
from onnx_lsp.model import proto
from onnx_lsp.model.bodies import body_runs
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.opsets import conversion, taken
from onnx_lsp.model.usage import Usage, element_name
from onnx_lsp.targets import Kind, Target, Verdict

# IR versions that brought a thing an older reader would lose or misread (onnx/onnx.proto, enum Version).
IR_OF_FUNCTIONS, IR_OF_OVERLOADS, IR_OF_HIDDEN_INITIALIZERS = 8, 10, 4
SHOWN = 4
LEAVES = frozenset({Verdict.FALLS_BACK, Verdict.REFUSES, Verdict.UNKNOWN})
CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})


@check("RUN001")
def opset_out_of_range(model: Model, usage: Usage, targets: tuple[Target, ...], report: Report) -> None:
    opset = model.opsets.get("")
    for target in targets if opset and _uses_standard_ops(model) else ():
        bounds = tables.limits(target)
        below = bool(bounds.min_opset) and opset < bounds.min_opset
        if below or (bounds.max_opset and opset > bounds.max_opset):
            case = "below" if below else "above" if bounds.refuses else "documented" if bounds.sure else "maybe"
            limit = bounds.min_opset if below else bounds.max_opset
            date = tables.table(target.name).date
            report(case, opset=opset, target=target.label, limit=limit, date=date, way=_conversion(usage, targets, target))


def _conversion(usage: Usage, targets: tuple[Target, ...], target: Target) -> str:
    opset = conversion(usage, targets, target)
    if opset is None:
        return "and no opset that it loads has all its operators: replace those, or use a newer release"
    which = ", which all targets load," if len(targets) > 1 else ""
    return f"convert it to opset {opset}{which} with `onnx-lint convert`"


def _uses_standard_ops(model: Model) -> bool:
    return any(not node.domain for node in model.nodes())


@check("RUN002")
def ir_too_new(model: Model, targets: tuple[Target, ...], report: Report) -> None:
    version = model.proto.ir_version
    for target in targets:
        bounds = tables.limits(target)
        if bounds.max_ir and version > bounds.max_ir:
            edit = ModelEdit("RUN002", "lower", "", (("to", bounds.max_ir),), model.skeleton.digest)
            report(
                "above" if bounds.sure else "maybe",
                version=version, target=target.label, limit=bounds.max_ir, date=tables.table(target.name).date,
                fixes={"lower": edit} if needed_ir(model) <= bounds.max_ir else {},
            )  # fmt: skip


def needed_ir(model: Model) -> int:
    """The lowest IR version that can say what the model says."""
    needed = [3]
    for scope in model.scopes:
        hidden = not scope.is_function and set(scope.initializers) - set(scope.inputs)
        needed += [IR_OF_FUNCTIONS] if scope.is_function else []
        needed += [IR_OF_HIDDEN_INITIALIZERS] if hidden else []
        needed += [tables.TYPE_IR.get(element_name(number), 3) for number in _elements(scope)]
    needed += [IR_OF_OVERLOADS for item in model.proto.functions if item.overload]
    return max(needed)


def _elements(scope: Scope) -> Iterator[int]:
    """The element types that a scope names anywhere."""
    yield from (tensor.data_type for tensor in scope.initializers.values())
    declared = scope.proto.value_info
    if not scope.is_function:
        declared = [*declared, *scope.proto.input, *scope.proto.output]
    yield from (value.type.tensor_type.elem_type for value in declared)
    for node in scope.nodes:
        for item in node.proto.attribute[:]:
            yield item.i if item.name in ("to", "dtype", "output_dtype") else item.t.data_type


@check("RUN003")
def not_supported(model: Model, usage: Usage, targets: tuple[Target, ...], report: Report) -> None:
    for target in targets:
        limit = tables.limits(target).max_opset
        for kind, nodes in usage.kinds.items():
            answer = tables.runs(kind, target)
            above = not kind.domain and limit and kind.opset > limit  # RUN001 says it
            if answer.verdict is Verdict.REFUSES and not above and not _is_standard(target):
                report(
                    "refuses" if answer.sure else "maybe", nodes[0], related=_others(nodes, report),
                    op=kind.title, opset=kind.opset, target=target.label, why=answer.note, way=_way_out(kind, usage, targets, target),
                    places=f" ({len(nodes)} places)" if len(nodes) > 1 else "", date=tables.table(target.name).date,
                    fixes=_inlined(model, usage, kind, targets),
                )  # fmt: skip


def _is_standard(target: Target) -> bool:
    return tables.table(target.name).data["kind"] == "standard"


def _inlined(model: Model, usage: Usage, kind: Kind, targets: tuple[Target, ...]) -> dict[str, ModelEdit]:
    """The repair that puts the function body in the place of the nodes, where all targets run that."""
    nodes = usage.kinds[kind]
    elements = usage.elements(nodes[0])
    if not body_runs(nodes[0], kind, elements, targets):
        return {}
    places = tuple((node.scope.path, node.index) for node in nodes)
    arguments = (("nodes", places), ("opset", kind.opset), ("elements", elements))
    return {"inline": ModelEdit("RUN003", "inline", nodes[0].path, arguments, model.skeleton.digest)}


def _others(nodes: list[Node], report: Report) -> tuple:
    return tuple(report.related(node, "also here") for node in nodes[1 : MAX_RELATED + 1])


def _way_out(kind: Kind, usage: Usage, targets: tuple[Target, ...], target: Target) -> str:
    """What could be done about an operator: another opset, or a later release, or another operator."""
    opset = None if kind.domain else conversion(usage, targets, target)
    later = tables.first_version_that_runs(kind, target)
    ways = [f"convert to opset {opset}"] if opset and opset != kind.opset else []
    ways += [f"{later.label} runs it"] if later else []
    return " or ".join(ways or ["replace it"])


@check("RUN004")
def falls_back(model: Model, usage: Usage, targets: tuple[Target, ...], report: Report) -> None:
    for target in targets:
        elsewhere = CONTROL_FLOW if _has_no_control_flow(target) else frozenset()  # RUN006 says it
        answers = {kind: tables.runs(kind, target) for kind in usage.kinds if kind.title not in elsewhere}
        left = {kind: answer for kind, answer in answers.items() if answer.verdict is Verdict.FALLS_BACK}
        if left:
            gone = {node for kind in left for node in usage.kinds[kind]}
            ordered = [node for node in model.nodes() if node in gone]
            report(
                "leaves" if all(answer.sure for answer in left.values()) else "maybe", ordered[0],
                related=_others(ordered, report), target=target.label, count=len(gone), total=sum(1 for _ in model.nodes()),
                ops=_listed(ordered), parts=_partitions(model.graph, gone), date=tables.table(target.name).date,
                way=_way_to_stay(model, usage, target),
            )  # fmt: skip


def _way_to_stay(model: Model, usage: Usage, target: Target) -> str:
    """The opset, if there is one, at which no node leaves the provider."""
    opset = max(taken(usage, target, LEAVES) - {model.opsets.get("")}, default=None)
    return f"; at opset {opset} all of them stay" if opset else ""


@check("RUN005")
def runs_after_cast(usage: Usage, targets: tuple[Target, ...], report: Report) -> None:
    for target in targets:
        found: dict[str, list[Node]] = {}
        for kind, nodes in usage.kinds.items():
            answer = tables.runs(kind, target)
            if answer.verdict is Verdict.KERNEL and " is cast to " in answer.note:
                found.setdefault(answer.note.rpartition("; ")[2], []).extend(nodes)
        for what, nodes in found.items():
            report(
                "narrows" if what.startswith("double") else "slows", nodes[0], related=_others(nodes, report),
                target=target.label, what=what, count=len(nodes), ops=_listed(nodes), date=tables.table(target.name).date,
            )  # fmt: skip


@check("RUN006")
def fixed_shape_target(model: Model, targets: tuple[Target, ...], report: Report) -> None:
    for target in targets:
        source = tables.table(target.name)
        if source.data.get("fixed_shapes"):
            dynamic = [item.name for item in model.proto.graph.input if item.name not in model.graph.initializers and _is_dynamic(item)]
            if dynamic:
                named = ", ".join(f"`{name}`" for name in dynamic[:SHOWN]) + (" and others" if len(dynamic) > SHOWN else "")
                report("dynamic", model.graph.place("input", dynamic[0]), names=named, target=target.label, date=source.date)
        if _has_no_control_flow(target):
            for node in model.nodes():
                if node.op in CONTROL_FLOW and not node.domain:
                    report("control", node, op=node.op, target=target.label, date=source.date)


def _has_no_control_flow(target: Target) -> bool:
    return not tables.table(target.name).data.get("control_flow", True)


def _is_dynamic(item: proto.ValueInfoProto) -> bool:
    """A tensor with a dimension that has no number."""
    return any(not dim.HasField("dim_value") for dim in item.type.tensor_type.shape.dim)


@check("RUN007")
def not_portable(usage: Usage, targets: tuple[Target, ...], report: Report) -> None:
    for target in filter(_is_standard, targets):
        for kind, nodes in usage.kinds.items():
            if tables.runs(kind, target).verdict is Verdict.REFUSES and kind.home != "ai.onnx":
                same = [number for number, marks in tables.revisions("ai.onnx", kind.op) if "x" not in marks]
                report(
                    "of-one-runtime", nodes[0], related=_others(nodes, report), op=kind.title, domain=kind.domain,
                    places=f" ({len(nodes)} places)" if len(nodes) > 1 else "", target=target.label,
                    date=tables.table(target.name).date,
                    way=f"ONNX has `{kind.op}` since opset {same[0]}" if same else "export, or optimize, without it",
                )  # fmt: skip


def _listed(nodes: list[Node]) -> str:
    """The operators of the nodes, the first few by name."""
    names = list(dict.fromkeys(node.op for node in nodes))
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _partitions(scope: Scope, left: set[Node]) -> int:
    """Into how many runs of neighbouring nodes the provider's part of the graph falls."""
    inside = [node not in left for node in scope.nodes]
    return sum(1 for number, mine in enumerate(inside) if mine and not (number and inside[number - 1]))
