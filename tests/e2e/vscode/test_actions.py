"""Optimising and benchmarking in a real VS Code, on real models and real providers."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time

import pytest
from playwright.sync_api import expect

from onnx_lsp.actions.report_text import seconds
from tests.actions.conftest import children
from tests.actions.exports import EXPORTS
from tests.actions.plugins import libraries
from tests.e2e.vscode.processes import servers_in
from tests.e2e.vscode.test_vscode import workspace_settings
from tests.models import real_models

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the plugin wheels used here are for Linux"),
]
VAD = "silero_vad_16k_op15.onnx"
PROMPT = 5.0  # seconds from a click on Cancel until nothing is left: the server's own 1 s, and the editor's way to it
LONG = 180_000  # milliseconds for an optimisation on a busy machine


@pytest.fixture
def folder(repository, tmp_path):
    """A workspace with a real model, one that ggml's provider crashes on, and one with a fault, to see the server live."""
    place = tmp_path / "project"
    place.mkdir()
    shutil.copy(next(path for path in real_models() if path.name.endswith(VAD)), place / VAD)
    shutil.copy(repository / "examples" / "classifier.onnx", place)
    EXPORTS["kv_cache"](place / "kv_cache.onnx")
    return place


def test_the_report_of_two_providers_has_the_numbers_of_its_data_and_cancelling_leaves_nothing(open_folder, folder):
    workspace_settings(folder, {"onnx-lint.measuringTime": 4})
    window = opened(open_folder, folder)
    window.run("ONNX: Benchmark…")
    window.choose("Which model?", VAD)
    window.check("On which providers?", "Another provider…")
    window.type("Another provider", f"nxrt={libraries()['nxrt']}")
    window.choose("At which sizes", "batch")
    window.type("Sizes of batch", "1,4")
    window.choose("At which sizes", "Measure at these sizes")
    page = window.webview()
    expect(page.locator("h1")).to_contain_text(VAD)
    window.run("ONNX: Save Report…")
    window.save_as("Save the report", str(folder / "report.json"))
    report = saved(folder / "report.json")
    assert [item["status"] for item in report["contestants"]] == ["ok", "ok"]
    assert report["cases"] == ["batch=1", "batch=4"]
    assert len(report["measured"]["results"]) == 4
    for result in report["measured"]["results"]:
        for name in ("p50", "p90", "p99"):
            expect(page.locator("td").get_by_text(seconds(result["times"][name]), exact=True).first).to_be_attached()

    (server,) = servers_in(folder)
    idle = children(server)  # those that lint
    workspace_settings(folder, {"onnx-lint.measuringTime": 600})
    window.run("ONNX: Benchmark…")
    window.choose("Which model?", VAD)
    window.check("On which providers?")  # those of the last time
    expect(window.choice("batch")).to_contain_text("1,4")
    window.choose("At which sizes", "batch")
    window.type("Sizes of batch", "")
    window.choose("At which sizes", "Measure at these sizes")
    expect(window.progress("Benchmark of")).to_contain_text("round")
    assert children(server) - idle
    window.progress("Benchmark of").get_by_role("button", name="Cancel").click()
    wait_until(lambda: children(server) <= idle, PROMPT)
    expect(window.progress("Benchmark of")).to_have_count(0)
    assert servers_in(folder) == [server]


def test_a_provider_that_crashes_is_reported_and_the_editor_lives_on(open_folder, folder):
    workspace_settings(folder, {"onnx-lint.measuringTime": 4})
    window = opened(open_folder, folder)
    (server,) = servers_in(folder)
    window.context_menu("kv_cache.onnx", "ONNX", "Optimize and Benchmark…")
    window.check("On which providers?", "Another provider…")
    window.type("Another provider", f"ggml={libraries()['ggml']}")
    window.choose("At which sizes", "Measure at these sizes")
    page = window.webview()
    expect(page.locator("h1").first).to_contain_text("kv_cache.onnx", timeout=LONG)
    expect(page.locator("body")).to_contain_text("SIGSEGV")
    window.run("ONNX: Save Report…")
    window.save_as("Save the report", str(folder / "report.json"))
    report = saved(folder / "report.json")
    assert {item["provider"]["name"]: item["status"] for item in report["bench"]["contestants"]} == {
        "CPU": "ok",
        "ggml": "died",
    }
    assert servers_in(folder) == [server]
    (folder / "classifier.onnx").write_bytes(b"")
    expect(window.problem("FIL002")).to_be_visible()


def opened(open_folder, folder):
    """The window, once the server has found the fault of the third model."""
    window = open_folder(folder)
    window.show_problems()
    expect(window.problem("ONX010")).to_be_visible()
    return window


def saved(path) -> dict:
    """The data of a report, once it is written."""
    wait_until(lambda: path.exists() and os.path.getsize(path), 10)
    return json.loads(path.read_text())


def wait_until(condition, patience: float) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
