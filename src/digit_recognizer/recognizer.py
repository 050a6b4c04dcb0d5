"""Digits and pictures become readings: one ONNX file, opened once, run by ONNX Runtime. Knows nothing of training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from digit_recognizer.cores import available_cores
from digit_recognizer.digits import CLASSES, SIDE, Digits, Images
from digit_recognizer.errors import DigitsError, ModelError, UsageError
from digit_recognizer.foreign import as_array, refuse_other_stacks
from digit_recognizer.model_file import ModelMetadata, read_model
from digit_recognizer.model_probe import ensure_safe, has_unfamiliarity, open_session, run_session
from digit_recognizer.page_networks import PageNetworks
from digit_recognizer.reading import Page, Reading, readings
from digit_recognizer.shipped import shipped_model

if TYPE_CHECKING:
    from PIL.Image import Image

    from digit_recognizer.cell_reader import CellReader
    from digit_recognizer.ink_finder import InkFinder
    from digit_recognizer.line_reader import LineReader
    from digit_recognizer.pictures.watch import Watch

Probabilities = npt.NDArray[np.float32]
OnError = Callable[[str, DigitsError], object]

INT8 = "int8"

# Candidates of a page per run: one that the model looks at twice takes a megabyte, and what a run took stays taken.
_AT_ONCE = 64
_MOST_THREADS = 4  # on 28x28 pictures more threads wait for each other longer than they work


class Recognizer:
    """Reads digits with one model. Open it once; it may be used by several threads at the same time.

    model:   None, the model that ships with the package; "int8", its smaller and faster variant of 8-bit integers; or
             an .onnx file, or a run folder holding model.onnx (write "./int8" for a folder of that name).
    threads: how many threads ONNX Runtime uses, 1 or more; None means one per core, four at most.
    lines:   what ``read`` asks about digits that touch: "shipped", the line reader that ships; another one; or None,
             and they are cut apart where the ink is thinnest.
    ink:     what ``read`` asks where on a photo or scan there is ink: "shipped", the ink finder that ships; another
             one; or None, and ink is what stands out from its ground.
    cells:   what ``read`` asks about the cells of grids, beside the model: "shipped", the cell reader that ships;
             another one; or None.
    min_confidence: from which confidence on a reading is accepted, 0-1, instead of the threshold in the model's file,
             which was chosen for few errors; a lower one accepts more, and more of it wrong. On pages a digit from 0.9
             on is accepted, too, where the line reader, asked about all of its number, makes an error as unlikely
             as that. What is refused for another reason (no digit, no ink, or what speaks against a number on a
             page) stays so.

    The file is checked before it is opened: the model that ships against its SHA-256, any other one that was not seen
    before in a limited child process. Raises ModelError where it is no model that keeps the contract (``code``
    ``damaged_model`` where the shipped one is not as it was shipped), FileError where it cannot be read, UsageError for
    threads below 1 and a ``min_confidence`` that is none.

    A copy, by ``pickle`` or ``copy``, as for the processes of a pool, opens the file again by its full path; it raises
    ModelError (``code`` ``other_model``) where that holds another model by then. Networks that it was given
    are copied with it.

    >>> recognizer = Recognizer("runs/kaggle")                            # doctest: +SKIP
    >>> recognizer.predict("my_seven.jpg").digit                          # doctest: +SKIP
    7
    >>> Recognizer(min_confidence=0.9).min_confidence
    0.9
    """

    def __init__(
        self,
        model: str | Path | None = None,
        threads: int | None = None,
        *,
        lines: LineReader | Literal["shipped"] | None = "shipped",
        ink: InkFinder | Literal["shipped"] | None = "shipped",
        cells: CellReader | Literal["shipped"] | None = "shipped",
        min_confidence: float | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"expected 1 or more threads, found {threads}")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise UsageError(f"expected a min_confidence from 0 to 1, found {min_confidence:g}")
        if model is None or model == INT8:
            file = shipped_model("digits.onnx" if model is None else "digits.int8.onnx")
        else:
            file = read_model(model)
            ensure_safe(file)
        # As it was asked for, for copies.
        where = model if model is None or model == INT8 else os.path.abspath(model)
        self._asked: tuple[Any, ...] = (where, threads, lines, ink, cells, min_confidence)
        self._name = file.name
        self._metadata = file.metadata
        self._min_confidence = file.metadata.min_confidence if min_confidence is None else float(min_confidence)
        self._sha256 = file.sha256
        try:
            threads = threads or min(_MOST_THREADS, available_cores())
            self._session = open_session(file.content, threads)
        except ModelError as error:
            raise ModelError(f"{file.name}: {error}", code=error.code) from error
        self._others = PageNetworks(threads, lines=lines, ink=ink, cells=cells)

    def __repr__(self) -> str:
        return f"Recognizer({self._name!r}, preset {self._metadata.preset!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened_again, (self._sha256, *self._asked)

    @property
    def name(self) -> str:
        """What messages call the model: its file."""
        return self._name

    @property
    def metadata(self) -> ModelMetadata:
        """What the model file says of itself."""
        return self._metadata

    @property
    def min_confidence(self) -> float:
        """Readings with less confidence are not accepted: as asked for, or the file's own; 0-1, 2 accepts none."""
        return self._min_confidence

    @property
    def tells_non_digits(self) -> bool:
        """Whether the model says how likely a picture shows no digit at all."""
        return has_unfamiliarity(self._session)

    @property
    def sha256(self) -> str:
        """SHA-256 of the model file, hex: which model gave an answer."""
        return self._sha256

    def probabilities(self, images: Images, batch_size: int = 256) -> Probabilities:
        """Calibrated probabilities, float32 (N, 10), of images uint8 (N, 28, 28), ink bright on black, MNIST's framing.

        A row sums to 1 less the probability that the image shows no digit at all; to 1 where the model cannot tell.
        batch_size: images per run, 1 or more; it bounds memory and changes answers by rounding alone (< 1e-5).
        Raises InputError where the images are of another type or shape, ModelError where the model fails.

        >>> recognizer.probabilities(np.zeros((0, 28, 28), np.uint8)).shape   # doctest: +SKIP
        (0, 10)
        """
        return self._answers(Digits(images).images, batch_size)[0]

    @overload
    def predict(self, source: Any, *, raw: Literal[True], batch_size: int = 256) -> Probabilities: ...

    @overload
    def predict(
        self,
        source: Digits | list[Any] | tuple[Any, ...] | Iterator[Any],
        *,
        raw: Literal[False] = False,
        batch_size: int = 256,
    ) -> list[Reading]: ...

    @overload
    def predict(self, source: bytes | Image, *, raw: Literal[False] = False, batch_size: int = 256) -> Reading: ...

    @overload
    def predict(self, source: Any, *, raw: bool = False, batch_size: int = 256) -> Any: ...

    def predict(self, source: Any, *, raw: bool = False, batch_size: int = 256) -> Any:
        """Read one picture, or many: one in, one Reading out; many in, a list of them in the same order.

        source, of one digit per picture:

        - Digits, or an array (N, 28, 28): N images. Digits go to the network as they are. Of an array so do those that
          lie in MNIST's frame already (ink bright on pure black, 20 pixels at most, centre of mass in the middle) and
          blank ones; the rest (inverted, shifted, on a light or noisy ground) is framed first.
        - one picture: the path of a file (PNG, JPEG, WebP, BMP, TIFF, GIF; HEIC with the extra ``heif``), its bytes, a
          PIL image, or an array (H, W), (H, W, 3) RGB or (H, W, 4) RGBA
        - many: a folder with all below it, a pattern such as ``"scans/*.png"``, or a list, tuple or iterator of
          whatever stands above, Digits excepted

        Arrays are of uint8, of floats from 0 to 1, or of bool, and may have one more axis for a single channel, as (H,
        W, 1) or (N, 1, 28, 28); tensors of other libraries count as arrays.
        Pictures are named by their paths as given, all else by numbers counted from 1. A reading is accepted where its
        confidence reaches ``min_confidence``; else ``reason`` says why not.
        raw: return the ``probabilities`` alone, float32 (N, 10), (1, 10) for one picture; the fastest way.
        batch_size: images per run, as for ``probabilities``.
        Raises InputError, naming the picture, where one is none of these or damaged, or where nothing is found;
        FileError where it cannot be read; ModelError where the model fails. To go on past bad pictures, or where
        there are too many to hold their readings at once, use ``stream``.

        >>> recognizer.predict("my_seven.jpg").digit                          # doctest: +SKIP
        7
        >>> [reading.name for reading in recognizer.predict("scans/")]        # doctest: +SKIP
        ['scans/1.png', 'scans/2.png']
        """
        _check_batch_size(batch_size)
        if isinstance(source, Digits):
            return self._read(source.images, source.names, raw, batch_size)
        source = as_array(source)
        if isinstance(source, np.ndarray):
            refuse_other_stacks(source)
            if source.ndim == 3 and source.shape[1:] == (SIDE, SIDE):
                from digit_recognizer.pictures.framed import frame_images
                from digit_recognizer.pictures.load import bytes_of_array

                return self._read(frame_images(bytes_of_array(source, "images")), None, raw, batch_size)
        # Decoding pictures is not needed above, and costs time to load.
        from digit_recognizer.pictures.collect import collect, is_one

        if raw:
            frames = [picture.frame() for picture in collect(source)]
            return self.probabilities(np.stack(frames) if frames else _no_images(), batch_size)
        found = list(self.stream(source, batch_size=batch_size))
        return found[0] if is_one(source) else found

    def stream(self, sources: Any, *, batch_size: int = 64, on_error: OnError | None = None) -> Iterator[Reading]:
        """Read any number of pictures one after the other, holding no more than ``batch_size`` of them at a time.

        sources: whatever ``predict`` takes save Digits; an iterator is advanced no further than needed.
        batch_size: how many pictures are gathered before they are read together; with 1, each is answered at once.
        on_error: called with the name of a picture that cannot be read and with the error, in its place in the order;
        left out, the error is raised.

        >>> bad = []
        >>> for reading in recognizer.stream("scans/", on_error=lambda name, error: bad.append(name)):
        ...     print(reading.name, reading.digit)                            # doctest: +SKIP
        """
        _check_batch_size(batch_size)
        return self._stream(sources, batch_size, on_error)

    @overload
    def read(
        self,
        source: list[Any] | tuple[Any, ...] | Iterator[Any],
        *,
        expect: str | int | None = None,
        check: str | None = None,
        numbers: str = "digits",
        watch: Watch | None = None,
    ) -> list[Page]: ...

    @overload
    def read(
        self,
        source: bytes | Image,
        *,
        expect: str | int | None = None,
        check: str | None = None,
        numbers: str = "digits",
        watch: Watch | None = None,
    ) -> Page: ...

    @overload
    def read(
        self,
        source: Any,
        *,
        expect: str | int | None = None,
        check: str | None = None,
        numbers: str = "digits",
        watch: Watch | None = None,
    ) -> Any: ...

    def read(
        self,
        source: Any,
        *,
        expect: str | int | None = None,
        check: str | None = None,
        numbers: str = "digits",
        watch: Watch | None = None,
    ) -> Any:
        """Read all numbers on a picture, or on many: one in, one Page out; many in, a list of them in the same order.

        source: whatever ``predict`` takes save Digits; an array (N, 28, 28) is N pictures. A PDF counts as its pages,
        however many: a list comes out; "form.pdf#2" is its second page, and one.
        expect: how many digits each number has, 5 or "3-7", or "9x9", a grid of cells with a digit each. check: "luhn"
        where each number ends in a check digit. What does not meet them is not accepted and told in ``rejected``.
        numbers: "digits", or "decimal" where a comma or point and a leading minus belong to a number. A grid goes with
        neither of these two.
        watch: is told of each step on the way, as ``digits read --show-steps`` is; see digit_recognizer.pictures.steps.
        A page that makes little sense as it stands is also read turned by 90, 180 and 270 degrees; ``Page.turned`` says
        which way up was taken.
        A blank picture gives a Page without lines. Raises UsageError where an expectation is none of these, else as
        ``predict`` does.

        >>> recognizer.read("receipt.jpg", numbers="decimal").text            # doctest: +SKIP
        '12,90'
        """
        from digit_recognizer.pictures.collect import collect, is_one
        from digit_recognizer.pictures.expectation import parse_expectation
        from digit_recognizer.pictures.page import read_page
        from digit_recognizer.pictures.turned import read_any_way_up

        expectation = parse_expectation(expect, check=check, numbers=numbers)

        read = partial(
            read_page,
            answer=lambda images: self._answers(images, _AT_ONCE),
            expectation=expectation,
            min_confidence=self.min_confidence,
            read_strips=self._others.read_strips,
            find_ink=self._others.find_ink,
            read_views=self._others.read_views,
        )
        pages = [
            read_any_way_up(picture.grey(), partial(read, name=picture.name), watch)
            for picture in collect(source, documents=True)
        ]
        return pages[0] if is_one(source, documents=True) else pages

    def _stream(self, sources: Any, batch_size: int, on_error: OnError | None) -> Iterator[Reading]:
        from digit_recognizer.pictures.collect import collect

        waiting: list[tuple[str, Images | DigitsError]] = []
        for picture in collect(sources):
            try:
                waiting.append((picture.name, picture.frame()))
            except DigitsError as error:
                if on_error is None:
                    raise
                waiting.append((picture.name, error))
            if len(waiting) == batch_size:
                yield from self._read_waiting(waiting, on_error)
                waiting = []
        yield from self._read_waiting(waiting, on_error)

    def _read_waiting(
        self, waiting: Sequence[tuple[str, Images | DigitsError]], on_error: OnError | None
    ) -> Iterator[Reading]:
        good = {place: frame for place, (_, frame) in enumerate(waiting) if not isinstance(frame, DigitsError)}
        frames = np.stack(list(good.values())) if good else _no_images()
        names = [waiting[place][0] for place in good]
        found = dict(zip(good, self._read(frames, names, False, len(frames) or 1), strict=True))
        for place, (name, frame) in enumerate(waiting):
            if isinstance(frame, DigitsError):
                if on_error is not None:
                    on_error(name, frame)
            else:
                yield found[place]

    def _read(self, images: Images, names: Sequence[str] | None, raw: bool, batch_size: int) -> Any:
        """Probabilities or readings of framed images, as asked for. names: None means numbers counted from 1."""
        probabilities, unfamiliarity = self._answers(images, batch_size)
        if raw:
            return probabilities
        named = list(map(str, range(1, len(images) + 1))) if names is None else names
        return readings(probabilities, named, self.min_confidence, frames=images, unfamiliarity=unfamiliarity)

    def _answers(self, images: Images, batch_size: int) -> tuple[Probabilities, Probabilities | None]:
        """Probabilities float32 (N, 10) and unfamiliarity float32 (N,), or None, of images uint8 (N, 28, 28)."""
        _check_batch_size(batch_size)
        result = np.empty((len(images), CLASSES), np.float32)
        unfamiliarity = None
        for start in range(0, len(images), batch_size):
            batch = np.ascontiguousarray(images[start : start + batch_size])
            part = slice(start, start + len(batch))
            try:
                answer, strange = run_session(self._session, batch)
            except ModelError as error:
                raise ModelError(f"{self._name}: {error}", code=error.code) from error
            if strange is None:
                result[part] = answer
                continue
            if unfamiliarity is None:
                unfamiliarity = np.empty(len(images), np.float32)
            unfamiliarity[part] = strange
            np.multiply(answer, (1 - strange)[:, None], out=result[part])
        return result, unfamiliarity


def _opened_again(
    sha256: str, model: str | None, threads: int | None, lines: Any, ink: Any, cells: Any, min_confidence: float | None
) -> Recognizer:
    again = Recognizer(model, threads, lines=lines, ink=ink, cells=cells, min_confidence=min_confidence)
    if again.sha256 != sha256:
        raise ModelError(f"{again.name}: is another model than the one that was copied", code="other_model")
    return again


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise UsageError(f"expected a batch size of 1 or more, found {batch_size}")


def _no_images() -> Images:
    return np.zeros((0, SIDE, SIDE), np.uint8)


__all__ = ["INT8", "Recognizer"]
