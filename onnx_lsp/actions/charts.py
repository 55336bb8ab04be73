"""Charts as SVG text: no script, no network, coloured by the page's CSS classes (`s0`, `s1`, … are the contestants)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from onnx_lsp.actions.stats import Ratio, Spread

WIDTH, LABEL, MARGIN = 920, 230, 16
ROW, BAR, GAP, STRIP = 30, 16, 14, 54
TEXT_ROOM = 170  # beside a bar
SHOWN_LABEL = 28
SERIES = 6
WIDE = 8.0  # from this ratio of largest to smallest on, the ticks are decades and their parts
FEW_TICKS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its series (a colour), its value, and the text beside or in it."""

    series: int
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis from `low` to `high` over the room right of the labels."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands, in pixels."""
        return LABEL + (WIDTH - LABEL - MARGIN) * math.log(value / self.low) / (math.log(self.high / self.low) or 1.0)

    def ticks(self) -> list[float]:
        """A few round values between the ends."""
        if self.high / self.low > WIDE:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1, 2, 5) if len(decades) <= 3 else (1,)
            found = [step * 10.0**decade for decade in decades for step in steps]
        else:
            step = _round_step((self.high - self.low) / FEW_TICKS)
            found = [step * index for index in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high]


def _round_step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def ratios(rows: Sequence[tuple[str, Ratio, str]], floor: float | None) -> str:
    """Ratios with their intervals; the shaded band is the noise floor."""
    ends = [end for _, ratio, _ in rows for end in (ratio.low, ratio.high)]
    ends += [floor, 1 / floor] if floor else []
    scale = Scale(min([*ends, 0.99]) / 1.03, max([*ends, 1.01]) * 1.03)
    bottom = ROW * len(rows) + 6
    parts = []
    if floor:
        left, right = scale.at(1 / floor), scale.at(floor)
        parts.append(_rect(left, 0, right - left, bottom, "noise", f"noise floor ±{floor - 1:.1%}"))
    parts += _axis(scale, bottom, lambda value: f"{value:g}")
    parts.append(_line(scale.at(1), scale.at(1), 0, bottom, "one"))
    for index, (name, ratio, verdict) in enumerate(rows):
        middle = ROW * index + ROW / 2 + 3
        kind = verdict.split(" ")[0].lower()
        told = f"{name}: {ratio.value:.3f} ({ratio.low:.3f} – {ratio.high:.3f}), {verdict}"
        parts.append(_label(name, middle))
        parts.append(_line(scale.at(ratio.low), scale.at(ratio.high), middle, middle, f"span {kind}"))
        place = f'cx="{scale.at(ratio.value):.1f}" cy="{middle:.1f}" r="5"'
        parts.append(f'<circle class="dot {kind}" {place}>{_title(told)}</circle>')
    return _svg(bottom + 22, parts, "ratios to the baseline with 95 % intervals")


def distributions(rows: Sequence[tuple[str, int, Spread]], shown: Callable[[float], str]) -> str:
    """The distribution of run times up to p95, a strip per contestant, on one axis; the line is the median.

    Args:
        rows: name, series and times.
        shown: formats seconds.
    """
    low = min(spread.minimum for _, _, spread in rows)
    high = max(spread.histogram[-1][0] for _, _, spread in rows)
    scale = Scale(low / 1.02, high * 1.02)
    bottom = STRIP * len(rows) + 4
    parts = _axis(scale, bottom, shown)
    for index, (name, series, spread) in enumerate(rows):
        base = STRIP * (index + 1)
        parts.append(_label(name, base - STRIP / 3))
        parts.append(_ridge(spread, scale, base, series))
        middle = scale.at(spread.p50)
        parts.append(_line(middle, middle, base - STRIP + 8, base, "median"))
        parts.append(_text(middle + 6, base - STRIP + 17, f"p50 {shown(spread.p50)}", "small"))
    return _svg(bottom + 22, parts, "distribution of run times")


def _ridge(spread: Spread, scale: Scale, base: float, series: int) -> str:
    top = max(count for _, count in spread.histogram) or 1
    points = [(scale.at(at), base - (STRIP - 12) * count / top) for at, count in spread.histogram]
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(points[0][0], base), *points, (points[-1][0], base)])
    return f'<polygon class="area s{series % SERIES}" points="{outline}"/>'


def bars(rows: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Groups of horizontal bars: a label per group, and a text beside each bar."""
    most = max((bar.value for _, group in rows for bar in group), default=0) or 1
    room = WIDTH - LABEL - TEXT_ROOM
    parts, top = [], 4.0
    for name, group in rows:
        parts.append(_label(name, top + (BAR + 2) * len(group) / 2 - 1))
        for bar in group:
            width = room * bar.value / most
            if bar.value:
                parts.append(_rect(LABEL, top, max(1.5, width), BAR, f"s{bar.series % SERIES}", f"{name}: {bar.text}"))
            parts.append(_text(LABEL + width + 7, top + BAR - 4, bar.text, "small"))
            top += BAR + 2
        top += GAP if len(group) > 1 else GAP / 2
    return _svg(top, parts, "bars")


def stacked(rows: Sequence[tuple[str, Sequence[Bar], str]], share: bool = False) -> str:
    """One bar per row, made of parts; the text in the end says what they make together.

    Args:
        share: every bar is as long as the others, and its parts are shares.
    """
    totals = [sum(bar.value for bar in group) or 1 for _, group, _ in rows]
    room = WIDTH - LABEL - TEXT_ROOM
    parts = []
    for index, ((name, group, text), total) in enumerate(zip(rows, totals)):
        left, top = float(LABEL), ROW * index + 5
        parts.append(_label(name, top + BAR / 2 + 1))
        for bar in group:
            width = room * bar.value / (total if share else max(totals))
            told = f"{name}: {bar.text}"
            parts.append(_rect(left, top, max(0.5, width), BAR + 2, f"s{bar.series % SERIES}", told))
            left += width
        parts.append(_text(left + 7, top + BAR - 2, text, "small"))
    return _svg(ROW * len(rows) + 4, parts, "stacked bars")


def legend(names: Sequence[str]) -> str:
    """The colours of the series, as HTML."""
    items = (f'<span class="key k{index % SERIES}">{escape(name)}</span>' for index, name in enumerate(names))
    return f'<p class="legend">{"".join(items)}</p>'


def _axis(scale: Scale, bottom: float, shown: Callable[[float], str]) -> list[str]:
    parts = []
    for value in scale.ticks():
        x = scale.at(value)
        parts += [_line(x, x, 0, bottom, "grid"), _text(x, bottom + 16, shown(value), "small tick")]
    return parts


def _label(text: str, middle: float) -> str:
    half = SHOWN_LABEL // 2
    shown = text if len(text) <= SHOWN_LABEL else f"{text[: half - 1]}…{text[-half:]}"
    return f'<text x="0" y="{middle + 4:.1f}">{escape(shown)}{_title(text)}</text>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _line(x1: float, x2: float, y1: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def _rect(x: float, y: float, width: float, height: float, kind: str, told: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{kind}" {place} rx="2">{_title(told)}</rect>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _svg(height: float, parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
