"""The embedded sample is what scikit-learn ships, in MNIST's frame."""

from __future__ import annotations

import cv2
import numpy as np
from sklearn.datasets import load_digits

from digit_recognizer.sources.sample import load_sample, raw_sample


def test_the_raw_sample_equals_scikit_learns_own_array() -> None:
    images, labels = raw_sample()
    oracle = load_digits()
    np.testing.assert_array_equal(images, oracle.images)
    np.testing.assert_array_equal(labels, oracle.target)


def test_the_sample_has_a_labelled_and_an_unlabelled_part_that_share_no_image() -> None:
    sample = load_sample()
    assert len(sample.labelled()) == 1500
    assert sample.test is not None
    assert len(sample.test) == 297
    assert sample.test.labels is None
    train = {image.tobytes() for image in sample.labelled().images}
    assert not any(image.tobytes() in train for image in sample.test.images)
    assert sample.labelled().counts().min() > 140


def test_two_loads_are_equal() -> None:
    first, second = load_sample(), load_sample()
    assert [part.fingerprint() for part in first.parts().values()] == [
        part.fingerprint() for part in second.parts().values()
    ]


def test_no_digit_came_out_inverted_or_empty() -> None:
    images, _ = raw_sample()
    frames = np.concatenate([part.images for part in load_sample().parts().values()])
    assert frames.reshape(len(frames), -1).max(axis=1).min() >= 254
    # Both roads keep the ink's share of its own box; an inverted digit would swap ink and ground.
    rough = [cv2.resize(image * 15, (28, 28), interpolation=cv2.INTER_CUBIC) for image in images]
    assert abs(np.mean(frames) - np.mean(rough) * (20 / 28) ** 2) < 20
    assert (frames > 127).mean(axis=(1, 2)).max() < 0.33


def test_a_nearest_neighbour_reads_the_framed_sample_as_well_as_the_raw_one() -> None:
    sample = load_sample().labelled()
    vectors = sample.images.reshape(len(sample), -1).astype(np.float32)
    train, test = vectors[:1000], vectors[1000:]
    distances = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)[None]
    found = sample.known_labels()[:1000][distances.argmin(axis=1)]
    assert (found == sample.known_labels()[1000:]).mean() > 0.93
