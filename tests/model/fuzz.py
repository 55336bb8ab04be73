"""Mutated models, real ones and the examples of all cards, each linted in a supervised child: `python -m tests.model.fuzz --cases 100000` prints what broke.

A case is a model with bytes flipped, cut or copied; cut off at a field boundary; or with a field of its protobuf
set to something else, repeated, or taken from elsewhere. The same seed makes the same cases.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import Message

from onnx_lsp.settings import Settings
from onnx_lsp.work.worker import ChildDied, Worker
from tests import examples
from tests.models import onnx_models, real_models

CARDS = Path(__file__).parents[2] / "rules" / "model"
SEED_SIZE = 40_000  # bytes; bigger models only take longer
SECONDS = 5  # of processor time
PATIENCE = 60  # seconds on the clock: other work on the machine is not the model's fault
MEGABYTES = 200  # beside three times the file
FOUND = Settings(select=("ALL",), deep=True)
NUMBERS = (0, 1, -1, 2, 7, 100, 2**31 - 1, -(2**31), 2**31, 2**62, 2**63 - 1, -(2**63))
TEXTS = ("", "x", "ai.onnx", "com.microsoft", "Constant", "If", "Loop", "Identity", "Cast", "../../etc/passwd", "\0", "\u202e", "a" * 2000)


def seeds() -> list[bytes]:
    """The models that are mutated: all small real ones, and what the cards show, so that every rule has its say."""
    paths = [path for path in (*onnx_models(), *real_models()) if path.stat().st_size <= SEED_SIZE]
    found = [path.read_bytes() for path in paths]
    for path in sorted(CARDS.glob("*.md")):
        for example in examples.read(path.read_text(encoding="utf-8")):
            if example.language == "onnx":
                with contextlib.suppress(onnx.parser.ParseError):  # some show what cannot be read
                    found.append(onnx.parser.parse_model(example.text).SerializeToString())
    return found


def cases(seed: int, models: list[bytes]) -> Iterator[bytes]:
    """Endless mutants."""
    number = 0
    while True:
        rng = random.Random(f"{seed}/{number}")
        number += 1
        data = rng.choice(models)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            data = rng.choice((flipped, spliced, cut, *[retold] * 7))(rng, data, models)
        yield data


def flipped(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if changed else 0):
        place = rng.randrange(len(changed))
        changed[place] = rng.choice((rng.randrange(256), changed[place] ^ 1 << rng.randrange(8), 0xFF, 0))
    return bytes(changed)


def spliced(rng: random.Random, data: bytes, models: list[bytes]) -> bytes:
    """A piece is gone, doubled, or another model's."""
    start, stop = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    other = rng.choice(models)
    begin = rng.randrange(len(other))
    piece = rng.choice((b"", data[start:stop] * 2, other[begin : begin + rng.randrange(1, 400)]))
    return data[:start] + piece + data[stop:]


def cut(rng: random.Random, data: bytes, _: list[bytes]) -> bytes:
    """The file ends at the end of a field, at some depth, or one byte beside it."""
    places = boundaries(data)
    return data[: max(0, rng.choice(places) + rng.choice((-1, 0, 0, 0, 1)))] if places else data


def boundaries(data: bytes) -> list[int]:
    """Where fields begin, as far as a reader follows that takes every length-delimited field for a message."""
    found: list[int] = []
    todo = [(0, len(data))]
    while todo and len(found) < 5000:
        place, end = todo.pop()
        while place < end:
            found.append(place)
            tag, place = _varint(data, place, end)
            if tag & 7 == 2:
                size, place = _varint(data, place, end)
                todo.append((place, min(place + size, end)))
                place += size
            else:
                place = {0: _varint(data, place, end)[1], 1: place + 8, 5: place + 4}.get(tag & 7, end)
    return found


def _varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while place < end:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            break
    return value, place


def retold(rng: random.Random, data: bytes, models: list[bytes]) -> bytes:
    """Some fields of the message say something else."""
    try:
        model = onnx.ModelProto.FromString(data)
        for _ in range(rng.choice((1, 1, 2, 6))):
            change(rng, pick(rng, model))
        return model.SerializeToString()
    except (ValueError, UnicodeError, onnx.onnx_cpp2py_export.checker.ValidationError):
        return flipped(rng, data, models)
    except Exception as error:  # protobuf's DecodeError and EncodeError have no common class but this
        if type(error).__module__ != "google.protobuf.message":
            raise
        return flipped(rng, data, models)


def pick(rng: random.Random, message: Message) -> Message:
    """A message in the tree, the deeper ones too."""
    while True:
        inner = []
        for field, value in message.ListFields():
            if field.message_type is not None:
                inner += list(value) if field.is_repeated else [value]
        if not inner or rng.random() < 0.2:
            return message
        message = rng.choice(inner)


