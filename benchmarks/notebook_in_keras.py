"""The well-known notebook's network in Keras on TensorFlow: digits in an .npz become seconds, as JSON on stdout.

    python benchmarks/notebook_in_keras.py train DIGITS.npz --epochs 1     # x_train, y_train, x_val, y_val
    python benchmarks/notebook_in_keras.py predict DIGITS.npz              # x

A child process of the other benchmarks. Knows nothing of this package, so that neither side disturbs the other.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

PARAMETERS = 887_530
BATCH = 86
PREDICT_BATCHES = (256, 32)  # ours, and Keras' default


def build() -> keras.Model:
    """The network, compiled as in the notebook, weights initialised by Keras (random)."""
    model = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPool2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    if model.count_params() != PARAMETERS:
        raise SystemExit(f"expected {PARAMETERS:,} parameters, found {model.count_params():,}")
    optimizer = keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, epsilon=1e-8)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


class EpochTimes(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Seconds of each epoch, its validation apart."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began, self.validation = time.perf_counter(), 0.0

    def on_test_begin(self, logs: Any = None) -> None:
        self.test_began = time.perf_counter()

    def on_test_end(self, logs: Any = None) -> None:
        self.validation += time.perf_counter() - self.test_began

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        whole = time.perf_counter() - self.began
        self.epochs.append({"training": whole - self.validation, "validation": self.validation})


def train(data: dict[str, npt.NDArray[np.uint8]], epochs: int, seed: int) -> dict[str, Any]:
    """Train as the notebook does; the graph is traced and the memory warmed before the first epoch is timed."""
    keras.utils.set_random_seed(seed)
    # The notebook's own augmentation: still in tf.keras, deprecated; Keras 3 runs it in a thread beside the training,
    # as fit_generator did.
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=10, zoom_range=0.1, width_shift_range=0.1, height_shift_range=0.1
    )
    x, x_val = scaled(data["x_train"]), scaled(data["x_val"])
    y, y_val = (keras.utils.to_categorical(data[name], 10) for name in ("y_train", "y_val"))
    model = build()
    warm_up(model, generator, x[: 8 * BATCH], y[: 8 * BATCH])
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="val_accuracy", patience=3, factor=0.5, min_lr=1e-5)
    times = EpochTimes()
    history = model.fit(
        generator.flow(x, y, batch_size=BATCH, seed=seed),
        epochs=epochs,
        validation_data=(x_val, y_val),
        callbacks=[plateau, times],
        verbose=0,
    ).history
    return {"epochs": times.epochs, "val_accuracy": history["val_accuracy"], "parameters": model.count_params()}


def warm_up(model: keras.Model, generator: Any, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> None:
    """A short epoch with validation, after which weights, optimizer and random states are set back."""
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    model.fit(generator.flow(x, y, batch_size=BATCH), validation_data=(x, y), verbose=0)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


def predict(images: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Seconds that ``predict`` takes on all images, by batch size; scaling them is not counted."""
    x, model = scaled(images), build()
    seconds = {}
    for batch in PREDICT_BATCHES:
        model.predict(x[: 2 * batch + 1], batch_size=batch, verbose=0)
        began = time.perf_counter()
        model.predict(x, batch_size=batch, verbose=0)
        seconds[str(batch)] = time.perf_counter() - began
    return {"seconds": seconds}


def scaled(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """uint8 (N, 28, 28) becomes float32 (N, 28, 28, 1), 0-1."""
    return images.astype(np.float32)[..., None] / np.float32(255)


def main() -> None:
    parser = argparse.ArgumentParser(description="The notebook's network in Keras: seconds, as JSON.")
    parser.add_argument("job", choices=("train", "predict"))
    parser.add_argument("data", help="an .npz file")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with np.load(arguments.data) as archive:
        data = dict(archive)
    if arguments.job == "train":
        result = train(data, arguments.epochs, arguments.seed)
    else:
        result = predict(data["x"])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
