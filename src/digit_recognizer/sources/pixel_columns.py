"""The names of a table's columns (of a CSV, of a Parquet file) become where its pixels and its label stand.

Knows nothing of values, nor of what holds them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE
from digit_recognizer.errors import InputError

SCHEMES = (  # the names of the pixels from the top left, row by row
    tuple(f"pixel{i}" for i in range(SIDE * SIDE)),
    tuple(f"pixel{i + 1}" for i in range(SIDE * SIDE)),
    tuple(f"pixel_{i}" for i in range(SIDE * SIDE)),
    tuple(f"pixel_{i + 1}" for i in range(SIDE * SIDE)),
    tuple(f"{row + 1}x{column + 1}" for row in range(SIDE) for column in range(SIDE)),
)
_LABEL_NAMES = ("label", "class", "digit")
# What pandas calls the index that to_csv wrote without a name, and the one that to_parquet wrote.
_INDEX = re.compile(r"unnamed: [0-9]+|__index_level_[0-9]+__")


@dataclass(frozen=True)
class Columns:
    """names: all columns, in the file's order. label: place of the label's, or None. pixels: places of the pixels',
    from the top left, row by row, int64 (784,).
    """

    names: tuple[str, ...]
    label: int | None
    pixels: npt.NDArray[np.int64]


def find_columns(names: Sequence[str], where: str) -> Columns:
    """Find the pixels, and the label if there is one, in any order: ``pixel0 …``, ``pixel1 …``, with ``_`` before
    the number or without, or ``1x1 …``.

    Raises InputError, with ``where`` in front, naming columns that are missing, twice there or not known.

    >>> find_columns(("label", *SCHEMES[0]), "train.csv").pixels[:3]
    array([1, 2, 3])
    """
    names = tuple(cell.strip().lower() for cell in names)
    present = set(names)
    scheme = max(SCHEMES, key=lambda wanted: len(present.intersection(wanted)))
    labels = [i for i, cell in enumerate(names) if cell in _LABEL_NAMES]
    known = {*scheme, *_LABEL_NAMES}
    if present.isdisjoint(scheme):
        raise InputError(f"{where}: expected columns {named(scheme)}, found {listed(names)}", code="bad_header")
    for number, cell in enumerate(names, 1):
        if not cell or _INDEX.fullmatch(cell):
            raise InputError(f"{where}: {_nameless(number, cell, len(names))}", code="bad_header")
    problems = (
        ("missing column", [cell for cell in scheme if cell not in present]),
        ("duplicate column", [cell for cell, count in Counter(names).items() if count > 1 and cell in known]),
        ("second label column", [names[i] for i in labels if names[i] != names[labels[0]]]),
        ("unknown column", [cell for cell in names if cell not in known]),
    )
    found = "; ".join(f"{problem} {listed(wrong)}" for problem, wrong in problems if wrong)
    if found:
        raise InputError(f"{where}: {found}; expected {named(scheme)}", code="bad_header")
    position = {cell: i for i, cell in enumerate(names)}
    pixels = np.array([position[cell] for cell in scheme], np.int64)
    return Columns(names, labels[0] if labels else None, pixels)


def named(scheme: Sequence[str] = SCHEMES[0]) -> str:
    """The columns of a scheme in few words."""
    return f"{scheme[0]} … {scheme[-1]}, with or without label"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names as a message may show them: the first few, cut where they are long.

    >>> listed(("a", "b", "c"), most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(name[:40] if name.isprintable() else repr(name[:40]) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _nameless(number: int, cell: str, count: int) -> str:
    """What is wrong with a column without a name of its own, and what to do."""
    what = f"column {number} {f'is called {cell!r}' if cell else 'has no name'}"
    if number == count and not cell:
        return f"{what}: do the lines end with a separator? take it off"
    return f"{what}: an index column? write it with index=False, or take it out"


__all__ = ["SCHEMES", "Columns", "find_columns", "listed", "named"]
