"""Tensors: the shapes of those that scripts make as example inputs, and what methods do to a shape."""

from __future__ import annotations

from collections.abc import Callable

from onnx_lsp.script.grammar import Node
from onnx_lsp.script.state import Frame, contents
from onnx_lsp.script.values import UNKNOWN, Const, Seq, Tensor, Value, const

SAME_SHAPE = frozenset(
    "to cuda cpu float half double bfloat16 long int bool byte short type type_as contiguous detach clone "
    "requires_grad_ "
    "pin_memory normal_ uniform_ fill_ zero_ random_ abs exp sigmoid tanh clamp mul add sub div mul_ add_ sub_ div_ "
    "astype copy round neg sin cos xpu npu share_memory_ data".split()
)


def sizes(values: list[Value], frame: Frame) -> tuple[Value, ...] | None:
    """The dims that `(*sizes)` or `((sizes))` say; None when their number is not known."""
    if len(values) == 1:
        flat = contents(values[0], frame.state.heap).only
        if isinstance(flat, Seq):
            return None if flat.open else flat.items
        if not isinstance(flat, Const) or type(flat.value) is not int:
            return None
    return tuple(values)


def _factory(most: int | None = None, keyword: str = "size", library: str = "torch") -> Callable:
    """A function that takes dims: all its positional arguments (torch), or the first (numpy)."""

    def construct(flow, given, node: Node, frame: Frame) -> Value:
        named = given.keywords.get(keyword)
        taken = [named] if named is not None else given.positional[:most]
        return Value((Tensor(sizes(taken, frame) if taken and not given.open else None, node, library),))

    return construct


def _randint(flow, given, node: Node, frame: Frame) -> Value:
    """`randint(high, size)`, `randint(low, high, size)`."""
    named = given.keywords.get("size")
    found = named if named is not None else (given.positional[-1] if len(given.positional) > 1 else None)
    atom = contents(found, frame.state.heap).only if found is not None else None
    return Value((Tensor(sizes([found], frame) if isinstance(atom, Seq) else None, node),))


def _full(flow, given, node: Node, frame: Frame) -> Value:
    found = given.get(0, "size")
    return Value((Tensor(sizes([found], frame) if found is not None else None, node),))


def _like(flow, given, node: Node, frame: Frame) -> Value:
    atom = given.positional[0].only if given.positional else None
    return Value((Tensor(atom.shape if isinstance(atom, Tensor) else None, node),))


def _from_data(library: str) -> Callable:
    """`torch.tensor([[…], …])`: the shape of the nested lists; of an array, the array's."""

    def construct(flow, given, node: Node, frame: Frame) -> Value:
        data = given.positional[0] if given.positional else given.keywords.get("data", UNKNOWN)
        atom = contents(data, frame.state.heap).only
        if isinstance(atom, Tensor):
            return Value((Tensor(atom.shape, node, library),))
        shape: list[Value] | None = []
        while isinstance(atom, Seq):
            if atom.open:
                shape = None
                break
            shape.append(const(len(atom.items), atom.node))
            atom = contents(atom.items[0], frame.state.heap).only if atom.items else Const(0)
        known = shape is not None and isinstance(atom, Const)
        return Value((Tensor(tuple(shape) if known else None, node, library),))

    return construct


def _legacy_tensor(flow, given, node: Node, frame: Frame) -> Value:
    """`torch.Tensor(2, 3)` is a size, `torch.Tensor([2, 3])` is data."""
    if len(given.positional) == 1 and isinstance(contents(given.positional[0], frame.state.heap).only, Seq):
        return _from_data("torch")(flow, given, node, frame)
    return _factory()(flow, given, node, frame)


def _same(flow, given, node: Node, frame: Frame) -> Value | None:
    atom = given.positional[0].only if given.positional else None
    return Value((atom,)) if isinstance(atom, Tensor) else None


def _one_dim(library: str) -> Callable:
    def construct(flow, given, node: Node, frame: Frame) -> Value:
        return Value((Tensor((UNKNOWN,), node, library),))

    return construct


def _joined(flow, given, node: Node, frame: Frame) -> Value:
    return Value((Tensor(None, node),))


def tensor_attribute(atom: Tensor, name: str, node: Node) -> Value:
    """`shape`, `data`, `T` and `ndim` of a tensor."""
    if name == "shape":
        return UNKNOWN if atom.shape is None else Value((Seq("tuple", atom.shape, node, atom.open),))
    if name == "ndim" and atom.shape is not None and not atom.open:
        return const(len(atom.shape), node)
    return Value((atom,)) if name == "data" else UNKNOWN


OF_ANY = ("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor")


