"""What calls inside `forward` give, and which of them an exporter minds: torch's functions, methods and modules."""

from __future__ import annotations

from onnx_lsp.script import kinds
from onnx_lsp.script.eval_state import Layer
from onnx_lsp.script.grammar import Node
from onnx_lsp.script.kinds import CONST, DIM, EACH, PLAIN, SHAPE, TUPLE, UNKNOWN, Kind

# Functions and methods after which dim 0 is still the batch.
KEEP_BATCH = frozenset(
    "abs add add_ sub sub_ mul mul_ div div_ pow sqrt rsqrt exp log neg sin cos tanh sigmoid relu relu_ relu6 "
    "gelu silu leaky_relu elu hardswish hardsigmoid hardtanh softplus mish clamp clamp_ clip contiguous clone detach to "
    "float half double type type_as cuda cpu dropout layer_norm group_norm batch_norm instance_norm linear conv1d conv2d "
    "conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d "
    "avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool2d interpolate pad embedding grid_sample "
    "masked_fill masked_fill_ softmax log_softmax normalize".split()
)
# Methods and functions of tensors that give no tensor.
PYTHON = frozenset(
    "dim ndimension nelement element_size is_floating_point is_complex get_device data_ptr stride is_contiguous "
    "storage storage_offset equal allclose is_same_size type is_tensor is_grad_enabled numel is_signed is_inference "
    "is_nonzero broadcast_shapes result_type can_cast finfo iinfo device dtype Size no_grad enable_grad inference_mode "
    "autocast manual_seed get_default_dtype is_autocast_enabled".split()
)
# Give a pair when they are told a dim.
PAIRS = frozenset("max min median nanmedian sort topk mode kthvalue cummax cummin".split())
FACTORIES = frozenset("zeros ones empty full rand randn arange eye linspace tensor".split())
DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
NAMESPACES = ("torch", "torch.nn.functional", "torch.linalg", "torch.special", "torch.fft")
RESHAPES = ("view", "reshape")
SIZED = (*RESHAPES, "expand", "repeat", "tile", "new_zeros", "new_ones", "new_empty")
# Modules that need more than opset 7, by the function that does the same.
AS_FUNCTION = {
    "Unfold": "unfold", "Fold": "fold", "RMSNorm": "rms_norm", "MaxUnpool2d": "max_unpool2d", "Bilinear": "bilinear",
    "ChannelShuffle": "channel_shuffle", "FractionalMaxPool2d": "fractional_max_pool2d", "CELU": "celu",
    "CTCLoss": "ctc_loss", "AdaptiveMaxPool2d": "adaptive_max_pool2d", "Threshold": "threshold", "RReLU": "rrelu",
}  # fmt: skip


def layer_result(walk, layer: Layer, given, node: Node, scope) -> Kind:
    """What calling a module of `torch.nn` gives."""
    if not layer.callee.startswith("torch.nn."):
        return UNKNOWN
    name = layer.callee.rpartition(".")[2]
    if name in AS_FUNCTION:
        walk.event("call", node, scope, f"torch.nn.functional.{AS_FUNCTION[name]}")
    first = given.positional[0] if given.positional else given.keywords.get("input", UNKNOWN)
    if not first.is_tensor:
        return UNKNOWN
    if name in ("LSTM", "GRU", "RNN", "MultiheadAttention"):
        return Kind(TUPLE, items=(kinds.tensor(), UNKNOWN))
    if layer.atom.keywords.get("return_indices") is not None:
        return Kind(TUPLE, items=(kinds.tensor(), kinds.tensor()))
    return kinds.tensor(first.batch and name not in ("Flatten", "Unflatten", "Fold", "Unfold"))


def tensor_attribute(base: Kind, name: str) -> Kind:
    """An attribute of a tensor."""
    if name == "shape":
        return Kind(SHAPE, batch=base.batch)
    if name in ("T", "mT", "H", "real", "imag", "grad"):
        return kinds.tensor()
    if name == "data":
        return base
    return PLAIN if name in ("ndim", "dtype", "device", "is_cuda", "requires_grad", "layout") else UNKNOWN


def tensor_method(walk, base: Kind, name: str, given, node: Node, scope) -> Kind:
    """What a method of a tensor gives."""
    first = given.positional[0] if given.positional else given.keywords.get("dim", UNKNOWN)
    if name == "size":
        if not given.positional and not given.keywords:
            return Kind(SHAPE, batch=base.batch)
        return Kind(DIM, batch=base.batch and first.name == CONST and first.value == 0)
    if name in ("item", "tolist"):
        walk.event("number", node, scope, f".{name}()")
        return UNKNOWN
    if name == "numpy":
        walk.event("array", node, scope, ".numpy()")
        return UNKNOWN
    if name in PYTHON:
        return kinds.tensor(base.batch) if name == "type" and given.positional else UNKNOWN
    if name in SIZED:
        look_at_sizes(walk, base if name in RESHAPES else UNKNOWN, given.positional, 0, given, node, scope)
    walk.event("call", node, scope, f".{name}")
    return _result(name, base, given.positional, given.keywords)


def _result(name: str, first: Kind, rest: list[Kind], keywords: dict[str, Kind]) -> Kind:
    """The tensor, or the pair of tensors, that a function of this name gives."""
    if name in PAIRS and ("dim" in keywords or (rest and not rest[0].is_tensor) or name in ("sort", "topk")):
        return Kind(TUPLE, items=(kinds.tensor(), kinds.tensor()))
    if name in ("unsqueeze", "flatten", "squeeze"):
        axis = rest[0] if rest else keywords.get("dim", keywords.get("start_dim", UNKNOWN))
        return kinds.tensor(first.batch and axis.name == CONST and type(axis.value) is int and axis.value > 0)
    if name in RESHAPES:
        dims = rest[0].items if rest and rest[0].name == TUPLE else rest
        return kinds.tensor(first.batch and bool(dims) and dims[0].name == DIM and dims[0].batch)
    return kinds.tensor(first.batch and name in KEEP_BATCH)


