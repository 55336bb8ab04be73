"""`onnx-lint targets`: what runtimes the tables know, and which of them runs an operator."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from onnx_lsp import targets
from onnx_lsp.cli.main import CLEAN, complain

DESCRIPTION = """\
List the runtimes that `--target` knows: the versions that their tables cover, what they load, and the date of the facts.
With names, also say where the facts are from. With --op, say which of them runs an operator, for each of its revisions."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser("targets", help="what runtimes can run", description=DESCRIPTION)
    parser.add_argument("names", nargs="*", metavar="NAME[@VERSION]", help="only these, for example onnxruntime-cpu@1.20")
    parser.add_argument("--op", metavar="OP", help="an operator, for example Resize or com.microsoft.Attention")
    parser.add_argument("--opset", type=int, metavar="N", help="the opset of its domain (the newest unless given)")


def run(args: argparse.Namespace) -> int:
    """Prints the table that was asked for."""
    try:
        chosen = [targets.parse(name) for name in args.names or _all()]
        rows = list(support(args.op, args.opset, chosen) if args.op else overview(chosen))
    except targets.UnknownTarget as error:
        return complain(str(error))
    for line in columns(rows):
        print(line)
    for line in details(chosen) if args.names and not args.op else ():
        print(line)
    return CLEAN


def _all() -> list[str]:
    """Every target at the newest version that its table covers."""
    return [f"{name}@{targets.table(name).versions[-1]}" for name in targets.names()]


def overview(chosen: Sequence[targets.Target]) -> Iterator[tuple[str, ...]]:
    """One row per target: what its table covers, and what it loads."""
    yield "target", "table covers", "max opset", "max IR", "date", "what it is"
    for target in chosen:
        source = targets.table(target.name)
        bounds = targets.limits(target)
        versions = source.versions
        covers = versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"
        yield target.name, covers, str(bounds.max_opset or "-"), str(bounds.max_ir or "-"), source.date, source.data["title"]


def details(chosen: Sequence[targets.Target]) -> Iterator[str]:
    """For each target: the version that answers, the source of its table, and what it wants of whole models."""
    for target in chosen:
        data = targets.table(target.name).data
        yield f"\n{target.label}{f' ({target.note})' if target.note else ''}"
        yield f"  versions: {', '.join(data['versions'])}"
        yield f"  source: {data['source']}"
        yield from (f"  {said}" for said in data.get("constraints", ()))


def support(name: str, opset: int | None, chosen: Sequence[targets.Target]) -> Iterator[tuple[str, ...]]:
    """One row per target and revision of an operator: what happens to it.

    Raises:
        UnknownTarget: no standard operator and no table has this name.
    """
    domain, op = _operator(name)
    revisions = [number for number, marks in targets.revisions(domain, op) if "x" not in marks] or [1]
    if opset is not None:
        revisions = [targets.revision(domain, op, opset) or opset]
    yield "target", *(f"{op}-{number}" for number in revisions), "note"
    for target in chosen:
        answers = [targets.runs(targets.Kind(op, domain, number), target) for number in revisions]
        yield target.label, *(_verdict(answer) for answer in answers), answers[-1].note


def _verdict(answer: targets.Answer) -> str:
    words = {targets.Verdict.KERNEL: "runs", targets.Verdict.INLINED: "runs inlined"}
    word = words.get(answer.verdict, answer.verdict.value)
    return word if answer.sure or answer.verdict is targets.Verdict.UNKNOWN else f"{word}?"


def _operator(name: str) -> tuple[str, str]:
    """`Resize` or `com.microsoft.Attention`, as the tables write it."""
    domain, _, op = name.rpartition(".")
    domain = domain or "ai.onnx"
    known = {
        other
        for listed in (targets.read("ops")["ops"].get(domain, {}), *(targets.table(stem).lines("ops", domain) for stem in targets.names()))
        for other in listed
    }
    same = next((other for other in known if other.lower() == op.lower()), None)
    if same is None:
        from difflib import get_close_matches

        close = get_close_matches(op, sorted(known), 3)
        hint = f"; did you mean {' or '.join(f'`{item}`' for item in close)}?" if close else ""
        raise targets.UnknownTarget(f"no table has an operator `{name}`{hint}")
    return domain, same


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows as aligned columns."""
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
