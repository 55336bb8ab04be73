"""A place among tokens: looks at the next one, takes it, or says what was expected instead."""

from __future__ import annotations

from difflib import get_close_matches

from onnx_lsp.model.text.tokens import BAD, ELIDED, END, FLOAT, INT, NAME, STRING, Tokens, unquoted

CALLED = {NAME: "a name", STRING: "a string", INT: "an integer", FLOAT: "a number", END: "the end of the text"}
FLOAT_WORDS = frozenset({"inf", "infinity", "nan"})
INT64 = 1 << 63


class Stop(Exception):
    """The statement cannot be read on from here.

    Attributes:
        token: the number of the token that does not fit.
    """

    def __init__(self, token: int, message: str) -> None:
        super().__init__(message)
        self.token = token


class Cursor:
    """Reads tokens one after the other.

    Attributes:
        at: the number of the next token.
        kinds: of all tokens.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.at = 0

    @property
    def kind(self) -> str:
        return self.kinds[self.at]

    @property
    def text(self) -> str:
        return self.texts[self.at]

    def ahead(self, count: int = 1) -> str:
        """The kind of a later token."""
        return self.kinds[min(self.at + count, len(self.kinds) - 1)]

    def takes(self, mark: str) -> bool:
        """Takes the next token if it is this mark."""
        if self.kinds[self.at] == mark:
            self.at += 1
            return True
        return False

    def expect(self, mark: str) -> None:
        """Takes this mark.

        Raises:
            Stop: something else stands there.
        """
        if self.kinds[self.at] != mark:
            raise self.wrong(f"`{mark}`")
        self.at += 1

    def wrong(self, expected: str) -> Stop:
        """That something else was expected here."""
        kind = self.kind
        if kind == ELIDED:
            return Stop(self.at, "`...` stands for values that were left out of a view; `onnx-lint view --full` writes them")
        if kind == BAD and self.text.startswith('"'):
            return Stop(self.at, "the string does not end; a quote is missing")
        found = CALLED[END] if kind == END else f"`{self.text if len(self.text) <= 40 else self.text[:40] + '…'}`"
        return Stop(self.at, f"expected {expected}, found {found}")

    def unknown(self, what: str, word: str, known) -> Stop:
        """That the word just taken is none of the known ones."""
        close = get_close_matches(word, known, 1)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        return Stop(self.at - 1, f"`{word}` is no {what}{hint}")

    def identifier(self) -> str:
        """Takes a bare name."""
        if self.kinds[self.at] != NAME:
            raise self.wrong("a name")
        self.at += 1
        return self.texts[self.at - 1]

    def name(self) -> str:
        """Takes a bare or quoted name."""
        kind = self.kinds[self.at]
        if kind == NAME:
            self.at += 1
            return self.texts[self.at - 1]
        if kind == STRING:
            return self.string()
        raise self.wrong("a name")

    def bytes(self) -> bytes:
        """Takes a string; literals side by side are one."""
        if self.kinds[self.at] != STRING:
            raise self.wrong("a string")
        parts = []
        while self.kinds[self.at] == STRING:
            parts.append(unquoted(self.texts[self.at]))
            self.at += 1
        if self.kinds[self.at] == ELIDED:
            raise self.wrong("")
        return b"".join(parts)

    def string(self) -> str:
        """Takes a string that is text."""
        start = self.at
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise Stop(start, "the string is not UTF-8") from None

    def integer(self, low: int = -INT64, high: int = INT64 - 1) -> int:
        """Takes an integer between two bounds."""
        if self.kinds[self.at] != INT:
            raise self.wrong("an integer")
        value = int(self.text) if len(self.text) < 1000 else high + 1  # Python refuses to read thousands of digits
        if not low <= value <= high:
            raise Stop(self.at, f"`{self.text[:40]}` is not between {low} and {high}")
        self.at += 1
        return value

    def is_number(self) -> bool:
        """Whether a float can be taken here."""
        kind = self.kinds[self.at]
        return kind == INT or kind == FLOAT or kind == NAME and self.text.lower() in FLOAT_WORDS

    def number(self) -> float:
        """Takes a float, or an integer as one."""
        if not self.is_number():
            raise self.wrong("a number")
        self.at += 1
        return float(self.texts[self.at - 1])
