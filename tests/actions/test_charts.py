"""Axes have a few round numbers on them, whatever is shown."""

from __future__ import annotations

import pytest

from onnx_lsp.actions.charts import LABEL, MARGIN, WIDTH, Scale, ratios
from onnx_lsp.actions.words import seconds, size


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.82, 1.03, [0.85, 0.9, 0.95, 1.0]),
        (0.4, 2.1, [0.5, 1.0, 1.5, 2.0]),
        (0.04, 20, [0.1, 1.0, 10.0]),
        (6e-5, 6e-4, [1e-4, 2e-4, 5e-4]),
    ],
)
def test_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert Scale(low, high).ticks() == pytest.approx(ticks)


def test_the_ends_of_an_axis() -> None:
    scale = Scale(0.5, 2.0)
    assert (scale.at(0.5), scale.at(2.0)) == pytest.approx((LABEL, WIDTH - MARGIN))
    assert scale.at(1.0) == pytest.approx((LABEL + WIDTH - MARGIN) / 2)


def test_a_chart_without_a_ratio_and_without_a_noise_floor_is_an_axis() -> None:
    assert ratios([], None).startswith("<svg")


def test_units() -> None:
    shown = [seconds(value) for value in (2.5, 0.9996, 0.0123, 76.4e-6, 3e-9)]
    assert shown == ["2.5 s", "1 s", "12.3 ms", "76.4 µs", "3 ns"]
    assert [size(value) for value in (12, 1300, 4_100_000, 2_500_000_000)] == ["12 B", "1.3 kB", "4.1 MB", "2.5 GB"]
