"""Models with a fault of names, imports, functions or declarations that has a repair: (code, key) -> models."""

from __future__ import annotations

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
DOM = '<ir_version: 8, opset_import: ["" : 17, "dom" : 1]>\n'
FUNCTION = '\n<domain: "dom", opset_import: ["" : 17]> f (a) => (b) { b = Relu(a) }'
BRANCHES = (
    "g (float[2] x, bool c) => (float[2] y) { y = If (c) <"
    "then_branch = t () => (float[2] p) { %s }, else_branch = e () => (float[2] q) { q = Neg(x) }> }"
)

STRUCTURE_REPAIRS = {
    ("ONX003", "add"): [
        HEAD + "g (float[2] x) => (float[2] y) { y = com.microsoft.Gelu(x) }",
        HEAD + "g (float[2] x) => (float[2] y) { y = dom.f(x) }" + FUNCTION,
        DOM + "g (float[2] x) => (float[2] y) { y = dom.h(x) }" + FUNCTION
        + '\n<domain: "dom", opset_import: ["" : 17]> h (a) => (b) { b = dom.f(a) }',
    ],
    ("ONX004", "drop"): ["opset_twice_the_same", "opset_twice"],
    ("ONX005", "drop"): [
        DOM + "g (float[2] x) => (float[2] y) { y = Relu(x) }",
        DOM + "g (float[2] x) => (float[2] y) { y = dom.f(x) }"
        + FUNCTION.replace('"" : 17', '"" : 17, "com.microsoft" : 1, "ai.onnx.ml" : 3'),
    ],
    ("ONX006", "set"): [
        "no_ir_version",
        "future_ir_version",
        '<ir_version: 3, opset_import: ["" : 8]> g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }',
        DOM.replace("8", "7") + "g (float[2] x) => (float[2] y) { y = dom.f(x) }" + FUNCTION,
    ],
    ("ONX008", "name"): ["nameless_graph", "nameless_branch"],
    ("ONX009", "drop"): ["metadata_twice_the_same", "metadata_twice"],
    ("ONX018", "drop"): [
        HEAD + "g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }",
    ],
    ("ONX033", "drop"): [
        HEAD + "g (float[2] x) => (float[2] y) { y = Relu<slope = 1>(x) }",
        HEAD + BRANCHES % "p = Relu<slope = 1>(x)",
        DOM + "g (float[2] x) => (float[2] y) { y = dom.f(x) }" + FUNCTION.replace("Relu(", "Relu<slope = 1>("),
    ],
    ("ONX040", "rename"): [
        HEAD + "g (float[2] x) => (float[2] y) { [n] a = Relu(x) [n] b = Neg(a) [n_1] d = Abs(b) [n] y = Relu(d) }",
        HEAD + BRANCHES % "[n] a = Relu(x) [n] p = Neg(a)",
        HEAD + "g (float[2] x) => (float[2] y) { [n] a = Relu(x) [m] b = Neg(a) [n] d = Abs(b) [m] y = Relu(d) }",
        DOM + "g (float[2] x) => (float[2] y) { y = dom.f(x) }" + FUNCTION.replace("{", "{ [n] d = Neg(a) [n]").replace("Relu(a)", "Relu(d)"),
    ],
    ("ONX041", "name"): [HEAD + "g (float[2] x) => (float[2] y) { [Relu_1] a = Relu(x) y = Relu(a) }", HEAD + BRANCHES % "p = Abs(x)"],
    ("ONX053", "drop"): [
        DOM + "g (float[2] x) => (float[2] y) { y = Relu(x) }" + FUNCTION,
        DOM + "g (float[2] x) => (float[2] y) { y = dom.f(x) }" + FUNCTION
        + '\n<domain: "dom", opset_import: ["" : 17, "dom" : 1]> h (a) => (b) { b = dom.k(a) }'
        + '\n<domain: "dom", opset_import: ["" : 17]> k (a) => (b) { b = Abs(a) }',
    ],
    ("ONX070", "drop"): [
        HEAD + "g (float[2] x) => (float[2] y) <float[3] h> { h = Relu(x) y = Neg(h) }",
        HEAD + "g (float[2] x) => (float[2] y) <int64[2] h> { h = Relu(x) y = Neg(h) }",
        HEAD + BRANCHES.replace("(float[2] p) {", "(float[2] p) <float[2,2] h> {") % "h = Relu(x) p = Neg(h)",
    ],
    ("ONX071", "drop"): ["value_info_twice", HEAD + "g (float[2] x) => (float[2] y) <float[2] gone> { y = Relu(x) }"],
    ("SEC030", "strip"): ["traces"],
}  # fmt: skip
