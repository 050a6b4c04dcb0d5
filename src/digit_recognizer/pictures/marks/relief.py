"""Whether what was read is relief: letters pressed into something, of which one side is lighter than the ground and the
other darker. What is read of one side alone is often another digit.

Knows nothing of digits but where they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.reading import Box

RELIEF = "light and dark sides, as relief has"

# Share of a mark's ink: as much ground around it stands out the other way, by at least _AS_FAR of what the ink does. Of
# 16 composed pictures of relief 0.6 and more in the middle; of 60 lines by hand, some half in shadow, 0.3 at most, and
# of 30 kinds of other pictures 0.05.
_OTHER_SIDE, _AS_FAR = 0.4, 0.35
_AROUND = 0.12  # of its height: how far around a mark is looked
_MOST = 40  # digits of a page that are looked at

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def is_relief(grey: Grey, mask: Mask, boxes: Sequence[Box]) -> bool:
    """Whether most digits of a page have a side that is as light as they are dark, or the reverse.

    grey: uint8 (H, W). mask: bool (H, W), the page's ink. boxes: of its digits, (x, y, w, h) each.

    >>> page = np.full((60, 60), 150, np.uint8)
    >>> page[10:50, 20:24], mask = 60, np.zeros((60, 60), np.bool_)
    >>> mask[10:50, 20:24] = True
    >>> flat = is_relief(page, mask, [(20, 10, 4, 40)])
    >>> page[10:50, 25:28] = 230
    >>> flat, is_relief(page, mask, [(20, 10, 4, 40)])
    (False, True)
    """
    looked_at = boxes[:: 1 + len(boxes) // _MOST]
    return bool(looked_at) and median(_other_side(grey, mask, box) for box in looked_at) >= _OTHER_SIDE


def _other_side(grey: Grey, mask: Mask, box: Box) -> float:
    """How much around a mark stands out the other way, in shares of its ink."""
    x, y, width, height = box
    around = max(2, round(_AROUND * height))
    part = (
        slice(max(0, y - around), y + height + around),
        slice(max(0, x - around), x + width + around),
    )
    values, ink = grey[part].astype(np.float32), mask[part]
    near = cv2.dilate(ink.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    if not ink.any() or near.all():
        return 0.0
    ground = float(np.median(values[~near]))
    depth = float(np.median(values[ink])) - ground
    other = (values - ground) * np.sign(depth) <= -_AS_FAR * abs(depth)
    return float(np.count_nonzero(other & ~near) / np.count_nonzero(ink)) if depth else 0.0


__all__ = ["RELIEF", "is_relief"]
