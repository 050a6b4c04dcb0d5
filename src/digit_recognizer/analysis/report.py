"""A run folder -> report.html: one file that opens offline, on a phone, in light and dark.

Reads config.json, history.csv, metrics.json, explore.json and plots/*.png; what is missing is left out. Knows nothing
of how they came about.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from digit_recognizer.analysis.explore import fact_rows, label_rows
from digit_recognizer.errors import CheckpointError, FileError, MissingExtra
from digit_recognizer.files import read_bytes, write_text

try:
    from jinja2 import Environment, StrictUndefined
except ImportError as error:
    raise MissingExtra("report", "writing report.html") from error

_LIMIT = 32 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_NONE = "–"
_BESIDE = ("model.onnx", "submission.csv", "predictions.csv", "history.csv")
_UNREAD = 5  # names of what was not read, that are shown

# The plots that the report knows, in the order in which it shows them: file stem -> (section, what the picture says).
FIGURES: dict[str, tuple[str, str]] = {
    "label_counts": ("data", "Bars: how many images each digit has."),
    "mean_digits": ("data", "The mean image of each digit: where its ink usually lies."),
    "samples": ("data", "Digits of the training part, chosen at random."),
    "samples_test": ("data", "Digits of the test part, chosen at random."),
    "outliers": ("data", "The images furthest from the mean of their class, with label and name: odd, or mislabelled."),
    "loss": ("training", "Loss on training and validation images, epoch by epoch."),
    "accuracy": ("training", "Accuracy on training and validation images, epoch by epoch; stretched towards 100 %."),
    "learning_rate": ("training", "The learning rate, epoch by epoch."),
    "augmentation": ("training", "The first of each row is the original; the others are what the network saw of it."),
    "confusion": ("result", "Every true digit against every answer. Coloured: the mistakes."),
    "reliability": (
        "result",
        "How often answers of a given confidence were right. On the line: exactly as often as said.",
    ),
    "mistakes": ("mistakes", "The most confident mistakes, with label, answer, confidence and name."),
}


@dataclass(frozen=True)
class _Figure:
    stem: str
    caption: str
    source: str
    width: int
    height: int


def write_report(run_folder: str | Path) -> Path:
    """Write ``report.html`` into ``run_folder`` from the other files there, and return its path.

    Raises FileError where the folder cannot be read or written, CheckpointError where it holds nothing to report or a
    file in it is damaged.

    >>> write_report("runs/kaggle")      # doctest: +SKIP
    PosixPath('runs/kaggle/report.html')
    """
    folder = Path(run_folder)
    if not folder.is_dir():
        found_there = "this is a file" if folder.exists() else "found no folder of this name"
        raise FileError(f"{folder}: expected a run folder, {found_there}")
    config, metrics, found = (_read_json(folder / f"{name}.json") for name in ("config", "metrics", "explore"))
    history = read_history(folder / "history.csv") if (folder / "history.csv").exists() else []
    if not (config or metrics or found):
        raise CheckpointError(
            f"{folder}: expected a run folder with config.json, metrics.json or explore.json, found none of them"
        )
    figures = _figures(folder / "plots")
    try:
        html = (
            _environment()
            .from_string(_template())
            .render(
                config=config,
                metrics=metrics,
                name=_name(config, found, folder),
                facts=fact_rows(found) if found else [],
                counts=label_rows(found) if found else [],
                images=sum(part["images"] for part in found["parts"].values()) if found else 0,
                history=history,
                members=len({row["member"] for row in history}),
                recipe=_flat(config.get("recipe") or {}),
                machine=_flat(config.get("machine") or {}),
                versions=_flat(config.get("versions") or {}),
                pairs=_commonest_mistakes(metrics.get("confusion") or []),
                figures=figures,
                beside=[name for name in _BESIDE if (folder / name).is_file()],
                notes=_notes(found),
            )
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder}: config.json, metrics.json or explore.json is not as a run writes it ({error!r}); run it again"
        ) from error
    write_text(folder / "report.html", html)
    return folder / "report.html"


def read_history(path: str | Path) -> list[dict[str, float | None]]:
    """Rows of a history.csv, each value a number or None where its cell is empty; ``member`` is 1 where not given.

    Raises FileError where it cannot be read, CheckpointError where a row is no row of numbers.

    >>> read_history("runs/kaggle/history.csv")[0]["epoch"]      # doctest: +SKIP
    1.0
    """
    rows: list[dict[str, float | None]] = []
    try:
        table = csv.DictReader(io.StringIO(read_bytes(path, limit=_LIMIT).decode("utf-8"), newline=""), strict=True)
        for cells in table:
            row = {name: float(cell) if cell else None for name, cell in cells.items()}
            if row.get("epoch") is None:
                raise ValueError("no epoch")
            rows.append({"member": 1.0, **row})
    except (ValueError, TypeError, csv.Error) as error:
        raise CheckpointError(
            f"{path}, line {len(rows) + 2}: expected an epoch as a row of numbers, found {error}"
        ) from error
    return rows


def _read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is no file."""
    if not path.exists():
        return {}
    try:
        value = json.loads(read_bytes(path, limit=_LIMIT))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: expected JSON, found a damaged file ({error})") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def _figures(folder: Path) -> dict[str, list[_Figure]]:
    """Section -> its pictures, as data addresses; pictures that the report does not know go to "more"."""
    sections: dict[str, list[_Figure]] = {"data": [], "training": [], "result": [], "mistakes": [], "more": []}
    present = {path.stem: path for path in sorted(folder.glob("*.png"))}
    for stem in [*(stem for stem in FIGURES if stem in present), *(stem for stem in present if stem not in FIGURES)]:
        content = read_bytes(present[stem], limit=_LIMIT)
        if not content.startswith(_PNG) or len(content) < 24:
            raise CheckpointError(f"{present[stem]}: expected a PNG picture, found other bytes; draw it again")
        width, height = (int.from_bytes(content[start : start + 4]) for start in (16, 20))
        section, caption = FIGURES.get(stem, ("more", stem.replace("_", " ")))
        source = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        sections[section].append(_Figure(stem, caption, source, width, height))
    return sections


