"""`--dim` and the sizes it stands for: text in, numbers out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

MAX_CASES = 16


def parse_dims(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Reads `NAME=1,8` and `NAME=16..512` (doubled from the first to the last); NAME may be `input:axis`.

    Raises:
        ValueError: a text is not of that form.
    """
    return dict(_parse(text) for text in texts)


def chosen(remembered: Mapping[str, str], asked: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The sizes to use: those that are asked for, and for other dimensions those that the configuration remembers.

    Raises:
        ValueError: a remembered text is not of that form, or the sizes make too many combinations.
    """
    found = {**parse_dims(f"{name}={text}" for name, text in remembered.items()), **asked}
    sweep(found)
    return found


def _parse(text: str) -> tuple[str, tuple[int, ...]]:
    name, equals, values = text.partition("=")
    try:
        sizes = tuple(size for part in values.split(",") for size in _sizes(part))
    except ValueError:
        sizes = ()
    if not (name and equals and sizes and min(sizes) >= 0):
        raise ValueError(f"`{text}`: a dimension is written `batch=1,8` or `seq=16..512`")
    return name, tuple(dict.fromkeys(sizes))


def _sizes(part: str) -> list[int]:
    low, dots, high = part.partition("..")
    if not dots:
        return [int(part)]
    first, last = int(low), int(high)
    if first < 1 or last < first:
        raise ValueError
    found = [first]
    while found[-1] * 2 <= last:
        found.append(found[-1] * 2)
    return found if found[-1] == last else [*found, last]


def sweep(dims: Mapping[str, tuple[int, ...]]) -> list[dict[str, int]]:
    """Every combination of the sizes, in order.

    Raises:
        ValueError: more than `MAX_CASES`.
    """
    cases = [dict(zip(dims, sizes)) for sizes in itertools.product(*dims.values())]
    if len(cases) > MAX_CASES:
        raise ValueError(
            f"the dimensions make {len(cases)} combinations; {MAX_CASES} is the most that is measured at once"
        )
    return cases


def label(sizes: Mapping[str, int]) -> str:
    """`batch=1 seq=16`, or `default sizes`."""
    return " ".join(f"{name}={size}" for name, size in sizes.items()) or "default sizes"
