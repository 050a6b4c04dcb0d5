"""Two cell readers become one file: the first looks at every cell, the second at those that the first is unsure of.

After cascades of classifiers (Viola, Jones 2001), as in the model that ships: unsure cells are gathered, answered and
scattered back, and there may be none of them. Knows nothing of how the readers were trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.compose
from onnx import TensorProto, helper, numpy_helper

from digit_recognizer.cell_reader import INPUT, OUTPUT, OUTPUTS
from digit_recognizer.errors import ModelError
from digit_recognizer.model_file import ModelMetadata, with_metadata
from digit_recognizer.pictures.cell_view import SIDE

SURE = 0.97  # largest probability from which on the first reader's word is taken alone

_FIRST, _SECOND = "first/", "second/"  # what the names of the readers' nodes begin with
_LEAST = 1e-5  # probability below which nobody's word is taken, lest it be a veto


def in_turn(first: bytes, second: bytes, metadata: ModelMetadata) -> bytes:
    """One cell reader made of two: where ``first`` is unsure, the geometric mean of both answers (Hinton 2002).

    first, second: ONNX files of cell readers, as ``export_cell_reader`` writes them. metadata: goes into the file.
    Raises ModelError where one of them is none.

    >>> in_turn(Path("a/cells.onnx").read_bytes(), Path("b/cells.onnx").read_bytes(), card)     # doctest: +SKIP
    """
    models = [onnx.load_from_string(content) for content in (first, second)]
    for model in models:
        names = [value.name for value in (*model.graph.input, *model.graph.output)]
        if names != [INPUT, OUTPUT]:
            raise ModelError(f"expected a cell reader, {INPUT} -> {OUTPUT}, found a model with {', '.join(names)}")
    one, other = (
        onnx.compose.add_prefix(model, prefix).graph for model, prefix in zip(models, (_FIRST, _SECOND), strict=True)
    )
    constants: dict[str, npt.NDArray[Any]] = {
        "classes": np.array([1], np.int64),
        "sure": np.array(SURE, np.float32),
        "least": np.array(_LEAST, np.float32),
        "half": np.array(0.5, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Identity", [INPUT], [_FIRST + INPUT]),
        *one.node,
        node("ReduceMax", [_FIRST + OUTPUT, "classes"], ["joined/confidence"], keepdims=0),
        node("Less", ["joined/confidence", "sure"], ["asked/mask"]),
        node("NonZero", ["asked/mask"], ["asked/row"]),  # (1, M)
        node("Transpose", ["asked/row"], ["asked/rows"], perm=[1, 0]),  # (M, 1)
        node("GatherND", [INPUT, "asked/rows"], [_SECOND + INPUT]),  # (M, 48, 48)
        *other.node,
        node("GatherND", [_FIRST + OUTPUT, "asked/rows"], ["asked/first"]),  # (M, 12)
        *(
            each
            for name, answers in (("first", "asked/first"), ("second", _SECOND + OUTPUT))
            for each in (
                node("Max", [answers, "least"], [f"joined/{name}/bounded"]),
                node("Log", [f"joined/{name}/bounded"], [f"joined/{name}/log"]),
            )
        ),
        node("Add", ["joined/first/log", "joined/second/log"], ["asked/sum"]),
        node("Mul", ["asked/sum", "half"], ["asked/mean"]),
        node("Softmax", ["asked/mean"], ["asked/answers"], axis=1),
        node("ScatterND", [_FIRST + OUTPUT, "asked/rows", "asked/answers"], [OUTPUT]),
    ]
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", SIDE, SIDE])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", OUTPUTS])],
        [
            *(numpy_helper.from_array(value, name) for name, value in constants.items()),
            *one.initializer,
            *other.initializer,
        ],
    )
    model = helper.make_model(graph, ir_version=models[0].ir_version, opset_imports=models[0].opset_import)
    model.producer_name = ""
    onnx.checker.check_model(model, full_check=True)
    return with_metadata(model.SerializeToString(deterministic=True), metadata)


__all__ = ["SURE", "in_turn"]
