"""Attributes and inputs of one node that exclude or need each other."""

from __future__ import annotations

from onnx_lsp.checks import Report, check
from onnx_lsp.model.constants import Constants
from onnx_lsp.model.graph import Model, Node

PADDED = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool", "ConvInteger", "QLinearConv", "DeformConv", "MaxUnpool")
SPATIAL_INPUT = {"MaxPool": 0, "AveragePool": 0, "LpPool": 0}


def given(node: Node, number: int) -> bool:
    """Whether the node has that input."""
    return number < len(node.inputs) and bool(node.inputs[number])


@check("ONX080", op="Resize")
def resize_inputs(node: Node, model: Model, constants: Constants, report: Report) -> None:
    opset = model.imports(node.scope).get("", 0)
    if node.domain or opset < 11:
        return
    scales, sizes = given(node, 2) and not _empty(node, 2, constants), given(node, 3) and not _empty(node, 3, constants)
    if scales and sizes:
        report("both", node, node=node.title(), scales=node.inputs[2], sizes=node.inputs[3])
    elif not given(node, 2) and not given(node, 3):
        report("neither", node, node=node.title())


@check("ONX081", op="Resize")
def resize_without_roi(node: Node, model: Model, constants: Constants, report: Report) -> None:
    if node.domain or model.imports(node.scope).get("", 0) < 11:
        return
    crop = node.attr("coordinate_transformation_mode", b"") == b"tf_crop_and_resize"
    if crop and (not given(node, 1) or _empty(node, 1, constants)):
        report("crop", node, node=node.title())


def _empty(node: Node, number: int, constants: Constants) -> bool:
    found = constants.of(node, number)
    return found is not None and not found.values


@check("ONX082", op=PADDED)
def auto_pad_with_pads(node: Node, report: Report) -> None:
    if node.domain:
        return
    mode = node.attr("auto_pad", b"NOTSET")
    if mode in (b"NOTSET", b"") or not isinstance(mode, bytes):
        return
    pads = node.ints("pads")
    if pads and any(pads):
        report("both", node, node=node.title(), mode=mode.decode("utf-8", "replace"), pads=pads)


@check("ONX083", op="Reshape")
def several_free_dims(node: Node, constants: Constants, report: Report) -> None:
    values = None if node.domain else constants.ints(node, 1)
    if values is None and not node.domain and node.ints("shape"):
        values = tuple(node.ints("shape"))
    if not values:
        return
    listed = f"[{', '.join(map(str, values))}]"
    if values.count(-1) > 1:
        report("several", node, node=node.title(), shape=listed, count=values.count(-1))
    elif min(values) < -1:
        report("negative", node, node=node.title(), shape=listed, value=min(values))
    elif -1 in values and 0 in values and node.attr("allowzero", 0) == 1:
        report("zero", node, node=node.title(), shape=listed)


# Attributes that are columns of one table: each prefix with its columns.
COLUMNS = {
    "nodes_": ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "hitrates", "missing_value_tracks_true"),
    "class_": ("treeids", "nodeids", "ids", "weights"),
    "target_": ("treeids", "nodeids", "ids", "weights"),
}  # fmt: skip
TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
LISTS = ("ints", "floats", "strings")


@check("ONX084", op=(*TREES, "LabelEncoder"))
def attribute_lengths(node: Node, report: Report) -> None:
    if node.domain != "ai.onnx.ml":
        return
    lengths = {item.name: max(len(getattr(item, name)) for name in LISTS) for item in node.proto.attribute}
    if node.op == "LabelEncoder":
        tables = [[name for name in lengths if name.startswith(("keys_", "values_")) and not name.endswith("tensor")]]
    else:
        tables = [[f"{prefix}{name}" for name in names] for prefix, names in COLUMNS.items()]
    for names in tables:
        held = [name for name in names if lengths.get(name)]
        other = next((name for name in held if lengths[name] != lengths[held[0]]), None)
        if other is not None:
            report("differ", node, node=node.title(), one=held[0], first=lengths[held[0]], other=other, second=lengths[other])
            return


CHOICES = {
    ("Pad", "mode"): ("constant", "reflect", "edge", "wrap"),
    ("Resize", "mode"): ("nearest", "linear", "cubic"),
    ("Resize", "nearest_mode"): ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"),
    ("Resize", "coordinate_transformation_mode"): (
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize",
        "tf_half_pixel_for_nn",
    ),
    ("Upsample", "mode"): ("nearest", "linear", "bilinear"),
    ("GridSample", "mode"): ("bilinear", "nearest", "bicubic", "linear", "cubic"),
    ("GridSample", "padding_mode"): ("zeros", "border", "reflection"),
    ("ScatterND", "reduction"): ("none", "add", "mul", "max", "min"),
    ("ScatterElements", "reduction"): ("none", "add", "mul", "max", "min"),
    ("DepthToSpace", "mode"): ("DCR", "CRD"),
    ("RoiAlign", "mode"): ("avg", "max"),
    ("Gelu", "approximate"): ("none", "tanh"),
    ("LSTM", "direction"): ("forward", "reverse", "bidirectional"),
    ("GRU", "direction"): ("forward", "reverse", "bidirectional"),
    ("RNN", "direction"): ("forward", "reverse", "bidirectional"),
    ("BitShift", "direction"): ("LEFT", "RIGHT"),
    **{(op, "auto_pad"): ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID") for op in PADDED},
}  # fmt: skip


@check("ONX039", op=tuple(sorted({op for op, _ in CHOICES})))
def attribute_choice(node: Node, report: Report) -> None:
    if node.domain:
        return
    for item in node.proto.attribute:
        allowed = CHOICES.get((node.op, item.name))
        if allowed is None or item.ref_attr_name or not isinstance(item.s, bytes):
            continue
        value = item.s.decode("utf-8", "replace")
        if value not in allowed:
            from difflib import get_close_matches

            close = next(iter(get_close_matches(value.lower(), [name.lower() for name in allowed], 1, 0.5)), None)
            close = next((name for name in allowed if name.lower() == close), None)
            listed = f"; did you mean `{close}`?" if close else f"; allowed: {', '.join(allowed)}"
            report("unknown", node, node=node.title(), name=item.name, value=value, advice=listed)
