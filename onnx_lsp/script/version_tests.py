"""Conditions on the installed torch: whether they hold for the version that a script is judged against.

    holds(source, condition, (2, 13))    True, False, or None where that is not known

Understood are a comparison of `torch.__version__` with a literal, however it is parsed, a name that this file binds to
one, and a name that says it: `is_torch_less_than_1_11`.
"""

from __future__ import annotations

import re

from onnx_lsp.script.operators import COMPARE
from onnx_lsp.script.source import Source
from onnx_lsp.script.torch_api import Version

COMPARISON = re.compile(r"(?P<left>.*?)\s*(?P<operator><=|>=|<|>)\s*(?P<right>.*)", re.DOTALL)
# "2.5", "2.5.1+cpu", (2, 5)
LITERAL = re.compile(r"[\"'(\[]\s*(\d+)\s*[.,]\s*(\d+)")
SAYING = re.compile(r"torch_(?:is_)?(less|lt|greater_or_equal|ge|gte)(?:_than)?(?:_v)?_(\d+)_(\d+)$", re.IGNORECASE)
NAMED = re.compile(r"torch\w*?_?v?\d|torch_(?:less|greater|newer|older)", re.IGNORECASE)


def holds(source: Source, condition: str, torch: Version) -> bool | None:
    """Whether a condition holds under this version of torch."""
    text = condition.strip().strip("()") if condition.startswith("(") else condition.strip()
    if text.startswith("not "):
        inner = holds(source, text[4:], torch)
        return None if inner is None else not inner
    if text.isidentifier():
        bound = bound_to(source, text)
        if bound is not None:
            return _compared(bound, torch)
        said = SAYING.search(text)
        return None if said is None else COMPARE["<" if said[1].lower() in ("less", "lt") else ">="](torch, _number(said, 2))
    return _compared(text, torch)


def _compared(text: str, torch: Version) -> bool | None:
    found = COMPARISON.fullmatch(text)
    if found is None or "torch" not in found["left"] or "version" not in found["left"] or re.search(r"\b(?:and|or)\b", text):
        return None
    literal = None if "torch" in found["right"] else LITERAL.search(found["right"])
    return None if literal is None else COMPARE[found["operator"]](torch, _number(literal, 1))


def _number(found: re.Match, group: int) -> Version:
    return int(found[group]), int(found[group + 1])


def bound_to(source: Source, name: str) -> str | None:
    """What this file assigns to a name, when it does so once."""
    pattern = re.compile(rb"^[ \t]*" + re.escape(name.encode()) + rb"[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
    found = [match.end() for match in pattern.finditer(source.data)]
    if len(found) != 1:
        return None
    node = source.node_at(found[0] - 1, found[0])
    right = node.parent.child_by_field_name("right") if node is not None and node.parent is not None else None
    return " ".join(source.of(right).split()) if right is not None else None


def says_version(source: Source, text: str, words: tuple[str, ...]) -> bool:
    """A name in a condition is bound to something with one of these words, or speaks of a version of torch."""
    names = set(re.findall(r"[^\W\d]\w*", text))
    return len(names) <= 12 and any(
        NAMED.search(name) or any(word in (bound_to(source, name) or "").lower() for word in words) for name in names
    )