def torch_call(walk, text: str, given, node: Node, scope) -> Kind:
    """What calling something imported, or a builtin, gives."""
    if text in BUILTINS:
        return BUILTINS[text](walk, given, node, scope)
    namespace, _, name = text.rpartition(".")
    if namespace not in NAMESPACES or name in PYTHON or not name[:1].islower():
        return UNKNOWN
    if name in DROPOUTS:
        _look_at_dropout(walk, namespace, name, given, node, scope)
    if name in FACTORIES:
        look_at_sizes(walk, UNKNOWN, given.positional, 0, given, node, scope)
        return kinds.tensor()
    first = given.positional[0] if given.positional else given.keywords.get("input", UNKNOWN)
    tensors = [kind for kind in (*given.positional, *given.keywords.values()) if _holds_tensor(kind)]
    if not tensors:
        return UNKNOWN
    if name == "reshape":
        look_at_sizes(walk, first, given.positional, 1, given, node, scope)
    walk.event("call", node, scope, text)
    return _result(name, first, given.positional[1:], given.keywords)


def _holds_tensor(kind: Kind) -> bool:
    return kind.is_tensor or (kind.name == TUPLE and any(item.is_tensor for item in kind.items))


def _look_at_dropout(walk, namespace: str, name: str, given, node: Node, scope) -> None:
    """A dropout whose `training` is left at True; `torch.dropout` has no default for it."""
    if given.open:
        return
    training = given.keywords.get("training", given.keywords.get("train"))
    if training is None and len(given.positional) > 2:
        training = given.positional[2]
    amount = given.keywords.get("p", given.positional[1] if len(given.positional) > 1 else UNKNOWN)
    if amount.name == CONST and amount.value == 0:
        return
    live = training is None if namespace.endswith("functional") else False
    if live or (training is not None and training.name == CONST and training.value is True):
        walk.event("dropout", node, scope, scope.self_name)


def look_at_sizes(walk, base: Kind, sizes: list[Kind], start: int, given, node: Node, scope) -> None:
    """Sizes that only fit the batch of the example: a number made of it, or in a reshape the number itself."""
    nodes = [given.nodes.get(number, node) for number in range(start, len(sizes))]
    sizes = sizes[start:]
    if len(sizes) == 1 and sizes[0].name == TUPLE:
        inner = [child for child in nodes[0].named_children if child.type != "comment"]
        nodes = inner if len(inner) == len(sizes[0].items) else [node] * len(sizes[0].items)
        sizes = list(sizes[0].items)
    for place, size in zip(nodes, sizes, strict=True):
        if size.name == DIM and size.frozen:
            walk.event("frozen-size", place, scope, " ".join(scope.source.of(place).split())[:40])
            return
    if base.batch and sizes and nodes[0].type == "integer" and sizes[0].value == walk.batch and len(sizes) > 1:
        if any(node.type == "binary_operator" for node in nodes[1:]):
            return  # the batch may have gone into another dim: `x.view(1, batch * channels, height, width)`
        walk.event("literal-size", nodes[0], scope, str(sizes[0].value))


# Builtins


def _number(walk, given, node: Node, scope) -> Kind:
    kind = given.positional[0] if given.positional else UNKNOWN
    if kind.is_tensor:
        walk.event("number", node, scope, scope.source.of(node.child_by_field_name("function")) + "(…)")
    return Kind(DIM, frozen=kind.batch or kind.frozen) if kind.name == DIM else UNKNOWN


def _bool(walk, given, node: Node, scope) -> Kind:
    if given.positional and given.positional[0].is_tensor:
        walk.event("branch", node, scope, "bool(…)")
    return UNKNOWN


def _len(walk, given, node: Node, scope) -> Kind:
    kind = given.positional[0] if given.positional else UNKNOWN
    return Kind(DIM, frozen=kind.batch) if kind.is_tensor else PLAIN


def _range(walk, given, node: Node, scope) -> Kind:
    if any(kind.name == DIM and kind.batch for kind in given.positional):
        walk.event("loop", node, scope, " ".join(scope.source.of(node).split())[:40])
    return UNKNOWN


def _same(walk, given, node: Node, scope) -> Kind:
    return given.positional[0] if given.positional else UNKNOWN


def _enumerate(walk, given, node: Node, scope) -> Kind:
    from onnx_lsp.script.forward_syntax import elements

    inner = elements(given.positional[0]) if given.positional else UNKNOWN
    return Kind(EACH, items=(Kind(TUPLE, items=(PLAIN, inner)),))


def _zip(walk, given, node: Node, scope) -> Kind:
    from onnx_lsp.script.forward_syntax import elements

    return Kind(EACH, items=(Kind(TUPLE, items=tuple(elements(kind) for kind in given.positional)),))


def _abs(walk, given, node: Node, scope) -> Kind:
    return given.positional[0] if given.positional and given.positional[0].is_tensor else UNKNOWN


BUILTINS = {
    "int": _number,
    "float": _number,
    "bool": _bool,
    "len": _len,
    "range": _range,
    "abs": _abs,
    "list": _same,
    "tuple": _same,
    "reversed": _same,
    "enumerate": _enumerate,
    "zip": _zip,
}
