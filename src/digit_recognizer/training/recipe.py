"""Recipe: everything that decides how a network is trained, as plain values; the presets are recipes.

Knows nothing of data or devices. Torch's own names are used for torch's own things.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from digit_recognizer.errors import UsageError
from digit_recognizer.training.augment import Augmentation

Network = Literal["notebook", "compact"]
Optimizer = Literal["rmsprop", "adamw"]
Schedule = Literal["plateau", "one-cycle"]


@dataclass(frozen=True)
class Composition:
    """What is composed of digits, pen drawings and fonts beside the digits themselves, in frames per digit.

    digits: crops of the digits as people take them. drawings: of pen drawings. printed: of digits in fonts.
    no_digits: of what is no digit. straight: of 1s of one straight stroke. plain: how many times more each digit
    itself, as it is, is learnt from. out_of_focus: share of the printed crops that is. See training/ship/material.py.
    """

    digits: float
    drawings: float
    printed: float
    no_digits: float
    plain: int = 0
    straight: float = 0.0
    out_of_focus: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How to train.

    network, widths, depths, dropout, strided: see networks.py; all but the first are for "compact" only.
    classes: ten digits, and perhaps "no digit" as the eleventh.
    members: how many networks, each from its own seed; together they answer with their mean probability.
    deskew_every: every so manyth of them sees digits with their slant taken out, see networks.py; 0: none does.
    epochs: passes over the data (with ``focus``: over the chosen share of it).
    min_steps: a small data set is passed over more often, until about so many steps are made.
    learning_rate: at its highest. warmup: share of the steps in which a one-cycle schedule rises to it.
    weight_decay: of the matrices; biases and normalisation have none.
    focus, focus_hardest: from the second epoch on, learn from the share ``focus`` of the images only: of these, the
    share ``focus_hardest`` are those with the largest loss when last seen, the rest are drawn at random from the
    others (after selective backpropagation, Jiang et al. 2019). 1 is everything, as usual.
    composition: what is learnt beside the digits, or None. scout: how the small network is trained that answers where
    it is sure; then there are two in one file, see training/ship/cascade.py. polish: how the network goes on learning
    from where it then is, on another composition. A polish may have its own polish. None: no more.
    second: how a second network of the main one's kind is trained, on the same material, to be asked where that is
    unsure; with scout alone. Its compositions are the main one's.
    Of a polish: ``retain`` is the share that the answers of the network have, as it is when the polish begins, in what
    is learnt, see retention.py; ``blend`` how far from before to after the network is left, see averaging.py.
    """

    preset: str
    network: Network
    epochs: int
    batch_size: int
    optimizer: Optimizer
    learning_rate: float
    schedule: Schedule
    widths: tuple[int, int, int] = (16, 32, 64)
    depths: tuple[int, int] = (2, 2)
    dropout: float = 0.0
    classes: int = 10
    strided: bool = False
    members: int = 1
    deskew_every: int = 0
    min_steps: int = 0
    warmup: float = 0.15
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    focus: float = 1.0
    focus_hardest: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)
    composition: Composition | None = None
    scout: Recipe | None = None
    polish: Recipe | None = None
    second: Recipe | None = None
    retain: float = 0.0
    blend: float = 0.5

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "members"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}: expected at least 1, found {getattr(self, name)}")
        if self.deskew_every < 0:
            raise UsageError(f"deskew_every: expected 0 or more, found {self.deskew_every}")
        for name in ("dropout", "warmup", "label_smoothing", "focus_hardest", "retain"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name}: expected 0 or more and less than 1, found {getattr(self, name)}")
        for name in ("focus", "blend"):
            if not 0 < getattr(self, name) <= 1:
                raise UsageError(f"{name}: expected more than 0 and at most 1, found {getattr(self, name)}")
        if self.second is not None and (self.scout is None or len(self.second.polishes) > len(self.polishes)):
            raise UsageError("second: expected a scout beside it, and no more polishes than the main network's")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise UsageError(f"learning_rate: expected a positive number, found {self.learning_rate}")

    def images_in_epoch(self, epoch: int, images: int) -> int:
        """How many of ``images`` training images epoch ``epoch`` (counted from 1) learns from."""
        return images if epoch == 1 or self.focus == 1 else max(1, round(self.focus * images))

    def steps_in_epoch(self, epoch: int, images: int) -> int:
        """Batches in epoch ``epoch`` (counted from 1), the last one perhaps short."""
        return math.ceil(self.images_in_epoch(epoch, images) / self.batch_size)

    def total_steps(self, images: int) -> int:
        """Batches in the whole training of one member."""
        return sum(self.steps_in_epoch(epoch, images) for epoch in range(1, self.epochs + 1))

    def fitted(self, images: int) -> Recipe:
        """The recipe for a data set of ``images`` images: where it is so small that fewer than ``min_steps`` steps
        would be made, everything is learnt from, again and again, until they are.

        >>> fast().fitted(42_000).epochs == fast().epochs, fast().fitted(1_000).epochs > fast().epochs
        (True, True)
        """
        if self.total_steps(images) >= self.min_steps:
            return self
        whole = replace(self, focus=1.0)
        return replace(whole, epochs=max(self.epochs, math.ceil(self.min_steps / whole.steps_in_epoch(1, images))))

    @property
    def polishes(self) -> list[Recipe]:
        """The polish, that one's own, and so on."""
        return [] if self.polish is None else [self.polish, *self.polish.polishes]

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Recipe:
        """The recipe back from ``to_dict``. Raises UsageError for unknown or missing names."""
        try:
            known = {**values, "widths": tuple(values["widths"]), "depths": tuple(values["depths"])}
            known["augmentation"] = Augmentation(**values["augmentation"])
            if values.get("composition") is not None:
                known["composition"] = Composition(**values["composition"])
            for name in ("scout", "polish", "second"):
                if values.get(name) is not None:
                    known[name] = Recipe.from_dict(values[name])
            return Recipe(**known)
        except (KeyError, TypeError) as error:
            raise UsageError(f"recipe: {error}") from error


