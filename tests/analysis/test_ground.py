"""Whether images lie bright on black, by their borders alone."""

from __future__ import annotations

import numpy as np

from digit_recognizer.analysis.ground import ground_notes, on_light
from digit_recognizer.digits import Dataset, Digits
from tests.conftest import draw_digits

IMAGES = draw_digits(50, seed=3).images


def test_only_images_on_light_ground_are_counted() -> None:
    assert on_light(IMAGES) == 0
    assert on_light(255 - IMAGES) == 50
    assert on_light(np.concatenate([IMAGES, 255 - IMAGES[:7]])) == 7
    assert on_light(IMAGES[:0]) == 0


def test_ink_that_reaches_the_border_here_and_there_makes_no_light_ground() -> None:
    reaching = IMAGES.copy()
    reaching[:, :14] = 255  # 54 of the border's 108 pixels: not most of them
    reaching[:, 0, 0] = 0
    assert on_light(reaching) == 0


def test_a_sentence_comes_for_a_part_of_which_most_are_so() -> None:
    few = Digits(np.concatenate([IMAGES, 255 - IMAGES]))
    most = Digits(np.concatenate([IMAGES[1:], 255 - IMAGES]))
    assert ground_notes(Dataset("half", None, few)) == ()
    (note,) = ground_notes(Dataset("mine", None, most))
    assert note.startswith(
        "mine, test: 50 of 99 images look dark on light; the convention is bright on black: write 255 -"
    )
