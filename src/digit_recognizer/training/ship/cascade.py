"""Two networks become one ONNX graph: a small one looks at every image, the large one at those it is unsure of.

After cascades of classifiers (Viola, Jones 2001). No control flow is needed: the unsure rows are gathered, answered and
scattered back, and there may be none of them. Knows nothing of how the networks were trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
import onnx.compose
import torch
from onnx import TensorProto, helper, numpy_helper

from digit_recognizer.digits import CLASSES, SIDE
from digit_recognizer.model_file import INPUT, PROBABILITIES, UNFAMILIARITY
from digit_recognizer.training.export import graph_of

SCOUT, MAIN = "scout/", "main/"  # what the names of the networks' nodes begin with
_IR_VERSION = 10
_LOGITS = CLASSES + 1  # ten digits and "no digit"


@dataclass(frozen=True)
class Cascade:
    """The two networks and how they are put together.

    scout, main: take float32 (N, 1, 28, 28), 0-1, return logits (N, 11), the last for "no digit".
    scout_temperature, main_temperature: what their logits are divided by (Guo et al., 2017).
    scout_confidence: where the scout's largest probability is below it, the main network answers.
    no_digit_shift: what is taken off the main network's cooled logit of "no digit", 0 or more: it learnt from more of
    what is no digit than it will meet (after Saerens et al., 2002).
    """

    scout: torch.nn.Module
    main: torch.nn.Module
    scout_temperature: float
    main_temperature: float
    scout_confidence: float
    no_digit_shift: float = 0.0

    def answer(self, images: npt.NDArray[np.uint8], batch_size: int = 512) -> npt.NDArray[np.float32]:
        """Probabilities of the eleven classes in torch, float32 (N, 11), for uint8 (N, 28, 28)."""
        parts = [np.zeros((0, _LOGITS), np.float32)]
        with torch.no_grad():
            for first in range(0, len(images), batch_size):
                ink = torch.from_numpy(images[first : first + batch_size].copy()).unsqueeze(1).float() / 255
                answers = (self.scout(ink) / self.scout_temperature).softmax(1)
                unsure = answers.amax(1) < self.scout_confidence
                cooled = self.main(ink[unsure]) / self.main_temperature
                answers[unsure] = (cooled - torch.from_numpy(self._shifts())).softmax(1)
                parts.append(answers.numpy())
        return np.concatenate(parts)

    def _shifts(self) -> npt.NDArray[np.float32]:
        """What is taken off each of the main network's cooled logits, float32 (11,)."""
        shifts = np.zeros(_LOGITS, np.float32)
        shifts[-1] = self.no_digit_shift
        return shifts

    def to_onnx(self) -> bytes:
        """The cascade as one ONNX graph without our metadata: images -> probabilities, unfamiliarity.

        Raises ModelError where a network cannot be exported.
        """
        scout = _prefixed(graph_of(self.scout), SCOUT)
        main = _prefixed(graph_of(self.main), MAIN)
        constants = {
            "full": np.float32(255),
            "scout_temperature": np.float32(self.scout_temperature),
            "main_temperature": np.float32(self.main_temperature),
            "shifts": self._shifts(),
            "sure": np.float32(self.scout_confidence),
            "channel": np.array([1], np.int64),
            "last": np.array([1], np.int64),
            "split": np.array([CLASSES, 1], np.int64),
        }
        node = helper.make_node
        nodes = [
            node("Cast", [INPUT], ["ink/float"], to=TensorProto.FLOAT),
            node("Div", ["ink/float", "full"], ["ink/scaled"]),
            node("Unsqueeze", ["ink/scaled", "channel"], ["scout/ink"]),  # (N, 1, 28, 28)
            *scout.node,
            node("Div", ["scout/logits", "scout_temperature"], ["scout/cooled"]),
            node("Softmax", ["scout/cooled"], ["scout/answers"], axis=1),  # (N, 11)
            node("ReduceMax", ["scout/answers", "last"], ["scout/confidence"], keepdims=0),
            node("Less", ["scout/confidence", "sure"], ["unsure/mask"]),
            node("NonZero", ["unsure/mask"], ["unsure/row"]),  # (1, M)
            node("Transpose", ["unsure/row"], ["unsure/rows"], perm=[1, 0]),  # (M, 1)
            node("GatherND", ["scout/ink", "unsure/rows"], ["main/ink"]),  # (M, 1, 28, 28)
            *main.node,
            node("Div", ["main/logits", "main_temperature"], ["main/cooled"]),
            node("Sub", ["main/cooled", "shifts"], ["main/shifted"]),
            node("Softmax", ["main/shifted"], ["main/answers"], axis=1),  # (M, 11)
            node("ScatterND", ["scout/answers", "unsure/rows", "main/answers"], ["answers"]),
            node("Split", ["answers", "split"], ["answers/digits", "answers/none"], axis=1),
            node("ReduceSum", ["answers/digits", "last"], ["answers/sum"], keepdims=1),
            node("Div", ["answers/digits", "answers/sum"], [PROBABILITIES]),
            node("Squeeze", ["answers/none", "last"], [UNFAMILIARITY]),
        ]
        graph = helper.make_graph(
            nodes,
            "digits",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["N", SIDE, SIDE])],
            [
                helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["N", CLASSES]),
                helper.make_tensor_value_info(UNFAMILIARITY, TensorProto.FLOAT, ["N"]),
            ],
            [
                *(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()),
                *scout.initializer,
                *main.initializer,
            ],
        )
        model = helper.make_model(graph, ir_version=_IR_VERSION, opset_imports=[helper.make_opsetid("", 20)])
        model.producer_name = ""
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content


def _prefixed(model: onnx.ModelProto, prefix: str) -> onnx.GraphProto:
    return onnx.compose.add_prefix(model, prefix).graph


__all__ = ["MAIN", "SCOUT", "Cascade"]