def change(rng: random.Random, message: Message) -> None:
    """Changes one field of a message, set or not."""
    field = rng.choice(message.DESCRIPTOR.fields)
    if rng.random() < 0.7 and message.ListFields():
        field = rng.choice([field for field, _ in message.ListFields()])
    if not field.is_repeated:
        if field.message_type is not None:
            rng.choice((lambda: getattr(message, field.name).SetInParent(), lambda: message.ClearField(field.name)))()
        elif rng.random() < 0.2:
            message.ClearField(field.name)
        else:
            setattr(message, field.name, value_of(rng, field, getattr(message, field.name)))
        return
    values = getattr(message, field.name)
    action = rng.choice(("drop", "double", "swap", "set", "many"))
    if action == "drop" and values:
        del values[rng.randrange(len(values))]
    elif action == "swap" and len(values) > 1:
        order = list(values)
        rng.shuffle(order)
        fresh = [type(item).FromString(item.SerializeToString()) if field.message_type else item for item in order]
        del values[:]
        values.extend(fresh)
    elif field.message_type is not None:
        values.add().CopyFrom(rng.choice(values)) if values else values.add()
    else:
        old = rng.choice(values) if values else None
        values.extend([value_of(rng, field, old)] * (rng.choice((100, 5000)) if action == "many" else 1))


def value_of(rng: random.Random, field, old: object) -> object:
    """Something that fits a scalar field."""
    if field.enum_type is not None:
        return rng.choice([item.number for item in field.enum_type.values])
    if field.type == field.TYPE_STRING:
        return rng.choice((*TEXTS, f"{old}_", (old or "")[:-1]))
    if field.type == field.TYPE_BYTES:
        return rng.choice((b"", bytes(1), bytes(4096), b"\xff" * 8, (old or b"")[:-1], (old or b"") * 2))
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return rng.choice((0.0, -1.0, 1e30, float("nan"), float("inf")))
    bits = {field.CPPTYPE_INT32: 31, field.CPPTYPE_UINT64: 64}.get(field.cpp_type, 63)
    lowest = 0 if bits == 64 else -(1 << bits)
    fitting = [number for number in (*NUMBERS, rng.randrange(40)) if lowest <= number < 1 << bits]
    return rng.choice(fitting)


def campaign(count: int, seed: int, keep: Path | None = None) -> collections.Counter[str]:
    """Lints mutants; counts the outcomes.

    Returns:
        `ok`, `contained`, and per kind of failure, named by its message, how often it happened.
    """
    outcomes: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        path, worker = Path(folder, "model.onnx"), Worker(PATIENCE, MEGABYTES)
        try:
            for number, data in zip(range(count), cases(seed, seeds()), strict=False):
                path.write_bytes(data)
                worker.memory = MEGABYTES + 3 * len(data) // 1_000_000
                outcome = look(worker, path)
                outcomes[outcome] += 1
                if outcome not in ("ok", "contained") and keep is not None and outcomes[outcome] <= 3:
                    keep.mkdir(exist_ok=True)
                    (keep / f"{seed}-{number}.onnx").write_bytes(data)
                    print(f"{seed}-{number}: {outcome}", flush=True)
        finally:
            worker.close()
    return outcomes


def look(worker: Worker, path: Path) -> str:
    """Lints one mutant. What goes wrong is named by the phase and the words.

    onnx itself aborts now and then; that this is one finding, and the run goes on, is what the child is for: `contained`.
    """
    worker.start()
    stage, pid, begin = None, worker.pid, processor_time(worker.pid)
    try:
        for stage in worker.steps("lint_model", path=str(path), settings=FOUND):
            pass
    except ChildDied as error:
        native = stage is not None and stage.phase in ("the ONNX checker", "shape inference")
        aborted = native and "SIGABRT" in str(error)
        return "contained" if aborted else f"{stage.phase if stage else 'start'} {error}"
    failed = [item.message for item in stage.findings if item.code == "FIL099"]
    return failed[0] if failed else "ok" if processor_time(pid) - begin < SECONDS else "slow"


def processor_time(pid: int) -> float:
    """Seconds that a process has used (Linux)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for models that broke something")
    args = parser.parse_args()
    begin = time.monotonic()
    outcomes = campaign(args.cases, args.seed, args.keep)
    for outcome, number in outcomes.most_common():
        print(f"{number:8} {outcome}")
    print(f"{args.cases} cases, seed {args.seed}, {time.monotonic() - begin:.0f} s")
    return outcomes.total() > outcomes["ok"] + outcomes["contained"]


if __name__ == "__main__":
    sys.exit(main())
