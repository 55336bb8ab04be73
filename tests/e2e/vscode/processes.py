"""Which language servers run, as the kernel sees it."""

from __future__ import annotations

from pathlib import Path


def servers_in(folder: Path) -> list[int]:
    """The process ids of the language servers that work in or below a folder."""
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _is_server(process, folder)]


def _is_server(process: Path, folder: Path) -> bool:
    try:
        arguments = (process / "cmdline").read_bytes().split(b"\0")
        return b"onnx_lsp.server" in arguments and (process / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False  # it ended meanwhile
