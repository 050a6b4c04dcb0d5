"""Weights in half precision: half the bytes in the file, the same answers from it."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from digit_recognizer.training.half_precision import storable, store_in_half


def test_a_graph_with_halved_weights_answers_as_the_network_made_storable() -> None:
    generator = torch.Generator().manual_seed(3)
    network = torch.nn.Linear(6, 4)
    network.weight.data.normal_(generator=generator)
    ready = storable(network)
    weights = {"weight": ready.state_dict()["weight"].numpy().T.copy(), "bias": ready.state_dict()["bias"].numpy()}
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"]), helper.make_node("Add", ["y", "bias"], ["z"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 6])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    store_in_half(model.graph)
    onnx.checker.check_model(model, full_check=True)
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert kinds == {"weight": TensorProto.FLOAT16, "bias": TensorProto.FLOAT}
    inputs = torch.rand(5, 6, generator=generator)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        assert np.allclose(session.run(None, {"x": inputs.numpy()})[0], ready(inputs).numpy(), atol=1e-6)
        assert not torch.equal(ready.weight, network.weight)
        assert torch.allclose(ready(inputs), network(inputs), atol=1e-2)
