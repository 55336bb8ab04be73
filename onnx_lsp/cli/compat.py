"""`onnx-lint compat`: which target runs which operator of a model, and what would have to change."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from html import escape
from typing import TYPE_CHECKING

from onnx_lsp import targets
from onnx_lsp.cli.describing import about
from onnx_lsp.cli.main import CLEAN, COULD_NOT_RUN, FINDINGS, complain
from onnx_lsp.cli.targets import columns
from onnx_lsp.settings import Resolver, SettingsError
from onnx_lsp.targets import Answer, Verdict

if TYPE_CHECKING:
    from onnx_lsp.model.compat import Column, Compat

TASK = "onnx_lsp.model.compat:compat"
DESCRIPTION = """\
Say for every operator of a model what each target does with it: it runs, falls back to another provider, is refused, or
the table does not know. A word with `?` is one that the target's table is not sure of. Without --target, the targets of
the configuration are asked, and all of them if it names none."""
EPILOG = """\
examples:
  onnx-lint compat model.onnx                                        every target
  onnx-lint compat model.onnx --target onnxruntime-cpu@1.20 --target openvino
  onnx-lint compat model.onnx --format html > compat.html            a page to pass on

exit codes: 0 no target surely refuses it, 1 one does, 2 could not run
"""
WORDS = {Verdict.KERNEL: "runs", Verdict.INLINED: "inlined", Verdict.FALLS_BACK: "falls back"}
WIDE = 5  # targets, up to which a terminal has room for their names above the columns
COLOURED = frozenset({"runs", "inlined", "falls", "refuses", "unknown"})
STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #8884; white-space: nowrap; }
.runs, .inlined { color: light-dark(#17692c, #6ccf82); }
.falls { color: light-dark(#8a5a00, #e5b04a); }
.refuses { color: light-dark(#b3261e, #ff8a80); font-weight: 600; }
.unknown { opacity: .7; }
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("compat", help="will a model run there?", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--target", action="append", metavar="NAME[@VERSION]", help="a runtime; repeatable")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="text unless given")


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    try:
        settings = Resolver().resolve(args.model)
        names = args.target or settings.targets or targets.names()
        chosen = [targets.parse(name) for text in names for name in text.split(",")]
    except (SettingsError, targets.UnknownTarget) as error:
        return complain(str(error))
    found = about(args.model, settings, TASK, targets=chosen)
    if found is None:
        return COULD_NOT_RUN
    for line in FORMATS[args.format](args.model, found):
        print(line)
    return FINDINGS if any(_refuses(column.answer) for column in found.columns) else CLEAN


def _refuses(answer: Answer) -> bool:
    return answer.verdict is Verdict.REFUSES and answer.sure


def word(answer: Answer) -> str:
    """One answer in the table: `runs`, `falls back`, `refuses?`."""
    text = WORDS.get(answer.verdict, answer.verdict.value)
    return text if answer.sure or answer.verdict is Verdict.UNKNOWN else f"{text}?"


def common(found: Compat) -> str:
    """What is said about the highest common opset."""
    if found.common is None:
        return "no opset is taken by all of these targets"
    beyond = f" but {', '.join(found.beyond)}, which refuse{'s' if len(found.beyond) == 1 else ''} it at every opset"
    return f"the highest opset that all of these targets take is {found.common}{beyond if found.beyond else ''}"


def _summary(found: Compat) -> list[tuple[str, ...]]:
    """One row per target."""
    rows = [("", "target", "the model", "date of the table", "note")]
    for number, column in enumerate(found.columns, 1):
        rows.append((str(number), column.label, word(column.answer), column.date, column.note))
    return rows


def _operators(found: Compat, heads: list[str]) -> list[tuple[str, ...]]:
    """One row per operator."""
    rows = [("operator", "nodes", *heads)]
    for row in found.rows:
        rows.append((f"{row.op}-{row.revision}", str(row.count), *(word(answer) for answer in row.answers)))
    return rows


def _changes(found: Compat) -> Iterator[tuple[Column, str]]:
    for column in found.columns:
        for change in column.changes:
            yield column, change


def _text(path: str, found: Compat) -> Iterator[str]:
    yield f"{path}: opset {found.opset or 'none'}, IR version {found.ir}"
    yield ""
    yield from columns(_summary(found))
    yield ""
    wide = len(found.columns) <= WIDE
    yield from columns(_operators(found, [c.label if wide else str(n) for n, c in enumerate(found.columns, 1)]))
    yield ""
    yield f"Opset: {common(found)}."
    changes = [f"  {column.label}: {change}" for column, change in _changes(found)]
    yield from ["What would have to change:", *changes] if changes else ()


def _json(path: str, found: Compat) -> Iterator[str]:
    """Every answer with the table's own words."""
    labels = [column.label for column in found.columns]
    yield json.dumps(
        {
            "model": path,
            "opset": found.opset,
            "ir_version": found.ir,
            "highest_common_opset": found.common,
            "refuse_every_opset": found.beyond,
            "targets": [
                {"target": item.label, "table_date": item.date, "note": item.note, "changes": item.changes, **_fields(item.answer)}
                for item in found.columns
            ],
            "operators": [
                {
                    "op": row.op, "revision": row.revision, "nodes": row.count,
                    "targets": {label: _fields(answer) for label, answer in zip(labels, row.answers, strict=True)},
                }
                for row in found.rows
            ],
        },
        indent=2,
    )  # fmt: skip


def _fields(answer: Answer) -> dict[str, object]:
    fields = {"verdict": WORDS.get(answer.verdict, answer.verdict.value), "sure": answer.sure}
    return {**fields, "why": answer.note} if answer.note else fields


def _markdown(path: str, found: Compat) -> Iterator[str]:
    yield f"## {_escaped(path)}: opset {found.opset or 'none'}, IR version {found.ir}"
    for rows in (_summary(found), _operators(found, [column.label for column in found.columns])):
        yield ""
        head, *body = rows
        for row in (head, ["---"] * len(head), *body):
            yield f"| {' | '.join(map(_escaped, row))} |"
    yield ""
    yield f"{common(found).capitalize()}."
    changes = [f"- **{column.label}**: {_escaped(change)}" for column, change in _changes(found)]
    yield from ["", "What would have to change:", "", *changes] if changes else ()


def _escaped(text: str) -> str:
    """Text of a model, harmless in a cell of a Markdown table."""
    for mark in ("\\", "|", "`", "*", "_", "[", "<"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _html(path: str, found: Compat) -> Iterator[str]:
    yield f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(path)}</title><style>{STYLE}</style>"
    yield f"<h1>{escape(path)}</h1><p>Opset {found.opset or 'none'}, IR version {found.ir}. {escape(common(found).capitalize())}.</p>"
    for rows in (_summary(found), _operators(found, [column.label for column in found.columns])):
        yield "<div class=scroll><table>"
        head, *body = rows
        yield f"<tr>{''.join(f'<th>{escape(cell)}' for cell in head)}"
        for row in body:
            yield f"<tr>{''.join(map(_cell, row))}"
        yield "</table></div>"
    changes = [f"<li><b>{escape(column.label)}</b>: {escape(change)}" for column, change in _changes(found)]
    yield from ["<h2>What would have to change</h2><ul>", *changes, "</ul>"] if changes else ()
    yield "</html>"


def _cell(text: str) -> str:
    kind = text.rstrip("?").partition(" ")[0]
    colour = f" class={kind}" if kind in COLOURED else ""
    return f"<td{colour}>{escape(text)}"


FORMATS: dict[str, Callable[[str, Compat], Iterator[str]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
}
