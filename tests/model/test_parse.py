"""ONNX text is read like `onnx.parser` reads it, and on behind errors, each of which has its place."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_lsp import engine
from onnx_lsp.model import reading
from onnx_lsp.model.parse import parse
from onnx_lsp.settings import Settings
from onnx_lsp.workspace import Workspace
from tests import examples
from tests.model.canonical import canonical
from tests.model.test_text import BRANCHES, HEAD

REPOSITORY = Path(__file__).resolve().parents[2]
GRAPH = HEAD + "g (float[2] x, bool c) => (float[2] y)"

# Whatever onnx.parser reads, in the odd corners of its grammar.
OFFICIAL = [
    BRANCHES,
    GRAPH + "{ y = Relu(x) }",
    "g (float[2] x) => (y) { }",
    HEAD + '"" (x) => (y, "a b") { y = Relu(x) }',
    HEAD + 'g (float["a b",?,-1,N] x, float[] z, float s) => (float[0] y) <> { y = Op() }',
    HEAD + "g (float[2] x = {1, 2.5}, int64 k = {-3}) => (y) <float[3] w = {1e-3, -inf, nan}, string[2] t = {\"a\", \"b\\\"c\"}> { }",
    HEAD + 'g () => () <float[3] w = ["location": "m.onnx", "offset": "40", "length": "12"]> { }',
    HEAD + "g () => () <int4[3] a = {1, 2}, bool[2] b = {0, 1}, uint64 u = {18446744073709551615}, double d = {1}> { }",
    HEAD + "g (seq(float[N]) a, map(int64, string) b, optional(seq(float)) c, sparse_tensor(float[3]) d) => () { }",
    HEAD + "g (opaque() a, opaque(name) b, opaque(a.b, name) c) => () { }",
    HEAD + "g (x) => (y) { = A(x) [n] = B(x) [] a, , b = C(, x) d = D(x,) e = E(,) f = F(\"\") }",
    HEAD + "g (x) => (y) { y = a.b.Op:over(x) z = Op(x) <k = 1> w = Op<k = 1>(x) }",
    HEAD + 'g (x) => (y) { y = A<a=1, b=2.5, c="s\\n", d=[1,2], e=[1.5, 2], f: float = 3, g: ints = [], h = -5, i = -inf>(x) }',
    HEAD + "g (x) => (y) { y = A<a: float = @b, t = float[2] {1, 2}, u = float named {1}, k = seq(float[2]), l = int64>(x) }",
    HEAD + "g (x) => (y) # a comment\n{ # another\n y = A(x) # the last\n}",
    'g () => () { }\n<domain: "d", opset_import: ["" : 17], doc_string: "s"> f <alpha, b: int = 1, c = 2.5> (float[2] x, y) => (z) <float[2] h> { z = Op(x, y) }\nk () => () { }',
    '<ir_version: 8, producer_name: "a", producer_version: "b", domain: "c", model_version: 3, doc_string: "d",'
    ' metadata_props: ["k": "v", "l": ""], opset_import: []>\ng () => () { }',
]

# text with `→` in front of what each error is about -> the messages
BROKEN = {
    GRAPH + "{\n y = Relu(x\n →z = Neg(y)\n}": ["expected `)`, found `z`"],
    GRAPH + "{\n y = →= Relu(x)\n z = Neg(y) w = Abs(z) v = Tan→)\n u = Cos\n→}": [
        "expected an operator, found `=`", "expected `(`, found `)`", "expected `(`, found `}`"],
    HEAD + "g (→flot[2] x, float[2] z) => (→int46 y) { }": [
        "`flot` is no type; did you mean `float`?", "`int46` is no type; did you mean `int4`?"],
    "<→ir_vers: 8, →opset_imports: 3>\ng () => () { }": [
        "`ir_vers` is no keyword of a header; did you mean `ir_version`?",
        "`opset_imports` is no keyword of a header; did you mean `opset_import`?"],
    GRAPH + "\n<float[2] w = {1, 2, →float[3] v = {1}, float[2] u = {1, →b}>\n{ y = Relu(x) }": [
        "expected a number, found `float`", "expected a number, found `b`"],
    GRAPH + '{\n y = A<a: →imts = []>(x)\n z = A<a: int = →1.5>(x)\n w = A<a = [→]>(x)\n}': [
        "`imts` is no attribute type; did you mean `ints`?",
        "the attribute is declared `int`, but this is `float`", "an empty list needs its type: `name: ints = []`"],
    GRAPH + "{\n y = If (c) <\n  then_branch = t () => (p) { p = Relu(x →},\n  else_branch = e () => (q) { q = Neg →x) r = Neg(x) }\n >\n}": [
        "expected `)`, found `}`", "expected `(`, found `x`"],
    GRAPH + '{\n y = →"Relu(x)\n z = Neg(y)\n}': ["the string does not end; a quote is missing"],
    GRAPH + "{\n y = A<a = [1, 2, →... 500 values 01ab]>(x)\n}": [
        "`...` stands for values that were left out of a view; `onnx-lint view --full` writes them"],
    GRAPH + "{\n y = A<a = →99999999999999999999>(x)\n}": [
        "`99999999999999999999` is not between -9223372036854775808 and 9223372036854775807"],
    GRAPH + "{\n→#@ colour: 1\n y = Relu(x)\n→#@ metadata_props: {\n z = Neg(y)\n}": [
        "`#@ colour` says nothing about a node",
        "`#@ metadata_props` is followed by no JSON that fits: Expecting property name enclosed in double quotes: line 1 column 3 (char 2)"],
    GRAPH + "{ y = Relu(x)": ["expected `}`, found the end of the text"],
    "": ["expected a name, found the end of the text"],
}  # fmt: skip


def marked(source: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its arrows, and the lines and columns where they stood."""
    places, lines = [], []
    for number, line in enumerate(source.split("\n")):
        while (at := line.find("→")) >= 0:
            places.append((number, at))
            line = line[:at] + line[at + 1 :]
        lines.append(line)
    return "\n".join(lines), places


