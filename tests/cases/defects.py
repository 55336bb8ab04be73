"""Defective models, by class and in several shapes: in the main graph, in a branch, in the body of a loop, in a function.

A `Snippet` is a few nodes with a fault. `everywhere` puts it into each place that can hold it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import onnx


@dataclass(frozen=True, slots=True)
class Snippet:
    """A fault.

    Attributes:
        code: the rule that tells it.
        names: one of these must be in the message or the place of the finding.
        inputs, output, body, initializers: ONNX text.
        opset: of ai.onnx.
        imports: further opset imports.
    """

    code: str
    names: tuple[str, ...]
    inputs: str
    body: str
    output: str = "float[a,b] y"
    initializers: str = ""
    opset: int = 17
    imports: str = '"dom" : 1'

    @property
    def head(self) -> str:
        return f'<ir_version: {8 if self.opset < 18 else 10}, opset_import: ["" : {self.opset}, {self.imports}]>\n'

    @property
    def weights(self) -> str:
        return f"<{self.initializers}>" if self.initializers else ""


def everywhere(snippet: Snippet) -> Iterator[tuple[str, str]]:
    """(where, ONNX text) of the snippet in every place that can hold it."""
    main = f"g ({snippet.inputs}) => ({snippet.output}) {snippet.weights} {{ {snippet.body} }}"
    yield "graph", snippet.head + main
    yield "branch", snippet.head + _branch(snippet)
    yield "loop", snippet.head + _loop(snippet)
    if not snippet.initializers:  # functions have none
        yield "function", snippet.head + _function(snippet)


def _branch(snippet: Snippet) -> str:
    kind = re.match(r"\w+", snippet.output)[0]
    other = f"e () => ({kind} e_) {{ e_ = Constant<value = {kind} {{{'1' if kind != 'float' else '1.0'}}}>() }}"
    return (
        f"g ({snippet.inputs}, bool c_) => ({kind}[r,s] r_) {snippet.weights} {{ r_ = If (c_) <"
        f"then_branch = t () => ({snippet.output}) {{ {snippet.body} }}, else_branch = {other}> }}"
    )


def _loop(snippet: Snippet) -> str:
    return (
        f"g ({snippet.inputs}, int64 n_, bool c_) => ({_scanned(snippet.output)}) {snippet.weights} {{ r_ = Loop (n_, c_) <"
        f"body = b (int64 i_, bool g_) => (bool k_, {snippet.output}) {{ k_ = Identity(g_) {snippet.body} }}> }}"
    )


def _scanned(output: str) -> str:
    kind, dims = re.match(r"(\w+)(?:\[(.*?)\])?", output).groups()
    return f"{kind}[{'k,' + dims if dims else 'k'}] r_"


def _function(snippet: Snippet) -> str:
    names = ", ".join(item.split()[-1] for item in re.split(r",\s*(?![^\[]*\])", snippet.inputs))
    kind, name = snippet.output.split()
    others = f", {snippet.imports}" if snippet.imports else ""
    return (
        f"g ({snippet.inputs}) => ({kind} {name}) {{ {name} = dom.f_({names}) }}\n"
        f'<domain: "dom", opset_import: ["" : {snippet.opset}{others}]> f_ ({names}) => ({name}) {{ {snippet.body} }}'
    )


def parse(text: str) -> onnx.ModelProto:
    """The model of an ONNX text."""
    return onnx.parser.parse_model(text)


IMAGE = "float[1,3,8,8] x"
MATRIX = "float[2,6] x"
FOUR = "float[a,b,c,d] y"
THREE = "float[a,b,c] y"
NODE = ("`y`", "`a`", "node[")


def _s(code: str, inputs: str, body: str, **more) -> Snippet:
    return Snippet(code, more.pop("names", NODE), inputs, body, **more)


SNIPPETS = {
    # operators
    "misspelt op": _s("ONX030", "float[2] x", "y = Rleu(x)", output="float[a] y"),
    "op of a later opset": _s("ONX030", "float[2] x", "y = Gelu(x)", output="float[a] y"),
    "op of a framework": _s("ONX030", "float[2] x", "y = ReLU6(x)", output="float[a] y"),
    "deprecated op": _s("ONX031", "float[1,1,2,2] x, float[4] s", "y = Upsample(x, s)", output=FOUR),
    "unknown attribute": _s("ONX033", "float[2] x", "y = Relu<negative_slope = 0.1>(x)", output="float[a] y"),
    "misspelt attribute": _s("ONX033", MATRIX, "y = Softmax<axes = 1>(x)"),
    "attribute that became an input": _s("ONX033", MATRIX, "y = ReduceSum<axes = [1]>(x)"),
    "squeeze axes as attribute": _s("ONX033", "float[2,1] x", "y = Squeeze<axes = [1]>(x)", output="float[a] y"),
    "missing attribute": _s("ONX034", MATRIX, "y = Concat(x, x)"),
    "missing kernel shape": _s("ONX034", IMAGE, "y = MaxPool(x)", output=FOUR),
    "missing cast target": _s("ONX034", "float[2] x", "y = Cast(x)", output="float[a] y"),
    "int for float": _s("ONX035", "float[2] x", "y = LeakyRelu<alpha = 1>(x)", output="float[a] y"),
    "float for int": _s("ONX035", MATRIX, "y = Softmax<axis = 1.0>(x)"),
    "int for ints": _s("ONX035", MATRIX, "y = Transpose<perm = 1>(x)"),
    "string for int": _s("ONX035", MATRIX, 'y = Softmax<axis = "last">(x)'),
    "too few inputs": _s("ONX037", "float[2] x", "y = Add(x)", output="float[a] y"),
    "too many inputs": _s("ONX037", "float[2] x", "y = Relu(x, x)", output="float[a] y"),
    "required input left out": _s("ONX037", "float[2] x", "y = Add(, x)", output="float[a] y"),
    "too many outputs": _s("ONX038", "float[2] x", "y, z = Relu(x)", output="float[a] y"),
    "unknown mode": _s("ONX039", MATRIX + ", int64[4] p", 'y = Pad<mode = "mirror">(x, p)'),
    "unknown auto_pad": _s("ONX039", IMAGE + ", float[4,3,3,3] w", 'y = Conv<auto_pad = "SAME">(x, w)', output=FOUR),
    # dataflow
    "undefined input": _s("ONX010", "float[2] x", "a = Relu(x) y = Add(a, missing)", output="float[a] y", names=("missing",)),
    "misspelt input": _s("ONX010", "float[2] x", "hidden = Relu(x) y = Neg(hiden)", output="float[a] y", names=("hiden",)),
    "unsorted": _s("ONX011", "float[2] x", "y = Relu(a) a = Neg(x)", output="float[a] y", names=("`a`",)),
    "cycle": _s("ONX012", "float[2] x", "a = Add(x, b) b = Relu(a) y = Neg(b)", output="float[a] y", names=("`a`", "`b`")),
    "cycle of itself": _s("ONX012", "float[2] x", "a = Add(x, a) y = Neg(a)", output="float[a] y", names=("`a`",)),
    "output not produced": _s("ONX013", "float[2] x", "z = Relu(x)", output="float[a] y", names=("`y`",)),
    "produced twice": _s("ONX015", "float[2] x", "a = Relu(x) a = Neg(x) y = Abs(a)", output="float[a] y", names=("`a`",)),
    "domain not imported": _s("ONX003", "float[2] x", "y = other.F(x)", output="float[a] y", names=("other",)),
    "two nodes with one name": _s("ONX040", "float[2] x", "[n1] a = Relu(x) [n1] y = Neg(a)", output="float[a] y", names=("`n1`",)),
    # one node
    "resize with both": _s("ONX080", "float[1,1,2,2] x, float[4] s, int64[4] z", "y = Resize(x, , s, z)", output=FOUR),
    "resize with neither": _s("ONX080", "float[1,1,2,2] x", "y = Resize(x)", output=FOUR),
    "resize crop without roi": _s(
        "ONX081", "float[1,1,2,2] x, float[4] s", 'y = Resize<coordinate_transformation_mode = "tf_crop_and_resize">(x, , s)',
        output=FOUR,
    ),
    "auto_pad with pads": _s(
        "ONX082", IMAGE + ", float[4,3,3,3] w", 'y = Conv<auto_pad = "SAME_LOWER", pads = [1, 1, 1, 1]>(x, w)', output=FOUR
    ),
    "two free dims": _s("ONX083", MATRIX, "s = Constant<value_ints = [-1, -1]>() y = Reshape(x, s)"),
    # shapes
    "matmul inner": _s("SHP001", "float[2,3] x, float[4,5] w", "y = MatMul(x, w)"),
    "matmul batch": _s("SHP001", "float[2,3,4] x, float[3,4,5] w", "y = MatMul(x, w)", output=THREE),
    "add": _s("SHP001", "float[2,3] x, float[2,4] w", "y = Add(x, w)"),
    "where": _s("SHP001", "bool[3] c, float[2,2] x", "y = Where(c, x, x)"),
    "mixed types": _s("SHP001", "float[2] x, int64[2] w", "y = Add(x, w)", output="float[a] y"),
    "gemm": _s("SHP036", "float[n,3] x, float[4,5] w", "y = Gemm(x, w)"),
    "gemm transposed": _s("SHP036", "float[2,3] x, float[3,5] w", "y = Gemm<transB = 1>(x, w)"),
    "concat": _s("SHP001", "float[2,6] x, float[3,5] z", "y = Concat<axis = 1>(x, z)"),
    "concat ranks": _s("SHP001", "float[2,6] x, float[5] z", "y = Concat<axis = 0>(x, z)"),
    "axis out of range": _s("SHP001", MATRIX, "y = Softmax<axis = 2>(x)"),
    "gather axis": _s("SHP001", MATRIX + ", int64[1] i", "y = Gather<axis = 3>(x, i)"),
    "squeeze": _s("SHP001", MATRIX, "a = Constant<value_ints = [1]>() y = Squeeze(x, a)", output="float[a] y"),
    "split": _s("SHP001", MATRIX, "s = Constant<value_ints = [2, 3]>() y, z = Split<axis = 1>(x, s)"),
    "expand": _s("SHP001", MATRIX, "s = Constant<value_ints = [3, 6]>() y = Expand(x, s)"),
    "topk": _s("SHP001", MATRIX, "k = Constant<value_ints = [9]>() y, i = TopK(x, k)"),
    "pads": _s("SHP001", MATRIX, "p = Constant<value_ints = [1, 1]>() y = Pad(x, p)"),
    "conv rank": _s("SHP001", IMAGE + ", float[4,3,3] w", "y = Conv(x, w)", output=FOUR),
    "conv channels": _s("SHP010", IMAGE + ", float[4,2,3,3] w", "y = Conv(x, w)", output=FOUR),
    "conv group": _s("SHP010", IMAGE + ", float[4,3,3,3] w", "y = Conv<group = 3>(x, w)", output=FOUR),
    "conv bias": _s("SHP010", IMAGE + ", float[4,3,3,3] w, float[3] b", "y = Conv(x, w, b)", output=FOUR),
    "transposed conv": _s("SHP010", IMAGE + ", float[4,3,3,3] w", "y = ConvTranspose(x, w)", output=FOUR),
    "kernel shape": _s("SHP011", IMAGE + ", float[4,3,3,3] w", "y = Conv<kernel_shape = [5, 5]>(x, w)", output=FOUR),
    "pool larger than input": _s("SHP012", IMAGE, "y = MaxPool<kernel_shape = [9, 9]>(x)", output=FOUR),
    "pool of a row": _s("SHP014", "float[2,3] x", "y = GlobalAveragePool(x)"),
    "group of 0": _s("SHP010", IMAGE + ", float[4,3,3,3] w", "y = Conv<group = 0>(x, w)", output=FOUR),
    "space to depth": _s("SHP013", "float[1,3,5,8] x", "y = SpaceToDepth<blocksize = 2>(x)", output=FOUR),
    "depth to space": _s("SHP013", IMAGE, "y = DepthToSpace<blocksize = 2>(x)", output=FOUR),
    "reshape count": _s("SHP020", MATRIX, "s = Constant<value_ints = [5, 2]>() y = Reshape(x, s)"),
    "reshape count of a constant": _s("SHP020", MATRIX, "y = Reshape(x, s)", initializers="int64[2] s = {5, 2}"),
    "reshape with a free dim": _s("SHP020", MATRIX, "y = Reshape(x, s)", initializers="int64[2] s = {5, -1}"),
    "gather index": _s("SHP021", MATRIX, "y = Gather<axis = 1>(x, i)", initializers="int64[2] i = {0, 6}"),
    "gather scalar index": _s("SHP021", MATRIX, "y = Gather<axis = 0>(x, i)", initializers="int64 i = {-3}", output="float[a] y"),
    "negative gather index": _s("SHP021", MATRIX, "i = Constant<value = int64 {-3}>() y = Gather<axis = 0>(x, i)", output="float[a] y"),
    "nd index": _s("SHP021", "float[2,3] x", "y = GatherND(x, i)", initializers="int64[1,2] i = {1, 3}", output="float[a] y"),
    "axis of a sum": _s("SHP021", MATRIX, "i = Constant<value = int64 {2}>() y = CumSum(x, i)"),
    "split of three": _s("SHP026", MATRIX, "y, z = Split<axis = 1, num_outputs = 3>(x)", opset=18),
    "step 0": _s("SHP027", "int64 n", "i = Constant<value = int64 {0}>() y = Range(i, n, i)", output="int64[a] y"),
    "the last of none": _s("SHP027", MATRIX, "k = Constant<value_ints = [-1]>() y, i = TopK(x, k)"),
    "slice": _s("SHP022", MATRIX, "y = Slice(x, s, e, a)", initializers="int64[1] s = {7}, int64[1] e = {9}, int64[1] a = {1}"),
    "reflect": _s("SHP023", MATRIX, 'y = Pad<mode = "reflect">(x, p)', initializers="int64[4] p = {0, 6, 0, 0}"),
    "transpose rank": _s("SHP024", "float[1,3,4] x", "y = Transpose<perm = [1, 0]>(x)"),
    "scatter updates": _s("SHP025", "float[4,3] x, int64[2,1] i, float[2,4] u", "y = ScatterND(x, i, u)"),
    "scale length": _s("SHP030", "uint8[2,6] x, float[5] s", "y = DequantizeLinear<axis = 1>(x, s)"),
    "zero point length": _s("SHP030", "uint8[2,6] x, float[6] s, uint8[2] z", "y = DequantizeLinear<axis = 1>(x, s, z)"),
    "scale axis": _s("SHP030", "uint8[2,6] x, float[6] s", "y = DequantizeLinear<axis = 2>(x, s)"),
    "scales of blocks": _s("SHP030", "uint8[2,8] x, float[2,3] s", "y = DequantizeLinear<axis = 1, block_size = 4>(x, s)", opset=21),
    "zero point type": _s("QNT002", "uint8[2,6] x, float s, int8 z", "y = DequantizeLinear(x, s, z)"),
    "integer conv scale": _s(
        "SHP031", "uint8[1,3,8,8] x, uint8[4,3,3,3] w, float s, uint8 z, float[3] t", "y = QLinearConv(x, s, z, w, t, z, s, z)",
        output="uint8[a,b,c,d] y",
    ),
    "layer norm": _s("SHP032", "float[1,3,4] x, float[3] s", "y = LayerNormalization(x, s)", output=THREE),
    "batch norm": _s(
        "SHP032", IMAGE + ", float[4] s", "y = BatchNormalization(x, s, s, s, s)", output=FOUR,
    ),
    "gemm bias": _s("SHP033", "float[2,3] x, float[3,5] w, float[4] c", "y = Gemm(x, w, c)"),
    "lstm": _s(
        "SHP034", "float[5,1,4] x, float[1,12,4] w, float[1,16,4] r", "y = LSTM<hidden_size = 4>(x, w, r)", output=FOUR,
    ),
    "boxes": _s("SHP037", "float[1,9,3] x, float[1,2,9] s", "y = NonMaxSuppression(x, s)", output="int64[a,3] y"),
    "grid": _s("SHP037", IMAGE + ", float[1,4,4,3] g1", "y = GridSample(x, g1)", output=FOUR),
    "heads": _s("SHP037", "float[1,2,4,8] x, float[1,2,4,6] k, float[1,2,4,8] v", "y = Attention(x, k, v)", opset=23, output=FOUR),
    "keys without values": _s(
        "ONX084", "int64[n] x", "y = ai.onnx.ml.LabelEncoder<keys_int64s = [1, 2], values_int64s = [1]>(x)", output="int64[a] y",
        imports='"dom" : 1, "ai.onnx.ml" : 3',
    ),
    "older opset": _s(
        "ONX057", "float[2,1] x", "a = Constant<value = int64[1] {1}>() b = Squeeze(x, a) c = Unsqueeze(b, a) d = ReduceSum(c, a) y = Pad(d, a)",
        opset=9, names=("opset 9",),
    ),
    "einsum": _s("SHP035", "float[2,6] x, float[5,4] z", 'y = Einsum<equation = "ij,jk->ik">(x, z)'),
    "einsum rank": _s("SHP001", "float[2,6] x, float[6,4] z", 'y = Einsum<equation = "bij,jk->ik">(x, z)'),
    "value info": _s("ONX070", MATRIX, "h = Relu(x) y = Neg(h)", initializers="float[6,2] h", names=("`h`",)),
    "declared output": _s("SHP002", MATRIX, "y = Relu(x)", output="float[6,2] y", names=("`y`", "node[")),
    "declared output type": _s("SHP002", MATRIX, "y = Cast<to = 7>(x)", names=("`y`", "node[")),
}  # fmt: skip
