"""Calibration of what is no digit: digits are as often right as their confidence says."""

from __future__ import annotations

import numpy as np
import pytest

from digit_recognizer.training.calibration import MOST_SHIFT, no_digit_shift


def logits(share_right: float, none: float) -> tuple[np.ndarray, np.ndarray]:
    """1,000 digits that are all taken for a 3 with a logit of 4, and for none with ``none``; which of them are 3s."""
    found = np.zeros((1000, 11))
    found[:, 3], found[:, 10] = 4.0, none
    return found, np.where(np.arange(1000) < share_right * 1000, 3, 7).astype(np.int64)


@pytest.mark.parametrize("none", [2.0, 2.5, 3.0])
def test_after_the_shift_confidence_is_the_share_of_right_answers(none: float) -> None:
    found, labels = logits(0.8, none)
    shift = no_digit_shift(found, labels)
    powers = np.exp(found[0] - np.eye(11)[10] * shift)
    assert 0 < shift < MOST_SHIFT
    assert powers[3] / powers.sum() == pytest.approx(0.8, abs=1e-3)


def test_what_is_sure_enough_is_not_shifted_and_no_shift_passes_its_bound() -> None:
    assert no_digit_shift(*logits(0.8, -3.0)) == 0
    assert no_digit_shift(*logits(0.8, 9.0)) == pytest.approx(MOST_SHIFT, abs=1e-3)
