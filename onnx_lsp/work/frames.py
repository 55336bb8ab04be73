"""What goes over the pipes between a parent and its child: length-prefixed pickles of our own dataclasses.

Both ends are this package on this machine; nothing from a linted file is ever unpickled.
"""

from __future__ import annotations

import pickle
import struct
from typing import BinaryIO

HEADER = struct.Struct("<Q")


def pack(message: object) -> bytes:
    """One frame: eight bytes of length, then the message."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body


def write(stream: BinaryIO, message: object) -> None:
    """Writes one frame and flushes it."""
    stream.write(pack(message))
    stream.flush()


def read(stream: BinaryIO) -> object | None:
    """Reads one frame; None at the end of the stream, also in the middle of a frame."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    length = HEADER.unpack(header)[0]
    body = stream.read(length)
    return pickle.loads(body) if len(body) == length else None
