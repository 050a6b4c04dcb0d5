"""Images -> whether they are dark on light, where the convention is ink bright on black.

Says so, and turns nothing: which of the two was meant is for people to know.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Dataset, Images

_BRIGHT = 127  # of 255; the border of an MNIST image is 0 throughout but for strokes that reach it
_SLICE = 4096  # images looked at together


def on_light(images: Images) -> int:
    """How many of uint8 (N, 28, 28) have a border of which most of the 108 pixels are bright: their ground is light.

    >>> on_light(np.full((3, 28, 28), 255, np.uint8))
    3
    """
    count = 0
    for start in range(0, len(images), _SLICE):
        bright = _borders(images[start : start + _SLICE]) > _BRIGHT
        count += int(np.count_nonzero(2 * np.count_nonzero(bright, axis=1) > bright.shape[1]))
    return count


def ground_notes(dataset: Dataset) -> tuple[str, ...]:
    """A sentence for each part of which most images are dark on light, with what to do."""
    return tuple(
        f"{dataset.name}, {name}: {light:,} of {len(part):,} images look dark on light; the convention is bright on "
        "black: write 255 - value for each pixel, or give pictures, which are turned where needed"
        for name, part in dataset.parts().items()
        if 2 * (light := on_light(part.images)) > len(part)
    )


def _borders(images: Images) -> npt.NDArray[np.uint8]:
    sides = (images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1])
    return np.concatenate(sides, axis=1)


__all__ = ["ground_notes", "on_light"]
