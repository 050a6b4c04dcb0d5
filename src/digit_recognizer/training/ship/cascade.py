"""Networks become one ONNX graph: a small one looks at every image, a large one at those it is unsure of, and a second
large one at those that both are.

After cascades of classifiers (Viola, Jones 2001). No control flow is needed: the unsure rows are gathered, answered and
scattered back, and there may be none of them. Weights are stored in half precision, and reckoned with in float32.
Knows nothing of how the networks were trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.compose
import torch
from onnx import TensorProto, helper, numpy_helper

from digit_recognizer.digits import CLASSES, SIDE
from digit_recognizer.model_file import INPUT, PROBABILITIES, UNFAMILIARITY
from digit_recognizer.training.export import graph_of
from digit_recognizer.training.half_precision import store_in_half

SCOUT, MAIN, SECOND = "scout/", "main/", "second/"  # what the names of the networks' nodes begin with
_IR_VERSION = 10
_LOGITS = CLASSES + 1  # ten digits and "no digit"


@dataclass(frozen=True)
class Cascade:
    """The networks and how they are put together.

    scout, main, second: take float32 (N, 1, 28, 28), 0-1, return logits (N, 11), the last for "no digit"; as
    ``storable`` makes them, or the file answers a little otherwise.
    scout_temperature, main_temperature, second_temperature: what their logits are divided by (Guo et al., 2017).
    scout_confidence: where the scout's largest probability is below it, the main network answers.
    no_digit_shift: what is taken off the main network's cooled logit of "no digit", 0 or more: it learnt from more of
    what is no digit than it will meet (after Saerens et al., 2002).
    second: trained apart from the main network, or None. Where the main network's largest probability is below
    ``main_confidence``, their cooled logits are averaged, the main network's with the weight ``main_weight``, 0-1.
    """

    scout: torch.nn.Module
    main: torch.nn.Module
    scout_temperature: float
    main_temperature: float
    scout_confidence: float
    no_digit_shift: float = 0.0
    second: torch.nn.Module | None = None
    second_temperature: float = 1.0
    main_confidence: float = 0.0
    main_weight: float = 1.0

    def answer(self, images: npt.NDArray[np.uint8], batch_size: int = 512) -> npt.NDArray[np.float32]:
        """Probabilities of the eleven classes in torch, float32 (N, 11), for uint8 (N, 28, 28)."""
        parts = [np.zeros((0, _LOGITS), np.float32)]
        with torch.no_grad():
            for first in range(0, len(images), batch_size):
                ink = torch.from_numpy(images[first : first + batch_size].copy()).unsqueeze(1).float() / 255
                answers = (self.scout(ink) / self.scout_temperature).softmax(1)
                unsure = answers.amax(1) < self.scout_confidence
                answers[unsure] = self._answer_unsure(ink[unsure])
                parts.append(answers.numpy())
        return np.concatenate(parts)

    def _answer_unsure(self, ink: torch.Tensor) -> torch.Tensor:
        """The answer of the main network, and of the second where that is unsure: (M, 11)."""
        shifts = torch.from_numpy(self._shifts())
        cooled = self.main(ink) / self.main_temperature
        answers: torch.Tensor = (cooled - shifts).softmax(1)
        if self.second is not None:
            asked = answers.amax(1) < self.main_confidence
            others = self.second(ink[asked]) / self.second_temperature
            both = self.main_weight * cooled[asked] + (1 - self.main_weight) * others
            answers[asked] = (both - shifts).softmax(1)
        return answers

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
        constants: dict[str, npt.NDArray[Any]] = {
            "full": np.array(255, np.float32),
            "scout_temperature": np.array(self.scout_temperature, np.float32),
            "main_temperature": np.array(self.main_temperature, np.float32),
            "shifts": self._shifts(),
            "sure": np.array(self.scout_confidence, np.float32),
            "channel": np.array([1], np.int64),
            "last": np.array([1], np.int64),
            "split": np.array([CLASSES, 1], np.int64),
        }
        node = helper.make_node
        second, weights, together = self._second_opinion(constants)
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
            *second,
            node("ScatterND", ["scout/answers", "unsure/rows", together], ["answers"]),
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
                *(numpy_helper.from_array(value, name) for name, value in constants.items()),
                *scout.initializer,
                *main.initializer,
                *weights,
            ],
        )
        model = helper.make_model(graph, ir_version=_IR_VERSION, opset_imports=[helper.make_opsetid("", 20)])
        model.producer_name = ""
        store_in_half(model.graph)
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _second_opinion(
        self, constants: dict[str, npt.NDArray[Any]]
    ) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto], str]:
        """The nodes after "main/answers", their weights, and what the answers (M, 11) are called then.

        constants: of the graph; those of these nodes are put in.
        """
        if self.second is None:
            return [], [], "main/answers"
        second = _prefixed(graph_of(self.second), SECOND)
        constants["second_temperature"] = np.array(self.second_temperature, np.float32)
        constants["main_sure"] = np.array(self.main_confidence, np.float32)
        constants["main_weight"] = np.array(self.main_weight, np.float32)
        constants["second_weight"] = np.array(1 - self.main_weight, np.float32)
        node = helper.make_node
        nodes = [
            node("ReduceMax", ["main/answers", "last"], ["main/confidence"], keepdims=0),
            node("Less", ["main/confidence", "main_sure"], ["asked/mask"]),
            node("NonZero", ["asked/mask"], ["asked/row"]),
            node("Transpose", ["asked/row"], ["asked/rows"], perm=[1, 0]),  # (K, 1)
            node("GatherND", ["main/ink", "asked/rows"], ["second/ink"]),  # (K, 1, 28, 28)
            *second.node,
            node("Div", ["second/logits", "second_temperature"], ["second/cooled"]),
            node("GatherND", ["main/cooled", "asked/rows"], ["asked/cooled"]),
            node("Mul", ["asked/cooled", "main_weight"], ["asked/weighed"]),
            node("Mul", ["second/cooled", "second_weight"], ["second/weighed"]),
            node("Add", ["asked/weighed", "second/weighed"], ["asked/mean"]),
            node("Sub", ["asked/mean", "shifts"], ["asked/shifted"]),
            node("Softmax", ["asked/shifted"], ["asked/answers"], axis=1),  # (K, 11)
            node("ScatterND", ["main/answers", "asked/rows", "asked/answers"], ["large/answers"]),
        ]
        return nodes, list(second.initializer), "large/answers"


def _prefixed(model: onnx.ModelProto, prefix: str) -> onnx.GraphProto:
    return onnx.compose.add_prefix(model, prefix).graph


__all__ = ["MAIN", "SCOUT", "SECOND", "Cascade"]
