"""One recognizer behind many requests: images and pictures become readings, off the event loop, in shared runs.

Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from digit_recognizer.apps.about import model_card, threshold_sentence
from digit_recognizer.apps.server.batching import Batcher, QueueFull
from digit_recognizer.apps.server.limits import ServerSettings
from digit_recognizer.apps.server.metrics import Metrics
from digit_recognizer.apps.server.refusals import busy
from digit_recognizer.cores import available_cores
from digit_recognizer.digits import Digits, Images
from digit_recognizer.errors import DigitsError, InputError
from digit_recognizer.pictures.collect import Picture
from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.framed import frame_images, is_framed
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.pictures.load import Grey, load_grey
from digit_recognizer.reading import Page, Reading
from digit_recognizer.recognizer import Recognizer

Result = TypeVar("Result")
Answer = TypeVar("Answer")
Row = npt.NDArray[np.float32]
NamedPictures = Sequence[tuple[str, bytes]]

# Images per run of the network: more at once are no faster each, hold more memory, and keep the others waiting.
AT_ONCE = 64
_MOST_HANDS = 4  # threads that decode pictures


class Service:
    """What all requests share: the recognizer, the threads that work for it, and what is counted.

    Use it from one event loop; ``close`` it at the end.
    """

    def __init__(self, recognizer: Recognizer, settings: ServerSettings, metrics: Metrics) -> None:
        self.recognizer = recognizer
        self.settings = settings
        self._network = ThreadPoolExecutor(1, "digits-network")
        self._hands = ThreadPoolExecutor(min(_MOST_HANDS, available_cores()), "digits-pictures")
        self._readings: Batcher[Reading] = self._batcher(
            lambda images: recognizer.predict(Digits(images), batch_size=AT_ONCE), metrics
        )
        self._rows: Batcher[Row] = self._batcher(
            lambda images: list(recognizer.probabilities(images, batch_size=AT_ONCE)), metrics
        )

    def close(self) -> None:
        """Let the threads go; what they work on is finished first."""
        self._hands.shutdown()
        self._network.shutdown()

    @property
    def waiting_images(self) -> int:
        """How many images wait for the network."""
        return self._readings.waiting + self._rows.waiting

    async def aside(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call something that takes long on a thread, so that other requests go on."""
        return await asyncio.get_running_loop().run_in_executor(self._hands, function, *arguments)

    async def read_images(self, images: Images, names: Sequence[str] | None = None) -> list[Reading]:
        """Readings of images uint8 (N, 28, 28), as ``Recognizer.predict`` of that array gives them.

        names: what the readings are called; None means numbers counted from 1. Raises Refusal where too many wait.
        """
        if not is_framed(images).all():
            images = await self.aside(frame_images, images)
        found = await _unless_full(self._readings, images)
        named = names or [str(number) for number in range(1, len(images) + 1)]
        return [replace(reading, name=name) for reading, name in zip(found, named, strict=True)]

    async def probabilities(self, images: Images) -> Row:
        """What the network says of images uint8 (N, 28, 28) as they are: float32 (N, 10)."""
        rows = await _unless_full(self._rows, images)
        return np.stack(rows) if len(rows) else np.zeros((0, 10), np.float32)

    async def read_pictures(self, pictures: NamedPictures) -> list[Reading | DigitsError]:
        """One digit from each picture, or what is wrong with it; in order."""
        frames = await asyncio.gather(*(self.aside(self._frame, name, content) for name, content in pictures))
        good = [place for place, frame in enumerate(frames) if not isinstance(frame, DigitsError)]
        result: list[Any] = list(frames)
        if good:
            stack = np.stack([result[place] for place in good])
            names = [pictures[place][0] for place in good]
            for place, reading in zip(good, await self.read_images(stack, names), strict=True):
                result[place] = reading
        return result

    async def read_pages(
        self, pictures: NamedPictures, expectation: Mapping[str, Any], tell: Callable[[Page], Result]
    ) -> list[Result | DigitsError]:
        """What ``tell`` makes of all numbers on each picture, or what is wrong with the picture; in order.

        expectation: what ``Recognizer.read`` takes by name. tell: is given the page that it answers, on the thread that
        read it, since to write down a page of a thousand digits takes long, too. Raises UsageError where the
        expectation makes no sense.
        """
        parse_expectation(**expectation)  # what makes no sense is told before any picture costs time
        read = partial(self._page, expectation, tell)
        return await asyncio.gather(*(self.aside(read, name, content) for name, content in pictures))

    def grey(self, name: str, content: bytes) -> Grey:
        """A picture's grey pixels, uint8 (H, W), within this service's limits. Raises InputError."""
        return load_grey(content, name=name, max_pixels=self.settings.limits.pixels)

    def card(self) -> dict[str, Any]:
        """What the model is, what ``accepted`` means, and what this service takes."""
        known = model_card(self.recognizer)
        known["name"] = Path(known["name"]).name  # where it lies, and how it was made there, concerns nobody outside
        known.pop("command", None)
        limits = self.settings.limits
        threshold = self.recognizer.min_confidence
        # What the model promises is promised of its own threshold alone.
        max_error = known["max_error"] if threshold == known["min_confidence"] else None
        return {
            **known,
            "min_confidence": threshold,
            "accepted_means": threshold_sentence(threshold, max_error),
            "keeps_corrections": self.settings.corrections is not None,
            "limits": {
                "body_bytes": limits.body_bytes,
                "pixels": limits.pixels,
                "files": limits.parts,
                "images": limits.images,
            },
        }

    def _frame(self, name: str, content: bytes) -> Images | DigitsError:
        try:
            return to_frame(self.grey(_called(name), content))
        except DigitsError as error:  # one bad picture must not spoil the others of its request
            return error

    def _page(
        self, expectation: Mapping[str, Any], tell: Callable[[Page], Result], name: str, content: bytes
    ) -> Result | DigitsError:
        try:
            picture = Picture(name, self.grey(_called(name), content))
            page: Page = self.recognizer.read(picture, **expectation)
        except InputError as error:
            return error
        return tell(page)

    def _batcher(self, run: Callable[[Images], Sequence[Answer]], metrics: Metrics) -> Batcher[Answer]:
        return Batcher(
            run,
            self._network,
            at_once=AT_ONCE,
            waiting=self.settings.limits.waiting_images,
            gather_s=self.settings.gather_s,
            observe=metrics.observe_run,
        )


def _called(name: str) -> str:
    return f"picture {name}" if name.isdecimal() else name


async def _unless_full(batcher: Batcher[Answer], images: Images) -> Sequence[Answer]:
    if not len(images):
        return []
    try:
        return await batcher.submit(images)
    except QueueFull as error:
        raise busy("too many images wait for the network; come again in a moment", 429, "queue_full") from error


__all__ = ["AT_ONCE", "NamedPictures", "Row", "Service"]
