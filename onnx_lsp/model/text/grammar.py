"""Reads types, tensors and attributes: everything in ONNX text below a statement.

Source: OnnxParser in onnx/defs/parser.cc; what goes beyond it is on docs/model-text.md.
"""

from __future__ import annotations

from collections.abc import Callable

from onnx_lsp.model import proto
from onnx_lsp.model.text.attributes import TYPE_NAMES
from onnx_lsp.model.text.cursor import Cursor, Stop
from onnx_lsp.model.text.tokens import ELIDED, INT, NAME, STRING
from onnx_lsp.model.text.values import LAYOUT
from onnx_lsp.model.text.words import ELEMENTS, TYPE_WORDS

ELEMENT_NUMBERS = {name: number for number, name in ELEMENTS.items()}
ATTRIBUTE_NUMBERS = {name: number for number, name in TYPE_NAMES.items() if number}
ATTRIBUTE = proto.AttributeProto
SINGLE = {6: 1, 7: 2, 8: 3, 9: 4, 10: 5, 14: 13}  # AttributeType of a list -> of its members
LISTS = {single: many for many, single in SINGLE.items()}
FIELD = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings", 9: "tensors", 10: "graphs",
         13: "tp", 14: "type_protos"}  # fmt: skip
INT32 = 1 << 31
Graphs = Callable[[object, str], None]  # reads a graph into a message; told the label of its path


def is_type(cursor: Cursor) -> bool:
    """Whether a type begins here."""
    if cursor.kind != NAME:
        return False
    word = cursor.text
    return word in TYPE_WORDS or word.startswith("type_") and word[5:].isdigit()


def read_type(cursor: Cursor, into: proto.pb.TypeProto) -> None:
    """Reads a type.

    Raises:
        Stop: none stands here.
    """
    word = cursor.identifier()
    if word in ELEMENT_NUMBERS or word == "undefined" or word.startswith("type_"):
        cursor.at -= 1
        _shaped(cursor, into.tensor_type)
        return
    if word not in TYPE_WORDS:
        raise cursor.unknown("type", word, TYPE_WORDS)
    cursor.expect("(")
    if word == "seq":
        into.sequence_type.SetInParent()
        read_type(cursor, into.sequence_type.elem_type)
    elif word == "optional":
        into.optional_type.SetInParent()
        read_type(cursor, into.optional_type.elem_type)
    elif word == "map":
        into.map_type.key_type = _element(cursor)
        cursor.expect(",")
        read_type(cursor, into.map_type.value_type)
    elif word == "sparse_tensor":
        _shaped(cursor, into.sparse_tensor_type)
    else:
        _opaque(cursor, into.opaque_type)
    cursor.expect(")")


def _element(cursor: Cursor) -> int:
    word = cursor.identifier()
    if word in ELEMENT_NUMBERS:
        return ELEMENT_NUMBERS[word]
    if word.startswith("type_") and word[5:].isdigit() and int(word[5:]) < INT32:
        return int(word[5:])
    if word != "undefined":
        raise cursor.unknown("element type", word, ELEMENT_NUMBERS)
    return 0


def _shaped(cursor: Cursor, into) -> None:
    """`float` has rank 0, `float[]` any rank, `float[2,N,?]` these dims."""
    into.elem_type = _element(cursor)
    if not cursor.takes("["):
        into.shape.SetInParent()
        return
    if cursor.takes("]"):
        return
    while True:
        dim = into.shape.dim.add()
        if cursor.kind == STRING or cursor.kind == NAME:
            dim.dim_param = cursor.name()
        elif not cursor.takes("?"):
            dim.dim_value = cursor.integer()
        if not cursor.takes(","):
            break
    cursor.expect("]")


def _opaque(cursor: Cursor, into) -> None:
    into.SetInParent()
    if cursor.kind == ")":
        return
    word = cursor.identifier()
    while cursor.takes("."):
        word += f".{cursor.identifier()}"
    if cursor.takes(","):
        into.domain, into.name = word, cursor.identifier()
    else:
        into.name = word


def read_tensor(cursor: Cursor, kind: proto.pb.TypeProto, into: proto.TensorProto) -> None:
    """Reads a tensor's data, whose type has been read: values in braces, or where they lie in brackets.

    Raises:
        Stop: the type is no tensor's with known dims, or the data does not fit it.
    """
    shaped = kind.tensor_type
    if kind.WhichOneof("value") != "tensor_type" or not shaped.HasField("shape"):
        raise Stop(cursor.at, "data needs a tensor type with dims before it")
    into.data_type = shaped.elem_type
    for dim in shaped.shape.dim:
        if not dim.HasField("dim_value"):
            raise Stop(cursor.at, "the dims of a tensor with data are numbers")
        into.dims.append(dim.dim_value)
    if cursor.takes("{"):
        if not cursor.takes("}"):
            _values(cursor, into)
            cursor.expect("}")
    elif cursor.takes("["):
        into.data_location = proto.TensorProto.EXTERNAL
        if not cursor.takes("]"):
            for key, value in entries(cursor):
                into.external_data.add(key=key, value=value)
            cursor.expect("]")


