"""The embedded sample becomes Digits: 1,797 scanned digits of 43 writers, ready without a download.

The UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998, CC BY 4.0) as scikit-learn ships it:
8x8 pixels, 0-16, ink bright. See assets/NOTICE.md; made by tools/make_sample.py.
"""

from __future__ import annotations

import importlib.resources

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.pictures.ink import to_frames

TEST_IMAGES = 297
_SEED = 20  # which images the test part holds; fixed, so that every installation shares it


def load_sample() -> Dataset:
    """The sample in MNIST's frame: 1,500 labelled digits to learn from and 297 without labels to predict.

    It is small and coarse; a figure measured on it says little about handwriting at large.

    >>> load_sample()
    Dataset(name='sample', train=Digits(1,500 images, labelled), test=Digits(297 images, no labels))
    """
    coarse, labels = raw_sample()
    # 16 levels to 255: a coarse pixel counts how many of its 4x4 fine ones held ink.
    digits = Digits(to_frames(((coarse.astype(np.uint16) * 255 + 8) // 16).astype(np.uint8)), labels)
    rest, part = digits.split_indices(TEST_IMAGES / len(digits), _SEED)
    return Dataset("sample", digits.take(rest), Digits(digits.images[part]))


def raw_sample() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The sample as published: images uint8 (1797, 8, 8), 0-16, and labels int64 (1797,).

    >>> raw_sample()[0].shape
    (1797, 8, 8)
    """
    asset = importlib.resources.files("digit_recognizer") / "assets" / "sample.npz"
    with asset.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"].astype(np.int64)


__all__ = ["TEST_IMAGES", "load_sample", "raw_sample"]
