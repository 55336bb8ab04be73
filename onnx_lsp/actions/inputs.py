"""What to feed a model: inputs that fit its types, its sizes and the way it uses them. Runs in a child.

A size that nobody gave is guessed from the dimension's name, and then tried: the CPU provider is the judge.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from onnx_lsp.actions import arrays, dims
from onnx_lsp.actions.providers import Provider, Refused, SessionSetup, first_line, open_session, runtime_errors
from onnx_lsp.actions.values import Hints, hints_of, make

MAX_TRIALS = 200
TRIED_SIZES = (8, 32, 64, 128, 256, 512, 576, 1024, 1, 2, 3, 4, 16, 224, 160, 320, 640, 1280, 4096, 16000)
GUESSES = (
    (("batch", "_n_", "bs"), 1),
    (("past",), 8),
    (("channel",), 3),
    (("height", "width", "image", "_h_", "_w_"), 64),
    (("total", "mask"), 24),
    (("seq", "time", "length", "len", "token", "frame", "samples", "sequence"), 16),
)
DEFAULT_SIZE = 8
FIRST_AXIS_SIZE = 1  # a first axis whose name says nothing is nearly always the batch


@dataclass(frozen=True, slots=True)
class Input:
    """One graph input: its onnxruntime type (`tensor(float)`) and its dimensions (a size, or a dimension's name)."""

    name: str
    type: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One set of inputs: the sizes of all dynamic dimensions, and the file with the arrays."""

    label: str
    sizes: tuple[tuple[str, int], ...]
    feeds: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The inputs of a model, ready to be fed. `notes` say what was assumed."""

    inputs: tuple[Input, ...]
    cases: tuple[Case, ...]
    second: tuple[Case, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """No inputs could be made that the model takes; the message says why and what to give."""

    message: str


def prepare(
    model: str, folder: str, wanted: Mapping[str, tuple[int, ...]], given: str = "", seed: int = 0, second: bool = False
) -> Iterator[Prepared | Problem]:
    """Makes the inputs of a model and writes them into `folder`.

    Args:
        wanted: sizes per dimension; every combination becomes a case.
        given: an `.npz` file with the inputs, by name; nothing is made up then.
        second: also make cases in which each dynamic dimension has another size.
    """
    try:
        session, _, _ = open_session(SessionSetup(model, Provider(), threads=1))
        maker = _Maker(model, session, folder, seed)
        if given:
            yield maker.given(given)
            return
        yield maker.all(wanted, second)
    except (Refused, ValueError) as error:
        yield Problem(str(error))


class _Maker:
    """Makes, tries and writes inputs for one open model."""

    def __init__(self, model: str, session, folder: str, seed: int) -> None:
        self.session = session
        self.folder = folder
        self.seed = seed
        self.inputs = tuple(_input(value) for value in session.get_inputs())
        self.names = list(dict.fromkeys(dim for item in self.inputs for dim in item.shape if isinstance(dim, str)))
        self.hints: dict[str, Hints] = hints_of(model)
        self.fitted: dict[str, int] = {}
        self.full = True  # lengths say that sequences are used to their end

    def given(self, path: str) -> Prepared:
        import numpy

        try:
            stored = dict(numpy.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise ValueError(f"`{path}` cannot be read: {error}") from None
        missing = [item.name for item in self.inputs if item.name not in stored]
        if missing:
            raise ValueError(f"`{path}` has no array for {', '.join(f'`{name}`' for name in missing)}")
        feed = {item.name: stored[item.name] for item in self.inputs}
        if problem := self._try(feed):
            raise ValueError(f"the model does not take the arrays of `{path}`: {problem}")
        case = Case(os.path.basename(path), (), self._write("given", feed))
        return Prepared(self.inputs, (case,))

    def all(self, wanted: Mapping[str, tuple[int, ...]], second: bool) -> Prepared:
        unknown = [name for name in wanted if name not in self.names]
        notes = tuple(f"there is no dynamic dimension `{name}`; there are {self._known()}" for name in unknown)
        known = {name: sizes for name, sizes in wanted.items() if name in self.names}
        cases = []
        for index, chosen in enumerate(dims.sweep(known)):
            sizes = self._fit(chosen)
            cases.append(Case(dims.label(chosen), tuple(sizes.items()), self._write(f"case{index}", self._feed(sizes))))
        guessed = [f"{name}={size}" for name, size in cases[0].sizes if name not in known]
        if guessed:
            notes += (f"sizes chosen here: {' '.join(guessed)} (give others with --dim)",)
        prepared = Prepared(self.inputs, tuple(cases), (), notes)
        return self._with_second(prepared) if second else prepared

    def _known(self) -> str:
        return ", ".join(f"`{name}`" for name in self.names) or "none"

    def _with_second(self, prepared: Prepared) -> Prepared:
        """Adds one case per dynamic dimension with another size of it, where the model takes one."""
        base = dict(prepared.cases[0].sizes)
        cases, single = [], []
        for index, name in enumerate(self.names):
            sizes = next((other for other in _others(name, base) if not self._try(self._feed(other))), None)
            if sizes is None:
                single.append(name)
                continue
            changed = {name: size for name, size in sizes.items() if size != base[name]}
            path = self._write(f"second{index}", self._feed(sizes))
            cases.append(Case(dims.label(changed), tuple(sizes.items()), path))
        notes = prepared.notes
        if single:
            notes += (f"only one size of {', '.join(f'`{name}`' for name in single)} runs with the others as they are",)
        return replace(prepared, second=tuple(cases), notes=notes)

    def _fit(self, chosen: Mapping[str, int]) -> dict[str, int]:
        """Sizes the model runs with: the chosen ones, and for the rest what was found before, a guess, or a search."""
        free = [name for name in self.names if name not in chosen]
        first = {item.shape[0] for item in self.inputs if item.shape}
        start = {name: self.fitted.get(name, _guess(name, name in first)) for name in free}
        if not self._try(self._feed({**chosen, **start})):
            return self._remember(chosen, start)
        self.full = False
        problem = self._try(self._feed({**chosen, **start}))
        if not problem:
            return self._remember(chosen, start)
        for trial in _trials(free, start, first):
            if not self._try(self._feed({**chosen, **trial})):
                return self._remember(chosen, trial)
        advice = (
            f"give sizes with --dim for {self._known()}, or arrays with --inputs" if self.names else "give --inputs"
        )
        raise ValueError(f"no inputs were found that the model takes ({problem}); {advice}")

    def _remember(self, chosen: Mapping[str, int], found: dict[str, int]) -> dict[str, int]:
        self.fitted = found
        return {name: chosen.get(name, found.get(name, 0)) for name in self.names}

    def _feed(self, sizes: Mapping[str, int]) -> dict[str, object]:
        shapes = {
            item.name: tuple(sizes.get(dim, DEFAULT_SIZE) if isinstance(dim, str) else dim for dim in item.shape)
            for item in self.inputs
        }
        inner = {dim for item in self.inputs for dim in item.shape[1:] if isinstance(dim, str)}
        length = max((sizes.get(name, DEFAULT_SIZE) for name in inner), default=1) if self.full else 1
        feed = {}
        for item in self.inputs:
            hints = replace(self.hints.get(item.name, Hints()), length=length)
            seed = zlib.crc32(item.name.encode()) + self.seed
            feed[item.name] = make(item.name, item.type, shapes[item.name], hints, seed)
        return feed

    def _try(self, feed: dict[str, object]) -> str:
        try:
            self.session.run(None, feed)
        except runtime_errors() as error:
            return first_line(error)
        return ""

    def _write(self, name: str, feed: dict[str, object]) -> str:
        path = os.path.join(self.folder, f"{name}.npz")
        arrays.save(path, feed)
        return path


def _input(value) -> Input:
    shape = (dim if isinstance(dim, int) else dim or f"{value.name}:{axis}" for axis, dim in enumerate(value.shape))
    return Input(value.name, value.type, tuple(shape))


def _guess(name: str, is_first: bool) -> int:
    lowered = f"_{name.lower()}_"
    for words, size in GUESSES:
        if any(word in lowered for word in words):
            return size
    return FIRST_AXIS_SIZE if is_first else DEFAULT_SIZE


def _others(name: str, base: dict[str, int]) -> Iterator[dict[str, int]]:
    """Other sizes of one dimension: alone, or together with those of equal size (which may have to stay equal)."""
    size = base[name]
    tied = [other for other in base if base[other] == size]
    for other in dict.fromkeys((size + 1, size * 2, size + 7, max(1, size // 2))):
        if other != size:
            yield {**base, name: other}
            yield {**base, **dict.fromkeys(tied, other)}


def _trials(free: list[str], start: dict[str, int], first: set[int | str]) -> Iterator[dict[str, int]]:
    """Other sizes to try: all 1 or 2; then per size one dimension (the others as guessed, or 1), or all inner ones."""
    ones = dict.fromkeys(free, 1)
    inner = [name for name in free if name not in first]
    plans = [ones, dict.fromkeys(free, 2)]
    for size in TRIED_SIZES:
        plans += [{**base, name: size} for base in (start, ones) for name in free]
        plans.append({**start, **dict.fromkeys(inner, size)})
    yield from plans[:MAX_TRIALS]
