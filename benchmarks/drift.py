"""Digits as a model knows them, and changed ones: how far ``digits batch`` finds each figure from the model's own.

    python benchmarks/drift.py [--digits 1500] [--model FILE.onnx] [--seed 0]

The figures are those that the model's file tells; where it tells none, or with --again, those of so many training
digits and of what the preset ship composes of them. Every row is a batch of other training digits: as they are, and
changed. An exclamation mark stands where the rule calls a figure notable; digits as they are should have none.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
import pyarrow as pa

from common import load_labelled, print_heading, print_table, say
from digit_recognizer.analysis.inputs import InputFigures, input_figures
from digit_recognizer.apps.batch.drift import differences
from digit_recognizer.apps.batch.parts import prediction_columns
from digit_recognizer.digits import Digits, Images
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.training.recipe import Composition, ship
from digit_recognizer.training.ship.material import NO_DIGIT
from digit_recognizer.training.ship.preparation import prepare

STREAMED = 4000  # digits of a row


def main() -> None:
    arguments = _arguments()
    print_heading("Drift: digits as they are, and changed", ("onnxruntime", "numpy"))
    recognizer = Recognizer(arguments.model)
    digits = load_labelled(arguments.data)
    order = np.random.default_rng(arguments.seed).permutation(len(digits))
    known_of, others = digits.take(order[: arguments.digits]), digits.take(order[arguments.digits :][:STREAMED])
    recipe = (ship(), *ship().polishes)[-1]  # a model is validated on what its last training was composed of
    composition = recipe.composition or Composition(1, 0, 0, 1)
    made = prepare(known_of, known_of, [composition], strokes=None, fonts=None, seed=arguments.seed).validation
    composed = made.images[made.labels != NO_DIGIT]
    known = recognizer.metadata.inputs
    if known is None or arguments.again:
        known = input_figures(composed, recognizer.predict(Digits(composed), raw=True), recognizer.min_confidence)
        say(f"figures of {len(composed):,} frames: {len(known_of):,} digits and what is composed of them")
    else:
        say(f"figures of the model itself, of {known.frames:,} frames")
    streams = {**changed(others), "no digits": made.images[made.labels == NO_DIGIT]}
    rows = [(name, f"{len(images):,}", *distances(images, recognizer, known)) for name, images in streams.items()]
    names = ("ink", "inked", "soft", "size", "confidence", "accepted", "shares")
    print_table(("deviations apart", "digits", *names), rows)


def changed(digits: Digits) -> dict[str, Images]:
    """The digits as they are, and what may become of digits on their way."""
    images, few = digits.images, digits.images[:30]
    square = np.ones((2, 2), np.uint8)
    ones = images[digits.known_labels() == 1]
    return {
        "as they are": images,
        "as they are, few": few,
        "thinned": np.stack([cv2.erode(image, square) for image in images]),
        "thickened": np.stack([cv2.dilate(image, square) for image in images]),
        "half as dark": images // 2,
        "blurred": np.stack([cv2.GaussianBlur(image, (0, 0), 1) for image in images]),
        "black and white": np.where(images >= 128, 255, 0).astype(np.uint8),
        "smaller": np.stack([np.pad(cv2.resize(i, (18, 18), interpolation=cv2.INTER_AREA), 5) for i in images]),
        "larger": np.stack([cv2.resize(image[4:24, 4:24], (28, 28)) for image in images]),
        "inverted": 255 - images,
        "three times the 1s": np.concatenate([images, ones, ones]),
    }


def distances(images: Images, recognizer: Recognizer, known: InputFigures) -> list[str]:
    """How many deviations each figure is off, as a batch finds it."""
    ids = pa.array([str(number) for number in range(len(images))])
    probabilities = recognizer.predict(Digits(images), raw=True)
    tells = recognizer.tells_non_digits
    _, tally = prediction_columns(
        ids, images, probabilities, recognizer.min_confidence, recognizer.sha256, tells_non_digits=tells
    )
    return [f"{each.distance:+.2f}{' !' if each.is_notable else ''}" for each in differences(tally, known)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How far changed digits are from what a model knows.")
    parser.add_argument("--digits", type=int, default=1500, help="of which figures are taken")
    parser.add_argument("--model", help="a run folder or FILE.onnx; left out: the model that ships")
    parser.add_argument("--again", action="store_true", help="take figures anew, whatever the model tells")
    parser.add_argument("--data", default="mnist", help="training digits alone are taken")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
