"""int8: the file is smaller, keeps the contract and its metadata, and answers nearly as float32 does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from digit_recognizer.errors import UsageError
from digit_recognizer.model_file import ModelMetadata, check_model, with_metadata
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.networks import CompactNetwork
from digit_recognizer.training.quantize import frames_to_quantize_with, quantize_model
from digit_recognizer.training.ship.cascade import Cascade
from tests.conftest import draw_digits


def test_a_cascade_in_int8_is_smaller_and_answers_nearly_alike(tmp_path: Path) -> None:
    torch.manual_seed(1)
    cascade = Cascade(
        CompactNetwork((4, 6, 8), (1, 1), classes=11, strided=True).eval(),
        CompactNetwork((8, 32, 64), (1, 2), classes=11).eval(),
        scout_temperature=1.0,
        main_temperature=1.0,
        scout_confidence=2.0,  # the main network answers all: the one that is quantised
    )
    card = ModelMetadata(preset="ship", data="drawn", data_fingerprint="", seed=0, min_confidence=0.25)
    content = with_metadata(cascade.to_onnx(), card)
    (tmp_path / "model.onnx").write_bytes(content)
    shown, checked = frames_to_quantize_with(draw_digits(80, seed=3))
    assert len(shown) == 40 + 40 + 20
    report = quantize_model(check_model(content, "m"), tmp_path / "int8.onnx", images=shown, check_images=checked)
    assert report.size == (tmp_path / "int8.onnx").stat().st_size < 0.75 * len(content)
    assert report.images == 40
    before, after = (Recognizer(tmp_path / name) for name in ("model.onnx", "int8.onnx"))
    tensors = onnx.load(tmp_path / "int8.onnx").graph.initializer
    kinds = {tensor.name: tensor.data_type for tensor in tensors}
    weights = [onnx.numpy_helper.to_array(one) for one in tensors if one.data_type == onnx.TensorProto.INT8]
    largest = [np.abs(one.astype(int)).max() for one in weights if one.ndim == 4]
    assert largest
    assert max(largest) == 64  # seven bits: sums of two products fit into sixteen, on any processor
    assert kinds["main/head.weight/float"] == kinds["scout/features.0.weight/float"] == onnx.TensorProto.FLOAT
    assert after.metadata == card
    assert after.tells_non_digits
    assert np.abs(before.probabilities(checked) - after.probabilities(checked)).max() < 0.05


def test_without_images_nothing_is_written(tmp_path: Path) -> None:
    card = ModelMetadata(preset="own", data="", data_fingerprint="", seed=0)
    net = CompactNetwork((2, 2, 2), classes=11).eval()
    content = with_metadata(Cascade(net, net, 1.0, 1.0, 0.5).to_onnx(), card)
    none = np.zeros((0, 28, 28), np.uint8)
    with pytest.raises(UsageError, match="found none"):
        quantize_model(check_model(content, "m"), tmp_path / "int8.onnx", images=none, check_images=none)
    assert not list(tmp_path.iterdir())
