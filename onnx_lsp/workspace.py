"""What other files say: open documents over disk. Every file handed out is recorded as a dependency.

Checks reach other files only through here, so that caches and re-lints can follow what a finding depends on.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


@dataclass(frozen=True, slots=True)
class Text:
    """A script as text, with what is needed to write it back: `problem` says why it is not what Python expects."""

    text: str
    encoding: str
    problem: str | None = None


class Workspace:
    """Reads scripts: an open document first, then the disk.

    Args:
        documents: open documents, absolute path -> text. The server passes its live mapping.
    """

    def __init__(self, documents: dict[str, str] | None = None) -> None:
        self.documents = documents if documents is not None else {}
        self.dependencies: set[str] = set()

    def read(self, path: str) -> Text:
        """The text of a script.

        Raises:
            OSError: the file cannot be read.
        """
        absolute = os.path.abspath(path)
        self.dependencies.add(absolute)
        if absolute in self.documents:
            return Text(self.documents[absolute], "utf-8")
        with open(absolute, "rb") as file:
            return decode(file.read())

    def names(self, folder: str) -> list[str]:
        """What is in a folder, sorted; nothing where there is none. The folder is a dependency."""
        absolute = os.path.abspath(folder)
        self.dependencies.add(absolute)
        try:
            return sorted(os.listdir(absolute))
        except OSError:
            return []


def decode(data: bytes) -> Text:
    """Decodes a script as Python does (PEP 263); where Python could not, as Latin-1, with the problem named."""
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    for line in data.split(b"\n", 2)[:2]:
        if match := CODING.match(line):
            encoding = match[1].decode("ascii")
            break
    try:
        return Text(data.decode(encoding), encoding)
    except LookupError:
        return Text(data.decode("latin-1"), "latin-1", f"the coding line names `{encoding}`, which Python does not know")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at offset {error.start} is not {encoding}"
        return Text(data.decode("latin-1"), "latin-1", found)
