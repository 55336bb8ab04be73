"""What a model path points at, as one line of names and ops: it survives edits that move every index."""

from __future__ import annotations

from onnx_lsp.model.graph import Model

MAX_NAMES = 8


def subject(model: Model, path: str | None) -> str:
    """The item at a path as text: `y = Conv(x, w)` for a node, `initializer w` for a named part; else empty."""
    if not path:
        return ""
    node = model.by_path.get(path)
    if node is not None:
        domain = f"{node.domain}." if node.domain else ""
        return f"{_names(node.outputs)} = {domain}{node.op}({_names(node.inputs)})"
    _, _, part = path.rpartition("/")
    kind, bracket, name = part.partition('["')
    return f"{kind} {name.removesuffix(chr(34) + ']')}" if bracket else ""


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:MAX_NAMES])
    return shown if len(names) <= MAX_NAMES else f"{shown}, …"
