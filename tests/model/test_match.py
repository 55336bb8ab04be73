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


SHAPED = """
<ir_version: 8, opset_import: ["" : 18]>
g (float[N,3,8,8] x) => (float[N,3,16,16] y, float[M] z)
<float[0] roi = {}, float[4] scales = {1.0, 1.0, 2.0, 2.0}, float[70000,2] big = ["location": "none"]>
{
  a = MaxPool <kernel_shape = [3, 3], ceil_mode = 1, auto_pad = "SAME_UPPER"> (x)
  b = MaxPool <kernel_shape = [2, 2]> (x)
  y = Resize <mode = "linear"> (x, roi, scales)
  z = Flatten (b)
}
"""
TABLES = [
    ('op = "MaxPool"\nattributes = { kernel_shape = [3, 3] }', ["graph/node[0]"]),
    ('op = "MaxPool"\nattributes = { kernel_shape = [[2, 2], [5, 5]] }', ["graph/node[1]"]),
    ('attributes = { ceil_mode = 1 }', ["graph/node[0]"]),
    ('attributes = { ceil_mode = 0 }', []),
    ('op = "MaxPool"\nattributes = { auto_pad = true }', ["graph/node[0]"]),
    ('op = "MaxPool"\nattributes = { auto_pad = false }', ["graph/node[1]"]),
    ('attributes = { mode = ["linear", "cubic"] }', ["graph/node[2]"]),
    ('op = "Resize"\nattributes = { mode = "nearest" }', []),
    ('value = "input"\ndims = ["*", 3, 8, 8]', ['graph/input["x"]']),
    ('value = "input"\ndims = ["N", 3, 8, "*"]', ['graph/input["x"]']),
    ('value = "input"\ndims = ["batch", 3, 8, 8]', []),
    ('value = "input"\ndims = ["*", 3]', []),
    ('value = "output"\ndims = [1]', []),
    ('value = "weight"\ndim-above = 65536', ['graph/initializer["big"]']),
    ('value = "weight"\nbytes-above = 16\nrank-below = 2', []),
]


@pytest.mark.parametrize(("table", "places"), TABLES)
def test_a_table_finds_what_it_says(table: str, places: list[str], case, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "model"
    folder.mkdir(parents=True)
    head = 'code = "OWN001"\nname = "own"\nsummary = "A rule"\nsince = "1.0"\n'
    text = '[case.found]\nseverity = "error"\nmessage = "found"\n'
    (folder / "OWN001-own.md").write_text(f"+++\n{head}[match]\n{table}\n{text}+++\n")
    found = lint(case(SHAPED), rule_paths=(str(folder.parent),), select=("OWN",))
    assert [item.location for item in found] == places


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
