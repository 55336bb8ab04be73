"""Names, strings, numbers and types in ONNX's text syntax.

Source: onnx/defs/parser.h and parser.cc of https://github.com/onnx/onnx, which define the syntax.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache

from onnx_lsp.model import proto

LIMIT = 1000  # characters of a line
ELIDED = "..."

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*").fullmatch
# What a plain string literal cannot hold on one line, or what hides text: control, line-separating, bidi characters.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}

ELEMENTS = {
    number: name.lower() for name, number in proto.TensorProto.DataType.items() if name != "UNDEFINED"
}  # FLOAT -> float, as the syntax spells them
TYPE_WORDS = frozenset(ELEMENTS.values()) | {"seq", "map", "optional", "sparse_tensor", "opaque", "undefined"}
FLOAT32 = struct.Struct("<f")


def string(text: str | bytes) -> str:
    """A string literal; with the prefix `e` where it needs escapes that ONNX does not have."""
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            text = text.decode("utf-8", "surrogateescape")
            return _escaped(text)
    if UNPRINTABLE.search(text):
        return _escaped(text)
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _escaped(text: str) -> str:
    return f'e"{"".join(map(_escape, text))}"'


def _escape(char: str) -> str:
    if char in ESCAPES:
        return ESCAPES[char]
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"  # a byte that is not UTF-8
    return f"\\u{ord(char):04x}" if UNPRINTABLE.match(char) else char


class Names(dict):
    """Names as the text writes them: bare where the syntax allows it, else quoted. Filled as names come."""

    def __missing__(self, name: str) -> str:
        bare = IDENTIFIER(name) and name not in TYPE_WORDS
        self[name] = written = name if bare else string(name)
        return written


def operator(domain: str, op: str, overload: str = "") -> str:
    """An op with its domain and overload."""
    written = op if IDENTIFIER(op) else string(op)
    if domain:
        written = f"{domain if DOTTED(domain) else string(domain)}.{written}"
    if overload:
        written = f"{written}:{overload if IDENTIFIER(overload) else string(overload)}"
    return written


@lru_cache(1 << 16)
def float32(value: float) -> str:
    """The shortest decimal that reads back as the same 32-bit float; always with a point or an exponent."""
    if value != value or value in (float("inf"), float("-inf")):
        return repr(value)
    for digits in (6, 7, 8):
        text = f"{value:.{digits}g}"
        if _same(text, value):
            return _pointed(text)
    return _pointed(f"{value:.9g}")


def _same(text: str, value: float) -> bool:
    try:
        return FLOAT32.unpack(FLOAT32.pack(float(text)))[0] == value
    except OverflowError:
        return False


def _pointed(text: str) -> str:
    return text if "." in text or "e" in text else f"{text}.0"


def float64(value: float) -> str:
    """The shortest decimal that reads back as the same 64-bit float."""
    return repr(value)


def element(number: int) -> str:
    """An element type by its name; `undefined`, or `type_99` for a number that ONNX does not have."""
    return ELEMENTS.get(number) or (f"type_{number}" if number else "undefined")


def tensor(number: int, dims) -> str:
    """The type of a tensor whose dims are numbers."""
    return f"{element(number)}[{','.join(map(str, dims))}]" if dims else element(number)


def type_of(value) -> str:
    """A TypeProto; empty where it says nothing."""
    kind = value.WhichOneof("value")
    if kind == "tensor_type":
        return _shaped(value.tensor_type)
    if kind == "sequence_type":
        return f"seq({type_of(value.sequence_type.elem_type)})"
    if kind == "map_type":
        return f"map({element(value.map_type.key_type)}, {type_of(value.map_type.value_type)})"
    if kind == "optional_type":
        return f"optional({type_of(value.optional_type.elem_type)})"
    if kind == "sparse_tensor_type":
        return f"sparse_tensor({_shaped(value.sparse_tensor_type)})"
    if kind == "opaque_type":
        opaque = value.opaque_type
        return f"opaque({', '.join(filter(None, (opaque.domain, opaque.name)))})"
    return ""


def _shaped(value) -> str:
    name = ELEMENTS.get(value.elem_type) or element(value.elem_type)
    if not value.HasField("shape"):
        return f"{name}[]"
    dims = [_dim(dim) for dim in value.shape.dim]
    return f"{name}[{','.join(dims)}]" if dims else name


def _dim(dim) -> str:
    if dim.HasField("dim_value"):
        return str(dim.dim_value)
    if name := dim.dim_param:
        return name if IDENTIFIER(name) else string(name)
    return '""' if dim.HasField("dim_param") else "?"


CHUNK = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")*,?[ ]?')


def wrapped(line: str, indent: str) -> list[str]:
    """A line over the limit as several, broken behind commas, and inside strings where nothing else is left."""
    lines: list[str] = []
    current = ""
    for chunk in CHUNK.findall(line):
        while len(current) + len(chunk) > LIMIT:
            if current.strip():
                lines.append(current.rstrip())
            elif '"' in chunk:
                head, chunk = _broken(chunk, LIMIT - len(indent) - 8)
                lines.append(current + head)
            else:
                break
            current = indent
        current += chunk
    return [*lines, current.rstrip()]


LITERAL = re.compile(r'(e?)"((?:[^"\\]|\\.)*)"')
ATOM = re.compile(r"\\x..|\\u....|\\.|.")


def _broken(chunk: str, width: int) -> tuple[str, str]:
    """A long chunk cut inside its first long string: adjacent literals are one string."""
    for match in LITERAL.finditer(chunk):
        if match.end() > width:
            prefix, body = match.groups()
            room = max(width - match.start(), 1)
            size = 0
            for atom in ATOM.finditer(body):
                if atom.end() > room:
                    break
                size = atom.end()
            if size < len(body):
                head = f'{chunk[: match.start()]}{prefix}"{body[:size]}"'
                return head, f'{prefix}"{body[size:]}"{chunk[match.end() :]}'
    return chunk[:width], chunk[width:]
