"""`onnx-lint rule`: prints a card, or lists all rules."""

from __future__ import annotations

import argparse
import sys

from onnx_lsp.cli.main import CLEAN, COULD_NOT_RUN, complain
from onnx_lsp.rulebook import UnknownRule, card_text
from onnx_lsp.settings import Resolver, SettingsError


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "rule", help="explain a rule", description="Explain a rule, by its code or its name, or list all rules."
    )
    parser.add_argument("rule", nargs="?", metavar="CODE|NAME", help="for example EXP206 or missing-dynamic-axes")
    parser.add_argument("--all", action="store_true", help="list every rule: code, name, what it finds")
    parser.set_defaults(usage=parser.print_usage)


def run(args: argparse.Namespace) -> int:
    """Prints what was asked for."""
    try:
        book = Resolver().resolve(".").rulebook()
        if args.all:
            for code in sorted(book.rules):
                card = book.card(code)
                print(f"{code}  {card.name:<32} {card.summary}")
            return CLEAN
        if not args.rule:
            args.usage(sys.stderr)
            return COULD_NOT_RUN
        print(card_text(book.card(book.find(args.rule).code)))
    except (UnknownRule, SettingsError) as error:
        return complain(str(error))
    return CLEAN
