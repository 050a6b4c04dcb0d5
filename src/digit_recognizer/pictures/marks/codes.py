"""QR codes are painted over, so that none of their squares is read as a digit, nor the number below taken for letters.

A code is known by the three squares in its corners, each a dark square in a light one in a dark one (ISO/IEC 18004).
Knows nothing of what a code says, nor of digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.load import Grey
from digit_recognizer.reading import Box

CODE = "a QR code"

# The picture is shrunk so many times, and looked at in windows of so many pixels then: as broad as a corner is.
_LOOKS = ((1, 31), (2, 45), (4, 69))
_DARKER = 8  # grey levels that a dark square is below the mean around it, at least
# A corner is seven modules broad, the light square in it five, the dark one in that three: of its area 0.51 and 0.18.
_SMALLEST = 80.0  # pixels that it covers at least
_LIGHT, _CORE = (0.3, 0.72), (0.06, 0.32)  # what it is out of focus, and of a few pixels
_FILLED = 0.75  # of the narrowest box, turned or not, that each of the three fills, at least
_SQUARE = 1.7  # times it is longer than broad, seen from the side
_OFF = 0.15  # of its side by which the middles of the three differ at most
_CORNERS = 3  # of a code
_MOST = 60  # corners on a page that are held against each other
_ALIKE = 1.7  # times one corner of a code, or one side of it, is larger than another, seen from the side
_UPRIGHT = 0.45  # cosine between two sides at most
_SIDES = (1.7, 26.0)  # of a corner, from one to the next: 14 modules in the smallest code, 170 in the largest
_MODULES = 7  # that a corner is broad
_DENSE = 0.7  # of a code that is covered by what is joined, at least: corners alone cover half
_GAP = 1.6  # modules between what is joined
_BEYOND = 0.12  # of a code's side that its fourth corner is farther out, seen from the side
_INSIDE = 0.6  # of what is joined that lies within the corners then

_Point = npt.NDArray[np.float64]


class _Corner(NamedTuple):
    """One of three: its middle, (x, y), and its side, in pixels."""

    middle: _Point
    side: float


def codes_removed(grey: Grey) -> tuple[Grey, tuple[Box, ...]]:
    """The picture with paper in the place of its QR codes, and their boxes; the same array where there are none.

    grey: uint8 (H, W). Codes are dark on light, and may be turned, seen from the side, and somewhat out of focus.

    >>> code = np.kron(cv2.QRCodeEncoder_create().encode("4071"), np.ones((4, 4), np.uint8))
    >>> cleaned, boxes = codes_removed(np.pad(code, 20, constant_values=255))
    >>> int(cleaned.min()), len(boxes), int(code.min())
    (255, 1, 0)
    """
    cleaned, boxes = grey, list[Box]()
    height, width = grey.shape
    for times, window in _LOOKS:
        sides = round(width / times), round(height / times)
        if min(sides) < window:
            break
        small = cv2.blur(cleaned if times == 1 else cv2.resize(cleaned, sides, interpolation=cv2.INTER_AREA), (3, 3))
        found = cv2.adaptiveThreshold(small, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, _DARKER)
        dark = np.asarray(found, np.uint8)
        for corners in _codes(_corners(dark)):
            covered = _covered(dark, corners)
            if covered is None:
                continue
            mask = np.asarray(cv2.resize(covered, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
            cleaned = cleaned.copy() if cleaned is grey else cleaned
            _paint(cleaned, mask)
            x, y, broad, tall = cv2.boundingRect(mask)
            boxes.append((int(x), int(y), int(broad), int(tall)))
    return cleaned, tuple(boxes)


def _corners(dark: Grey) -> list[_Corner]:
    """What looks like a corner of a code. dark: 1 or 0."""
    outlines, tree = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:  # then there is no tree
        return []
    rings = []
    for hole in np.flatnonzero(tree[0][:, 3] >= 0).tolist():
        outline = outlines[hole]
        light = cv2.contourArea(outline)
        if light < _SMALLEST * _LIGHT[0]:
            continue
        around = outlines[tree[0][hole, 3]]
        area = cv2.contourArea(around)
        if _LIGHT[0] * area <= light <= _LIGHT[1] * area and _is_square(outline, 0) and _is_square(around, _SMALLEST):
            middle, side = _middle(around), float(np.sqrt(area))
            if np.hypot(*(_middle(outline) - middle)) <= _OFF * side:
                rings.append(_Corner(middle, side))
    if len(rings) < _CORNERS:
        return []
    outer = (outlines[place] for place in np.flatnonzero(tree[0][:, 3] < 0).tolist())
    cores = [outline for outline in outer if _is_square(outline, _SMALLEST * _CORE[0])]
    middles = np.array([_middle(outline) for outline in cores]).reshape(-1, 2)
    areas = np.array([cv2.contourArea(outline) for outline in cores])

    def has_core(ring: _Corner) -> bool:
        share = areas / ring.side**2
        near = np.hypot(*(middles - ring.middle).T) <= _OFF * ring.side
        return bool((near & (share >= _CORE[0]) & (share <= _CORE[1])).any())

    return [ring for ring in rings if has_core(ring)]


def _is_square(outline: npt.NDArray[Any], least: float) -> bool:
    """Whether an outline is that of a square, seen from anywhere, of so many pixels at least."""
    area = cv2.contourArea(outline)
    if area < least:
        return False
    short, long = sorted(cv2.minAreaRect(outline)[1])
    return bool(long <= _SQUARE * short and area >= _FILLED * short * long)


def _middle(outline: npt.NDArray[Any]) -> _Point:
    return np.array(cv2.minAreaRect(outline)[0], np.float64)


def _codes(corners: Sequence[_Corner]) -> list[tuple[_Corner, _Corner, _Corner]]:
    """The codes whose corners these are, the nearest ones first: the one between the two others, and these."""
    fitting = []
    for three in combinations(corners[:_MOST], _CORNERS):
        sides = [corner.side for corner in three]
        if max(sides) > _ALIKE * min(sides):
            continue
        for between, one, other in permutations(three):
            first, second = one.middle - between.middle, other.middle - between.middle
            lengths = float(np.hypot(*first)), float(np.hypot(*second))
            is_square = max(lengths) <= _ALIKE * min(lengths)
            is_square = is_square and abs(float(first @ second)) <= _UPRIGHT * lengths[0] * lengths[1]
            reach = [length / (sum(sides) / 3) for length in lengths]
            if is_square and one.side <= other.side and _SIDES[0] <= min(reach) and max(reach) <= _SIDES[1]:
                fitting.append((sum(lengths), (between, one, other)))
    found: list[tuple[_Corner, _Corner, _Corner]] = []
    taken: list[_Corner] = []
    for _, code in sorted(fitting, key=lambda one: one[0]):
        if not any(corner is other for corner in code for other in taken):
            found.append(code)
            taken += code
    return found


def _covered(dark: Grey, code: Sequence[_Corner]) -> Grey | None:
    """What a code covers, 1 or 0: the hull of the squares within its corners; None where these hold no more."""
    between, one, other = code
    first, second = one.middle - between.middle, other.middle - between.middle
    side = sum(corner.side for corner in code) / 3
    more = [0.5 * side / float(np.hypot(*along)) + _BEYOND for along in (first, second)]
    ends = [
        between.middle + (across * (1 + 2 * more[0]) - more[0]) * first + (down * (1 + 2 * more[1]) - more[1]) * second
        for across, down in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    inside = cv2.fillConvexPoly(np.zeros_like(dark), np.rint(ends).astype(np.int32), 1)
    gap = max(2, round(_GAP * side / _MODULES))
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    within = np.bincount(labels[inside > 0], minlength=count)
    whole = np.bincount(labels.ravel(), minlength=count)
    chosen = within > _INSIDE * whole
    chosen[0] = False
    points = cv2.findNonZero((chosen[labels] & (inside > 0)).view(np.uint8))
    if points is None:
        return None
    mask = cv2.fillConvexPoly(np.zeros_like(dark), cv2.convexHull(points), 1)
    if joined[mask > 0].mean() < _DENSE:
        return None
    return np.asarray(cv2.dilate(mask, np.ones((gap | 1, gap | 1), np.uint8)), np.uint8)


def _paint(grey: Grey, mask: Grey) -> None:
    """Put paper where the mask is: a slope as light as what is light around it."""
    x, y, width, height = cv2.boundingRect(mask)
    margin = max(4, max(width, height) // 12)
    left, top = max(0, x - margin), max(0, y - margin)
    part = grey[top : y + height + margin, left : x + width + margin]
    covered = mask[top : y + height + margin, left : x + width + margin] > 0
    rows, columns = np.nonzero(~covered)
    levels = part[rows, columns].astype(np.float64)
    if not len(levels):
        part[covered] = int(np.percentile(part, 90))
        return
    light = levels >= np.median(levels)
    slopes = np.column_stack([rows, columns, np.ones(len(rows))])
    plane = np.linalg.lstsq(slopes[light], levels[light], rcond=None)[0]
    rows, columns = np.nonzero(covered)
    painted = np.column_stack([rows, columns, np.ones(len(rows))]) @ plane
    part[rows, columns] = np.clip(np.rint(painted), 0, 255).astype(np.uint8)


__all__ = ["CODE", "codes_removed"]
