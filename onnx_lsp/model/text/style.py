"""How much of a model its text shows."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Weights(enum.Enum):
    """What stands for the data of a big tensor, besides its type and size."""

    NONE = "none"  # nothing: no weight is read
    DIGEST = "digest"  # a hash of its bytes
    PLACE = "place"  # the file and byte range where it lies


@dataclass(frozen=True, slots=True)
class Style:
    """How much is shown.

    Attributes:
        weights: what stands for big tensors.
        metadata: show doc strings, metadata, names of tensors inside attributes.
        values: how many values of a small tensor or of an attribute are shown before the rest is left out.
        characters: how much of one string is shown.
        items: how many lines one list (nodes, initializers, value infos) gets before the rest is folded.
    """

    weights: Weights = Weights.NONE
    metadata: bool = False
    values: int = 32
    characters: int = 200
    items: int = 100_000


EVERYTHING = 1 << 62
VIEW = Style()
FULL = Style(Weights.PLACE, True, EVERYTHING, EVERYTHING, EVERYTHING)
