"""A grey page becomes its ink: light and shadow are flattened, dark and light strokes told apart region by region.

Knows nothing of digits, lines of writing or ruled lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

LONGEST = 2400  # pixels: larger pages are shrunk to this first; a 12-megapixel photo keeps digits of 20 pixels readable

_GROUND_SIDE = 640  # pixels: the ground is looked for in a picture of about this size
# Of the height: no digit, however large, inks half of such a window. Of the shorter side, where a 1 is cut out close,
# that was less than its stroke: of 1,000 digits 200 pixels tall with a margin of 16 71 were read wrong, 22 are now.
_FIRST_WINDOW = 0.4
_EDGES = 9  # pixels from the page's edge whose median stands for what lies beyond it
_STROKES = 10  # stroke widths that the second window is broad
MIN_CONTRAST = 14  # grey levels between ground and ink; less is a blank picture
_NOISES = 4.0  # standard deviations of the ground's noise that are taken for ground
_HALF = 0.45  # share of the strongest ink near by at which a stroke's edge lies
_FAINT = 0.12  # share of the page's usual ink below which a mark is a stain

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]
_Floats = npt.NDArray[np.float32]


class Connected(NamedTuple):
    """Connected ink by number, from 1 on. labels: int32 (H, W), 0 on the ground. stats: int32 (N, 5), the left, top,
    width, height and area of each in pixels, and of the ground before them.
    """

    labels: Labels
    stats: Labels


@dataclass(frozen=True, eq=False)
class PageInk:
    """The ink of a page. strength: uint8 (H, W), 255 in the middle of a stroke, faint ones too, 0 on the ground.

    mask: bool (H, W), where strokes are. thickness: of most strokes, in pixels.
    """

    strength: Grey
    mask: Mask
    thickness: float

    @cached_property
    def connected(self) -> Connected:
        """Its strokes, those that touch together, even at a corner: found once, as many ask for them.

        >>> PageInk(np.eye(3, dtype=np.uint8), np.eye(3, dtype=np.bool_), 1.0).connected.stats[1:].tolist()
        [[0, 0, 3, 3, 3]]
        """
        _, labels, stats, _ = cv2.connectedComponentsWithStats(self.mask.view(np.uint8), connectivity=8)
        return Connected(np.asarray(labels, np.int32), np.asarray(stats, np.int32))


def shrunk(grey: Grey, longest: int = LONGEST) -> tuple[Grey, float]:
    """The page no larger than ``longest`` pixels a side, and what its sides were multiplied with, 0-1.

    >>> shrunk(np.zeros((100, 4800), np.uint8))[0].shape
    (50, 2400)
    """
    scale = longest / max(grey.shape)
    if scale >= 1:
        return grey, 1.0
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8), scale


class Contrast(NamedTuple):
    """How far a page's pixels stand out from its ground. depth: float32 (H, W), in grey levels, 0 on the ground, dark
    strokes and light ones alike.

    least: depth below which all is the paper's noise. thickness: of most strokes, in pixels, roughly.
    """

    depth: npt.NDArray[np.float32]
    least: float
    thickness: float


def contrast_of_page(grey: Grey, *, is_drawn: bool = False) -> Contrast | None:
    """Take the ground off a page; None where nothing stands out from it.

    grey: uint8 (H, W). The ground is the median around each pixel, first over a wide window, then, with the strokes
    painted over, over one of ten stroke widths. In each region that counts as ink, dark or light, which is more.
    is_drawn: whether the page is a drawing: its ground is of one level everywhere, the most frequent one.

    >>> page = np.full((80, 200), 220, np.uint8)
    >>> page[20:60, 30:36] = 90
    >>> contrast_of_page(page).depth[40, [33, 60]].tolist()
    [130.0, 0.0]
    """
    times = _times(grey.shape)
    height, width = grey.shape
    small = grey
    if times > 1:
        size = (max(1, width // times), max(1, height // times))
        small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    window = _FIRST_WINDOW * len(small)
    first = _level(small) if is_drawn else _median(small, window)
    away = np.asarray(cv2.absdiff(small, first), np.uint8)
    strong = _strong(away)
    if not strong.any() and times == 1:
        return None
    thin = stroke_width(strong) if strong.any() else 1.0
    second = (
        first if is_drawn else _median(np.where(strong, first, small).astype(np.uint8), min(window, _STROKES * thin))
    )
    ground = second if times == 1 else np.asarray(cv2.resize(second, (width, height)), np.uint8)

    difference = grey.astype(np.float32) - ground
    noise = deviation(difference[:: max(1, times), :: max(1, times)])
    if noise > 5:  # a camera's noise in poor light
        difference = np.asarray(cv2.GaussianBlur(difference, (0, 0), 0.9), np.float32)
        noise = deviation(difference[::2, ::2])
    least = max(MIN_CONTRAST, _NOISES * noise)
    dark = _is_dark_ink(small.astype(np.float32) - second, least / 2, window)
    if times > 1:
        dark = cv2.resize(dark.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).view(np.bool_)
    depth = np.maximum(np.where(dark, -difference, difference), 0)
    return Contrast(np.asarray(depth, np.float32), least, thin * times)


def ink_of(contrast: Contrast) -> PageInk | None:
    """The strokes of a page whose ground is taken off; None where there are none.

    Ink is what stands out by more than the paper's noise, and by half of what the strongest ink near by does.

    >>> depth = np.zeros((40, 40), np.float32)
    >>> depth[10:30, 18:22] = 90
    >>> int(ink_of(Contrast(depth, 14.0, 4.0)).mask.sum())
    80
    """
    depth, least = contrast.depth, contrast.least
    side = 2 * max(1, round(1.5 * contrast.thickness)) + 1
    peak = cv2.dilate(cv2.blur(depth, (2, 2)) if _times(depth.shape) > 1 else depth, np.ones((side, side), np.uint8))
    mask = (depth > least) & (depth > _HALF * peak)
    if not mask.any():
        return None
    usual = float(np.percentile(peak[mask], 80))
    mask &= peak > _FAINT * usual
    strength = np.where(peak > least, depth * (255 / np.maximum(peak, 1)), 0)
    return PageInk(np.clip(strength, 0, 255).astype(np.uint8), mask, stroke_width(mask))


def stroke_thickness(depth: npt.NDArray[np.float32]) -> float:
    """How thick most strokes are, in pixels, roughly. depth: float32 (H, W), as Contrast holds it.

    >>> depth = np.zeros((40, 40), np.float32)
    >>> depth[10:30, 18:23] = 90
    >>> round(stroke_thickness(depth))
    5
    """
    times = _times(depth.shape)
    small = np.clip(depth, 0, 255).astype(np.uint8)[::times, ::times]
    strong = _strong(small)
    return times * stroke_width(strong) if strong.any() else float(times)


def _times(shape: tuple[int, ...]) -> int:
    """How many times smaller the picture is in which the ground is looked for."""
    return max(1, round(max(shape) / _GROUND_SIDE))


def _strong(away: Grey) -> Mask:
    """What certainly is no ground: bool (H, W). away: how much each pixel differs from it."""
    level, _ = cv2.threshold(away, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(away > max(MIN_CONTRAST, 0.7 * level), np.bool_)


def _is_dark_ink(difference: _Floats, least: float, window: float) -> Mask:
    """Where strokes are darker than the ground, bool (H, W): where more ink is, the neighbourhood and all decide."""
    side = max(3, int(0.5 * window) | 1)
    energies = []
    for signed in (-difference, difference):
        ink = np.maximum(signed - least, 0)
        energies.append(cv2.blur(ink, (side, side)) + 0.05 * float(ink.mean()))
    return np.asarray(energies[0] >= energies[1], np.bool_)


def stroke_width(mask: Mask) -> float:
    """How thick strokes are, in pixels: twice the median distance of their middle lines from the ground, 1 at least.

    mask: bool (H, W).

    >>> mask = np.zeros((40, 40), np.bool_)
    >>> mask[10:30, 18:23] = True
    >>> round(stroke_width(mask))
    5
    """
    inside = cv2.distanceTransform(np.pad(mask, 1).view(np.uint8), cv2.DIST_L2, 3)
    ridge = (inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))
    return max(1.0, 2 * float(np.median(inside[ridge])) - 1) if ridge.any() else 1.0


def _level(grey: Grey) -> Grey:
    """A ground of one level, the most frequent one: in a drawing that is cut out close a window may be full of ink."""
    return np.full_like(grey, np.bincount(grey.ravel(), minlength=256).argmax())


def _median(grey: Grey, window: float) -> Grey:
    side = min(max(3, int(window) | 1), 255)
    # Beyond the page its outermost pixels are repeated: a line along the edge would pass for the ground.
    edges = min(_EDGES, *grey.shape)
    grey = grey.copy()
    for turned in (grey, grey[::-1], grey.T, grey.T[::-1]):
        turned[0] = np.median(turned[:edges], axis=0)
    return np.asarray(cv2.medianBlur(grey, side), np.uint8)


def deviation(values: npt.NDArray[np.floating]) -> float:
    """The median absolute deviation, scaled to the standard deviation of a normal distribution: deaf to ink.

    >>> deviation(np.array([1.0, 2.0, 3.0, 4.0, 250.0]))
    1.4826
    """
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


__all__ = [
    "LONGEST",
    "MIN_CONTRAST",
    "Contrast",
    "PageInk",
    "contrast_of_page",
    "deviation",
    "ink_of",
    "shrunk",
    "stroke_thickness",
    "stroke_width",
]
