"""What a fix works on, and the register of all fixes by rule and key."""

from __future__ import annotations

from collections.abc import Callable

from onnx_lsp.model.graph import Model, Scope


class FixRefused(RuntimeError):
    """The fix was not applied; the message says why."""


Fixer = Callable[..., None]
FIXES: dict[tuple[str, str], Fixer] = {}


def fix(code: str, key: str) -> Callable[[Fixer], Fixer]:
    """Registers the fix `key` of the rule `code`."""

    def register(function: Fixer) -> Fixer:
        FIXES[code, key] = function
        return function

    return register


class Draft:
    """A model under repair.

    Attributes:
        message: the ModelProto, changed in place.
        scopes: path -> the scope, as it was.
    """

    def __init__(self, model: Model) -> None:
        self.message = model.proto
        self.scopes = {scope.path: scope for scope in model.scopes}

    def scope(self, path: str) -> Scope:
        """The scope at a path, as paths were when the file was linted.

        Raises:
            FixRefused: there is none.
        """
        try:
            return self.scopes[path]
        except KeyError:
            raise FixRefused(f"the model has no `{path}`") from None

    def container(self, path: str):
        """The GraphProto or FunctionProto at a path; raises as `scope` does."""
        return self.scope(path).proto
