"""What IPython understands and Python does not, taken out of a cell without moving anything else.

Magics (`%x`), shell lines (`!x`), help (`x?`) and whole `%%x` cells become white space of the same length; where Python
needs a statement or a value, an `_` stands, about which nothing is known.
https://ipython.readthedocs.io/en/stable/interactive/reference.html#ipython-syntax
"""

from __future__ import annotations

import re

# Cell magics that run the rest of the cell as Python in the notebook's own namespace.
PYTHON_CELLS = frozenset(
    {"capture", "debug", "memit", "mprun", "prun", "pyinstrument", "scalene", "snakeviz", "time", "timeit"}
)
CELL_MAGIC = re.compile(r"\s*%%(\w*)[^\n]*")
SUSPECT = re.compile(r"(?:^|=)[ \t]*[%!?]|\?[ \t]*;?[ \t]*$", re.MULTILINE)
STATEMENT = re.compile(r"([ \t]*)[%!?]|([ \t]*)[^'\"#\n]*\?[ \t]*;?[ \t]*$", re.MULTILINE)
VALUE = re.compile(r"[^=!%'\"#\n]*[^=!%'\"#\n<>+\-*/|&^@:]=[ \t]*(?=[%!])")
TO_END = re.compile(r"(?:[^\\\n]|\\(?s:.))*")
TOKEN = re.compile(
    r"(?P<skip>'''(?s:\\.|.)*?(?:'''|\Z)|\"\"\"(?s:\\.|.)*?(?:\"\"\"|\Z)"
    r"|'(?:\\(?s:.)|[^'\\\n])*'?|\"(?:\\(?s:.)|[^\"\\\n])*\"?|\#[^\n]*|\\(?s:.)?|[^'\"#\\()\[\]{}\n]+)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\n)"
)


def blank(source: str) -> str:
    """The cell as Python, character for character in the same place."""
    if magic := CELL_MAGIC.match(source):
        if magic[1] not in PYTHON_CELLS:
            return spaces(source)
        source = spaces(source[: magic.end()]) + source[magic.end() :]
    if not SUSPECT.search(source):
        return source
    parts, at = [], 0
    while at < len(source):
        end, text = _blanked(source, at)
        parts.append(text)
        at = end
    return "".join(parts)


def spaces(text: str) -> str:
    """White space with the same lines."""
    return re.sub(r"[^\r\n]", " ", text)


def _blanked(source: str, start: int) -> tuple[int, str]:
    """The logical line that starts here: where the next one starts, and this one as Python."""
    if statement := STATEMENT.match(source, start):
        indent = statement[1] if statement[1] is not None else statement[2]
        end = TO_END.match(source, start).end()
        at = start + len(indent)
        return end, indent + ("_" if indent else " ") + spaces(source[at + 1 : end])
    if value := VALUE.match(source, start):
        end = TO_END.match(source, start).end()
        return end, value[0] + "_" + spaces(source[value.end() + 1 : end])
    end = _logical_end(source, start)
    return end, source[start:end]


def _logical_end(source: str, start: int) -> int:
    """Where the logical line ends, after its newline: not inside brackets or strings."""
    at, depth = start, 0
    while at < len(source):
        token = TOKEN.match(source, at)
        at = token.end()
        depth = max(0, depth + (token.lastgroup == "open") - (token.lastgroup == "close"))
        if token.lastgroup == "end" and not depth:
            break
    return at