def of_any(name: str, given, node: Node, frame: Frame) -> Value:
    """What a method gives that only tensors have, called on something of which nothing else is known."""
    if name in ("unsqueeze", "unsqueeze_"):
        axis = given.get(0, "dim")
        shape = (const(1, node),) if axis is not None and axis.constant == 0 else None
        return Value((Tensor(shape, node, open=True),))
    if name in ("new_zeros", "new_ones", "new_empty"):
        return Value((Tensor(sizes(given.positional, frame), node),))
    if name in ("view", "reshape"):
        shape = _viewed((), given, node, frame)
        return UNKNOWN if shape is None else Value((Tensor(shape, node),))
    return Value((Tensor(None, node),)) if name in ("new_full", "new_tensor") else UNKNOWN


def tensor_method(atom: Tensor, name: str, given, node: Node, frame: Frame) -> Value:
    """What a method of a tensor gives, as far as its shape goes."""
    if name in SAME_SHAPE:
        return Value((Tensor(atom.shape, atom.node, atom.library, atom.open),))
    if name == "numpy":
        return Value((Tensor(atom.shape, node, "numpy", atom.open),))
    if name in ("size", "dim", "ndimension"):
        return _size(atom, name, given, node)
    if name in OF_ANY or atom.shape is None or atom.open:
        return of_any(name, given, node, frame)
    shape = SHAPES[name](atom.shape, given, node, frame) if name in SHAPES else None
    if name in SHAPES or name in ("transpose", "permute", "expand", "repeat", "flatten", "squeeze", "mean", "sum"):
        return Value((Tensor(shape, node, atom.library),))
    return UNKNOWN


def _size(atom: Tensor, name: str, given, node: Node) -> Value:
    if atom.shape is None:
        return UNKNOWN
    if name != "size" and not atom.open:
        return const(len(atom.shape), node)
    axis = given.get(0, "dim")
    if name != "size" or axis is None:
        return UNKNOWN if atom.open else Value((Seq("tuple", atom.shape, node),))
    at = axis.constant
    return atom.shape[at] if type(at) is int and -len(atom.shape) <= at < len(atom.shape) else UNKNOWN


def _unsqueezed(shape: tuple, given, node: Node, frame: Frame) -> tuple | None:
    axis = given.get(0, "dim")
    at = axis.constant if axis else ...
    if type(at) is not int or not -len(shape) - 1 <= at <= len(shape):
        return None
    at = at if at >= 0 else at + len(shape) + 1
    return (*shape[:at], const(1, node), *shape[at:])


def _viewed(shape: tuple, given, node: Node, frame: Frame) -> tuple | None:
    wanted = sizes(given.positional, frame)
    if wanted is None:
        return None
    return tuple(UNKNOWN if dim.constant == -1 else dim for dim in wanted)


def _permuted(shape: tuple, given, node: Node, frame: Frame) -> tuple | None:
    axes = [axis.constant for axis in sizes(given.positional, frame) or ()]
    whole = len(axes) == len(shape) and all(type(axis) is int and -len(shape) <= axis < len(shape) for axis in axes)
    return tuple(shape[axis] for axis in axes) if whole else None


SHAPES: dict[str, Callable] = {
    "unsqueeze": _unsqueezed,
    "unsqueeze_": _unsqueezed,
    "view": _viewed,
    "reshape": _viewed,
    "permute": _permuted,
}

TENSOR_CALLS: dict[str, Callable] = {
    **{f"torch.{name}": _factory() for name in ("randn", "rand", "zeros", "ones", "empty")},
    **{f"torch.{name}_like": _like for name in ("randn", "rand", "zeros", "ones", "empty", "full", "randint")},
    **{f"torch.{name}": _joined for name in ("cat", "stack", "concat", "eye")},
    **{f"numpy.{name}": _factory(1, "shape", "numpy") for name in ("zeros", "ones", "empty")},
    "torch.Tensor": _legacy_tensor,
    "torch.FloatTensor": _legacy_tensor,
    "torch.LongTensor": _legacy_tensor,
    "torch.full": _full,
    "torch.randint": _randint,
    "torch.tensor": _from_data("torch"),
    "torch.as_tensor": _from_data("torch"),
    "torch.from_numpy": _from_data("torch"),
    "torch.arange": _one_dim("torch"),
    "torch.linspace": _one_dim("torch"),
    "torch.randperm": _one_dim("torch"),
    "torch.autograd.Variable": _same,
    "torch.nn.Parameter": _same,
    "numpy.array": _from_data("numpy"),
    "numpy.asarray": _from_data("numpy"),
    "numpy.random.randn": _factory(None, "size", "numpy"),
    "numpy.random.rand": _factory(None, "size", "numpy"),
    "numpy.random.random": _factory(1, "size", "numpy"),
}

