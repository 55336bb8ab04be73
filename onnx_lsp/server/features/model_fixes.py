"""The command that repairs a model: no WorkspaceEdit can touch a binary file, so the child writes it back."""

from __future__ import annotations

from contextlib import aclosing

from lsprotocol import types

from onnx_lsp.diagnostics import ModelEdit
from onnx_lsp.server.app import OnnxServer
from onnx_lsp.server.documents import path_of
from onnx_lsp.work.worker import ChildDied

APPLY_MODEL_FIX = "onnx-lint.applyModelFix"
REFUSED = "failed: FixRefused: "  # how a child says that a fix does not fit; the rest is for people


def register(server: OnnxServer) -> None:
    """Adds the command."""
    server.command(APPLY_MODEL_FIX)(apply_model_fix)


async def apply_model_fix(ls: OnnxServer, uri: str, edit: dict) -> bool:
    """Applies one fix to the model `uri`, unless the file changed since it was linted; says so if it cannot."""
    path = path_of(uri)
    wanted = ModelEdit(edit["code"], edit["key"], edit["at"], _frozen(edit["arguments"]), edit["digest"])
    settings = ls.configuration.resolve(path)
    result = None
    try:
        async with (
            ls.models.children.one(settings) as child,
            aclosing(child.steps("fix_model", path=path, edits=[wanted], write=True)) as steps,
        ):
            async for result in steps:
                pass
    except ChildDied as death:
        _tell(ls, f"{path} was not changed: {str(death).removeprefix(REFUSED)}")
        return False
    ls.model_changed(path)
    return bool(result and result.written)


def _frozen(value: object) -> object:
    """JSON has no tuples: what was one is a list now."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _tell(ls: OnnxServer, message: str) -> None:
    ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"onnx-lint: {message}"))