def official_examples() -> list[str]:
    """The ONNX text on the cards."""
    cards = sorted((REPOSITORY / "rules" / "model").glob("*.md"))
    found = [example.text for card in cards for example in examples.read(card.read_text("utf-8")) if example.language == "onnx"]
    assert len(found) > 10
    return found


@pytest.mark.parametrize("source", [*OFFICIAL, *official_examples()])
def test_what_onnx_reads_gives_the_same_model(source: str) -> None:
    found = parse(source)
    assert not found.problems
    assert canonical(found.message) == canonical(onnx.parser.parse_model(source))


@pytest.mark.parametrize("source", BROKEN)
def test_every_error_has_its_place(source: str) -> None:
    text, places = marked(source)
    found = parse(text)
    assert [problem.message for problem in found.problems] == BROKEN[source]
    if places:
        assert [(item.range.start.line, item.range.start.column) for item in found.problems] == places


@pytest.mark.parametrize("source", BROKEN)
def test_onnx_refuses_it_too(source: str) -> None:
    text, _ = marked(source)
    if "#@" in text:
        return  # a comment to onnx
    with pytest.raises((onnx.parser.ParseError, ValueError, IndexError, RuntimeError)):
        onnx.parser.parse_model(text)


def test_what_is_around_an_error_is_read() -> None:
    found = parse(GRAPH + "{\n y = Relu(x\n z = Neg(y)\n w = Foo(((\n v = Abs(z)\n}\nf (a) => (b) { b = Neg(a) }")
    assert [node.op_type for node in found.message.graph.node] == ["Neg", "Abs"]
    assert [function.name for function in found.message.functions] == ["f"]


def test_paths_have_places() -> None:
    found = parse(BRANCHES)
    places = {
        "graph/node[0]": (4, 2), "graph/node[1].else_branch/node[0]": (7, 43), 'graph/initializer["w"]': (2, 1),
        'graph/input["c"]': (1, 17), "function(my.ops:Scale)/node[1]": (11, 73),
    }  # fmt: skip
    for path, place in places.items():
        start = found.find(path).start
        assert (start.line, start.column) == place, path
    assert found.find("nothing") is None


