"""`onnx-lint completion SHELL`: a script that completes commands, options and their values.

Made from the parsers themselves, so that it knows every option; it is printed once and costs nothing at run time.
"""

from __future__ import annotations

import argparse
import importlib

from onnx_lsp.cli.main import CLEAN, COMMANDS
from onnx_lsp.cli.parsing import Parser
from onnx_lsp.rulebook import rulebook

SHELLS = ("bash", "zsh", "fish")
EPILOG = """\
examples:
  onnx-lint completion bash >> ~/.bash_completion
  onnx-lint completion zsh >> ~/.zshrc
  onnx-lint completion fish > ~/.config/fish/completions/onnx-lint.fish
"""
OF_RULES = {"--select", "--extend-select", "--ignore"}
OF_FILES = {"--config", "--output-file", "--baseline", "--write-baseline", "--cache-dir", "--stdin-filename"}


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command's parser."""
    parser = commands.add_parser(
        "completion", help="complete in a shell", description="Print a completion script.", epilog=EPILOG
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(args: argparse.Namespace) -> int:
    """Prints the script."""
    options = {command: _options(command) for command in COMMANDS}
    print(_fish(options) if args.shell == "fish" else _bash(options, zsh=args.shell == "zsh"))
    return CLEAN


def _options(command: str) -> dict[str, tuple[str, list[str]]]:
    """The options of a command: each with its help and the values it can have."""
    commands = Parser(prog="onnx-lint").add_subparsers()
    importlib.import_module(f"onnx_lsp.cli.{command}").add_parser(commands)
    found = {}
    for action in commands.choices[command]._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                values = [str(value) for value in action.choices or ()]
                found[option] = ((action.help or "").replace("%%", "%"), _values(option, values))
    return found


def _values(option: str, values: list[str]) -> list[str]:
    if option == "--fail-on":
        return ["error", "warning", "info", "hint"]
    return _rules() if option in OF_RULES else values


def _rules() -> list[str]:
    book = rulebook()
    return ["ALL", *sorted(book.rules), *sorted(book.by_name)]


BASH = """\
_onnx_lint() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="${{COMP_WORDS[1]}}"
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands} --help --version" -- "$word"))
        return
    fi
    case "$command $before" in
{values}
    esac
    if [ "${{word#-}}" != "$word" ]; then
        case "$command" in
{options}
        esac
        return
    fi
    case "$command" in
        rule) COMPREPLY=($(compgen -W "{rules}" -- "$word")) ;;
        completion) COMPREPLY=($(compgen -W "{shells}" -- "$word")) ;;
        *) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}}
complete -o filenames -F _onnx_lint onnx-lint"""


def _bash(options: dict[str, dict[str, tuple[str, list[str]]]], zsh: bool) -> str:
    cases = [
        f'        "{command} {name}") COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$word")); return ;;'
        for command, listed in options.items()
        for name, (_, values) in listed.items()
        if values
    ]
    of_files = "|".join(f'*" {name}"' for name in sorted(OF_FILES))
    cases.append(f'        {of_files}) COMPREPLY=($(compgen -f -- "$word")); return ;;')
    listed = [
        f'            {command}) COMPREPLY=($(compgen -W "{" ".join(names)}" -- "$word")) ;;'
        for command, names in options.items()
    ]
    script = BASH.format(
        commands=" ".join(COMMANDS),
        values="\n".join(cases),
        options="\n".join(listed),
        rules=" ".join(_rules()),
        shells=" ".join(SHELLS),
    )
    return (
        f"autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n{script}" if zsh else script
    )


def _fish(options: dict[str, dict[str, tuple[str, list[str]]]]) -> str:
    lines = []
    for command, summary in COMMANDS.items():
        lines.append(f"complete -c onnx-lint -n __fish_use_subcommand -a {command} -d {_quoted(summary)}")
        for name, (text, values) in options[command].items():
            value = f" -xa {_quoted(' '.join(values))}" if values else ""
            seen = f"-n '__fish_seen_subcommand_from {command}'"
            lines.append(f"complete -c onnx-lint {seen} -l {name.removeprefix('--')}{value} -d {_quoted(text)}")
    lines.append(f"complete -c onnx-lint -n '__fish_seen_subcommand_from rule' -xa {_quoted(' '.join(_rules()))}")
    lines.append(f"complete -c onnx-lint -n '__fish_seen_subcommand_from completion' -xa {_quoted(' '.join(SHELLS))}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
