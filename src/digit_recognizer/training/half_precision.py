"""Weights are stored in half precision, half the bytes, and reckoned with in float32. Knows nothing of networks."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from digit_recognizer.training.folding import folded


def storable(network: torch.nn.Module) -> torch.nn.Module:
    """A copy in evaluation mode, normalisation folded in, whose matrices hold what half precision can say.

    >>> storable(torch.nn.Linear(1, 1)).weight.dtype
    torch.float32
    """
    copied = folded(network).to("cpu", torch.float32)
    with torch.no_grad():
        for weight in copied.parameters():
            if weight.ndim > 1:
                weight.copy_(weight.half())
    return copied


def store_in_half(graph: onnx.GraphProto) -> None:
    """Weights become float16 and are cast to float32 where they are used: half the bytes; opening undoes it once."""
    casts = []
    renamed = {}
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))
            renamed[tensor.name] = f"{tensor.name}/float"
            casts.append(helper.make_node("Cast", [tensor.name], [renamed[tensor.name]], to=TensorProto.FLOAT))
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


__all__ = ["storable", "store_in_half"]
