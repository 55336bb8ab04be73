"""Exports by other packages: tf2onnx, Keras, skl2onnx, optimum, ultralytics."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.script import edits
from onnx_lsp.script.checks.opset_targets import report_above, report_over
from onnx_lsp.script.checks.sessions import fed_batch
from onnx_lsp.script.syntax import Script
from onnx_lsp.script.usage import Use, paths
from onnx_lsp.script.values import Made, Seq, Value

SPECS = ("TensorSpec", "InputSpec", "KerasTensor")
TF2ONNX_OPSET = 18  # the last of `OPSET_TO_IR_VERSION` in tf2onnx/constants.py, 1.17.0; Keras exports through tf2onnx


@check("EXP801")
def tf2onnx_signature(file: Script, report: Report) -> None:
    """`from_keras` and `from_function` take shapes and names from the signature, where there is one."""
    if "tf2onnx" not in file.text:
        return
    for use in file.uses:
        if not use.callee.startswith("tf2onnx.convert.from_"):
            continue
        signature = use.get(1, "input_signature")
        function = use.callee.rpartition(".")[2]
        if signature is None and not use.open:
            case = "required" if function == "from_function" else "no-signature"
            report(case, use.node.child_by_field_name("function"), function=function)
        elif signature is not None and (spec := _spec(signature, _without_rank)) is not None:
            report("unknown-rank", spec.node)
        elif signature is not None:
            _fed_otherwise(file, report, use, signature, use.get(-1, "output_path"))
        _tf2onnx_opset(file, report, use, 2, "opset")


@check("EXP802")
def keras_export(file: Script, report: Report) -> None:
    """Keras writes the batch of the signature into the file."""
    if "keras" not in file.text:
        return
    for use in file.uses:
        if not use.callee.endswith("().export") or "keras." not in use.callee or _format(use, 1) != {"onnx"}:
            continue
        signature = use.get(3, "input_signature")
        if signature is not None and (spec := _spec(signature, _fixed_batch)) is not None:
            if not _fed_otherwise(file, report, use, signature, use.get(0, "filepath")):
                report("fixed-batch", spec.node)
        _tf2onnx_opset(file, report, use, -1, "opset_version")


@check("EXP803")
def skl2onnx_types(file: Script, report: Report) -> None:
    """skl2onnx cannot tell the inputs of an estimator."""
    if "skl2onnx" not in file.text:
        return
    for use in file.uses:
        if use.callee not in ("skl2onnx.convert_sklearn", "skl2onnx.to_onnx"):
            continue
        converts = use.callee.endswith("convert_sklearn")
        types = use.get(2, "initial_types")
        example = None if converts else use.get(1, "X")
        missing = [value is None or value.must_be(None) for value in (types, example)]
        if all(missing) and not use.open:
            report("no-types", use.node.child_by_field_name("function"), function=use.callee.rpartition(".")[2])
        position = 4 if converts else 3
        report_above(file, report, use.get(position, "target_opset"), use.place(position, "target_opset"))


@check("EXP804")
def optimum_export(file: Script, report: Report) -> None:
    """`main_export` writes the opset that it is asked for."""
    if "optimum" not in file.text or not file.settings.targets:
        return
    for use in file.uses:
        if use.callee.startswith("optimum.exporters.onnx."):
            report_above(file, report, use.get(-1, "opset"), use.place(-1, "opset"))


@check("EXP805")
def ultralytics_export(file: Script, report: Report) -> None:
    """`YOLO.export(format="onnx")` fixes every shape unless `dynamic=True`."""
    if "ultralytics" not in file.text:
        return
    for use in file.uses:
        if not use.callee.startswith("ultralytics.") or use.open or _format(use, -1) != {"onnx"}:
            continue
        if use.get(-1, "dynamic") is None and use.get(-1, "imgsz") is None and use.get(-1, "batch") is None:
            fixes = {"dynamic": edits.insert_arguments(file.source, use.node, {"dynamic": True})}
            fed = fed_batch(file, _beside_weights(use), 1) if _writes_alone(file, use) else None
            related = () if fed is None else (report.related(fed[1], "here"),)
            case, batch = ("fixed", None) if fed is None else ("fed", fed[0])
            report(case, use.node.child_by_field_name("function"), fixes=fixes, related=related, fed=batch)
        report_above(file, report, use.get(-1, "opset"), use.place(-1, "opset"))


def _fed_otherwise(file: Script, report: Report, use: Use, signature: Value, path: Value | None) -> bool:
    """Reports the batch of a signature with one input, where a session on the written file is fed another."""
    spec, shape = _spec(signature, _fixed_batch), None
    if spec is not None and isinstance(signature.only, Seq) and len(signature.only.items) == 1:
        shape = spec.argument(0, "shape").only
    written = paths(path)
    if shape is None or written is None or len(written) != 1 or not _writes_alone(file, use):
        return False
    batch = shape.items[0].constant
    fed = fed_batch(file, *written, batch)
    if fed is not None:
        report("fed", spec.node, related=(report.related(fed[1], "here"),), batch=batch, fed=fed[0])
    return fed is not None


def _writes_alone(file: Script, use: Use) -> bool:
    """No other call of this function may write the same file."""
    return sum(other.callee == use.callee for other in file.uses) == 1


def _beside_weights(use: Use) -> str | None:
    """Where ultralytics writes: `yolo.onnx` for `YOLO("yolo.pt")`."""
    model = use.owner.only if use.owner is not None else None
    weights = paths(model.argument(0, "model")) if isinstance(model, Made) else None
    path = next(iter(weights)) if weights is not None and len(weights) == 1 else ""
    return path.removesuffix(".pt") + ".onnx" if path.endswith(".pt") else None


def _tf2onnx_opset(file: Script, report: Report, use: Use, position: int, name: str) -> None:
    """An opset that tf2onnx refuses to write, else one that a target does not load."""
    value, place = use.get(position, name), use.place(position, name)
    if not report_over(file, report, value, place, TF2ONNX_OPSET, "unwritten", "write"):
        report_above(file, report, value, place)


def _format(use: Use, position: int) -> set[str] | None:
    return paths(use.get(position, "format"))


def _spec(signature: Value, wanted) -> Made | None:
    """The first `TensorSpec` of a signature that is as wanted."""
    atom = signature.only
    items = atom.items if isinstance(atom, Seq) else (signature,)
    found = (item.only for item in items)
    specs = (spec for spec in found if isinstance(spec, Made) and spec.callee.endswith(SPECS))
    return next((spec for spec in specs if wanted(spec.argument(0, "shape"))), None)


def _without_rank(shape: Value | None) -> bool:
    return shape is None or shape.must_be(None)


def _fixed_batch(shape: Value | None) -> bool:
    atom = shape.only if shape is not None else None
    return isinstance(atom, Seq) and bool(atom.items) and type(atom.items[0].constant) is int
