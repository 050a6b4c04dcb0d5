"""What an entry of the input gives, a few hundred pictures at a time: names with pixels, or with bytes to decode.

Knows nothing of file formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from digit_recognizer.digits import SIDE, Images
from digit_recognizer.errors import DigitsError

ROWS = 1024  # that a block holds at most


@dataclass(frozen=True, slots=True)
class Block:
    """Pictures of one entry, in order.

    ids: what they are called, a string array (N,). pixels: uint8 (M, 28, 28), framed, of those that did not fail; or
    None, and then ``encoded``: N times the bytes of a picture file. as_published: grey PNGs of 28x28 among these are
    framed already. failed: by place in the block, why a picture is not there.
    """

    ids: Any  # pyarrow.StringArray
    pixels: Images | None = None
    encoded: Sequence[bytes] = ()
    as_published: bool = False
    failed: Mapping[int, DigitsError] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


def numbered(prefix: str, first: int, count: int) -> Any:
    """Names of rows: their numbers after ``prefix``, a string array (count,).

    >>> numbered("a.csv/", 9, 2).to_pylist()
    ['a.csv/9', 'a.csv/10']
    """
    numbers = pa.array(np.arange(first, first + count)).cast(pa.string())
    return numbers if not prefix else pc.binary_join_element_wise(prefix, numbers, "")


def all_failed(ids: Any, error: DigitsError) -> Iterator[Block]:
    """Blocks of pictures none of which is there, for one and the same reason."""
    for start in range(0, len(ids), ROWS):
        names = ids.slice(start, ROWS)
        yield Block(names, no_pixels(), failed=dict.fromkeys(range(len(names)), error))


def no_pixels() -> Images:
    """No image at all, uint8 (0, 28, 28)."""
    return np.zeros((0, SIDE, SIDE), np.uint8)


__all__ = ["ROWS", "Block", "all_failed", "no_pixels", "numbered"]
