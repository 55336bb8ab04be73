"""Models open as text in a real VS Code, with every fault on its line."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow


def test_a_model_opens_as_text_and_a_fault_is_repaired_on_its_line(open_folder, repository, tmp_path):
    model = tmp_path / "project" / "classifier.onnx"
    model.parent.mkdir()
    shutil.copy(repository / "examples" / "classifier.onnx", model)
    window = open_folder(model.parent)
    window.show_problems()
    expect(window.problem("[Ln 1, Col 1]")).to_contain_text("ONX010")
    window.explore("classifier.onnx", shown_as="classifier.onnx.onnxtxt")
    expect(window.squiggles("error")).to_have_count(1)
    expect(window.problem("ONX010")).to_have_count(1)
    expect(window.problem("ONX010")).to_contain_text("[Ln 24, Col 3]")
    before = model.read_bytes()
    window.light_bulb("ONX010", "Read `logits` in place of `logit`")
    expect(window.line("Softmax")).to_contain_text("(logits)")
    expect(window.squiggles("error")).to_have_count(0)
    expect(window.problem("ONX010")).to_have_count(0)
    assert model.read_bytes() != before
