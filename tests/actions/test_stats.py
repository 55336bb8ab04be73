"""Intervals cover what they should, and a claim needs more than luck."""

from __future__ import annotations

import math
import random

import pytest

from onnx_lsp.actions import stats
from onnx_lsp.actions.stats import Ratio


@pytest.mark.parametrize(
    ("probability", "freedom", "table"),
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 3, 3.182),
        (0.975, 4, 2.776),
        (0.975, 9, 2.262),
        (0.975, 30, 2.042),
    ],
)
def test_student_is_that_of_the_tables(probability: float, freedom: int, table: float) -> None:
    assert stats.student(probability, freedom) == pytest.approx(table, rel=0.01)


def _noisy(generator: random.Random, generations: int, effect: float, process: float = 0.02) -> list[list[float]]:
    """Log-ratios of two processes that differ for as long as they live, with outliers, as on a shared machine."""
    groups = []
    for _ in range(generations):
        bias = generator.gauss(0, process)
        groups.append(
            [effect + bias + generator.gauss(0, 0.05) * (10 if generator.random() < 0.05 else 1) for _ in range(12)]
        )
    return groups


@pytest.mark.slow
@pytest.mark.parametrize("generations", [2, 3, 5, 10])
def test_the_interval_covers_the_truth(generations: int) -> None:
    generator = random.Random(generations)
    covered = 0
    for trial in range(150):
        found = stats.ratio(_noisy(generator, generations, math.log(0.9)), seed=trial)
        covered += found.low <= 0.9 <= found.high
    assert covered >= 0.9 * 150


@pytest.mark.slow
@pytest.mark.parametrize("generations", [2, 3, 5, 10])
def test_a_model_against_itself_is_hardly_ever_faster(generations: int) -> None:
    generator = random.Random(100 + generations)
    claims = 0
    for trial in range(200):
        floor = stats.floor_of(stats.ratio(_noisy(generator, generations, 0.0), seed=trial))
        claims += stats.verdict(stats.ratio(_noisy(generator, generations, 0.0), seed=trial), floor) != "no difference"
    assert claims <= 0.05 * 200


def test_a_real_gain_is_found() -> None:
    generator = random.Random(1)
    floor = stats.floor_of(stats.ratio(_noisy(generator, 6, 0.0)))
    assert stats.verdict(stats.ratio(_noisy(generator, 6, math.log(0.8))), floor) == "faster"
    assert stats.verdict(stats.ratio(_noisy(generator, 6, math.log(1.3))), floor) == "slower"


def test_one_generation_claims_nothing() -> None:
    assert stats.ratio([[0.1, 0.1]]) is None
    assert stats.verdict(None, 1.01) == "not enough rounds"


@pytest.mark.parametrize(("count", "low", "high"), [(6, 1, 6), (8, 1, 8), (10, 2, 9), (12, 3, 10), (20, 6, 15)])
def test_the_interval_of_a_median_is_that_of_the_tables(count: int, low: int, high: int) -> None:
    found = stats.median_ratio([math.log(value) for value in range(count, 0, -1)])
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_five_creations_claim_nothing() -> None:
    assert stats.median_ratio([0.1] * 5) is None
    assert stats.median_ratio([]) is None


def test_the_floor_is_never_under_one_percent() -> None:
    assert stats.floor_of(Ratio(1.0, 1.0, 1.0)) == pytest.approx(1.01)
    assert stats.floor_of(Ratio(1.0, 0.8, 1.05)) == pytest.approx(1.25)
    assert stats.floor_of(None) is None


def test_spread() -> None:
    spread = stats.spread([float(value) for value in range(1, 101)])
    assert (spread.minimum, spread.p50, spread.p90, spread.p99, spread.mad) == (1, 50.5, 90, 99, 25)
    assert sum(count for _, count in spread.histogram) == 95
    assert stats.spread([1.0]).p99 == 1.0
