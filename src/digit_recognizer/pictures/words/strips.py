"""A run of digits, its own ink on a page, becomes a strip: a picture of one height, as the line reader takes it.

Made here for training and reading alike. Knows nothing of models, nor of what is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.pictures.paper import Labels
from digit_recognizer.reading import Box

HEIGHT = 32  # rows of a strip
INK_HEIGHT = 28  # rows that the ink fills
MARGIN = 4  # columns left free at both ends
WIDEST = 1024  # columns of a strip at most; some fifty digits
COLUMNS_A_FRAME = 2  # columns for each frame of the line reader's answer

_EDGE = 64  # of 255: where a stroke's edge is taken to be
_MOST_LARGER = 6.0  # times that ink is enlarged at most: specks and dashes stay what they are
_MOST_COLUMNS = 8_192  # of a batch, all strips together: it bounds memory

_AROUND = np.ones((3, 3), np.uint8)

Grey = npt.NDArray[np.uint8]


class Strip(NamedTuple):
    """A run, uint8 (32, W), ink bright on black, W even. Its column c lies at ``left + c / scale`` in the run's box."""

    image: Grey
    left: float
    scale: float

    def at(self, column: float) -> float:
        """Where in the run's box a column of the strip lies, in pixels.

        >>> Strip(np.zeros((32, 8), np.uint8), -1.0, 4.0).at(8)
        1.0
        """
        return self.left + column / self.scale


def own_ink(strength: Grey, labels: Labels, numbers: Sequence[int], box: Box) -> Grey:
    """The ink of some marks alone, uint8 (h, w), with the soft edges of their strokes.

    strength: uint8 (H, W), a page's ink. labels: int32 (H, W), its marks by number, 0 for none. numbers: which marks.
    box: (x, y, w, h) around them.

    >>> labels = np.array([[1, 0, 2]], np.int32)
    >>> own_ink(np.array([[200, 90, 210]], np.uint8), labels, [1], (0, 0, 3, 1)).tolist()
    [[200, 90, 0]]
    """
    x, y, width, height = box
    part = (slice(y, y + height), slice(x, x + width))
    found = labels[part]
    mine = are_of(found, numbers)
    # The soft edge of a stroke lies outside of its mark.
    edge = np.asarray(cv2.dilate(mine.view(np.uint8), _AROUND)).view(np.bool_) & (found == 0)
    return np.where(mine | edge, strength[part], np.uint8(0))


def are_of(labels: Labels, numbers: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Which labels are among the numbers: bool, of the labels' shape. np.isin, in a tenth of its time for few numbers.

    >>> are_of(np.array([[1, 0, 2]], np.int32), [2, 1]).tolist()
    [[True, False, True]]
    """
    mine = labels == numbers[0] if len(numbers) else np.zeros(labels.shape, np.bool_)
    for number in numbers[1:]:
        mine |= labels == number
    return mine


def strip_of(ink: Grey) -> Strip | None:
    """Bring a run to the height of all strips; None where there is no ink, or too long a run of it.

    ink: uint8 (h, w), bright on black, the run's own alone. It fills 28 of the 32 rows; flat ink less.

    >>> ink = np.zeros((60, 100), np.uint8)
    >>> ink[2:58, 10:90] = 255
    >>> strip = strip_of(ink)
    >>> strip.image.shape, strip.at(4), strip.at(44)
    ((32, 48), 10.0, 90.0)
    """
    marked = ink >= _EDGE
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not len(rows):
        return None
    run = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(INK_HEIGHT / len(run), _MOST_LARGER)
    width = max(1, round(run.shape[1] * scale))
    if width + 2 * MARGIN > WIDEST:
        return None
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(run, (width, max(1, round(len(run) * scale))), interpolation=method)
    # Thin strokes pale when they are averaged down.
    sized = np.clip(sized * (255 / max(1, int(sized.max()))), 0, 255).astype(np.uint8)
    image = np.zeros((HEIGHT, _even(width + 2 * MARGIN)), np.uint8)
    top = (HEIGHT - len(sized)) // 2
    image[top : top + len(sized), MARGIN : MARGIN + width] = sized
    return Strip(image, int(columns[0]) - MARGIN / scale, scale)


def padded(strips: Sequence[Grey]) -> list[Grey]:
    """The strips of one word, those of like widths made equally wide, black to the right: uint8 (32, W) each.

    The network sees black as ground, and what lies beyond a strip's end as nothing at all, which it tells apart.

    >>> [strip.shape for strip in padded([np.zeros((32, width), np.uint8) for width in (20, 90, 24)])]
    [(32, 24), (32, 90), (32, 24)]
    """
    result = list(strips)
    order = sorted(range(len(strips)), key=lambda number: strips[number].shape[1])
    while order:
        count, narrowest = 1, strips[order[0]].shape[1]
        while count < len(order):
            width = strips[order[count]].shape[1]
            # Padding is work for nothing: half as wide again begins anew.
            if width > 1.5 * narrowest + 16 or width * (count + 1) > _MOST_COLUMNS:
                break
            count += 1
        for number, strip in zip(order[:count], stacked([strips[number] for number in order[:count]]), strict=True):
            result[number] = strip
        order = order[count:]
    return result


def batches(strips: Sequence[Grey]) -> Iterator[tuple[list[int], Grey]]:
    """Strips of one width together: (their numbers, uint8 (N, 32, W)), so that none is answered otherwise than alone.

    >>> strips = [np.zeros((32, width), np.uint8) for width in (20, 90, 20)]
    >>> [(numbers, batch.shape) for numbers, batch in batches(strips)]
    [([0, 2], (2, 32, 20)), ([1], (1, 32, 90))]
    """
    of_width: dict[int, list[int]] = {}
    for number, strip in enumerate(strips):
        of_width.setdefault(strip.shape[1], []).append(number)
    for width, numbers in of_width.items():
        most = max(1, _MOST_COLUMNS // width)
        for start in range(0, len(numbers), most):
            part = numbers[start : start + most]
            yield part, stacked([strips[number] for number in part])


def stacked(strips: Sequence[Grey]) -> Grey:
    """Strips as one array, uint8 (N, 32, W), W the widest one's, black to the right of the others.

    >>> stacked([np.ones((32, 4), np.uint8), np.ones((32, 6), np.uint8)])[:, 0].tolist()
    [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]
    """
    batch = np.zeros((len(strips), HEIGHT, max(strip.shape[1] for strip in strips)), np.uint8)
    for place, strip in zip(batch, strips, strict=True):
        place[:, : strip.shape[1]] = strip
    return batch


def _even(width: int) -> int:
    return width + width % COLUMNS_A_FRAME


__all__ = [
    "COLUMNS_A_FRAME",
    "HEIGHT",
    "INK_HEIGHT",
    "MARGIN",
    "WIDEST",
    "Strip",
    "are_of",
    "batches",
    "own_ink",
    "padded",
    "stacked",
    "strip_of",
]
