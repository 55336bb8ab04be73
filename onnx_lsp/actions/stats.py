"""Ratios of run times and their intervals: pure functions over plain numbers.

The unit that is drawn again is first the *generation* (one set of freshly started children) and then the round inside
it: two processes of one model can differ for as long as they live, so rounds of one pair of processes are not
independent evidence (Kalibera and Jones, "Rigorous benchmarking in reasonable time", ISMM 2013).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, median

RESAMPLES = 1000
CLOCK = 1e-9  # seconds; what a clock cannot tell from nothing
MINIMUM_FLOOR = math.log(1.01)  # a difference of under 1 % is never claimed, however quiet the control was


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of times with its 95 % interval; under 1 is faster than the baseline."""

    value: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half the width of the interval, as a factor above 1 minus 1."""
        return math.sqrt(self.high / self.low) - 1


@dataclass(frozen=True, slots=True)
class Spread:
    """Absolute run times in seconds."""

    runs: int
    minimum: float
    p50: float
    p90: float
    p99: float
    mad: float
    histogram: tuple[tuple[float, int], ...]


def ratio(generations: Sequence[Sequence[float]], level: float = 0.95, seed: int = 0) -> Ratio | None:
    """The ratio behind log-ratios per generation and round, with a bootstrap interval over both.

    A few generations make a bootstrap too narrow; the interval is widened by what Student's t has over the normal
    distribution at that many generations, and by sqrt(n / (n - 1)). One generation gives no interval: None.
    """
    groups = [list(group) for group in generations if group]
    count = len(groups)
    if count < 2:
        return None
    generator = random.Random(seed)
    center = fmean(median(group) for group in groups)
    drawn = sorted(
        fmean(median(generator.choices(group, k=len(group))) for group in generator.choices(groups, k=count))
        for _ in range(RESAMPLES)
    )
    tail = (1 - level) / 2
    low, high = drawn[int(tail * RESAMPLES)], drawn[-1 - int(tail * RESAMPLES)]
    widen = student(1 - tail, count - 1) / NormalDist().inv_cdf(1 - tail) * math.sqrt(count / (count - 1))
    return Ratio(
        math.exp(center), math.exp(center - (center - low) * widen), math.exp(center + (high - center) * widen)
    )


def median_ratio(logs: Sequence[float], level: float = 0.95) -> Ratio | None:
    """The ratio behind one log-ratio per generation: the median, which a few disturbed generations do not move.

    The interval lies between two of the observations and assumes nothing about their distribution (the sign test); it
    takes six of them for 95 %. None where there are fewer.
    """
    ordered, count = sorted(logs), len(logs)
    outside, rank = 0.5**count, 0
    while 2 * outside <= 1 - level:
        rank += 1
        outside += math.comb(count, rank) * 0.5**count
    if not rank:
        return None
    return Ratio(*(math.exp(value) for value in (median(ordered), ordered[rank - 1], ordered[-rank])))


def student(probability: float, freedom: int) -> float:
    """The quantile of Student's t: exact for 1 and 2 degrees of freedom, else Abramowitz and Stegun 26.7.5."""
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:
        alpha = 4 * probability * (1 - probability)
        return 2 * (probability - 0.5) * math.sqrt(2 / alpha)
    z = NormalDist().inv_cdf(probability)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))


def floor_of(control: Ratio | None) -> float | None:
    """The noise floor: how far the control's interval reaches from 1 on its worse side, as a factor above 1."""
    if control is None:
        return None
    return math.exp(max(abs(math.log(control.low)), abs(math.log(control.high)), MINIMUM_FLOOR))


def verdict(found: Ratio | None, floor: float | None) -> str:
    """`faster`, `slower` or `no difference`: a claim only where the interval lies wholly outside the noise floor."""
    if found is None or floor is None:
        return "not enough rounds"
    if found.high < 1 / floor:
        return "faster"
    return "slower" if found.low > floor else "no difference"


def spread(samples: Sequence[float], bins: int = 48) -> Spread:
    """Percentiles, median absolute deviation and a histogram of run times in seconds.

    The histogram reaches up to p95, in bins of equal ratio: a few slow runs do not hide the shape of the others.
    """
    ordered = sorted(max(sample, CLOCK) for sample in samples)
    middle = median(ordered)
    low, high = ordered[0], quantile(ordered, 0.95)
    width = math.log(high / low) / bins or 1e-9
    counts = [0] * bins
    for value in ordered:
        if value <= high:
            counts[min(bins - 1, int(math.log(value / low) / width))] += 1
    histogram = tuple((low * math.exp(width * (index + 0.5)), count) for index, count in enumerate(counts))
    deviation = median(abs(value - middle) for value in ordered)
    return Spread(len(ordered), low, middle, quantile(ordered, 0.9), quantile(ordered, 0.99), deviation, histogram)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of the sorted values lies (nearest rank)."""
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
