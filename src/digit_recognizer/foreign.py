"""What other libraries hold pixels in becomes a NumPy array. Imports none of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from digit_recognizer.digits import SIDE
from digit_recognizer.errors import InputError

_OURS = (np.ndarray, str, bytes, list, tuple)


def as_array(source: Any) -> Any:
    """A tensor, of torch or any other library, as the array that NumPy makes of it; anything else as it is.

    Raises InputError for a table, whose cells could be anything, and for a tensor that NumPy cannot reach.

    >>> as_array("my_seven.jpg")
    'my_seven.jpg'
    """
    if isinstance(source, _OURS) or not hasattr(source, "__array__"):
        return source
    kind = type(source).__name__
    if hasattr(source, "columns"):
        raise InputError(
            f"expected pictures, found a {kind}; give the pixels of each row as one, without the labels: "
            f"table.to_numpy(np.uint8).reshape(-1, {SIDE}, {SIDE})"
        )
    try:
        array = np.asarray(source)
    except Exception as error:  # of any library: on another device, with gradients, sparse, ...
        raise InputError(f"expected pictures, found a {kind} that NumPy cannot read ({error})") from error
    return array if array.ndim >= 2 else source  # a column of paths is a list


__all__ = ["as_array"]
