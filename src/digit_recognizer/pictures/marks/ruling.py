"""The ruling of squared and lined paper is taken off a page before its ink is found, and tells how far it is turned.

Its lines are thinner than strokes or fainter, straight and all but level or upright; strokes that cross them stay.
Knows nothing of digits but that they are no such lines.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Contrast, Mask, stroke_thickness

_FINE = 5  # pixels: less than that a line is thick, on pages of up to 1,200 pixels
_STEADY = 0.5  # share of a window along a line in which it is seen: strokes cross it, and hide it where they are broad
_WINDOW = (48, 160)  # pixels long, a sixth of the page where that lies between
_SPANNING = 0.55  # of the page that each of several lines spans at least
_SEVERAL, _FEW_SPANNING = 3, 0.85  # and each where there are fewer than that
_COVERED = 0.62  # of the length of a line that is seen at least, half a window at the page's edges not counted
_HIDDEN = 0.25  # and of one that its neighbours tell of
_FREE = 3  # times five pixels or so that nothing is written above and below a line where it is bare,
_GOES_ON = 0.6  # of such places it is seen in at least: ruling is in all of them, print in half at most
_PERIODIC = 3  # steps between lines that make up squares
_FAINT = 0.75  # of the depth of strokes that lines have at most; others are looked for in the ink
_STROKE = 1.6  # times a line's depth: what lies deeper is a stroke on it
_INSIDE = 0.6  # share of a line's length, of that of its middle, in which its soft edges are seen
_BENT = 2  # degree of the curve that paper may bend a line to
_EDGE = 0.2  # share of a line's depth that its edges have
_TURN_SIDE = 800  # pixels of the page in which its turn is looked for
_HALF_TONE = 60  # of 255: of a line that became less than a pixel thick there
_MOST_TURNED = 20.0  # degrees
_TURN_LINES = 3.0  # pages wide that lines of one direction are long together

_Bytes = npt.NDArray[np.uint8]


def without_ruling(contrast: Contrast) -> Contrast:
    """What stands out from a page without the ruling of its paper; the same object where there is none.

    A ruling's lines are fainter than strokes, thinner than five pixels or so, level or upright, and span more than half
    of the page, three or more of them, or nearly all of it. Where they are, what is as thin as they are goes (an
    opening across their direction, Serra, 1982); strokes that cross them, or lie on them deeper than they, stay.

    >>> depth = np.zeros((100, 200), np.float32)
    >>> depth[20:90:20] = 40
    >>> depth[10:80, 90:97] = 160                                       # a stroke that crosses four lines
    >>> found = without_ruling(Contrast(depth, 14.0, 1.0)).depth
    >>> found[40, [20, 93]].tolist()
    [0.0, 160.0]
    """
    depth = np.clip(contrast.depth, 0, 255).astype(np.uint8)
    found = _without_level_ruling(depth, contrast.least)
    found = np.ascontiguousarray(_without_level_ruling(np.ascontiguousarray(found.T), contrast.least).T)
    gone = found < depth
    if not gone.any():
        return contrast
    rest = np.where(gone, found, contrast.depth).astype(np.float32)
    return Contrast(rest, contrast.least, stroke_thickness(rest))


def turn_of_ruling(contrast: Contrast) -> float:
    """By how many degrees a page's printed lines fall to the right of level, -20 to 20; 0 where it has none.

    Long straight lines are looked for by a probabilistic Hough transform (Matas, Galambos, Kittler, 2000).
    """
    scale = min(1.0, _TURN_SIDE / max(contrast.depth.shape))
    seen = np.clip(contrast.depth, 0, 255).astype(np.uint8)
    size = _fine(seen.shape)
    broad = cv2.morphologyEx(seen, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    mask = np.asarray(cv2.subtract(seen, broad) > 0.6 * contrast.least, np.uint8)
    if scale < 1:
        sides = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
        smaller = cv2.resize(mask * 255, sides, interpolation=cv2.INTER_AREA)
        mask = np.asarray(smaller > _HALF_TONE, np.uint8)
    shortest = 0.4 * min(mask.shape)
    lines = cv2.HoughLinesP(
        mask, 1, np.pi / 720, max(1, round(0.5 * shortest)), None, shortest, 0.03 * max(mask.shape) + 4
    )
    if lines is None:
        return 0.0
    x0, y0, x1, y1 = np.asarray(lines, np.float64).reshape(-1, 4).T
    length, angle = np.hypot(x1 - x0, y1 - y0), np.degrees(np.arctan2(y1 - y0, x1 - x0))
    angle = (angle + 45) % 90 - 45
    order = np.argsort(angle)
    middle = float(angle[order][np.searchsorted(np.cumsum(length[order]), length.sum() / 2)])
    agreeing = length[np.abs(angle - middle) < 1.5].sum()
    if agreeing < _TURN_LINES * mask.shape[1] or agreeing < 0.7 * length.sum() or abs(middle) > _MOST_TURNED:
        return 0.0
    return middle


def _without_level_ruling(depth: _Bytes, least: float) -> _Bytes:
    """The same, uint8 (H, W), its thin level lines opened away."""
    height, width = depth.shape
    size = _fine(depth.shape)
    window = int(np.clip(width / 6, *_WINDOW))
    if width < window or height < 4 * size:
        return depth
    # Beyond the page there is nothing: a line along its edge is thin, too.
    opened = cv2.morphologyEx(
        depth, cv2.MORPH_OPEN, np.ones((size, 1), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    thin = np.asarray(cv2.subtract(depth, opened), np.uint8)
    seen = (thin > 0.5 * least).astype(np.uint8)
    near = cv2.dilate(seen, np.ones((3, 1), np.uint8))  # lines that are not quite level step from row to row
    steady = cv2.boxFilter(near, cv2.CV_32F, (window, 1), borderType=cv2.BORDER_REPLICATE) >= _STEADY
    found = (steady & (seen > 0)).view(np.uint8)
    deep = depth[depth > least]
    if not found.any() or not deep.size:
        return depth
    # With room on both sides, or a line along the whole page would seem shorter than it is.
    joined = cv2.dilate(np.pad(found, ((0, 0), (window, window))), np.ones((3, window), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    labels = labels[:, window:-window]
    lefts, spans = stats[:, cv2.CC_STAT_LEFT] - window, stats[:, cv2.CC_STAT_WIDTH] - window + 1
    inner = np.minimum(lefts + spans + window - 1, width) - np.maximum(lefts, 0) - window + 1
    chosen = (np.arange(count) > 0) & (stats[:, cv2.CC_STAT_HEIGHT] <= 3 * size + 0.06 * spans)
    chosen &= spans >= _SPANNING * width
    if np.count_nonzero(chosen) < _SEVERAL:
        chosen &= spans >= _FEW_SPANNING * width
    faint = _FAINT * float(np.percentile(deep, 95))
    courses = []
    for number in np.flatnonzero(chosen):
        y, tall = int(stats[number, cv2.CC_STAT_TOP]), int(stats[number, cv2.CC_STAT_HEIGHT])
        line = (found[y : y + tall] > 0) & (labels[y : y + tall] == number)
        seen_long = np.count_nonzero(line.any(axis=0)) >= _COVERED * inner[number]  # digits below each other are not
        deepest = np.where(line, thin[y : y + tall], 0).max(axis=0)
        usual = float(np.median(deepest[deepest > 0]))
        if seen_long and usual <= faint:
            factors = _course(line & (thin[y : y + tall] <= _STROKE * usual))
            course = _Course(factors + np.array([0, 0, y]), usual)
            if _goes_on(depth, course, np.flatnonzero(line.any(axis=0)), size, least):
                courses.append(course)
    paint = np.zeros(depth.shape, np.bool_)
    for course in [*courses, *_between(courses, height)]:
        paint |= _along(thin, course, size, least)
    if not paint.any():
        return depth
    rest = np.where(paint, opened, depth).astype(np.uint8)
    # Where a bar lies on a line, there is ink above and below.
    closed = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((size, 1), np.uint8))
    return np.where(paint, np.minimum(closed, depth), rest).astype(np.uint8)


class _Course(NamedTuple):
    """Where a level line runs, and how deep it is. factors: of a curve, from -0.5 to 0.5 across the page, in rows."""

    factors: npt.NDArray[np.float64]
    usual: float

    def rows(self, width: int) -> npt.NDArray[np.float64]:
        """The row in each column: float (W,)."""
        return np.asarray(np.polyval(self.factors, np.arange(width) / width - 0.5))


def _goes_on(depth: _Bytes, course: _Course, at: npt.NDArray[np.intp], size: int, least: float) -> bool:
    """Whether a level line is there where nothing is written on it, too; True where there is no such place.

    at: the columns in which it was seen. The feet of letters in a row are a line as well, but for what parts these.
    """
    height, width = depth.shape
    away = np.arange(-_FREE * size, _FREE * size + 1)[:, None]
    places = np.rint(course.rows(width)).astype(np.int64)[None] + away
    inside = (places >= 0) & (places < height)
    seen = inside & (depth[np.clip(places, 0, height - 1), np.arange(width)[None]] > 0.5 * least)
    written = seen[(np.abs(away) > size // 2 + 1).ravel()].any(axis=0)
    bare = np.convolve(written, np.ones(3), "same") == 0  # the soft edges of strokes are no bare paper
    bare[: at[0]] = bare[at[-1] + 1 :] = False
    there = seen[(np.abs(away) <= size // 2).ravel()].any(axis=0)[bare]
    return len(there) < size or float(there.mean()) >= _GOES_ON


def _between(courses: list[_Course], height: int) -> list[_Course]:
    """Lines of squared paper that hide behind digits: where its squares say that there must be some."""
    courses = sorted(courses, key=lambda course: float(course.factors[-1]))
    rows = np.array([course.factors[-1] for course in courses])
    steps = np.diff(rows)
    if len(steps) < _PERIODIC:
        return []
    period = float(np.median(steps))
    times = np.rint(steps / period)
    if period < 8 or np.mean((times >= 1) & (np.abs(steps - times * period) <= 0.12 * period)) < 0.7:
        return []
    found = []
    for one, other, count in zip(courses, courses[1:], times.astype(int).tolist(), strict=False):
        usual = min(one.usual, other.usual)
        parts = [number / count for number in range(1, count)]
        found += [_Course(one.factors * (1 - part) + other.factors * part, usual) for part in parts]
    for edge, step in ((courses[0], -period), (courses[-1], period)):
        moves = [np.array([0, 0, number * step]) for number in range(1, int(height / period) + 1)]
        found += [_Course(edge.factors + move, edge.usual) for move in moves if 0 <= edge.factors[2] + move[2] < height]
    return found


def _along(thin: _Bytes, course: _Course, size: int, least: float) -> Mask:
    """Which pixels are one level line and its soft edges, and no stroke on it: bool (H, W).

    thin: uint8 (H, W), what is thin, strokes as well.
    """
    height, width = thin.shape
    places = np.rint(course.rows(width)).astype(np.int64)[None] + np.arange(-size, size + 1)[:, None]
    inside = (places >= 0) & (places < height)
    places = np.clip(places, 0, height - 1)
    values = np.where(inside, thin[places, np.arange(width)[None]], 0)
    # As far across as it is there nearly all along: the bars of digits in a row are not.
    shares = np.mean((values > _EDGE * course.usual) & (values <= _STROKE * course.usual), axis=1)
    result = np.zeros(thin.shape, np.bool_)
    if shares.max() < _HIDDEN:
        return result
    broad = np.convolve(shares >= _INSIDE * shares.max(), np.ones(3), "same") > 0  # between two rows it is half in each
    mine = inside & broad[:, None] & (values <= max(_STROKE * course.usual, least))
    result[places[mine], np.broadcast_to(np.arange(width), places.shape)[mine]] = True
    return result


def _course(line: Mask) -> npt.NDArray[np.float64]:
    """The curve of a level line that was seen, bent a little at most: the factors of a _Course, float (3,)."""
    width = line.shape[1]
    rows, columns = np.nonzero(line)
    counts = np.bincount(columns, minlength=width)
    at = np.flatnonzero(counts)
    at = at[counts[at] <= np.median(counts[at]) + 1]  # where it is broader a stroke lies on it
    middle = np.bincount(columns, rows, width)[at] / counts[at]
    along = at / width - 0.5
    x, y, x0, y0 = cv2.fitLine(np.stack([along, middle], 1).astype(np.float32), cv2.DIST_L1, 0, 0.01, 0.01).ravel()
    steep = y / x if abs(x) * len(line) > abs(y) else 0.0
    factors = np.array([0.0, steep, y0 - x0 * steep])
    for reach in (4.0, 2.0, 1.0):
        near = np.abs(np.polyval(factors, along) - middle) <= reach
        if near.sum() > _BENT:
            factors = np.polyfit(along[near], middle[near], _BENT)
    return np.asarray(factors, np.float64)


def _fine(shape: tuple[int, ...]) -> int:
    """How many pixels thick a ruling's lines are not: odd."""
    return _FINE + 2 * (max(shape) // 1200)


__all__ = ["turn_of_ruling", "without_ruling"]
