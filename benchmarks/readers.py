"""Pictures become probabilities, by two roads: ours, and plain resizing, which is what people have today.

Also how fast a model reads. Knows nothing of where pictures come from.
"""

from __future__ import annotations

import inspect
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE, Images
from digit_recognizer.model_file import MODEL_NAME
from digit_recognizer.pictures.framed import frame_images
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.recognizer import Recognizer

CHUNK = 1_000  # frames given to a model at a time
BATCH = 256
SPEED_IMAGES = 10_240
ROUNDS = 5
SINGLES = 400  # single digits that are timed

Grey = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reader:
    """A model and how a picture is made ready for it: ``prepare`` turns uint8 (H, W) into a frame, uint8 (28, 28).

    accept: what becomes of an array uint8 (N, 28, 28) at the door.
    """

    name: str
    recognizer: Recognizer
    prepare: Callable[[Grey], Grey]
    accept: Callable[[Images], Images]
    path: Path

    def ready(self, pictures: Iterable[Grey], framed: bool) -> Images:
        """Frames, uint8 (N, 28, 28), of pictures of any sizes; ``framed`` ones come together, as one array."""
        frames = [picture if framed else self.prepare(picture) for picture in pictures]
        joined = np.stack(frames) if frames else np.zeros((0, SIDE, SIDE), np.uint8)
        return self.accept(joined) if framed else joined


def our_reader(model: str | None, threads: int) -> Reader:
    """A model with this package's framing; arrays go in as ``Recognizer.predict`` takes them.

    model: as Recognizer takes it, None for the one that ships.
    """
    return Reader("this model", Recognizer(model, threads), to_frame, frame_images, _model_path(model))


def plain_reader(model: str, threads: int) -> Reader:
    """A model with plain resizing in front."""
    return Reader("baseline", Recognizer(model, threads), plain_resize, np.asarray, _model_path(model))


def plain_resize(picture: Grey) -> Grey:
    """What most programs do: inverted where it is bright on the whole, resized to 28 x 28 whatever its shape.

    >>> plain_resize(np.full((100, 50), 255, np.uint8)).max()
    np.uint8(0)
    """
    dark_ground = 255 - picture if picture.mean() > 127 else picture
    return np.asarray(cv2.resize(dark_ground, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def read_both(readers: Iterable[Reader], pictures: Iterable[Grey], framed: bool) -> dict[str, Probabilities]:
    """Probabilities, float32 (N, 10), by the name of each reader, of the same pictures; made and read in chunks."""
    readers = list(readers)
    parts: dict[str, list[Probabilities]] = {reader.name: [] for reader in readers}
    chunk: list[Grey] = []

    def flush() -> None:
        for reader in readers:
            parts[reader.name].append(reader.recognizer.probabilities(reader.ready(chunk, framed)))
        chunk.clear()

    for picture in pictures:
        chunk.append(picture)
        if len(chunk) == CHUNK:
            flush()
    flush()
    return {name: np.concatenate(part) for name, part in parts.items()}


def speed(reader: Reader, images: Images, picture: Grey) -> dict[str, Any]:
    """Images a second in batches and as readings, milliseconds of one digit and of framing one picture, bytes on disk.

    images: frames to repeat. picture: any picture. Rates are the median of five rounds after a warm-up.
    """
    recognizer = reader.recognizer
    many = np.resize(images, (SPEED_IMAGES, SIDE, SIDE))
    predict: Callable[..., Any] = recognizer.predict
    has_raw = "raw" in inspect.signature(recognizer.predict).parameters

    def arrays(part: Images) -> object:
        return predict(part, raw=True) if has_raw else recognizer.probabilities(part, BATCH)

    list(predict(many[:BATCH]))
    singles = [_seconds(partial(arrays, many[at : at + 1])) for at in range(SINGLES)]
    framing = [_seconds(lambda: reader.prepare(picture)) for _ in range(100)]
    return {
        "through": "Recognizer.predict(raw=True)" if has_raw else "Recognizer.probabilities",
        "images_per_s": SPEED_IMAGES / statistics.median(_seconds(lambda: arrays(many)) for _ in range(ROUNDS)),
        "readings_per_s": SPEED_IMAGES
        / statistics.median(_seconds(lambda: list(predict(many))) for _ in range(ROUNDS)),
        "one_digit_p50_ms": 1e3 * float(np.percentile(singles, 50)),
        "one_digit_p95_ms": 1e3 * float(np.percentile(singles, 95)),
        "framing_p50_ms": 1e3 * float(np.percentile(framing, 50)),
        "file_bytes": reader.path.stat().st_size if reader.path.is_file() else None,
    }


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _model_path(model: str | None) -> Path:
    if model is None:
        return Path(str(resources.files("digit_recognizer").joinpath("assets/digits.onnx")))
    if model == "int8":
        return Path(str(resources.files("digit_recognizer").joinpath("assets/digits.int8.onnx")))
    path = Path(model)
    return path / MODEL_NAME if path.is_dir() else path


__all__ = ["Reader", "our_reader", "plain_reader", "plain_resize", "read_both", "speed"]
