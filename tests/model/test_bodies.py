"""Function bodies in the place of operators: valid, and equal to the operator in a real runtime."""

from __future__ import annotations

import warnings

import numpy
import onnx
import pytest

from onnx_lsp.model.bodies import body

OPERATORS = ("Gelu", "HardSwish", "LayerNormalization", "Mish", "Celu", "Clip", "LogSoftmax", "MeanVarianceNormalization", "PRelu", "ReduceLogSum")


def cases() -> dict[str, object]:
    """The first node test of every operator."""
    from onnx.backend.test.loader import load_model_tests

    warnings.simplefilter("ignore")
    found: dict[str, object] = {}
    for test in load_model_tests(kind="node"):
        nodes = test.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in OPERATORS and "float16" not in test.name:
            found.setdefault(nodes[0].op_type, test)
    return found


@pytest.mark.slow
def test_a_body_computes_what_the_operator_computes() -> None:
    runtime = pytest.importorskip("onnxruntime", reason="both are run")
    found = cases()
    assert set(found) == set(OPERATORS)
    for op, test in found.items():
        opset = max(item.version for item in test.model.opset_import if not item.domain)
        elements = [item.type.tensor_type.elem_type for item in test.model.graph.input]
        made = body(test.model.graph.node[0], opset, elements)
        assert made and op not in {node.op_type for node in made}, op
        model = onnx.ModelProto()
        model.CopyFrom(test.model)
        del model.graph.node[:]
        model.graph.node.extend(made)
        onnx.checker.check_model(model, full_check=True)
        inputs = {
            item.name: onnx.numpy_helper.to_array(value) if hasattr(value, "raw_data") else numpy.asarray(value)
            for item, value in zip(model.graph.input, test.data_sets[0][0], strict=True)
        }
        results = [
            runtime.InferenceSession(one.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, inputs)
            for one in (test.model, model)
        ]
        for one, other in zip(*results, strict=True):
            numpy.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=op)
