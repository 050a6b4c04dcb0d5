"""A model, or the one that ships, becomes what ``digits info`` tells of it, beside the versions of all parts.

The networks that pages are read with are named, too. Knows nothing of how any of them reads.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

from digit_recognizer._version import __version__
from digit_recognizer.errors import ModelError
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.shipped import shipped_model

if TYPE_CHECKING:
    from digit_recognizer.apps.terminal import Terminal

# Those of the base install, then what the extras bring: train, report, data, sklearn, serve, heif, pdf, batch, scale.
PARTS = (
    "numpy", "onnxruntime", "opencv-python-headless", "pillow", "rich", "typer",
    "torch", "onnx", "onnxscript", "safetensors", "filelock", "matplotlib", "jinja2", "pooch", "pyarrow",
    "scikit-learn", "fastapi", "uvicorn", "prometheus-client", "python-multipart", "pi-heif", "pypdfium2",
    "fsspec", "ray",
)  # fmt: skip
# The networks for pages, which every model is used with.
READERS = {"lines.onnx": "digits that touch", "ink.onnx": "ink on pages", "cells.onnx": "cells of grids"}


def show_about(model: str | None, terminal: Terminal) -> None:
    """Print versions, and what the model says of itself; None means the model that ships.

    Raises ModelError or FileError, nothing printed, where the model cannot be used. Where none ships, that is a note.
    """
    recognizer = _recognizer(model, terminal)
    versions = package_versions()
    terminal.heading("Versions")
    rows = [("Package", "version"), *((name, value or "not installed") for name, value in versions.items())]
    terminal.table(rows, figures=False)
    readers = reader_hashes(terminal)
    if readers:
        terminal.heading("Networks for pages, beside any model")
        named = [(name, READERS[name], sha256) for name, sha256 in readers.items()]
        terminal.table([("File", "for", "sha256"), *named], figures=False)
    card = None if recognizer is None else model_card(recognizer)
    if recognizer is not None and card is not None:
        terminal.heading(f"Model: {model or 'the one that ships'}")
        terminal.table([("Field", "value"), *card_rows(card)], figures=False)
        terminal.say(threshold_sentence(recognizer.min_confidence, recognizer.metadata.max_error))
    terminal.document({"versions": versions, "model": card, "readers": readers})


def package_versions() -> dict[str, str | None]:
    """Versions of this package, of Python, and of every library that matters; None for what is not installed."""
    versions: dict[str, str | None] = {"digit-recognizer": __version__, "python": platform.python_version()}
    for name in PARTS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def reader_hashes(terminal: Terminal) -> dict[str, str]:
    """SHA-256 of each network for pages that ships, by file; what is wrong with another one is a note."""
    found = {}
    for name in READERS:
        try:
            found[name] = shipped_model(name).sha256
        except ModelError as error:
            if error.code != "no_model":
                terminal.note(f"note: {error}")
    return found


def model_card(recognizer: Recognizer) -> dict[str, Any]:
    """What is known of a model: its name, SHA-256, metadata, and whether it tells non-digits."""
    known = {"name": recognizer.name, "sha256": recognizer.sha256, **asdict(recognizer.metadata)}
    return {**known, "tells_non_digits": recognizer.tells_non_digits}


def card_rows(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What ``model_card`` gives as names and words; figures of the inputs a row each, with their deviation.

    >>> card_rows({"seed": 3, "inputs": {"frames": 90, "ink": {"mean": 0.13, "deviation": 0.04}}})
    [('seed', '3'), ('inputs: frames', '90'), ('inputs: ink', '0.13 ± 0.04')]
    """
    rows: list[tuple[str, str]] = []
    for name, value in card.items():
        if not isinstance(value, Mapping):
            rows.append((name, _plain(value)))
            continue
        for part, figure in value.items():
            words = f"{_plain(figure['mean'])} ± {_plain(figure['deviation'])}" if isinstance(figure, Mapping) else ""
            rows.append((f"{name}: {part}", words or _plain(figure)))
    return rows


def threshold_sentence(min_confidence: float, max_error: float | None) -> str:
    """What "accepted" means.

    >>> threshold_sentence(0.97, 0.001)
    'accepted: confidence of at least 0.97, so that at most 0.1 % of the accepted are wrong'
    >>> threshold_sentence(2.0, 0.001)
    'accepts nothing: no threshold kept the wrong among the accepted validation images to 0.1 %'
    """
    if min_confidence == 0 and max_error is None:
        return "accepted: every answer; this model was given no threshold"
    if min_confidence > 1:
        share = "a share" if max_error is None else f"{100 * max_error:.6g} %"
        return f"accepts nothing: no threshold kept the wrong among the accepted validation images to {share}"
    meaning = "" if max_error is None else f", so that at most {100 * max_error:.6g} % of the accepted are wrong"
    return f"accepted: confidence of at least {min_confidence:.6g}{meaning}"


def _recognizer(model: str | None, terminal: Terminal) -> Recognizer | None:
    try:
        return Recognizer(model)
    except ModelError as error:
        if model is not None or error.code != "no_model":
            raise
        terminal.note(f"note: {error}")
        return None


def _plain(value: object) -> str:
    """A value of a model's metadata as people write it."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_plain, value)) if isinstance(value, tuple) else str(value)


__all__ = [
    "PARTS",
    "READERS",
    "card_rows",
    "model_card",
    "package_versions",
    "reader_hashes",
    "show_about",
    "threshold_sentence",
]