@pytest.mark.parametrize("source", ["seq(" * 5000, f"{HEAD}g (" + "seq(" * 5000, GRAPH + "{" + "a = B<c = g () => () {" * 3000])
def test_deep_nesting_is_an_error_and_no_crash(source: str) -> None:
    assert parse(source).problems


@given(st.data())
def test_no_text_breaks_it(data: st.DataObject) -> None:
    """Cuts, doubles and swaps pieces of a real text."""
    text = BRANCHES
    for _ in range(data.draw(st.integers(1, 4))):
        start, end = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
        text = data.draw(st.sampled_from([text[:start] + text[end:], text[:end] + text[start:], text[:start] + data.draw(st.text(max_size=5)) + text[start:]]))
    found = parse(text)
    try:
        official = onnx.parser.parse_model(text)
    except (onnx.parser.ParseError, RuntimeError, ValueError, IndexError, UnicodeError):
        return
    if not found.problems:
        assert canonical(found.message) == canonical(official)


def lint(path: Path) -> list:
    return list(list(engine.lint_model(str(path), Settings(root=str(path.parent)), Workspace()))[-1].findings)


def test_findings_in_text_have_a_path_and_a_line(tmp_path: Path) -> None:
    path = tmp_path / "model.onnxtxt"
    path.write_text(GRAPH + "\n{\n  h = Relu(q)\n  y = Neg(h)\n}\n")
    (found,) = [item for item in lint(path) if item.code == "ONX010"]
    assert (found.location, found.range.start.line, found.range.end.column) == ("graph/node[0]", 3, 13)


def test_syntax_errors_are_findings_and_nothing_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.onnxtext"
    path.write_text(GRAPH + "\n{\n  h = Relu(q\n  y = Neg(h)\n  z = Foo((\n}\n")
    found = lint(path)
    assert {item.code for item in found} == {"FIL011"}
    assert [item.range.start.line for item in found] == [4, 5]


OTHER_FORMS = {
    "good.onnxjson": ('{"irVersion": "8", "opsetImport": [{"domain": "", "version": "17"}], "graph": {"name": "g", "node": '
                      '[{"input": ["q"], "output": ["y"], "opType": "Relu"}], "input": [], "output": []}}', ["ONX010"]),
    "comma.onnxjson": ('{\n  "irVersion": "8",,\n}', ["FIL011"]),
    "field.onnxjson": ('{"irVersoin": "8"}', ["FIL011"]),
    "good.textproto": ('ir_version: 8 opset_import { version: 17 } graph { name: "g" node { input: "q" output: "y" op_type: "Relu" } }',
                       ["ONX010"]),
    "bad.textproto": ("ir_version: 8\ngraph { nam: 3 }", ["FIL011"]),
    "other.textproto": ('name: "a device" width: 3', []),
    "empty.onnxtxt": ("", ["FIL002"]),
    "page.onnxtxt": ("<!DOCTYPE html><html></html>", ["FIL004"]),
    "pointer.onnxtxt": ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", ["FIL003"]),
    "latin.onnxtxt": ("g () => () {} # \udce9", ["FIL006"]),
    "binary.onnxtxt": ("\x08\x00\x01\x02", ["FIL004"]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_FORMS)
def test_other_forms_of_text(name: str, tmp_path: Path) -> None:
    text, codes = OTHER_FORMS[name]
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = lint(path)
    assert [item.code for item in found if item.code.startswith(("FIL", "ONX010"))] == codes, found
    if codes == ["FIL011"]:
        assert found[0].range is not None
        assert reading.why_not(reading.read(str(path))).startswith("line ")


def test_json_and_text_errors_say_where(tmp_path: Path) -> None:
    places = {}
    for name in ("comma.onnxjson", "bad.textproto"):
        (tmp_path / name).write_text(OTHER_FORMS[name][0])
        (found,) = lint(tmp_path / name)
        places[name] = (found.range.start.line, found.range.start.column)
    assert places == {"comma.onnxjson": (1, 19), "bad.textproto": (1, 8)}
