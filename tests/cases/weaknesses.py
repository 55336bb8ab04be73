"""What is valid and yet wrong or wasteful, by class, for every place that can hold it (`defects.everywhere`)."""

from __future__ import annotations

from tests.cases.defects import FOUR, THREE, Snippet

NAMED = ("`it`",)
VECTOR = "float[n] x"
ROW = {"output": "float[a] y"}


def _w(code: str, inputs: str, body: str, **more) -> Snippet:
    return Snippet(code, more.pop("names", NAMED), inputs, body, **more)


def _constant(name: str, value: str, kind: str = "float") -> str:
    return f"{name} = Constant<value = {kind} {{{value}}}>() "


QUANTISED = "uint8[n,4] x"
SCALED = _constant("s", "0.5") + _constant("z", "3", "uint8")

WEAKNESSES = {
    # numerics
    "division by 0": _w("NUM012", VECTOR, _constant("z", "0") + "[it] y = Div(x, z)", **ROW),
    "division by 0, an attribute": _w("NUM012", VECTOR, "z = Constant<value_float = 0.0>() [it] y = Div(x, z)", **ROW),
    "division by 0, an initializer": _w("NUM012", VECTOR, "[it] y = Div(x, z)", initializers="float[1] z = {0}", **ROW),
    "remainder of 0": _w("NUM012", "int64[n] x", _constant("z", "0", "int64") + "[it] y = Mod(x, z)", output="int64[a] y"),
    "reciprocal of 0": _w("NUM012", VECTOR, _constant("z", "0") + "[it] r = Reciprocal(z) y = Mul(x, r)", **ROW),
    "empty clip": _w("NUM013", VECTOR, _constant("l", "6") + _constant("h", "0") + "[it] y = Clip(x, l, h)", **ROW),
    "root of a negative number": _w("NUM014", VECTOR, _constant("v", "-4") + "[it] r = Sqrt(v) y = Mul(x, r)", **ROW),
    "logarithm of 0": _w("NUM014", VECTOR, _constant("v", "0") + "[it] r = Log(v) y = Mul(x, r)", **ROW),
    "arc sine of 2": _w("NUM014", VECTOR, _constant("v", "2") + "[it] r = Asin(v) y = Mul(x, r)", **ROW),
    "softmax that flattens": _w("NUM015", "float[n,4,8] x", "[it] y = Softmax<axis = 1>(x)", opset=11, output=THREE),
    "epsilon 0": _w("NUM016", "float[n,8] x, float[8] s", "[it] y = LayerNormalization<epsilon = 0.0>(x, s)"),
    "casts that lose digits": _w("NUM011", VECTOR, "h = Cast<to = 10>(x) [it] y = Cast<to = 1>(h)", **ROW),
    "NaN in a weight": _w("NUM001", "float[n,2] x", "y = MatMul(x, w)", initializers="float[2,2] w = {1, 2, nan, 4}", names=("`w`",)),
    "Inf in a bias": _w(
        "NUM002", "float[n,2] x", "y = Gemm(x, w, b)", names=("`b`",), initializers="float[2,2] w = {1, 2, 3, 4}, float[2] b = {1, inf}"
    ),
    "a weight of zeros": _w("NUM004", "float[n,2] x", "y = MatMul(x, w)", initializers="float[2,2] w = {0, 0, 0, 0}", names=("`w`",)),
    "beyond float16": _w(
        "NUM005", "float16[n,2] x", "h = Cast<to = 10>(w) y = MatMul(x, h)", output="float16[a,b] y",
        initializers="float[2,2] w = {1, 2, 70000, 4}", names=("`w`",),
    ),
    "beyond int32": _w("NUM006", "int64[n] x", "y = Add(x, w)", output="int64[a] y", initializers="int64[1] w = {1099511627776}", names=("`w`",)),
    "negative variance": _w(
        "NUM007", "float[n,2,4] x", "[it] y = BatchNormalization(x, s, s, s, v)", output=THREE,
        initializers="float[2] s = {1, 1}, float[2] v = {1, -0.5}",
    ),
    # training
    "dropout that drops": _w("TRN001", VECTOR, _constant("r", "0.5") + _constant("t", "1", "bool") + "[it] y = Dropout(x, r, t)", **ROW),
    "statistics of the batch": _w(
        "TRN001", "float[n,2,4] x, float[2] s", "[it] y, m, v = BatchNormalization<training_mode = 1>(x, s, s, s, s)", output=THREE
    ),
    "dropout that does nothing": _w("TRN002", VECTOR, "h = Relu(x) [it] d = Dropout(h) y = Neg(d)", **ROW),
    "ATen": _w("TRN003", VECTOR, 'y = org.pytorch.aten.ATen<operator = "cumprod">(x)', imports='"dom" : 1, "org.pytorch.aten" : 1', names=("`y`",), **ROW),
    # quantisation
    "scale 0": _w("QNT001", QUANTISED, _constant("s", "0") + "[it] y = DequantizeLinear(x, s)"),
    "scale 0, an attribute": _w("QNT001", QUANTISED, "s = Constant<value_float = 0.0>() [it] y = DequantizeLinear(x, s)"),
    "negative scale": _w("QNT001", "float[n,4] x", "[it] y = QuantizeLinear(x, s)", initializers="float s = {-0.5}", output="uint8[a,b] y"),
    "signed zero point": _w("QNT002", QUANTISED, _constant("s", "0.5") + _constant("z", "3", "int8") + "[it] y = DequantizeLinear(x, s, z)"),
    "the wrong axis": _w(
        "QNT003", "float[n,2,4,4] x", "[it] w = DequantizeLinear<axis = 1>(q, s) y = Conv(x, w)", output=FOUR,
        initializers="int8[2,2,1,1] q = {1, 2, 3, 4}, float[2] s = {0.5, 0.25}",
    ),
    "a float weight": _w(
        "QNT004", QUANTISED, SCALED + "h = DequantizeLinear(x, s, z) [it] y = MatMul(h, w)", initializers="float[4,1] w = {1, 2, 3, 4}"
    ),
    "quantised twice": _w(
        "QNT005", "float[n] x", SCALED + "q = QuantizeLinear(x, s, z) h = DequantizeLinear(q, s, z) [it] p = QuantizeLinear(h, s, z) y = DequantizeLinear(p, s, z)",
        **ROW,
    ),
    "a weight off zero": _w(
        "QNT006", "float[n,2] x", "[it] w = DequantizeLinear(q, s, z) y = MatMul(x, w)",
        initializers="int8[2,2] q = {1, 2, 3, 4}, float s = {0.5}, int8 z = {3}",
    ),
    "int4 in an old opset": _w("QNT008", "int4[n,2] x, float s", "[it] y = DequantizeLinear(x, s)", opset=19),
    # dynamic shapes
    "a baked batch": _w("DYN002", "float[n,4] x", "s = Constant<value_ints = [2, 2, 2]>() [it] y = Reshape(x, s)", output=THREE),
    "a baked length": _w("DYN002", "float[n,t,4] x", "s = Constant<value_ints = [0, 32]>() [it] y = Reshape(x, s)"),
    "a batch for everything": _w("DYN002", "float[n,t,4] x", "s = Constant<value_ints = [1, -1, 4]>() [it] y = Reshape(x, s)", output=THREE),
    "a baked expansion": _w("DYN002", "float[n,1] x", "[it] y = Expand(x, s)", initializers="int64[2] s = {4, 8}"),
    # waste
    "another name": _w("OPT002", VECTOR, "h = Relu(x) [it] i = Identity(h) y = Neg(i)", **ROW),
    "cast to the same type": _w("OPT003", VECTOR, "h = Relu(x) [it] i = Cast<to = 1>(h) y = Neg(i)", **ROW),
    "transpose to the same order": _w("OPT003", "float[n,4] x", "h = Relu(x) [it] i = Transpose<perm = [0, 1]>(h) y = Neg(i)"),
    "everything sliced": _w(
        "OPT003", "float[n,4] x", "[it] h = Slice(x, s, e, a) y = Neg(h)",
        initializers="int64[1] s = {0}, int64[1] e = {9223372036854775807}, int64[1] a = {1}",
    ),
    "no padding": _w("OPT003", "float[n,4] x", "[it] h = Pad(x, p) y = Neg(h)", initializers="int64[4] p = {0, 0, 0, 0}"),
    "plus 0": _w("OPT004", VECTOR, _constant("z", "0") + "h = Relu(x) [it] i = Add(h, z) y = Neg(i)", **ROW),
    "times 1": _w("OPT004", VECTOR, _constant("o", "1") + "h = Relu(x) [it] i = Mul(o, h) y = Neg(i)", **ROW),
    "there and back": _w(
        "OPT005", "float[n,2,3] x", "a = Transpose<perm = [0, 2, 1]>(x) [it] b = Transpose<perm = [0, 2, 1]>(a) y = Neg(b)", output=THREE
    ),
    "there and back at once": _w("OPT005", "float[n,2,3] x", "a = Transpose<perm = [1, 2, 0]>(x) [it] y = Transpose<perm = [2, 0, 1]>(a)", output=THREE),
    "unsqueezed and squeezed": _w("OPT005", VECTOR, "a = Constant<value_ints = [1]>() b = Unsqueeze(x, a) [it] i = Squeeze(b, a) y = Neg(i)", **ROW),
    "for nobody": _w("OPT006", VECTOR, "a = Exp(x) [it] b = Log(a) y = Relu(x)", **ROW),
    "a weight in a node": _w("OPT007", "float[n,2] x", "[it] w = Constant<value = float[2,2] {1, 2, 3, 4}>() y = MatMul(x, w)"),
    "a branch that never runs": _w(
        "OPT008", VECTOR, _constant("v", "0", "bool") + "[it] y = If(v) <then_branch = t1 () => (float[a] p1) { p1 = Relu(x) },"
        "else_branch = e1 () => (float[a] q1) { q1 = Neg(x) }>", **ROW,
    ),
    "a normalisation behind a layer": _w(
        "OPT010", "float[n,1,4,4] x", "c = Conv(x, w) [it] y = BatchNormalization(c, s, s, s, s)", output=FOUR,
        initializers="float[1,1,1,1] w = {2}, float[1] s = {1}",
    ),
    "Gelu in pieces": _w(
        "OPT011", VECTOR, _constant("r", "1.41421354") + _constant("o", "1") + _constant("k", "0.5")
        + "d = Div(x, r) [it] e = Erf(d) f = Add(e, o) g1 = Mul(x, f) y = Mul(g1, k)", opset=20, **ROW,
    ),
    "a known sum": _w("OPT012", VECTOR, _constant("a", "1") + _constant("b", "2") + "[it] k = Add(a, b) y = Mul(x, k)", **ROW),
    "one weight twice": _w(
        "OPT014", "float[n,4] x", "h = MatMul(x, v) y = MatMul(h, w)", names=("`v`", "`w`"),
        initializers=", ".join(f"float[4,4] {name} = {{{', '.join(map(str, range(1, 17)))}}}" for name in "vw"),
    ),
}  # fmt: skip

# Weights belong to initializers; a function has none, and what its Constant nodes hold may stay there.
NOT_IN_FUNCTIONS = {"a weight in a node"}
