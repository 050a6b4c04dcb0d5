"""Small ONNX files that the tests build with onnx.helper: one that keeps the contract, and ways to break it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from digit_recognizer.model_file import ModelMetadata, with_metadata

CARD = ModelMetadata(preset="own", data="drawn", data_fingerprint="ab12", seed=3, temperature=1.5, min_confidence=0.3)


def weights(seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A linear classifier: float32 (784, 10) and (10,)."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.2, (784, 10)).astype(np.float32), rng.normal(0, 0.5, 10).astype(np.float32)


def softmax_by_hand(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What the plain model must answer, in numpy and float64."""
    matrix, bias = (part.astype(np.float64) for part in weights())
    logits = images.reshape(len(images), 784) / 255 @ matrix + bias
    powers = np.exp(logits - logits.max(1, keepdims=True))
    result: npt.NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return result


def constant(name: str, value: Any, dtype: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def plain_proto(
    *,
    images: tuple[str, int, Sequence[int | str]] = ("images", TensorProto.UINT8, ("N", 28, 28)),
    output: str = "probabilities",
    final: str = "Softmax",
    shape: tuple[int, int] = (-1, 784),
    extra: Sequence[onnx.NodeProto] = (),
    constants: Sequence[onnx.TensorProto] = (),
    outputs: Sequence[onnx.ValueInfoProto] = (),
    functions: Sequence[onnx.FunctionProto] = (),
    opsets: Sequence[tuple[str, int]] = (("", 17),),
    last: str = "logits",
) -> onnx.ModelProto:
    """images -> / 255 -> linear -> softmax. ``extra`` nodes come before the final one, whose input is ``last``."""
    matrix, bias = weights()
    nodes = [
        helper.make_node("Cast", [images[0]], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["grey", "full"], ["ink"]),
        helper.make_node("Reshape", ["ink", "shape"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["logits"]),
        *extra,
        helper.make_node(final, [last], [output]),  # the axis of Softmax is the last one, unless it is named
    ]
    graph = helper.make_graph(
        nodes,
        "plain",
        [helper.make_tensor_value_info(images[0], images[1], images[2])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ("N", None)), *outputs],
        [
            constant("full", 255),
            constant("shape", shape, np.int64),
            constant("matrix", matrix),
            constant("bias", bias),
            *constants,
        ],
    )
    return helper.make_model(
        graph,
        ir_version=8,
        opset_imports=[helper.make_opsetid(*opset) for opset in opsets],
        functions=functions,
    )


def plain_bytes(**changes: Any) -> bytes:
    """The plain model, changed as ``plain_proto`` allows, with metadata and fingerprint."""
    return with_metadata(plain_proto(**changes).SerializeToString(), CARD)


def unfamiliar_bytes(card: ModelMetadata = CARD) -> bytes:
    """The plain model with a second output: unfamiliarity = sigmoid(mean of the logits)."""
    extra = [
        helper.make_node("ReduceMean", ["logits"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Sigmoid", ["mean"], ["unfamiliarity"]),
    ]
    outputs = [helper.make_tensor_value_info("unfamiliarity", TensorProto.FLOAT, ("N",))]
    return with_metadata(plain_proto(extra=extra, outputs=outputs).SerializeToString(), card)


def unfamiliarity_by_hand(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What that second output must be, in numpy and float64: (N,)."""
    matrix, bias = (part.astype(np.float64) for part in weights())
    logits = images.reshape(len(images), 784) / 255 @ matrix + bias
    result: npt.NDArray[np.float64] = 1 / (1 + np.exp(-logits.mean(1)))
    return result


def endless_loop() -> dict[str, Any]:
    """Changes for ``plain_proto``: a Loop copies the logits 2^62 times; its condition never ends it."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["state"], ["state_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ("N", 10)),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("state_out", TensorProto.FLOAT, ("N", 10)),
        ],
    )
    return {
        "extra": [helper.make_node("Loop", ["trips", "yes", "logits"], ["looped"], body=body)],
        "constants": [constant("trips", 2**62, np.int64), constant("yes", True, np.bool_)],
        "last": "looped",
    }
