"""What other libraries hold pixels in becomes a NumPy array of a shape that is known. Imports none of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.digits import SIDE
from digit_recognizer.errors import InputError

_OURS = (str, bytes, list, tuple)
_NOT_PIXELS = "OSUT"  # kinds of arrays: objects, bytes, text


def as_array(source: Any) -> Any:
    """A tensor, of torch or any other library, as the array that NumPy makes of it; what is no array as it is.

    An array of paths, or of whatever else is no number, is the list of them. An axis for channels that holds one alone
    is left out: of (N, 1, H, W), (N, H, W, 1) and (H, W, 1).
    Raises InputError for a table, whose cells could be anything, and for a tensor that NumPy cannot reach.

    >>> as_array("my_seven.jpg")
    'my_seven.jpg'
    """
    if isinstance(source, _OURS) or not hasattr(source, "__array__"):
        return source
    if isinstance(source, np.ndarray):
        return source.tolist() if source.ndim < 2 and source.dtype.kind in _NOT_PIXELS else _one_channel(source)
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
    return _one_channel(array) if array.ndim >= 2 else source  # a column of paths is a list


def _one_channel(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.ndim == 4 and array.shape[1] == 1:
        return array[:, 0]
    return array[..., 0] if array.ndim in (3, 4) and array.shape[-1] == 1 else array


def refuse_other_stacks(array: npt.NDArray[Any]) -> None:
    """Refuse arrays that are many images, but not (N, 28, 28), lest they be read as one odd picture."""
    if array.ndim == 2 and array.shape[1] == SIDE * SIDE:
        raise InputError(
            f"expected images as uint8 (N, {SIDE}, {SIDE}), found {array.dtype} {array.shape}; reshape rows of pixels "
            f"to (-1, {SIDE}, {SIDE}), or give [array] if this is one picture"
        )
    many = array.ndim > 3 or (array.ndim == 3 and array.shape[2] not in (3, 4))
    if many and array.shape[1:] != (SIDE, SIDE):
        raise InputError(
            f"expected images as (N, {SIDE}, {SIDE}), or one picture as (H, W), (H, W, 3) or (H, W, 4), found "
            f"{array.dtype} {array.shape}; of other sizes give a list of pictures"
        )


__all__ = ["as_array", "refuse_other_stacks"]
