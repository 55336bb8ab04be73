"""Pairs up the items of two sequences, as a diff of lines does: in order, anchored on what is unique in both."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

MAX_PRODUCT = 40_000  # of two lengths, up to which a stretch without anchors is compared item by item

Pairs = list[tuple[int, int]]


def align(left: Sequence[Hashable], right: Sequence[Hashable]) -> Pairs:
    """Pairs of positions whose keys are equal, in order in both (the idea of patience diff)."""
    pairs: Pairs = []
    stretches = [(0, len(left), 0, len(right))]
    while stretches:
        a, a_end, b, b_end = stretches.pop()
        while a < a_end and b < b_end and left[a] == right[b]:
            pairs.append((a, b))
            a, b = a + 1, b + 1
        while a < a_end and b < b_end and left[a_end - 1] == right[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
            pairs.append((a_end, b_end))
        if a == a_end or b == b_end:
            continue
        anchors = _anchors(left, right, a, a_end, b, b_end)
        if not anchors:
            pairs += _item_by_item(left, right, a, a_end, b, b_end)
            continue
        for x, y in anchors:
            stretches.append((a, x, b, y))
            pairs.append((x, y))
            a, b = x + 1, y + 1
        stretches.append((a, a_end, b, b_end))
    return sorted(pairs)


def _anchors(left, right, a: int, a_end: int, b: int, b_end: int) -> Pairs:
    """The longest increasing run of pairs whose keys occur once on each side."""
    many_left, many_right = Counter(left[a:a_end]), Counter(right[b:b_end])
    place = {right[y]: y for y in range(b, b_end) if many_right[right[y]] == 1}
    pairs = [(x, place[left[x]]) for x in range(a, a_end) if many_left[left[x]] == 1 and left[x] in place]
    tops: list[int] = []  # the last `y` of the best run of each length
    ends: list[int] = []
    before: list[int] = []
    for number, (_, y) in enumerate(pairs):
        length = bisect_left(tops, y)
        before.append(ends[length - 1] if length else -1)
        if length == len(tops):
            tops.append(y)
            ends.append(number)
        else:
            tops[length], ends[length] = y, number
    run: Pairs = []
    at = ends[-1] if ends else -1
    while at >= 0:
        run.append(pairs[at])
        at = before[at]
    return run[::-1]


def _item_by_item(left, right, a: int, a_end: int, b: int, b_end: int) -> Pairs:
    if (a_end - a) * (b_end - b) > MAX_PRODUCT:
        return []
    blocks = SequenceMatcher(None, left[a:a_end], right[b:b_end], autojunk=False).get_matching_blocks()
    return [(a + x + step, b + y + step) for x, y, size in blocks for step in range(size)]
