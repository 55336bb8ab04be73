"""Rules of users: the company policy of the docs, card by card, on a model that breaks and on one that keeps it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onnx_lsp.model.match import MatchError, validate
from tests.model.conftest import lint

DOCS = Path(__file__).parents[2] / "docs" / "company-policy.md"
CARD = re.compile(r"^```toml card=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BROKEN = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[N,2] x, bool c) => (float[1,1,1,N,2] y)
<float[2,2] w = {1.0, 2.0, 3.0, 4.0}, int64[3] axes = {0, 1, 2}>
{
  z = If (c) <then_branch = t () => (float[N,2] a) { a = MatMul(x, w) }, else_branch = e () => (float[N,2] b) { b = Erf(x) }>
  y = Unsqueeze(z, axes)
}
"""
KEPT = """
<ir_version: 8, opset_import: ["" : 17], model_version: 2, metadata_props: ["owner": "vision"]>
g (float[1,2] x) => (float[1,2] y)
{
  y = Relu(x)
}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The cards of the docs, as files."""
    folder = tmp_path / "policy" / "model"
    folder.mkdir(parents=True)
    for name, text in CARD.findall(DOCS.read_text()):
        (folder / f"{name}.md").write_text(text)
    return tmp_path / "policy"


def test_a_policy_of_cards_finds_what_breaks_it(case, policy: Path) -> None:
    found = lint(case(BROKEN), rule_paths=(str(policy),), select=("NPU",))
    assert [(item.code, item.location) for item in found] == [
        ("NPU005", None),
        ("NPU003", 'graph/initializer["w"]'),
        ("NPU001", 'graph/input["x"]'),
        ("NPU002", "graph/node[0]"),
        ("NPU002", "graph/node[0].else_branch/node[0]"),
        ("NPU004", "graph/node[1]"),
    ]
    assert "`model_version`, `owner`" in found[0].message


def test_a_model_that_keeps_the_policy_is_quiet(case, policy: Path) -> None:
    assert not lint(case(KEPT), rule_paths=(str(policy),), select=("NPU",))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"opp": ["Relu"]}, "did you mean `op`"),
        ({"op": ["Relu"], "rank-above": 4}, "all of one kind"),
        ({"rank-above": 4}, "`value` must be one of"),
        ({}, "needs conditions"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(table: dict, said: str) -> None:
    with pytest.raises(MatchError, match=said):
        validate(table)
