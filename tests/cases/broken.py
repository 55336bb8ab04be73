"""Models with one fault that ONNX text cannot say; most start from `tiny` and break one thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tests.cases.files import tiny_bytes

FUNCTION = """
<ir_version: 8, opset_import: ["" : 17, "dom" : 1]>
g (float[2,3] x) => (float[2,3] y) { y = dom.f(x) }
<domain: "dom", opset_import: ["" : 17]> f (a) => (b) { b = Relu(a) }
"""
ADDED = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[2] x) => (float[2] y) <float[2] w = {1.0, 2.0}> { y = Add(x, w) }
"""


def model(text: str | None = None) -> onnx.ModelProto:
    """A model from ONNX text; `tiny` without any."""
    return onnx.parser.parse_model(text) if text else onnx.ModelProto.FromString(tiny_bytes())


def broken(text: str | None = None) -> Callable[[Callable[[onnx.ModelProto], None]], Callable[[Path], None]]:
    """Makes a builder of a function that breaks a model in place."""

    def decorate(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path], None]:
        def build(path: Path) -> None:
            proto = model(text)
            change(proto)
            path.write_bytes(proto.SerializeToString())

        build.__doc__ = change.__doc__
        return build

    return decorate


@broken()
def no_opset(proto: onnx.ModelProto) -> None:
    del proto.opset_import[:]


@broken()
def opset_twice(proto: onnx.ModelProto) -> None:
    proto.opset_import.add(domain="", version=13)


@broken()
def opset_twice_the_same(proto: onnx.ModelProto) -> None:
    proto.opset_import.add(domain="ai.onnx", version=17)


@broken()
def no_ir_version(proto: onnx.ModelProto) -> None:
    proto.ClearField("ir_version")


@broken()
def future_ir_version(proto: onnx.ModelProto) -> None:
    proto.ir_version = 99


@broken()
def future_opset(proto: onnx.ModelProto) -> None:
    proto.opset_import[0].version = 99


@broken()
def nameless_graph(proto: onnx.ModelProto) -> None:
    proto.graph.name = ""


@broken(
    ADDED.replace("{ y = Add(x, w) }", "{ c = Constant<value = bool {1}>() y = If (c) <then_branch = t () => (float[2] p) { p = Add(x, w) },"
    "else_branch = e () => (float[2] q) { q = Neg(x) }> }")
)  # fmt: skip
def nameless_branch(proto: onnx.ModelProto) -> None:
    proto.graph.node[1].attribute[0].g.name = ""


@broken()
def named_graph(proto: onnx.ModelProto) -> None:
    proto.graph.name = "main_graph"


@broken("<ir_version: 8, opset_import: [\"\" : 17]> g (float[2] x) => (float[2] y) { h = Relu(x) y = Neg(h) }")
def value_info_twice(proto: onnx.ModelProto) -> None:
    for dims in ([2], [3]):
        proto.graph.value_info.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, dims))


@broken(ADDED)
def declared_weight(proto: onnx.ModelProto) -> None:
    proto.graph.value_info.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [3]))


@broken()
def trained_in_place(proto: onnx.ModelProto) -> None:
    proto.training_info.add().algorithm.name = "step"


@broken()
def metadata_twice(proto: onnx.ModelProto) -> None:
    helper.set_model_props(proto, {"task": "detect"})
    proto.metadata_props.add(key="task", value="classify")


@broken()
def metadata_twice_the_same(proto: onnx.ModelProto) -> None:
    helper.set_model_props(proto, {"task": "detect"})
    proto.metadata_props.add(key="task", value="detect")


@broken(ADDED)
def nameless_initializer(proto: onnx.ModelProto) -> None:
    proto.graph.initializer.add(data_type=TensorProto.FLOAT, dims=[1], float_data=[1.0])


@broken(ADDED)
def short_initializer(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].float_data.pop()


@broken(ADDED)
def short_raw_initializer(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.raw_data = b"\0" * 6


@broken(ADDED)
def wrong_field(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.int32_data.extend([1, 2])


@broken(ADDED)
def two_fields(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].raw_data = b"\0" * 8


@broken(ADDED)
def untyped_initializer(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].data_type = 0


@broken(ADDED)
def negative_dim(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].dims[0] = -1


@broken()
def untyped_input(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].ClearField("type")


@broken()
def untyped_element(proto: onnx.ModelProto) -> None:
    proto.graph.output[0].type.tensor_type.elem_type = 0


@broken()
def shapeless_input(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.ClearField("shape")


@broken()
def untyped_sequence(proto: onnx.ModelProto) -> None:
    """A second input, a sequence of nobody knows what."""
    proto.graph.input.add(name="z").type.sequence_type.SetInParent()


@broken()
def attribute_twice(proto: onnx.ModelProto) -> None:
    node = proto.graph.node[0]
    node.op_type = "LeakyRelu"
    node.attribute.extend([helper.make_attribute("alpha", 0.1), helper.make_attribute("alpha", 0.2)])


@broken()
def attribute_with_two_values(proto: onnx.ModelProto) -> None:
    node = proto.graph.node[0]
    node.op_type = "LeakyRelu"
    node.attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT, f=0.1, i=3)


@broken()
def attribute_in_the_wrong_field(proto: onnx.ModelProto) -> None:
    node = proto.graph.node[0]
    node.op_type = "LeakyRelu"
    node.attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT, i=3)


@broken(FUNCTION)
def function_twice(proto: onnx.ModelProto) -> None:
    proto.functions.append(proto.functions[0])


@broken(FUNCTION)
def function_with_nameless_input(proto: onnx.ModelProto) -> None:
    proto.functions[0].input.append("a")


def _sparse(proto: onnx.ModelProto, indices: list[int], dims: list[int], count: int = 2) -> None:
    del proto.graph.initializer[:]
    sparse = proto.graph.sparse_initializer.add(dims=dims)
    sparse.values.CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [count], [1.0] * count))
    sparse.indices.CopyFrom(helper.make_tensor("", TensorProto.INT64, [len(indices)], indices))


@broken(ADDED)
def sparse_outside(proto: onnx.ModelProto) -> None:
    _sparse(proto, [1, 7], [2])


@broken(ADDED)
def sparse_unordered(proto: onnx.ModelProto) -> None:
    _sparse(proto, [1, 0], [2])


@broken(ADDED)
def sparse_count(proto: onnx.ModelProto) -> None:
    _sparse(proto, [0], [2])


@broken(ADDED)
def sparse_good(proto: onnx.ModelProto) -> None:
    _sparse(proto, [0, 1], [2])


@broken()
def traces(proto: onnx.ModelProto) -> None:
    """What a default torch export leaves at its nodes."""
    node = proto.graph.node[0]
    node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value='File "/home/ann/work/model.py", line 12, in forward')


@broken()
def huge_input(proto: onnx.ModelProto) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            dim.dim_value = 1 << 40


def bomb(path: Path) -> None:
    """Functions of which each calls the one below ten times: 10^9 nodes after inlining."""
    proto = model(FUNCTION)
    levels = 9
    proto.graph.node[0].op_type = f"f{levels}"
    del proto.functions[:]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("dom", 1)]
    for level in range(levels + 1):
        op, domain = ("Relu", "") if level == 0 else (f"f{level - 1}", "dom")
        nodes = [helper.make_node(op, [f"v{step}" if step else "a"], [f"v{step + 1}" if step < 9 else "b"], domain=domain)
                 for step in range(10)]  # fmt: skip
        proto.functions.append(helper.make_function("dom", f"f{level}", ["a"], ["b"], nodes, opsets))
    path.write_bytes(proto.SerializeToString())
