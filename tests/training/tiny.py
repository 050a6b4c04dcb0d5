"""A recipe that trains in a blink and uses what recipes have: for the tests of all that trains."""

from digit_recognizer.training.augment import Augmentation
from digit_recognizer.training.recipe import Recipe

TINY = Recipe(
    preset="tiny",
    network="compact",
    widths=(4, 8, 8),
    epochs=3,
    batch_size=16,
    optimizer="adamw",
    learning_rate=1e-2,
    schedule="one-cycle",
    weight_decay=0.01,
    dropout=0.1,
    label_smoothing=0.05,
    focus=0.5,
    augmentation=Augmentation(rotation=5, shift=0.05, elastic=0.5),
)
