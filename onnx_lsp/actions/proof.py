"""Holds rewritten models against the original: a valid file, the same interface, the same outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from onnx_lsp.actions.bench import prepare
from onnx_lsp.actions.contest import Examined, Refusal
from onnx_lsp.actions.crew import ActionError, Crew
from onnx_lsp.actions.inputs import Prepared
from onnx_lsp.actions.providers import Provider, SessionSetup
from onnx_lsp.actions.verify import Agreement
from onnx_lsp.work.worker import ChildDied


@dataclass(frozen=True, slots=True)
class Questions:
    """What both models are asked.

    Attributes:
        sizes, given, seed: the inputs, as for `BenchRequest`; every dynamic dimension gets a second size too.
        tolerance: the largest error, as a share of the largest value of an output; None for what fits its type.
    """

    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    given: str = ""
    seed: int = 0
    threads: int = 1
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """`status` is `ok`, `invalid` (the checker or the interface), or `wrong` (it does not run, or the outputs)."""

    status: str
    reason: str = ""
    agreement: Agreement | None = None


class Proof:
    """The original, checked and run once on every set of inputs.

    Args:
        folder: where inputs and outputs are kept.

    Raises:
        ActionError: the original is invalid, takes no inputs that could be made, does not run, or answers the same
            question in two ways.
    """

    def __init__(self, crew: Crew, model: str, folder: str, asked: Questions) -> None:
        self._crew, self._model, self._folder, self._asked = crew, model, folder, asked
        self._judged = 0
        self._check_original()
        inputs = os.path.join(folder, "inputs")
        os.mkdir(inputs)
        self.prepared: Prepared = prepare(crew, model, inputs, asked.sizes, asked.given, asked.seed, second=True)
        self.cases = (*self.prepared.cases, *self.prepared.second)
        self._reference = self._reference_outputs()

    def _check_original(self) -> None:
        try:
            problem = self._crew.once(
                "onnx_lsp.actions.verify:check_candidate", original=self._model, candidate=self._model
            )
        except ChildDied as died:
            raise ActionError(f"{self._model}: the checker {died}; `onnx-lint check` says more") from None
        if problem:
            raise ActionError(f"{self._model}: the original must be valid, and {problem}; `onnx-lint check` says more")

    def _reference_outputs(self) -> tuple[str, ...]:
        seen = self._examine(self._model, "reference")
        if not isinstance(seen, Examined):
            raise ActionError(f"{self._model}: the original does not run: {why(seen)}")
        if not seen.reproducible:
            raise ActionError(f"{self._model}: two runs on the same inputs differ, so that nothing can be verified")
        return seen.outputs

    def _examine(self, model: str, name: str) -> Examined | Refusal | ChildDied:
        outputs = tuple(os.path.join(self._folder, f"{name}-{index}.npz") for index in range(len(self.cases)))
        setup = SessionSetup(model, Provider(), threads=self._asked.threads)
        feeds = tuple(case.feeds for case in self.cases)
        try:
            return self._crew.once("onnx_lsp.actions.contest:examine", setup=setup, feeds=feeds, outputs=outputs)
        except ChildDied as died:
            return died

    def judge(self, path: str) -> Judgement:
        """Whether another file is the same model."""
        try:
            problem = self._crew.once("onnx_lsp.actions.verify:check_candidate", original=self._model, candidate=path)
        except ChildDied as died:
            problem = f"the checker {died}"
        if problem:
            return Judgement("invalid", problem)
        self._judged += 1
        seen = self._examine(path, f"outputs{self._judged}")
        if not isinstance(seen, Examined):
            return Judgement("wrong", f"it does not run: {why(seen)}")
        agreement = self._crew.once(
            "onnx_lsp.actions.verify:compare",
            reference=self._reference,
            candidate=seen.outputs,
            cases=tuple(case.label for case in self.cases),
            tolerance=self._asked.tolerance,
        )
        if agreement.equal:
            return Judgement("ok", "", agreement)
        worst = agreement.worst
        return Judgement("wrong", f"output `{worst.output}` {worst.reason} at {worst.case}", agreement)


def why(seen: Refusal | ChildDied) -> str:
    """Why a model did not run."""
    return seen.reason if isinstance(seen, Refusal) else f"the child {seen}"