def _values(cursor: Cursor, into: proto.TensorProto) -> None:
    number = into.data_type
    if number == proto.TensorProto.STRING:
        take, field = cursor.bytes, into.string_data
    elif number not in LAYOUT:
        raise Stop(cursor.at, "values of this element type cannot be written")
    else:
        name = LAYOUT[number][1]
        field = getattr(into, name)
        if name == "int32_data":
            take = lambda: cursor.integer(-INT32, INT32 - 1)  # noqa: E731
        elif name == "uint64_data":
            take = lambda: cursor.integer(0, (1 << 64) - 1)  # noqa: E731
        else:
            take = cursor.integer if name == "int64_data" else cursor.number
    found = [take()]
    while cursor.takes(","):
        found.append(take())
    if cursor.kind == ELIDED:
        raise cursor.wrong("")
    field.extend(found)


def entries(cursor: Cursor) -> list[tuple[str, str]]:
    """Reads `"key": "value"` pairs with commas between them."""
    found = []
    while True:
        key = cursor.string()
        cursor.expect(":")
        found.append((key, cursor.string()))
        if not cursor.takes(","):
            return found


def read_attribute(cursor: Cursor, into: proto.AttributeProto, graphs: Graphs) -> None:
    """Reads `name = value` or `name: type = value`.

    Raises:
        Stop: it cannot be read, or the value is not of the type.
    """
    into.name = cursor.name()
    if cursor.takes(":"):
        word = cursor.identifier()
        if word not in ATTRIBUTE_NUMBERS:
            raise cursor.unknown("attribute type", word, ATTRIBUTE_NUMBERS)
        into.type = ATTRIBUTE_NUMBERS[word]
    cursor.expect("=")
    if cursor.takes("["):
        _list(cursor, into, graphs)
    else:
        start = cursor.at
        declared = into.type
        _single(cursor, into, declared, graphs, into.name)
        if declared and into.type != declared:
            raise _mismatch(start, declared, into.type)


def _mismatch(at: int, declared: int, found: int) -> Stop:
    return Stop(at, f"the attribute is declared `{TYPE_NAMES[declared]}`, but this is `{TYPE_NAMES[found]}`")


def _list(cursor: Cursor, into: proto.AttributeProto, graphs: Graphs) -> None:
    declared = into.type
    if declared and declared not in SINGLE:
        raise Stop(cursor.at - 1, f"the attribute is declared `{TYPE_NAMES[declared]}`, which takes no list")
    if cursor.kind == "]":
        if not declared:
            raise Stop(cursor.at, "an empty list needs its type: `name: ints = []`")
        cursor.at += 1
        return
    member = SINGLE.get(declared, 0)
    while True:
        start = cursor.at
        number = len(getattr(into, FIELD[LISTS[member]])) if member else 0
        one = ATTRIBUTE()
        _single(cursor, one, member, graphs, f"{into.name}[{number}]")
        if member and one.type != member or one.type not in LISTS:
            raise _mismatch(start, LISTS.get(member, 7), one.type)
        member = one.type
        into.type = LISTS[member]
        value = getattr(one, FIELD[member])
        field = getattr(into, FIELD[into.type])
        field.append(value)
        if not cursor.takes(","):
            break
    cursor.expect("]")


def _single(cursor: Cursor, into: proto.AttributeProto, expected: int, graphs: Graphs, label: str) -> None:
    kind = cursor.kind
    if kind == INT and expected != ATTRIBUTE.FLOAT:
        into.i, into.type = cursor.integer(), ATTRIBUTE.INT
    elif cursor.is_number():
        into.f, into.type = cursor.number(), ATTRIBUTE.FLOAT
    elif kind == STRING and cursor.ahead() != "(":
        into.s, into.type = cursor.bytes(), ATTRIBUTE.STRING
    elif kind == "@":
        cursor.at += 1
        into.ref_attr_name = cursor.name()
    elif is_type(cursor):
        _typed(cursor, into)
    elif kind == NAME or kind == STRING:
        into.type = ATTRIBUTE.GRAPH
        graphs(into.g, label)
    else:
        raise cursor.wrong("a value")


def _typed(cursor: Cursor, into: proto.AttributeProto) -> None:
    kind = proto.pb.TypeProto()
    read_type(cursor, kind)
    if cursor.kind not in ("{", "=", NAME, STRING):
        into.type = ATTRIBUTE.TYPE_PROTO
        into.tp.CopyFrom(kind)
        return
    into.type = ATTRIBUTE.TENSOR
    if cursor.kind in (NAME, STRING):
        into.t.name = cursor.name()
    cursor.takes("=")
    read_tensor(cursor, kind, into.t)


