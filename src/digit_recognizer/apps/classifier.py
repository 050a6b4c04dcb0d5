"""Arrays as scikit-learn hands them over become a trained network, and then classes with their probabilities.

A door: it lays rows of numbers into frames and calls the training and its network. Knows nothing of files but the ONNX
file that it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from digit_recognizer.analysis import metrics
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.terminal import epoch_line
from digit_recognizer.digits import CLASSES, SIDE, Digits, Images
from digit_recognizer.errors import EstimatorInputError, UsageError
from digit_recognizer.model_file import ModelMetadata
from digit_recognizer.sources.sample import load_sample

with needs("sklearn", "DigitClassifier"):
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from torch import nn

    from digit_recognizer.training.progress import Progress

# The preset of the model that ships learns from pens and fonts beside what it is given: it is for ``digits train``.
PRESETS = ("notebook", "fast", "best")
FEWEST_HELD_OUT = 100  # fewer images say too little of how sure the network may be
BLOCK = 16  # images looked at together, always: see predict_proba
_CHECKED_IMAGES = 256


class DigitClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A scikit-learn classifier of pictures: ``fit`` trains a preset of this package, ``predict`` reads with it.

    preset: "fast" (the default of ``digits train`` too), "notebook" or "best".
    epochs: passes over the data, exactly so many. None takes the preset's, and more where the data are few (``fast``
    makes at least 500 steps: some seconds even for ten pictures).
    random_state: None, a seed or a RandomState; the same seed, data, device and threads give the same classifier.
    device: "auto", "cpu", "cuda" or "mps", for ``fit`` and ``predict`` alike.
    val: share of the pictures, 0 or more and less than 1, that is held out to calibrate the probabilities. Where that
    would be fewer than 100 pictures, all are learnt from and the probabilities stay as the network gives them.
    verbose: above 0, a line per epoch on stderr.

    **X** is an array (n, features), or pictures (n, height, width) or (n, height, width, 1), of any numeric type. Two
    rules, the same for all X, turn each row into the frame, uint8 (28, 28), that the networks take:

    - *Scale.* The smallest value in the whole X of ``fit`` becomes 0 and the largest 255, what lies between in
      proportion: 0-255, 0-1 and 0-16 need no preparation, and say the same of the same pictures. These two numbers are
      kept (``low_``, ``high_``); values beyond them are clipped when predicting. A frame has 256 levels: a column on a
      far larger scale than the others hides them, so bring unlike columns to one scale before.
    - *Place.* (n, features) fills the smallest square that holds all features, row by row, the rest of it empty:
      784 features are 28 x 28, 64 are 8 x 8, and 10 lie in 4 x 4. Pictures that are not square get empty margins. The
      square is then scaled to 28 x 28. So any number of features fits; what does not come from a picture is merely
      drawn as one, and a model for tables will do better.

    Pictures should be bright on dark as MNIST is, since the bends of augmentation bring in empty margins. Classes may
    be anything that scikit-learn allows, ten at most. Sparse matrices are refused (TypeError).

    After ``fit``: ``classes_`` (k,), ``n_features_in_``, ``feature_names_in_`` where X had names, ``low_``, ``high_``,
    ``picture_shape_`` (height, width), ``temperature_`` (Guo et al., 2017; 1 where nothing was held out), ``history_``
    (a row per epoch), ``recipe_``, ``seed_`` and ``weights_``. All are plain values and arrays, so that pickle, joblib
    and copies work.

    ``predict`` runs in torch, which is here once ``fit`` ran; no ONNX file is made in ``fit``, as its export would
    cost more than training on little data does, at each of a grid search's fits. ``to_onnx`` writes one, to read
    elsewhere without torch or scikit-learn.

    Raises EstimatorInputError (a ValueError) where X or y cannot be learnt from, UsageError for parameters that make
    no sense, MissingExtra where the training stack is not installed.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = DigitClassifier(epochs=8, random_state=0, device="cpu").fit(X[:1200], y[:1200])
    >>> bool(classifier.score(X[1200:], y[1200:]) > 0.8)
    True
    """

    def __init__(
        self,
        preset: str = "fast",
        epochs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        val: float = 0.1,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.epochs = epochs
        self.random_state = random_state
        self.device = device
        self.val = val
        self.verbose = verbose

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Train anew on X, (n, features) or (n, height, width), and classes y, (n,); n is at least 2.

        Raises EstimatorInputError for fewer than two classes or more than ten, and as the class says.
        """
        if self.preset not in PRESETS:
            raise UsageError(f"unknown preset {self.preset!r}; choose {', '.join(PRESETS)}")
        if not 0 <= self.val < 1:
            raise UsageError(f"val: expected a share of 0 or more and less than 1, found {self.val:g}")
        rows, shape = _rows(X)
        rows, y = validate_data(self, rows, y, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, indices = np.unique(y, return_inverse=True)
        if not 2 <= len(self.classes_) <= CLASSES:
            count = len(self.classes_)
            raise EstimatorInputError(f"y: expected 2 to {CLASSES} classes, found {count} class{'es' * (count != 1)}")
        side = int(np.ceil(np.sqrt(rows.shape[1])))
        self.picture_shape_ = shape or (side, side)
        self.low_, self.high_ = float(rows.min()), float(rows.max())
        self.seed_ = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self._train(Digits(self._frames(rows), self._outputs()[indices]))
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How probable each class is: float64 (n, k), 0-1, columns as ``classes_``, rows sum to 1.

        Pictures are looked at sixteen at a time, the last block filled up with empty ones. That makes an answer
        independent of who stands beside it: float32 sums differ in their last digits between batches of other sizes.
        """
        likelihoods = np.exp(self._scores(X))
        return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True))

    def predict_log_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The natural logarithm of ``predict_proba``, float64 (n, k): finite, also where that is rounded to 0."""
        scores = self._scores(X)
        return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))

    def _scores(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The calibrated scores of each class, float64 (n, k), the largest of each row 0."""
        check_is_fitted(self)
        rows, shape = _rows(X)
        rows = validate_data(self, rows, reset=False)
        if shape is not None and shape != self.picture_shape_:
            raise EstimatorInputError(f"X: expected pictures of {self.picture_shape_}, as in fit, found {shape}")
        frames = self._frames(rows)
        with needs("sklearn", "DigitClassifier"):
            from digit_recognizer.training.hardware import choose_hardware
            from digit_recognizer.training.trainer import logits
        hardware = choose_hardware(self.device, "float32")
        network = hardware.place(self._network())
        filled = np.zeros((-len(frames) % BLOCK, SIDE, SIDE), np.uint8)
        blocks = np.concatenate([frames, filled]).reshape(-1, BLOCK, SIDE, SIDE)
        scores = np.concatenate([logits(network, block, hardware).numpy() for block in blocks])[: len(frames)]
        scores = scores[:, self._outputs()].astype(np.float64) / self.temperature_
        return np.asarray(scores - scores.max(axis=1, keepdims=True))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most probable class of each row, (n,), of the type of ``classes_``."""
        chosen = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def to_onnx(self, path: str | Path) -> Path:
        """Write the classifier as a model file for ``Recognizer``, ``digits predict`` and all else here; returns path.

        The file takes pictures uint8 (N, 28, 28), 0-255, MNIST's frame, and answers with digits. So it can be written
        only where ``classes_`` are digits (0-9 or "0"-"9") and X had pictures of 28 x 28; UsageError says so
        otherwise. Raises ModelError or FileError, and writes nothing, as ``digits export`` does.

        >>> DigitClassifier().fit(images, labels).to_onnx("mine.onnx")                    # doctest: +SKIP
        PosixPath('mine.onnx')
        """
        check_is_fitted(self)
        if _digits_among(self.classes_) is None:
            raise UsageError(f"a model file names digits 0 to 9; the classes here are {list(self.classes_)}"[:200])
        if self.picture_shape_ != (SIDE, SIDE):
            raise UsageError(f"a model file reads pictures of (28, 28); fit was given {self.picture_shape_}")
        with needs("sklearn", "DigitClassifier"):
            from digit_recognizer.training.export import export_model
        metadata = ModelMetadata(
            preset=self.recipe_["preset"],
            data=f"{type(self).__name__}.fit",
            data_fingerprint=self.data_fingerprint_,
            seed=self.seed_,
            min_confidence=self.min_confidence_,
            max_error=self.max_error_,
        )
        export_model(
            self._network(),
            path,
            metadata=metadata,
            temperature=self.temperature_,
            check_images=load_sample().labelled().images[:_CHECKED_IMAGES],
        )
        return Path(path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _train(self, data: Digits) -> None:
        """Learn from ``data``, calibrated on the part of it that is held out where that is large enough."""
        with needs("sklearn", "DigitClassifier"):
            from digit_recognizer.training.hardware import choose_hardware
            from digit_recognizer.training.job import MAX_ERROR
            from digit_recognizer.training.recipe import preset
            from digit_recognizer.training.trainer import logits, train
        hardware = choose_hardware(self.device)
        training, held_out = data, None
        if round(self.val * len(data)) >= FEWEST_HELD_OUT:
            training, held_out = data.split(self.val, self.seed_)
        # A training always watches some images; where none are held out, a few of those that it learns from.
        few = np.linspace(0, len(data) - 1, min(len(data), BLOCK)).astype(np.int64)
        watched = data.take(few) if held_out is None else held_out
        recipe = preset(self.preset)
        recipe = recipe.fitted(len(training)) if self.epochs is None else replace(recipe, epochs=self.epochs)

        def tell(progress: Progress) -> None:
            if progress.row is not None:
                print(epoch_line(progress.row, progress.epochs, recipe.members), file=sys.stderr)

        trained = train(
            recipe,
            training,
            watched,
            seed=self.seed_,
            hardware=hardware,
            on_progress=tell if self.verbose else lambda progress: None,
        )
        self.recipe_ = recipe.to_dict()
        self.history_ = trained.history
        self.weights_ = {name: tensor.numpy().copy() for name, tensor in trained.network.state_dict().items()}
        self.data_fingerprint_ = data.fingerprint()
        self.temperature_, self.min_confidence_, self.max_error_ = 1.0, 0.0, None
        if held_out is not None:
            answers = logits(trained.network, held_out.images, choose_hardware("cpu", "float32")).numpy()
            labels = held_out.known_labels()
            self.temperature_ = metrics.fit_temperature(answers, labels)
            likelihoods = np.exp((answers - answers.max(axis=1, keepdims=True)) / self.temperature_)
            probabilities = likelihoods / likelihoods.sum(axis=1, keepdims=True)
            self.min_confidence_ = metrics.confidence_threshold(probabilities, labels, MAX_ERROR)
            self.max_error_ = MAX_ERROR

    def _network(self) -> nn.Module:
        """The trained network, built anew from plain arrays: that takes milliseconds and keeps copies simple."""
        with needs("sklearn", "DigitClassifier"):
            import torch

            from digit_recognizer.training.assembly import build_network
            from digit_recognizer.training.networks import Ensemble
            from digit_recognizer.training.recipe import Recipe
        recipe = Recipe.from_dict(self.recipe_)
        with torch.random.fork_rng(devices=[]):
            members = [build_network(recipe, member) for member in range(1, recipe.members + 1)]
        network = members[0] if len(members) == 1 else Ensemble(members)
        network.load_state_dict({name: torch.tensor(value) for name, value in self.weights_.items()})
        return network.eval()

    def _outputs(self) -> npt.NDArray[np.int64]:
        """Which of the network's ten outputs stands for each class, int64 (k,): a digit's own, or else its rank."""
        digits = _digits_among(self.classes_)
        return np.arange(len(self.classes_)) if digits is None else digits

    def _frames(self, rows: npt.NDArray[Any]) -> Images:
        """Rows (n, features), by the two rules of the class, become frames, uint8 (n, 28, 28)."""
        height, width = self.picture_shape_
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        factor = 255 / (self.high_ - self.low_) if self.high_ > self.low_ else 0.0
        method = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        frames = np.empty((len(rows), SIDE, SIDE), np.uint8)
        cells = np.zeros(height * width, np.float32)
        square = np.zeros((side, side), np.float32)
        for row, frame in zip(rows, frames, strict=True):
            cells[: len(row)] = (np.clip(row.astype(np.float64), self.low_, self.high_) - self.low_) * factor
            square[top : top + height, left : left + width] = cells.reshape(height, width)
            frame[:] = np.rint(square if side == SIDE else cv2.resize(square, (SIDE, SIDE), interpolation=method))
        return frames


def _rows(X: Any) -> tuple[Any, tuple[int, int] | None]:
    """Pictures (n, height, width) or (n, height, width, 1) as rows, with (height, width); all else as it is."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) == 3 or (len(shape) == 4 and shape[3] == 1):
        return np.asarray(X).reshape(shape[0], shape[1] * shape[2]), (shape[1], shape[2])
    return X, None


def _digits_among(classes: npt.NDArray[Any]) -> npt.NDArray[np.int64] | None:
    """The classes as digits, int64 (k,), where every one of them is one (7, 7.0, "7"); None otherwise."""
    known: Mapping[str, int] = {str(digit): digit for digit in range(CLASSES)}
    digits = [known.get(str(value).removesuffix(".0")) for value in classes.tolist()]
    return None if None in digits or len(set(digits)) < len(digits) else np.array(digits, np.int64)


__all__ = ["DigitClassifier"]
