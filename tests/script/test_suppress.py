"""Comments that take findings away."""

from __future__ import annotations

import pytest

from tests.script.helpers import codes, lint

CALL = """torch.onnx.export(
    m,
    x,
    "m.onnx",
    opset_version=11,{inside}
){after}
"""
SUPPRESSED = {
    "on the line": {"inside": "  # onnx-lint: ignore[EXP301]"},
    "on the last line of the statement": {"after": "  # onnx-lint: ignore[EXP301]"},
    "by name": {"after": "  # onnx-lint: ignore[opset-not-guaranteed]"},
    "by prefix": {"after": "  # onnx-lint: ignore[EXP3]"},
    "among others": {"after": "  # onnx-lint: ignore[EXP301, FIL010, EXP101]"},
    "everything": {"after": "  # noqa: E501  # onnx-lint: ignore"},
    "on the line above": {"above": "# onnx-lint: ignore[EXP301]\n"},
    "two lines above": {"above": "# onnx-lint: ignore[EXP301]\n# for the old phone\n\n"},
    "for the file": {"top": "# onnx-lint: ignore-file[EXP301]\n"},
    "for the file, below": {"bottom": "# onnx-lint: ignore-file[EXP301]\n"},
    "above the first statement": {"top": "# onnx-lint: ignore[EXP301]\n\n"},
}
KEPT = {
    "nothing": {},
    "another rule": {"after": "  # onnx-lint: ignore[EXP206]"},
    "another statement": {"bottom": "y = 1  # onnx-lint: ignore[EXP301]\n"},
    "in a string": {"bottom": "y = '# onnx-lint: ignore-file'\n"},
    "another tool": {"after": "  # noqa"},
}


def text(top: str = "", above: str = "", inside: str = "", after: str = "", bottom: str = "") -> str:
    return f"{top}import torch\n{above}{CALL.format(inside=inside, after=after)}{bottom}"


@pytest.mark.parametrize("parts", SUPPRESSED.values(), ids=SUPPRESSED)
def test_suppressed(parts: dict[str, str]) -> None:
    assert "EXP301" not in [code for code, _ in codes(lint(text(**parts)))]


@pytest.mark.parametrize("parts", KEPT.values(), ids=KEPT)
def test_kept(parts: dict[str, str]) -> None:
    assert "EXP301" in [code for code, _ in codes(lint(text(**parts)))]
