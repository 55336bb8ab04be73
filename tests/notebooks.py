"""Notebooks for tests, written as Jupyter writes them."""

from __future__ import annotations

import json
from pathlib import Path

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
EXPORT = 'torch.onnx.export(model, (x,), "m.onnx", input_names={names}, output_names=["y"], dynamo=False)'


def code(source: str, **metadata: object) -> dict:
    """A code cell with an output, so that there is something that must not change."""
    output = {"data": {"image/png": "iVBORw0KGgo=\n"}, "metadata": {}, "output_type": "display_data"}
    lines = source.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": 7, "metadata": metadata, "outputs": [output], "source": lines}


def prose(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def notebook(*cells: dict | str, metadata: dict = KERNEL) -> str:
    """The text of a notebook; strings are code cells."""
    listed = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    data = {"cells": listed, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def write(path: Path, *cells: dict | str, metadata: dict = KERNEL) -> Path:
    path.write_bytes(notebook(*cells, metadata=metadata).encode())
    return path


def sources(path: Path) -> list[str]:
    """The code cells of a notebook, read as Jupyter reads them."""
    cells = json.loads(path.read_bytes())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
