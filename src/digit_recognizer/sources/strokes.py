"""Pen trajectories (JSON, plain or gzip) become drawings, drawings become pictures, pictures become Digits.

The same pen draws data sets and what a person writes on a pad. Knows nothing of pens' pressure, speed or writers.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import CLASSES, Dataset, Digits
from digit_recognizer.errors import InputError, UsageError
from digit_recognizer.files import open_bytes
from digit_recognizer.pictures.ink import to_frames
from digit_recognizer.sources.pixel_csv import check_unpacked

MAX_BYTES = 64 << 20  # of text, unpacked; the 7,494 drawings of the UCI set take 3 million
MAX_POINTS = 10_000  # of one drawing; a slow hand at 200 points a second makes 1,000
MAX_COORDINATE = 1e6  # either way; beyond it float32 would round to steps that show
FRAME_PEN = 0.1  # stroke width of ``read``, as a share of the picture's side: as much ink as MNIST's digits have

# A drawing is made about this many times as large, then shrunk: that is what smooths its edges. Twice will do, and is
# quicker, where both the picture and the pen are large.
_FINE, _FINE_WHERE_LARGE = 4, 2
_LARGE_SIDE, _LARGE_PEN = 160, 4
_SHIFT = 4  # bits behind the point in OpenCV's coordinates
_FRAME_SIDE = 112  # pixels that ``read`` draws at: four for each of the frame


@dataclass(frozen=True, eq=False)
class Drawing:
    """One character as a pen wrote it.

    label: 0-9, or None where unknown.
    strokes: one array a stroke, float32 (n, 2), n >= 1, of x to the right and y down, in any unit, the pen's path in
    order. Raises InputError where they are not that, or the label is none.

    >>> Drawing(7, (np.array([[0, 0], [4, 0], [2, 8]], np.float32),)).points
    3
    """

    label: int | None
    strokes: tuple[npt.NDArray[np.float32], ...]

    def __post_init__(self) -> None:
        if self.label is not None and (type(self.label) is not int or not 0 <= self.label < CLASSES):
            raise InputError(f"expected a label from 0 to 9, found {_shown(self.label)}", code="bad_value")
        if not self.strokes:
            raise InputError("expected at least one stroke, found none", code="no_strokes")
        for number, stroke in enumerate(self.strokes, start=1):
            if not isinstance(stroke, np.ndarray) or stroke.dtype != np.float32 or stroke.shape[1:] != (2,):
                found = f"{stroke.dtype} {stroke.shape}" if isinstance(stroke, np.ndarray) else type(stroke).__name__
                raise InputError(f"stroke {number}: expected float32 (n, 2), found {found}", code="wrong_shape")
            if len(stroke) == 0:
                raise InputError(f"stroke {number}: expected at least one point, found none", code="no_points")
            if not (np.abs(stroke) <= MAX_COORDINATE).all():  # NaN fails it too
                raise InputError(
                    f"stroke {number}: expected finite coordinates within {MAX_COORDINATE:,.0f}, found others",
                    code="bad_value",
                )
        if self.points > MAX_POINTS:
            raise InputError(f"{self.points:,} points, more than the limit of {MAX_POINTS:,}", code="too_large")

    @property
    def points(self) -> int:
        """How many points all strokes have together."""
        return sum(map(len, self.strokes))


def read_strokes(path: Path, *, max_bytes: int = MAX_BYTES) -> list[Drawing]:
    """Read ``[{"label": 7, "strokes": [[[x, y], ...], ...]}, ...]``, x to the right and y UP, as tablets measure.

    path: JSON, plain or gzip; the content decides. "label" may be absent or null. max_bytes: cap on the text, unpacked.
    Returns the drawings in order, their y turned to grow downwards, as in pictures.
    Raises FileError where the file cannot be read, InputError where it is not as above, naming the first wrong entry,
    counted from 1.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "pen.json"
    >>> _ = path.write_text('[{"label": 1, "strokes": [[[0, 9], [0, 0]]]}]')
    >>> read_strokes(path)[0].strokes[0].tolist()
    [[0.0, -9.0], [0.0, 0.0]]
    """
    path = Path(path)
    try:
        entries = json.loads(_unpacked(path, max_bytes))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path.name}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})", code="bad_json"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: expected text in UTF-8, found other bytes", code="bad_json") from error
    except RecursionError as error:
        raise InputError(f"{path.name}: lists in lists, too deep to be drawings", code="bad_json") from error
    except ValueError as error:  # a number of thousands of digits, which Python will not convert
        raise InputError(f"{path.name}: not JSON that can be read ({error})", code="bad_json") from error
    if not isinstance(entries, list):
        raise InputError(f"{path.name}: expected a list of drawings, found {_shown(entries)}", code="wrong_shape")
    if not entries:
        raise InputError(f"{path.name}: expected at least one drawing, found none", code="no_rows")
    return [_drawing(entry, f"{path.name}, entry {number}") for number, entry in enumerate(entries, start=1)]


def draw(drawing: Drawing, *, pen: float, side: int = 280, fill: float = 0.7) -> npt.NDArray[np.uint8]:
    """Draw with a round pen, centred: uint8 (side, side), ink 255 on black, edges smooth.

    pen: width of the stroke in pixels, > 0. side: of the picture in pixels, 8-4096. fill: the longer side of the box
    around the pen's path, as a share of ``side``, 0-1; it is drawn smaller where a wide pen would leave the picture.
    A stroke of one point is a dot. Raises UsageError where an argument is outside its range, or where the pen leaves
    no room.

    >>> seven = Drawing(7, (np.array([[0, 0], [4, 0], [2, 8]], np.float32),))
    >>> picture = draw(seven, pen=12)
    >>> picture.shape, int((picture.max(axis=1) > 127).sum())  # 196 pixels of path, and the pen
    ((280, 280), 208)
    """
    if not 8 <= side <= 4096:
        raise UsageError(f"side: expected 8 to 4096 pixels, found {side}")
    if not 0 < fill <= 1:
        raise UsageError(f"fill: expected more than 0 and at most 1, found {fill}")
    if not 0 < pen <= side - 3:
        raise UsageError(f"pen: expected more than 0 and at most {side - 3} pixels (side - 3), found {pen}")
    points = np.concatenate(drawing.strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    room = min(fill * side, side - pen - 3)
    # OpenCV draws lines of 3, 5, 7, ... pixels only (thickness 2, 4, 6, ...): the fine picture's size, not the
    # pen's width, gives way.
    times = _FINE_WHERE_LARGE if side > _LARGE_SIDE and pen >= _LARGE_PEN else _FINE
    width = max(3, 2 * round((times * pen - 1) / 2) + 1)
    fine = min(round(side * width / pen), 2 * _FINE * side)  # only a pen under half a pixel comes to the limit
    scale = room / extent * (fine / side) if extent else 0.0
    middle = (low + high) / 2
    canvas = np.zeros((fine, fine), np.uint8)
    for stroke in drawing.strokes:
        # Pixel centres are whole numbers to OpenCV, so the picture's middle lies at half a pixel less.
        path = (stroke - middle) * scale + (fine - 1) / 2
        fixed = np.rint(path * (1 << _SHIFT)).astype(np.int32)
        if len(fixed) == 1:
            cv2.circle(canvas, fixed[0].tolist(), width << (_SHIFT - 1), 255, cv2.FILLED, cv2.LINE_8, _SHIFT)
        else:
            cv2.polylines(canvas, [fixed], False, 255, width - 1, cv2.LINE_8, _SHIFT)
    return np.asarray(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def read(path: Path) -> Dataset:
    """Read pen trajectories and frame them as MNIST's digits are, drawn as thick as those.

    Drawings with a label become ``train``, those without ``test``; names are their numbers in the file, from 1.
    Raises as read_strokes does.

    >>> read(Path("pen_strokes_train.json.gz"))                                   # doctest: +SKIP
    Dataset(name='pen_strokes_train.json.gz', train=Digits(7,494 images, labelled), test=None)
    """
    drawings = list(enumerate(read_strokes(path), start=1))
    labelled = [(number, drawing) for number, drawing in drawings if drawing.label is not None]
    unlabelled = [(number, drawing) for number, drawing in drawings if drawing.label is None]
    return Dataset(Path(path).name, _framed(labelled), _framed(unlabelled))


def _framed(drawings: Sequence[tuple[int, Drawing]]) -> Digits | None:
    if not drawings:
        return None
    images = to_frames(draw(drawing, pen=FRAME_PEN * _FRAME_SIDE, side=_FRAME_SIDE) for _, drawing in drawings)
    labels = [drawing.label for _, drawing in drawings if drawing.label is not None]
    return Digits(images, np.array(labels, np.int64) if labels else None, tuple(str(number) for number, _ in drawings))


def _unpacked(path: Path, max_bytes: int) -> bytes:
    """The text in the file. Raises InputError where there is more of it than ``max_bytes``, or its gzip is damaged."""
    with open_bytes(path) as stream:
        head = stream.read(2)
        stream.seek(0)
        if head != b"\x1f\x8b":
            text = stream.read(max_bytes + 1)
            check_unpacked(path.name, len(text), len(text), limit=max_bytes)
            return text
        try:
            with gzip.GzipFile(fileobj=stream) as source:
                text = source.read(max_bytes + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{path.name}: truncated or damaged gzip file ({error})", code="truncated") from error
        check_unpacked(path.name, stream.tell(), len(text), limit=max_bytes)
        return text


def _drawing(entry: Any, where: str) -> Drawing:
    """One entry of the list, checked from the outside in."""
    if not isinstance(entry, dict) or not isinstance(entry.get("strokes"), list):
        found = ", ".join(map(repr, entry)) if isinstance(entry, dict) and entry else _shown(entry)
        raise InputError(f'{where}: expected {{"label", "strokes": [...]}}, found {found}', code="wrong_shape")
    strokes = [_stroke(stroke, f"{where}, stroke {number}") for number, stroke in enumerate(entry["strokes"], start=1)]
    try:
        return Drawing(entry.get("label"), tuple(strokes))
    except InputError as error:
        raise InputError(f"{where}: {error}", code=error.code) from error


def _stroke(points: Any, where: str) -> npt.NDArray[np.float32]:
    if not isinstance(points, list):
        raise InputError(f"{where}: expected a list of points [x, y], found {_shown(points)}", code="wrong_shape")
    for number, point in enumerate(points, start=1):
        # By type, not by value: "3" and true would pass for numbers in NumPy.
        if not (isinstance(point, list) and len(point) == 2 and all(type(value) in (int, float) for value in point)):
            raise InputError(
                f"{where}, point {number}: expected two numbers [x, y], found {_shown(point)}", code="wrong_shape"
            )
        if not all(abs(value) <= MAX_COORDINATE for value in point):  # before NumPy: JSON's integers have no end
            raise InputError(
                f"{where}, point {number}: expected finite coordinates within {MAX_COORDINATE:,.0f}, "
                f"found {_shown(point)}",
                code="bad_value",
            )
    turned = np.array(points, np.float32).reshape(-1, 2) * np.array([1, -1], np.float32)
    return turned + np.float32(0)  # -0 to 0


def _shown(value: Any) -> str:
    """A value as a message may show it: short, on one line."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


__all__ = ["FRAME_PEN", "MAX_BYTES", "MAX_COORDINATE", "MAX_POINTS", "Drawing", "draw", "read", "read_strokes"]
