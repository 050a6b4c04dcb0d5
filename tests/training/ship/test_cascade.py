"""The cascade: ONNX Runtime answers as torch does, whichever network is asked, also where none or all are unsure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from digit_recognizer.model_file import INPUT, PROBABILITIES, UNFAMILIARITY
from digit_recognizer.training.half_precision import storable
from digit_recognizer.training.networks import CompactNetwork
from digit_recognizer.training.ship.cascade import Cascade
from tests.conftest import draw_digits


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    torch.manual_seed(0)
    scout = CompactNetwork((4, 6, 8), (1, 1), classes=11, strided=True).eval()
    main = CompactNetwork((4, 6, 8), (1, 2), classes=11).eval()
    with torch.no_grad():
        scout.head.weight.mul_(60)  # sure of some images, unsure of others
    scout, main = storable(scout), storable(main)
    return Cascade(scout, main, scout_temperature=0.8, main_temperature=1.3, scout_confidence=0.5, no_digit_shift=0.7)


@pytest.fixture(scope="module")
def with_second(cascade: Cascade) -> Cascade:
    torch.manual_seed(1)
    second = storable(CompactNetwork((4, 6, 8), (1, 2), classes=11))
    return replace(cascade, second=second, second_temperature=0.9, main_confidence=0.4, main_weight=0.7)


def answers_of(cascade: Cascade, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(cascade.to_onnx(), providers=["CPUExecutionProvider"])
    probabilities, unfamiliarity = session.run([PROBABILITIES, UNFAMILIARITY], {INPUT: images})
    return probabilities, unfamiliarity


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.5, 2.0])
@pytest.mark.parametrize("main_confidence", [0.0, 0.11, 2.0])
def test_onnx_answers_as_torch_whoever_is_asked(
    with_second: Cascade, confidence: float, main_confidence: float
) -> None:
    cascade = replace(with_second, scout_confidence=confidence, main_confidence=main_confidence)
    images = np.concatenate([draw_digits(40, seed=1).images, np.zeros((1, 28, 28), np.uint8)])
    expected = cascade.answer(images)
    probabilities, unfamiliarity = answers_of(cascade, images)
    assert np.allclose(unfamiliarity, expected[:, 10], atol=1e-5)
    assert np.allclose(probabilities * (1 - unfamiliarity[:, None]), expected[:, :10], atol=1e-5)


def test_the_second_network_has_a_say_where_the_main_one_is_unsure(with_second: Cascade) -> None:
    images = draw_digits(60, seed=2).images
    asked = replace(with_second, scout_confidence=2.0)
    alone = replace(asked, second=None).answer(images)
    asked = replace(asked, main_confidence=float(np.median(alone.max(1))))
    unsure = alone.max(1) < asked.main_confidence
    assert 0 < unsure.sum() < len(images)
    ink = torch.tensor(images).unsqueeze(1).float() / 255
    shift = torch.tensor([0.0] * 10 + [0.7])
    assert asked.second is not None
    with torch.no_grad():
        both = (0.7 * asked.main(ink) / 1.3 + 0.3 * asked.second(ink) / 0.9 - shift).softmax(1).numpy()
    found = asked.answer(images)
    assert np.allclose(found[~unsure], alone[~unsure], atol=1e-6)
    assert np.allclose(found[unsure], both[unsure], atol=1e-6)


def test_weights_take_half_the_bytes_and_networks_made_storable_lose_nothing(with_second: Cascade) -> None:
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load_from_string(with_second.to_onnx()).graph.initializer}
    for name in ("scout/features.0.weight", "main/head.weight", "second/head.weight"):
        assert kinds[name] == onnx.TensorProto.FLOAT16
    assert kinds["main/head.bias"] == onnx.TensorProto.FLOAT
    again = storable(with_second.main)
    for name, weight in with_second.main.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight)


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.5, 2.0])
def test_onnx_answers_as_torch_wherever_the_scout_is_trusted(cascade: Cascade, confidence: float) -> None:
    cascade = replace(cascade, scout_confidence=confidence)
    images = np.concatenate([draw_digits(40, seed=1).images, np.zeros((1, 28, 28), np.uint8)])
    session = onnxruntime.InferenceSession(cascade.to_onnx(), providers=["CPUExecutionProvider"])
    expected = cascade.answer(images)
    probabilities, unfamiliarity = session.run([PROBABILITIES, UNFAMILIARITY], {INPUT: images})
    assert np.allclose(unfamiliarity, expected[:, 10], atol=1e-5)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert np.allclose(probabilities * (1 - unfamiliarity[:, None]), expected[:, :10], atol=1e-5)
    one = session.run([PROBABILITIES], {INPUT: images[:1]})[0]
    assert np.allclose(one[0], probabilities[0], atol=1e-5)


def test_the_main_networks_logit_of_no_digit_is_lowered(cascade: Cascade) -> None:
    images = draw_digits(5, seed=4).images
    asked = replace(cascade, scout_confidence=2.0)  # the main network answers all
    shift = torch.tensor([0.0] * 10 + [0.7])
    with torch.no_grad():
        expected = (asked.main(torch.tensor(images).unsqueeze(1).float() / 255) / 1.3 - shift).softmax(1).numpy()
    assert np.allclose(asked.answer(images), expected, atol=1e-5)


def test_the_scout_answers_where_it_is_sure_and_the_main_network_elsewhere(cascade: Cascade) -> None:
    images = draw_digits(60, seed=2).images
    alone = {
        "scout": replace(cascade, scout_confidence=0.0).answer(images),
        "main": replace(cascade, scout_confidence=2.0).answer(images),
    }
    sure = alone["scout"].max(1) >= 0.5
    assert 0 < sure.sum() < len(images)  # both are asked
    both = cascade.answer(images)
    assert np.allclose(both[sure], alone["scout"][sure], atol=1e-6)
    assert np.allclose(both[~sure], alone["main"][~sure], atol=1e-6)
