"""The terminal, JSON and HTML say the same, and a page needs no network."""

from __future__ import annotations

import argparse
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import onnx
import pytest

from onnx_lsp.actions import report_html, report_json, report_text
from onnx_lsp.actions.bench import BenchReport, BenchRequest, bench
from onnx_lsp.actions.optimize import OptimizeReport, OptimizeRequest, optimize
from onnx_lsp.actions.proof import Questions
from onnx_lsp.actions.providers import Provider
from onnx_lsp.actions.report_rewrite import render_rewrite
from onnx_lsp.actions.rewrite import RewriteReport, verify
from onnx_lsp.cli import bench as bench_command
from onnx_lsp.cli import optimize as optimize_command
from tests.actions.conftest import SHORT, write_mlp

pytestmark = pytest.mark.slow


def _quiet(text: str, share: float) -> None:
    pass


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory) -> BenchReport:
    mlp = write_mlp(tmp_path_factory.mktemp("benched") / "mlp.onnx")
    request = BenchRequest((str(mlp),), (Provider(), Provider("CUDA"), Provider("CPU", options=())), plan=SHORT)
    return bench(request, _quiet)


@pytest.fixture(scope="module")
def optimized(tmp_path_factory: pytest.TempPathFactory) -> OptimizeReport:
    mlp = write_mlp(tmp_path_factory.mktemp("optimized") / "mlp.onnx")
    request = OptimizeRequest(str(mlp), goal="portability", pipelines=(("onnxoptimizer",), ("nonsense",)), plan=SHORT)
    return optimize(request, _quiet)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> RewriteReport:
    mlp = str(write_mlp(tmp_path_factory.mktemp("compared") / "mlp.onnx"))
    other = mlp.replace("mlp.onnx", "other.onnx")
    changed = onnx.load(mlp)
    changed.graph.node[2].op_type = "Sigmoid"
    onnx.save(changed, other)
    return verify(mlp, other, Questions(), _quiet, None)


class _Page(HTMLParser):
    """Collects tags and what they refer to, and checks that they nest."""

    VOID = frozenset({"meta", "line", "polygon"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.tags.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_bench_reports_agree(benched: BenchReport) -> None:
    text = report_text.render_bench(benched)
    data = json.loads(report_json.render(benched))
    page = report_html.render(benched)
    result = data["measured"]["results"][1]
    shown = f"{result['ratio']['value']:.3f}"
    assert (data["kind"], data["schema"]) == ("bench", 1)
    assert shown in text and shown in page
    p50 = report_text.seconds(result["times"]["p50"])
    assert p50 in text and p50 in page
    assert "noise floor" in text.lower() and "noise floor" in page.lower()
    assert "has no provider `CUDA`" in text and "has no provider `CUDA`" in page
    assert "\x1b" not in text


def test_optimize_reports_agree(optimized: OptimizeReport) -> None:
    text = report_text.render_optimize(optimized)
    data = json.loads(report_json.render(optimized))
    page = report_html.render(optimized)
    assert data["kind"] == "optimize"
    for shown in (optimized.verdict, "there is no stage `nonsense`", "Identity"):
        assert shown in text and shown in page.replace("&#x27;", "'")
    assert data["chosen"] == 0 and data["written"].endswith("mlp.opt.onnx")


def test_comparisons_agree(compared: RewriteReport) -> None:
    text = render_rewrite(compared)
    data = json.loads(report_json.render(compared))
    page = report_html.render(compared)
    difference = f"{data['judgement']['agreement']['worst']['absolute']:.2g}"
    for shown in (difference, "is not the same model: output `y` differs by", "Sigmoid"):
        assert shown in text and shown in page


def test_pages_are_self_contained(benched: BenchReport, optimized: OptimizeReport, compared: RewriteReport) -> None:
    for report in (benched, optimized, compared):
        text = report_html.render(report)
        page = _Page(text)
        assert not page.open
        assert not page.references
        assert not re.search(r"https?:|url\(|@import|<script", text)
        assert "svg" in page.tags


def test_names_are_escaped(benched: BenchReport) -> None:
    from dataclasses import replace

    item = replace(benched.contestants[0], model="<b>&.onnx", reason="<i>bad</i>")
    text = report_html.render(replace(benched, contestants=(item, *benched.contestants[1:])))
    assert "<b>&" not in text and "<i>" not in text


def _run(module, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    return module.run(parser.parse_args(arguments))


FAST = ("--seconds", "3", "--precision", "50")


def test_the_bench_command(mlp: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    page = tmp_path / "report.html"
    assert _run(bench_command, "bench", str(mlp), *FAST, "--json", "--html", str(page)) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["kind"] == "bench"
    assert output.err == ""
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert _run(bench_command, "bench", str(mlp), *FAST, "--ep", "CPU", "--ep", "CUDA", "--no-profile") == 1
    assert "refused: CUDA" in capsys.readouterr().out


def test_the_optimize_command(mlp: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = (str(mlp), *FAST, "--for", "portability", "--pass", "eliminate_identity")
    assert _run(optimize_command, "optimize", *arguments) == 0
    output = capsys.readouterr().out
    assert "onnxoptimizer is better for portability" in output
    assert (mlp.parent / "mlp.opt.onnx").exists()
    assert _run(optimize_command, "optimize", *arguments) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.onnx",), "nowhere.onnx: there is no such file"),
        (("{model}", "--dim", "batch"), "a dimension is written `batch=1,8`"),
        (("{model}", "--ep", "=x"), "which provider?"),
    ],
)
def test_bad_arguments_are_one_line(mlp: Path, capsys: pytest.CaptureFixture, arguments: tuple, message: str) -> None:
    assert _run(bench_command, "bench", *(item.format(model=mlp) for item in arguments)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_remembered_sizes(mlp: Path, capsys: pytest.CaptureFixture) -> None:
    (mlp.parent / "onnx-lint.toml").write_text('[dims]\nbatch = "2,3"\n')
    assert _run(bench_command, "bench", str(mlp), *FAST, "--no-profile") == 0
    assert "batch=3" in capsys.readouterr().out
    assert _run(bench_command, "bench", str(mlp), *FAST, "--no-profile", "--dim", "batch=2,4", "--remember") == 0
    assert "batch=4" in capsys.readouterr().out
    assert (mlp.parent / "onnx-lint.toml").read_text() == '[dims]\nbatch = "2,4"\n'
