"""What a rule's check is: a function that says by its parameters what it needs, and reports by case.

    @check("EXP504")
    def names_as_string(call: ExportCall, report: Report) -> None: ...

    @check("ONX032", op="Conv")
    def conv_channels(node: Node, model: Model, shapes: Shapes, report: Report) -> None: ...

The engine runs a check as soon as the facts it names exist. The wording lives on the card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from onnx_lsp.diagnostics import Diagnostic, Fix, ModelEdit, Related, TextEdit, TextRange
from onnx_lsp.rulebook import FixText, Rulebook

Edits = tuple[TextEdit, ...] | ModelEdit


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check: its rule, its function, the facts it needs and, for node checks, the ops it looks at."""

    code: str
    function: Callable[..., None]
    needs: tuple[str, ...]
    ops: frozenset[str]


SCRIPT_CHECKS: list[Check] = []
MODEL_CHECKS: list[Check] = []


def check(code: str, op: str | tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers the check of the rule `code`; `op` limits a node check to these op types."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        needs = function.__code__.co_varnames[: function.__code__.co_argcount]
        ops = frozenset((op,) if isinstance(op, str) else op)
        registry = SCRIPT_CHECKS if {"call", "file"} & set(needs) else MODEL_CHECKS
        registry.append(Check(code, function, needs, ops))
        return function

    return register


class Report:
    """Collects the findings of one file. The engine sets `code` before it runs a check.

    `locate` turns what a check points at (a span of a script, a node or a path of a model) into a text range or a
    model path.
    """

    def __init__(
        self, rulebook: Rulebook, file: str, locate: Callable[[object], TextRange | str | None]
    ) -> None:
        self.rulebook = rulebook
        self.file = file
        self.locate = locate
        self.code = ""
        self.found: list[Diagnostic] = []

    def __call__(
        self,
        case: str,
        at: object = None,
        /,
        *,
        fixes: Mapping[str, Edits] | None = None,
        related: tuple[Related, ...] = (),
        **fields: object,
    ) -> None:
        """Reports a case of the current rule.

        Args:
            case: the case's name on the card.
            at: what the finding is about; None for the file itself.
            fixes: edits by the fix's key on the card; the first one is preferred.
            related: further places.
            **fields: the named fields of the message and of the fixes' titles.
        """
        rule = self.rulebook.rules[self.code]
        text = self.rulebook.card(self.code).cases[case]
        place = self.locate(at) if at is not None else None
        self.found.append(
            Diagnostic(
                file=self.file,
                code=rule.code,
                name=rule.name,
                severity=text.severity,
                message=text.message.format_map(fields),
                range=place if isinstance(place, TextRange) else None,
                location=place if isinstance(place, str) else None,
                fixes=tuple(
                    self._fix(text.fixes[key], key, edits, fields, preferred=number == 0)
                    for number, (key, edits) in enumerate((fixes or {}).items())
                ),
                related=related,
                card=rule.url,
            )
        )

    def related(self, at: object, message: str) -> Related:
        """A further place of this file, for `related=`."""
        place = self.locate(at)
        return Related(
            self.file,
            message,
            place if isinstance(place, TextRange) else None,
            place if isinstance(place, str) else None,
        )

    @staticmethod
    def _fix(text: FixText, key: str, edits: Edits, fields: dict, preferred: bool) -> Fix:
        title = text.title.format_map(fields)
        if isinstance(edits, ModelEdit):
            return Fix(title, text.applicability, model=edits, preferred=preferred, key=key)
        return Fix(title, text.applicability, edits=tuple(edits), preferred=preferred, key=key)
