"""Models for the proof of fixes: (code, key) -> models that have the finding, as ONNX text."""

from __future__ import annotations

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
PLAIN = HEAD + "g (float[2,3] x) => (float[2,3] y)\n"
BRANCHES = (
    HEAD + "g (float[2,3] x, bool c) => (float[2,3] y)\n{ h = Neg(x) y = If (c) <"
    "then_branch = t () => (float[2,3] p) { %s },"
    "else_branch = e () => (float[2,3] q) { q = Abs(h) }> }"
)
FUNCTION = (
    '<ir_version: 8, opset_import: ["" : 17, "my" : 1]>\ng (float[2,3] x) => (float[2,3] y)\n{ y = my.f(x) }\n'
    '<domain: "my", opset_import: ["" : 17]>\nf (a) => (b) { %s }'
)
NINE = "{1.0, 0.5, 2.0, 0.25, 1.0, 0.5, 3.0, 0.25, 1.0}"


def model(body: str, initializers: str = "") -> str:
    """A model of one graph from x to y, both float[2,3]."""
    return PLAIN + (f"<{initializers}>\n" if initializers else "") + "{ " + body + " }"


REPAIRS = {
    ("OPT002", "remove"): [
        model("a = Identity(x) b = Identity(a) y = Relu(b)"),
        model("a = Neg(x) b = Identity(a) y = Identity(b)"),
        model("a = Identity(w) y = Add(x, a)", "float[3] w = {1.0, 2.0, 3.0}"),
        BRANCHES % "a = Identity(h) b = Identity(a) r = Relu(b) p = Identity(r)",
        HEAD + "g (float[2,3] x, bool c) => (float[2,3] y)\n{ i = Identity(x) y = If (c) <"
        "then_branch = t () => (float[2,3] p) { p = Neg(i) },"
        "else_branch = e () => (float[2,3] q) { q = Abs(i) }> }",
        FUNCTION % "c = Identity(a) d = Neg(c) b = Identity(d)",
    ],
    ("OPT003", "remove"): [
        model("a = Cast <to = 1> (x) b = Transpose <perm = [0, 1]> (a) y = Relu(b)"),
        model("a = Pad(x, p) b = Reshape(a, s) c = Tile(b, t) y = Relu(c)", "int64[4] p = {0, 0, 0, 0}, int64[2] s = {2, 3}, int64[2] t = {1, 1}"),
        model("a = Slice(x, s, e, a0) y = Relu(a)", "int64[1] s = {0}, int64[1] e = {9223372036854775807}, int64[1] a0 = {1}"),
        model("a = Relu(x) y = Concat <axis = 0> (a)"),
        BRANCHES % "a = Sum(h) r = Relu(a) p = Max(r)",
    ],
    ("OPT004", "remove"): [
        model("a = Mul(x, one) b = Add(zero, a) c = Div(b, ones) y = Relu(c)", "float one = {1.0}, float zero = {0.0}, float[2,3] ones = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}"),
        model("a = Neg(x) y = Sub(a, zero)", "float zero = {0.0}"),
    ],
    ("OPT005", "remove"): [
        model("a = Transpose <perm = [1, 0]> (x) b = Transpose <perm = [1, 0]> (a) y = Relu(b)"),
        model("a = Transpose <perm = [1, 0]> (x) b = Transpose <perm = [1, 0]> (a) c = Relu(a) d = Transpose(c) y = Add(b, d)"),
        model("a = Cast <to = 11> (x) b = Cast <to = 1> (a) y = Relu(b)"),
        model("n = Relu(x) a = Neg(n) y = Neg(a)"),
        model("a = Unsqueeze(x, k) b = Squeeze(a, k) y = Relu(b)", "int64[1] k = {1}"),
        model("a = Reshape(x, s) b = Reshape(a, t) y = Relu(b)", "int64[1] s = {6}, int64[2] t = {2, 3}"),
        BRANCHES % "a = Neg(h) b = Neg(a) p = Relu(b)",
    ],
    ("OPT006", "drop"): [
        model("a = Neg(x) b = Add(a, w) y = Relu(x)", "float[3] w = {1.0, 2.0, 3.0}"),
        BRANCHES % "a = Neg(h) b = Exp(a) p = Relu(h)",
        FUNCTION % "c = Exp(a) b = Neg(a)",
    ],
    ("OPT007", "move"): [
        model(f"w = Constant <value = float[3,3] {NINE}> () y = MatMul(x, w)"),
        BRANCHES % f"w = Constant <value = float[3,3] {NINE}> () p = MatMul(h, w)",
        model(f"v = Constant <value = float[3,3] {NINE}> () a = MatMul(x, v) w = Constant <value = float[3,3] {NINE}> () y = MatMul(a, w)"),
    ],
    ("OPT008", "inline"): [
        HEAD + "g (float[2,3] x) => (float[2,3] y)\n<bool c = {1}>\n{ h = Neg(x) z = If (c) <"
        "then_branch = t () => (float[2,3] p) <float[3] u = {1.0, 2.0, 3.0}> { a = Relu(h) p = Add(a, u) },"
        "else_branch = e () => (float[2,3] q) { q = Neg(x) }>\ny = Abs(z) }",
        HEAD + "g (float[2,3] x) => (float[2,3] y)\n{ c = Constant <value = bool {0}> () y = If (c) <"
        "then_branch = t () => (float[2,3] p) { p = Relu(x) },"
        "else_branch = e () => (float[2,3] q) { q = Neg(x) }> }",
    ],
    ("OPT014", "merge"): [
        model("a = MatMul(x, v) b = MatMul(a, w) y = MatMul(b, u)", ", ".join(f"float[3,3] {name} = {NINE}" for name in "vwu"))
        .replace("float[3,3]", "double[3,3]").replace("float[2,3]", "double[2,3]"),
        HEAD + "g (float[2,16] x, bool c) => (float[2,16] y)\n"
        f"<float[16] v = {{{', '.join(['0.5'] * 16)}}}, float[16] w = {{{', '.join(['0.5'] * 16)}}}>\n{{ h = Add(x, v) y = If (c) <"
        "then_branch = t () => (float[2,16] p) { p = Mul(h, w) },"
        "else_branch = e () => (float[2,16] q) { q = Mul(h, v) }> }",
    ],
    ("TRN001", "infer"): [
        HEAD + "g (float[2,1,2] x) => (float[2,1,2] y)\n<float[1] s = {1.0}, float[1] b = {0.0}, float[1] m = {0.0}, float[1] v = {1.0}>\n"
        "{ y, mean, var = BatchNormalization <training_mode = 1> (x, s, b, m, v) }",
    ],
    ("TRN002", "remove"): [
        model("a = Dropout(x) y = Relu(a)"),
        model("a = Relu(x) y, mask = Dropout(a, r, t)", "float r = {0.5}, bool t = {0}"),
    ],
    ("QNT005", "remove"): [
        model("q = QuantizeLinear(x, s, z) h = DequantizeLinear(q, s, z) p = QuantizeLinear(h, s, z) y = DequantizeLinear(p, s, z)", "float s = {0.5}, uint8 z = {0}"),
        model("q = QuantizeLinear(x, s, z) h = DequantizeLinear(q, s, z) p = QuantizeLinear(h, s, z) d = DequantizeLinear(p, s, z) y = Add(h, d)", "float s = {0.5}, uint8 z = {0}"),
    ],
}  # fmt: skip
