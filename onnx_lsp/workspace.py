"""What other files say: open documents over disk. Every file handed out is recorded as a dependency.

Checks reach other files only through here, so that caches and re-lints can follow what a finding depends on.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx_lsp.model.header import Header

CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")

LISTING = "\0"  # in a dependency, between a folder and the pattern of the names that were looked for in it


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
        if not stat.S_ISREG(os.stat(absolute).st_mode) and not os.path.isdir(absolute):
            raise OSError(22, "it is not a regular file", path)  # opening a pipe would block for ever
        with open(absolute, "rb") as file:
            return decode(file.read())

    def header(self, path: str) -> Header | None:
        """What a model on disk says of itself; None where there is none that can be read."""
        absolute = os.path.abspath(path)
        self.dependencies.add(absolute)
        if not os.path.isfile(absolute):
            return None
        from onnx_lsp.model.header import read_header

        try:
            return read_header(absolute)
        except OSError:
            return None

    def names(self, folder: str, wanted: re.Pattern[str]) -> list[str]:
        """The names in a folder that match, sorted; none where there is no such folder. A dependency too: see `LISTING`."""
        absolute = os.path.abspath(folder)
        self.dependencies.add(LISTING.join((absolute, wanted.pattern)))
        return names_in(absolute, wanted)


def names_in(folder: str, wanted: re.Pattern[str]) -> list[str]:
    """The names in a folder that match from their start, sorted."""
    try:
        return sorted(name for name in os.listdir(folder) if wanted.match(name))
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
