"""Small charts as SVG text, coloured by the page's CSS classes; no script, no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from onnx_lsp.actions.stats import Ratio, Spread

WIDTH = 640
LABEL = 220
ROW = 26


def ratios(rows: Sequence[tuple[str, Ratio | None, str]], floor: float | None) -> str:
    """Ratios with their intervals on a logarithmic scale; the shaded band is the noise floor."""
    ends = [end for _, ratio, _ in rows if ratio for end in (ratio.low, ratio.high)]
    ends += [floor, 1 / floor] if floor else []
    low, high = min(ends, default=0.9) / 1.05, max(ends, default=1.1) * 1.05
    scale = (WIDTH - LABEL - 20) / math.log(high / low)

    def at(value: float) -> float:
        return LABEL + math.log(value / low) * scale

    height = ROW * len(rows) + 24
    parts = []
    if floor:
        parts.append(_rect(at(1 / floor), 0, at(floor) - at(1 / floor), height - 20, "band"))
    parts.append(f'<line class="axis" x1="{at(1):.1f}" x2="{at(1):.1f}" y1="0" y2="{height - 20}"/>')
    parts.append(f'<text class="small" x="{at(1):.1f}" y="{height - 6}" text-anchor="middle">1</text>')
    for index, (name, ratio, verdict) in enumerate(rows):
        middle = ROW * index + ROW / 2
        parts.append(_label(name, middle))
        if ratio:
            kind = escape(verdict.replace(" ", "-"))
            ends_at = f'x1="{at(ratio.low):.1f}" x2="{at(ratio.high):.1f}"'
            parts.append(f'<line class="span {kind}" {ends_at} y1="{middle}" y2="{middle}"/>')
            parts.append(f'<circle class="dot {kind}" cx="{at(ratio.value):.1f}" cy="{middle}" r="4"/>')
    return _svg(height, parts, "ratios with 95 % intervals")


def distributions(rows: Sequence[tuple[str, Spread]], shown) -> str:
    """The distribution of run times up to p95, one strip per row, all on one scale.

    Args:
        shown: formats seconds.
    """
    low = min(spread.minimum for _, spread in rows)
    high = max(spread.histogram[-1][0] for _, spread in rows)
    scale = (WIDTH - LABEL - 20) / ((high - low) or 1e-9)
    strip = 2 * ROW
    parts = []
    for index, (name, spread) in enumerate(rows):
        bottom = strip * (index + 1) - 6
        parts.append(_label(name, bottom - ROW / 2))
        top = max(count for _, count in spread.histogram) or 1
        points = [
            f"{LABEL + (at - low) * scale:.1f},{bottom - (strip - 12) * count / top:.1f}"
            for at, count in spread.histogram
        ]
        first, last = points[0].split(",")[0], points[-1].split(",")[0]
        parts.append(f'<polygon class="area" points="{first},{bottom} {" ".join(points)} {last},{bottom}"/>')
        middle = LABEL + (spread.p50 - low) * scale
        parts.append(
            f'<line class="axis" x1="{middle:.1f}" x2="{middle:.1f}" y1="{bottom - strip + 10}" y2="{bottom}"/>'
        )
    height = strip * len(rows) + 20
    parts.append(f'<text class="small" x="{LABEL}" y="{height - 4}">{escape(shown(low))}</text>')
    parts.append(
        f'<text class="small" x="{WIDTH - 20}" y="{height - 4}" text-anchor="end">{escape(shown(high))}</text>'
    )
    return _svg(height, parts, "distribution of run times")


def bars(rows: Sequence[tuple[str, float, str]]) -> str:
    """Horizontal bars: name, value, and the text beside the bar."""
    most = max((value for _, value, _ in rows), default=0) or 1
    room = WIDTH - LABEL - 110
    parts = []
    for index, (name, value, text) in enumerate(rows):
        middle = ROW * index + ROW / 2
        parts.append(_label(name, middle))
        parts.append(_rect(LABEL, middle - 8, max(1.0, room * value / most), 16, "bar"))
        end = LABEL + room * value / most + 8
        parts.append(f'<text class="small" x="{end:.1f}" y="{middle + 4}">{escape(text)}</text>')
    return _svg(ROW * len(rows), parts, "bars")


def _label(text: str, middle: float) -> str:
    shown = text if len(text) <= 28 else text[:13] + "…" + text[-14:]
    return f'<text x="0" y="{middle + 4:.1f}">{escape(shown)}<title>{escape(text)}</title></text>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _svg(height: float, parts: Sequence[str], title: str) -> str:
    body = "".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">{body}</svg>'