def _name(config: Mapping[str, Any], found: Mapping[str, Any], folder: Path) -> str:
    return str((config.get("data") or {}).get("name") or found.get("name") or folder.name)


def _notes(found: Mapping[str, Any]) -> list[str]:
    """What explore.json says that a person should know before all figures, a sentence each."""
    notes = [f"{note}." for note in found.get("notes", [])]
    unread = found.get("unread") or {"count": 0}
    if unread["count"]:
        more = unread["count"] - _UNREAD
        names = ", ".join(unread["names"][:_UNREAD])
        notes.append(f"Not read, beside the data: {names}{f' and {more:,} more' if more > 0 else ''}.")
    return notes


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested plain values as rows (words, text): {"optimizer": {"name": "adamw"}} -> ("optimizer: name", "adamw")."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        words = prefix + str(key).replace("_", " ")
        if isinstance(value, Mapping):
            rows += _flat(value, f"{words}: ")
        else:
            rows.append((words, _text(value)))
    return rows


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _commonest_mistakes(confusion: list[list[int]], most: int = 6) -> list[tuple[int, int, int]]:
    """(true digit, answer, how often), most often first."""
    cells = [(t, a, n) for t, row in enumerate(confusion) for a, n in enumerate(row) if t != a and n]
    return sorted(cells, key=lambda cell: -cell[2])[:most]


def _template() -> str:
    return package_files("digit_recognizer.analysis").joinpath("report.html.j2").read_text("utf-8")


def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "count": _count, "number": _number, "duration": _duration, "day": _day}
    return environment


def _percent(share: float | None, digits: int = 2) -> str:
    return _NONE if share is None else f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def _count(number: float | None) -> str:
    return _NONE if number is None else f"{number:,.0f}"


def _number(value: float | None, digits: int = 4) -> str:
    return _NONE if value is None else f"{value:.{digits}g}"


def _duration(seconds: float | None) -> str:
    """28.4 -> "28.4 s", 754 -> "12 min 34 s", 13673 -> "3 h 48 min"."""
    if seconds is None:
        return _NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _day(moment: str) -> str:
    """An ISO 8601 moment without its seconds; anything else as it is."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{parsed:%Y-%m-%d %H:%M} {parsed.tzname() or ''}".strip()


__all__ = ["FIGURES", "read_history", "write_report"]
