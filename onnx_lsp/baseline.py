"""A baseline: the findings that a team accepts for now, by fingerprint, so that only new ones are reported."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass

from onnx_lsp import atomic
from onnx_lsp.diagnostics import Diagnostic
from onnx_lsp.fingerprint import Fingerprints

VERSION = 1


class BaselineError(ValueError):
    """A baseline file that cannot be read or written; the message names it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings held against a baseline: the new ones, and per file how many listed ones are gone."""

    fresh: list[Diagnostic]
    gone: dict[str, int]


def write(path: str, findings: list[Diagnostic]) -> None:
    """Lists the findings in a baseline file, sorted, with paths relative to it.

    Raises:
        BaselineError: it cannot be written.
    """
    prints = Fingerprints()
    counted = Counter(
        (file, item.code, prints.of(item, file), item.message)
        for item in findings
        for file in [_relative(item.file, path)]
    )
    listed = [
        {"file": file, "code": code, "fingerprint": fingerprint, "count": count, "message": message}
        for (file, code, fingerprint, message), count in sorted(counted.items())
    ]
    text = json.dumps({"version": VERSION, "findings": listed}, indent=2, ensure_ascii=False) + "\n"
    try:
        atomic.write(os.path.abspath(path), [text.encode()])
    except OSError as error:
        raise BaselineError(f"{path}: the baseline cannot be written ({error.strerror})") from None


def compare(path: str, findings: list[Diagnostic], files: list[str]) -> Compared:
    """Takes out what the baseline lists: each entry as often as it counts.

    Args:
        files: what was linted; entries of other files are neither used nor gone.

    Raises:
        BaselineError: it cannot be read.
    """
    left = _read(path)
    prints = Fingerprints()
    fresh = []
    for item in findings:
        file = _relative(item.file, path)
        key = (file, prints.of(item, file))
        if left[key] > 0:
            left[key] -= 1
        else:
            fresh.append(item)
    linted = {_relative(file, path): os.path.abspath(file) for file in files}
    gone: Counter[str] = Counter()
    for (file, _), count in left.items():
        if count > 0 and file in linted:
            gone[linted[file]] += count
    return Compared(fresh, dict(gone))


def _read(path: str) -> Counter[tuple[str, str]]:
    try:
        with open(path, "rb") as file:
            data = json.load(file)
        if data["version"] != VERSION:
            raise BaselineError(f"{path}: a baseline of version {data['version']}; this onnx-lint reads {VERSION}")
        counts: Counter[tuple[str, str]] = Counter()
        for entry in data["findings"]:
            counts[entry["file"], entry["fingerprint"]] += entry["count"]
        return counts
    except FileNotFoundError:
        raise BaselineError(f"{path}: there is no such baseline; --write-baseline writes one") from None
    except OSError as error:
        raise BaselineError(f"{path}: {error.strerror}") from None
    except BaselineError:
        raise
    except (ValueError, KeyError, TypeError):
        raise BaselineError(f"{path}: not a baseline that onnx-lint wrote") from None


def _relative(file: str, baseline: str) -> str:
    folder = os.path.dirname(os.path.abspath(baseline))
    return os.path.relpath(os.path.abspath(file), folder).replace(os.sep, "/")