def notebook() -> Recipe:
    """The well-known notebook's training, point by point."""
    return Recipe(
        preset="notebook",
        network="notebook",
        epochs=50,
        batch_size=86,
        optimizer="rmsprop",
        learning_rate=1e-3,
        schedule="plateau",
        augmentation=Augmentation(rotation=10, zoom=0.1, shift=0.1),
    )


def fast() -> Recipe:
    """The default: beats the notebook's accuracy at about a hundredth of its cost. Measured in docs/results.md."""
    return Recipe(
        preset="fast",
        network="compact",
        widths=(16, 32, 64),
        depths=(2, 2),
        epochs=13,  # the first over all images, twelve over a quarter: four passes
        min_steps=500,
        batch_size=96,
        optimizer="adamw",
        learning_rate=6e-3,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        focus=0.25,
        focus_hardest=0.7,
        augmentation=Augmentation(rotation=10, zoom=0.1, shift=0.1),
    )


def best() -> Recipe:
    """The most accurate that two cores make of train.csv within 45 minutes. Measured in docs/results.md."""
    return Recipe(
        preset="best",
        network="compact",
        widths=(32, 64, 96),
        depths=(2, 3),
        members=10,
        deskew_every=3,
        epochs=27,  # the first over all images, the others over half of them: fourteen passes
        min_steps=2000,
        batch_size=96,
        optimizer="adamw",
        learning_rate=6e-3,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        focus=0.5,
        focus_hardest=0.5,
        augmentation=Augmentation(rotation=12, zoom=0.15, shift=0.08, shear=0.12),
    )


def ship() -> Recipe:
    """The model that ships: knows many hands, pens, fonts and papers, and what is no digit. See docs/model-card.md."""
    scout = Recipe(
        preset="ship",
        network="compact",
        widths=(16, 32, 64),
        depths=(1, 2),
        strided=True,
        classes=11,
        epochs=10,
        batch_size=128,
        optimizer="adamw",
        learning_rate=6e-3,
        schedule="one-cycle",
        weight_decay=0.01,
        label_smoothing=0.03,
        augmentation=Augmentation(rotation=8, zoom=0.1, shift=0.06, shear=0.1),
    )
    main = replace(
        scout,
        widths=(32, 64, 96),
        depths=(2, 3),
        strided=False,
        epochs=22,
        composition=Composition(digits=1.5, drawings=0.6, printed=0.45, no_digits=0.65, plain=1),
    )
    # Breadth first, then, at a third of the rate, more of the digits as they are and of what is no digit.
    polished = Composition(digits=0.6, drawings=0.3, printed=0.3, no_digits=0.8, plain=1)
    polish = replace(main, epochs=14, learning_rate=2e-3, warmup=0.1, composition=polished)
    # At last straight 1s and print out of focus, without forgetting the rest.
    last = replace(
        polish,
        epochs=8,
        learning_rate=1.2e-3,
        composition=replace(polished, printed=0.45, straight=0.03, out_of_focus=0.2),
        retain=0.7,
        blend=0.7,
    )
    # What a second one, trained apart, says of the hard ones, corrects a tenth of their errors.
    second = replace(main, polish=polish)
    return replace(main, scout=scout, second=second, polish=replace(polish, polish=last))


PRESETS = {"notebook": notebook, "fast": fast, "best": best, "ship": ship}


def preset(name: str) -> Recipe:
    """The preset of that name. Raises UsageError, listing the names, for an unknown one."""
    if name not in PRESETS:
        raise UsageError(f"unknown preset {name!r}; choose {', '.join(PRESETS)}")
    return PRESETS[name]()


__all__ = ["PRESETS", "Composition", "Recipe", "best", "fast", "notebook", "preset", "ship"]
