"""If, Loop and Scan: what their bodies take and give, against the node and against each other."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.graph import Model, Node, Scope
from onnx_lsp.model.shapes import Shapes, TensorType, tensor_type

INT64, BOOL = 7, 9
OF_LOOP = 2  # inputs of a Loop and of its body before the carried values


@check("ONX060", op=("If", "Loop", "Scan"))
def body_counts(node: Node, model: Model, report: Report) -> None:
    if node.domain or (node.op == "Scan" and model.imports(node.scope).get("", 0) < 9):
        return  # the Scan of opset 8 takes the lengths of sequences too
    wrong: dict[tuple[str, int, int, str], list[str]] = {}
    for body in node.bodies:
        for kind, given, wanted, why in _counts(node, body):
            if given != wanted:
                wrong.setdefault((kind, given, wanted, why), []).append(body.path.rpartition(".")[2])
    for (kind, given, wanted, why), labels in wrong.items():
        label = "` and `".join(labels)
        report("count", node, node=node.title(), label=label, kind=kind, given=_counted(given, kind), wanted=wanted, why=why)


def _counted(count: int, kind: str) -> str:
    return f"{count or 'no'} {kind}{'' if count == 1 else 's'}"


def _counts(node: Node, body: Scope) -> list[tuple[str, int, int, str]]:
    """(input or output, how many the body has, how many it must have, why)."""
    outputs, inputs = len(body.outputs), len(body.inputs)
    if node.op == "If":
        return [("input", inputs, 0, "a branch takes none"), ("output", outputs, len(node.outputs), "as many as the node gives")]
    if node.op == "Loop":
        carried = max(len(node.inputs) - OF_LOOP, 0)
        return [
            ("input", inputs, carried + OF_LOOP, "iteration, condition and the carried values"),
            ("output", outputs, len(node.outputs) + 1, "the condition, and as many as the node gives"),
        ]
    return [
        ("input", inputs, len(node.inputs), "as many as the node takes"),
        ("output", outputs, len(node.outputs), "as many as the node gives"),
    ]  # fmt: skip


@check("ONX061", op="If")
def branch_types(node: Node, report: Report) -> None:
    branches = {body.path.rpartition(".")[2]: body for body in node.bodies}
    one, other = branches.get("then_branch"), branches.get("else_branch")
    if node.domain or one is None or other is None or len(one.outputs) != len(other.outputs):
        return
    for number, (left, right) in enumerate(zip(one.proto.output, other.proto.output, strict=True)):
        first, second = _type(left), _type(right)
        if first and second and first.element != second.element:
            report(
                "differ", node, node=node.title(), output=node.outputs[number] if number < len(node.outputs) else number,
                one=left.name, first=first, other=right.name, second=second,
            )  # fmt: skip


@check("ONX062", op="Loop")
def loop_types(node: Node, report: Report) -> None:
    body = node.bodies[0] if len(node.bodies) == 1 else None
    if node.domain or body is None or body.is_function:
        return
    if any(given != wanted for _, given, wanted, _ in _counts(node, body)):
        return  # ONX060 says that, and what belongs together is not known
    inputs, outputs = body.proto.input, body.proto.output
    for values, place, element, what in (
        (inputs, 0, INT64, "the iteration number"), (inputs, 1, BOOL, "the condition"), (outputs, 0, BOOL, "the condition"),
    ):  # fmt: skip
        found = _type(values[place]) if place < len(values) else None
        if found and found.element and found.element != element:
            wanted = "int64" if element == INT64 else "bool"
            report("fixed", node, node=node.title(), name=values[place].name, given=found, what=what, wanted=wanted)
    for given, result in zip(inputs[OF_LOOP:], outputs[1:], strict=False):
        before, after = _type(given), _type(result)
        if before and after and before.element != after.element:
            report("carried", node, node=node.title(), name=given.name, before=before, result=result.name, after=after)


@check("SHP003", op="Loop")
def loop_initial(node: Node, shapes: Shapes, report: Report) -> None:
    body = node.bodies[0] if len(node.bodies) == 1 else None
    if node.domain or body is None:
        return
    for name, value in zip(node.inputs[OF_LOOP:], body.proto.input[OF_LOOP:], strict=False):
        given, wanted = shapes.type(node.scope, name) if name else None, _type(value)
        if given and wanted and given.element and given.element != wanted.element:
            report("initial", node, node=node.title(), name=name, given=given, parameter=value.name, wanted=wanted)
            return


def _type(value) -> TensorType | None:
    """The declared tensor type of a value; None where there is none."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.elem_type:
        return None
    return tensor_type(value.type.tensor_type)
