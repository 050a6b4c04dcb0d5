"""Print in an outline of its own, as subtitles and scores are set over pictures: its fill is its ink.

Knows nothing of digits.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Mask, PageInk, stroke_width

Grey = npt.NDArray[np.uint8]

_LEVEL = 24  # grey levels about the lightest one that are the fill
_DARKER = 100  # grey levels by which the outline differs from it
_BETWEEN = 40  # and by which the ground differs from both, at least
_LOWEST, _TALLEST = 10, 0.4  # pixels that a letter is tall, and share of the page's height
_CLOSED = 0.95  # share of a letter's edge along which its outline is, within three pixels
_AROUND = 0.4  # of the letters' height, in which the outline ends
_RINGS = 4  # pixels that this is at least
_STROKES = 0.4  # of its height that the strokes of a letter are thick at most
_FEWEST = 3  # letters
_ALIKE = (0.55, 1.6)  # of the usual height that they are tall


def ink_of_cased(grey: Grey) -> tuple[PageInk, Mask] | None:
    """The fills of light print in dark outlines, or the reverse, as ink, and what they cover with these; None without.

    grey: uint8 (H, W). Three letters of one level at least, each closed in by an outline that is much darker and
    thinner, and ground beyond that is neither. The holes of print on paper are as light as their ground.

    >>> page = np.full((90, 160), 140, np.uint8)
    >>> for x in (20, 60, 100):
    ...     page[12:48, x : x + 14] = 0
    ...     page[15:45, x + 3 : x + 11] = 255
    >>> ink, covered = ink_of_cased(page)
    >>> int(ink.mask.sum()), bool(covered[13, 21]), bool(covered[5, 5])
    (720, True, False)
    """
    return _light(grey) or _light(np.asarray(255 - grey, np.uint8))


def _light(grey: Grey) -> tuple[PageInk, Mask] | None:
    levels = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    top = int(np.flatnonzero(levels)[-1])
    fill = max(0, top - _LEVEL)
    if levels.argmax() >= fill or fill <= _DARKER:
        return None
    light = (grey >= fill).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(light, connectivity=8)
    broad, tall, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    fits = (tall >= _LOWEST) & (tall <= _TALLEST * len(grey)) & (broad <= 2 * tall)
    fits[0] = False
    if np.count_nonzero(fits) < _FEWEST:
        return None
    edge = cv2.subtract(light, cv2.erode(light, np.ones((3, 3), np.uint8)))
    darkest = cv2.erode(grey, np.ones((7, 7), np.uint8))
    edges = np.bincount(labels[edge > 0], minlength=count)
    closed = np.bincount(labels[(edge > 0) & (darkest <= fill - _DARKER)], minlength=count)
    fits &= (closed >= _CLOSED * edges) & (area <= _STROKES * tall * edges / 2)
    if np.count_nonzero(fits) < _FEWEST:
        return None
    usual = float(np.median(tall[fits]))
    fits &= (tall >= _ALIKE[0] * usual) & (tall <= _ALIKE[1] * usual)
    if np.count_nonzero(fits) < _FEWEST:
        return None
    letters = np.asarray(fits[labels], np.bool_)
    away = np.asarray(cv2.distanceTransform((~letters).view(np.uint8), cv2.DIST_L2, 5), np.float32)
    outline = float(np.median(darkest[letters & (edge > 0)]))
    if not _rises(grey, away, _AROUND * usual, fill):
        return None
    strength = np.where(away <= 2, np.clip((grey - outline) * (255 / (top - outline)), 0, 255), 0).astype(np.uint8)
    mask = strength > 127
    covered = np.asarray(away <= _AROUND * usual, np.bool_)
    return PageInk(strength, np.asarray(mask, np.bool_), stroke_width(mask)), covered


def _rises(grey: Grey, away: npt.NDArray[np.float32], farthest: float, fill: int) -> bool:
    """Whether what is around letters gets darker away from them, and then lighter again, though not as they are.

    away: float32 (H, W), how far each pixel is from a letter, in pixels; looked at up to ``farthest``. Blurred print
    only gets darker, as far as paper is even; and light and shadow are much the same at each distance.
    """
    near = (away > 0) & (away <= int(farthest))
    ring = np.ceil(away[near]).astype(np.intp) - 1
    found = np.bincount(ring * 256 + grey[near], minlength=256 * int(farthest)).reshape(-1, 256)
    middles = _medians(found[found.any(axis=1)])
    if len(middles) < _RINGS:
        return False
    outline = int(middles.argmin())
    beyond = middles[outline:].max()
    return bool(middles[outline] + _BETWEEN <= beyond <= fill - _BETWEEN)


def _medians(found: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The median grey level of each row, float64 (N,). found: int64 (N, 256), how many pixels have each; some do.

    >>> found = np.zeros((2, 256), np.int64); found[0, 7] = 3; found[1, [10, 20]] = 1
    >>> _medians(found).tolist()
    [7.0, 15.0]
    """
    upto, all_of_it = found.cumsum(axis=1), found.sum(axis=1)
    # Of an even number of pixels two are in the middle.
    low, high = ((upto <= place[:, None]).sum(axis=1) for place in ((all_of_it - 1) // 2, all_of_it // 2))
    return np.asarray((low + high) / 2, np.float64)


__all__ = ["ink_of_cased"]
