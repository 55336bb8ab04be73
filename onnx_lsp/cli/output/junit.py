"""JUnit XML as CI servers read it: one test suite per linted file, one failed test case per finding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from onnx_lsp.cli.output import Context, concise, shown_path
from onnx_lsp.diagnostics import Diagnostic

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def render(findings: list[Diagnostic], context: Context) -> str:
    """The findings, and a passed test for every file without one."""
    by_file = {path: list(items) for path, items in groupby(findings, key=lambda item: shown_path(item.file))}
    files = sorted({*by_file, *(shown_path(path) for path in context.files)})
    failures = len(findings)
    tests = sum(max(1, len(by_file.get(path, ()))) for path in files)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites name="onnx-lint" tests="{tests}" failures="{failures}">',
    ]
    for path in files:
        lines += _suite(path, by_file.get(path, []), context)
    return "\n".join([*lines, "</testsuites>"])


def _suite(path: str, items: list[Diagnostic], context: Context) -> Iterator[str]:
    yield f'  <testsuite name={_attribute(path)} tests="{max(1, len(items))}" failures="{len(items)}">'
    if not items:
        yield f'    <testcase name="onnx-lint" classname={_attribute(path)}/>'
    for item in items:
        line = f' line="{context.lines(item)[0]}"' if item.range else ""
        yield f"    <testcase name={_attribute(f'{item.code} {item.name}')} classname={_attribute(path)}{line}>"
        text = escape(FORBIDDEN.sub("�", concise.line(item)))
        kind = item.severity.label
        yield f'      <failure message={_attribute(item.message)} type="{kind}">{text}</failure>'
        yield "    </testcase>"
    yield "  </testsuite>"


def _attribute(text: str) -> str:
    return quoteattr(FORBIDDEN.sub("�", text))
