"""A model file of ours in float32 becomes one in int8: smaller, faster, checked to answer alike.

Static quantisation, weights of seven bits per channel, so that all processors answer alike, activations by the range
that they take on real images (Jacob et al., 2018; ONNX Runtime's tool). Knows nothing of how the network was trained.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from digit_recognizer.digits import CLASSES, Digits
from digit_recognizer.errors import ModelError, UsageError
from digit_recognizer.files import write_bytes
from digit_recognizer.model_file import INPUT, ModelFile, check_model, with_metadata
from digit_recognizer.model_probe import open_session, run_session, try_here
from digit_recognizer.training.ship.cascade import SCOUT
from digit_recognizer.training.ship.material import Amounts, Ingredients, compose

# Share of the images that may get another label, and their mean change of a probability. More is a broken conversion.
MAX_CHANGED = 0.01
MOST_FRAMES = 2000  # of each kind; more change the ranges little
_BATCH = 64
_LAYERS = ["Conv", "Gemm", "MatMul"]  # what holds the weights and the arithmetic; the rest stays in float32


@dataclass(frozen=True)
class QuantizationReport:
    """What was written. size: bytes. changed: share of the images with another label. images: how many were tried."""

    path: Path
    size: int
    changed: float
    images: int


def frames_to_quantize_with(digits: Digits, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """(images, check_images) for ``quantize_model`` from digits: one half composed into crops as well, one half as is.

    digits: at least two, with labels. The first of the two holds things that are no digit too: the layers take other
    values on them.
    """
    half = min(len(digits) // 2, MOST_FRAMES)
    shown, checked = digits.take(np.arange(half)), digits.take(np.arange(half, len(digits)))
    composed = compose(Ingredients(shown), Amounts(half, 0, 0, half // 2), seed, workers=1)
    return np.concatenate([shown.images, composed.images]), checked.images


def quantize_model(
    model: ModelFile, path: str | Path, *, images: npt.NDArray[np.uint8], check_images: npt.NDArray[np.uint8]
) -> QuantizationReport:
    """Write the int8 variant of ``model`` to ``path``, with the same metadata. Of a cascade, the large network alone.

    images: uint8 (N, 28, 28), some hundreds of real digits (and of what is no digit, where the model tells) that
    show which values the layers take. check_images: others, on which both must answer alike.

    The file appears whole or not at all. Raises ModelError, and writes nothing, where the model cannot be quantised or
    more than 1 % of the labels change; UsageError without images; FileError where the file cannot be written.

    >>> quantize_model(read_model("runs/ship"), "int8.onnx", images=a, check_images=b).changed       # doctest: +SKIP
    0.0002
    """
    images, check_images = Digits(images).images, Digits(check_images).images
    if not len(images) or not len(check_images):
        raise UsageError("expected images to quantise the model with and to check it on, found none")
    content = with_metadata(_quantized(_without_metadata(model.content), images), model.metadata)
    name = str(path)
    check_model(content, name)
    if reason := try_here(content):
        raise ModelError(f"{name}: the int8 model does not keep the contract ({reason}); nothing was written")
    changed = _changed(model.content, content, check_images)
    if changed > MAX_CHANGED:
        raise ModelError(f"{name}: in int8 {changed:.2%} of the labels change, expected at most {MAX_CHANGED:.0%}")
    write_bytes(path, content)
    return QuantizationReport(Path(path), len(content), changed, len(check_images))


def _without_metadata(content: bytes) -> bytes:
    plain = onnx.load_from_string(content)
    del plain.metadata_props[:]
    stripped: bytes = plain.SerializeToString(deterministic=True)
    return stripped


def _quantized(content: bytes, images: npt.NDArray[np.uint8]) -> bytes:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, _silence():
        plain, prepared, finished = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
        plain.write_bytes(content)
        try:
            quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(finished),
                _Feed(images),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=_LAYERS,
                nodes_to_exclude=_left_in_float(prepared),
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                # Weights of seven bits: processors without VNNI add two products in 16 bits, which eight overflow.
                reduce_range=True,
                calibrate_method=CalibrationMethod.MinMax,
            )
            model = onnx.load(finished)
        except Exception as error:  # the tool raises errors of many kinds, without a common base
            first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise ModelError(f"the model cannot be quantised ({first})") from error
    model.doc_string = model.graph.doc_string = ""
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    result: bytes = model.SerializeToString(deterministic=True)
    return result


def _left_in_float(path: Path) -> list[str]:
    """The layers that gain nothing, by name: a cascade's small network, whose converting costs more than it saves, and
    dense layers that give logits, which are tiny, and whose answers would come in coarse steps.
    """
    graph = onnx.load(path).graph
    heads = {
        tensor.name
        for tensor in graph.initializer
        if len(tensor.dims) == 2 and min(tensor.dims) in (CLASSES, CLASSES + 1)
    }
    return [node.name for node in graph.node if node.name.startswith(SCOUT) or not heads.isdisjoint(node.input[1:2])]


class _Feed:
    """Hands out batches, as the tool's CalibrationDataReader does."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self._batches = iter([images[first : first + _BATCH] for first in range(0, len(images), _BATCH)])

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: np.ascontiguousarray(batch)}


def _changed(before: bytes, after: bytes, images: npt.NDArray[np.uint8]) -> float:
    changed = 0
    sessions = [open_session(content, threads=2) for content in (before, after)]
    for first in range(0, len(images), 256):
        batch = np.ascontiguousarray(images[first : first + 256])
        old, new = (np.asarray(run_session(session, batch)[0]).argmax(1) for session in sessions)
        changed += int((old != new).sum())
    return changed / len(images)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the tool's advice away from the terminal; its errors come as exceptions."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


__all__ = ["MAX_CHANGED", "QuantizationReport", "frames_to_quantize_with", "quantize_model"]
