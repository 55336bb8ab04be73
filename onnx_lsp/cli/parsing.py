"""An argument parser whose complaints are one line, with the closest right word."""

from __future__ import annotations

import argparse
import os
import re

COULD_NOT_RUN = 2
CHOICES = r"invalid choice: '([^']*)' \(choose from (.*)\)"


class Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. Asking here, and not through shutil, keeps a few milliseconds out of every start."""

    def __init__(self, prog: str) -> None:
        try:
            columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(1).columns)
        except (OSError, ValueError, AttributeError):
            columns = 120
        super().__init__(prog, max_help_position=32, width=min(columns, 120) - 2)

    def add_argument(self, action: argparse.Action) -> None:
        """Like argparse's, which forgets that commands are indented once more, and breaks the line of the longest."""
        super().add_argument(action)
        for command in self._iter_indented_subactions(action):
            length = len(self._format_action_invocation(command)) + self._current_indent
            self._action_max_length = max(self._action_max_length, length)


class Parser(argparse.ArgumentParser):
    """Prints no usage with an error: one line says what is wrong and what was probably meant."""

    def __init__(self, **options) -> None:
        options.setdefault("formatter_class", Formatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> None:
        """Prints one line on standard error and ends the process with 2."""
        self.exit(COULD_NOT_RUN, f"onnx-lint: {self._better(message)}\n")

    def parse_known_args(self, args=None, namespace=None):
        """Like argparse's, but an option that it does not know is named by the command that was asked."""
        namespace, rest = super().parse_known_args(args, namespace)
        if rest and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return namespace, rest

    def _better(self, message: str) -> str:
        if match := re.search(CHOICES, message):
            option = message.split(":")[0].removeprefix("argument ")
            known = re.findall(r"[\w.-]+", match[2])
            return f"`{option}` cannot be `{match[1]}`{closest(match[1], known)}"
        if message.startswith("unrecognized arguments: "):
            word = message.removeprefix("unrecognized arguments: ").split()[0].split("=")[0]
            known = list(self._option_string_actions)
            near = closest(word, known, listed=False) or f"; `{self.prog} --help` lists the options"
            return f"there is no option `{word}`{near}" if word.startswith("-") else f"one argument too many: `{word}`"
        return message


def closest(word: str, known: list[str], listed: bool = True) -> str:
    """`; did you mean …?`, or, with `listed`, all that is known where nothing is near."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known: {', '.join(known)}" if listed else ""
