"""Bodies of requests become images and pictures, or a refusal. Nothing of a client is ever a path or picks a parser.

JSON, plain pixels, multipart; every one within its limits before it is looked at. Runs wherever it is called; what may
take long (a large JSON, a large form) is called on a worker thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from digit_recognizer.apps.server.limits import Limits
from digit_recognizer.apps.server.refusals import Refusal
from digit_recognizer.digits import SIDE, Images

JSON_TYPE = "application/json"
BYTES_TYPE = "application/octet-stream"
FORM_TYPE = "multipart/form-data"

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)  # never fails once begun, so it stays linear
# A name of Content-Type and its value, within quotation marks or not.
_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^;"]*))')
_PART_HEADERS, _PART_HEADER_BYTES = 8, 4096


class Leaves(NamedTuple):
    """What stands in nested lists and is no list itself.

    values: in order. shape: of the lists, as NumPy counts it. kinds: the types of the values.
    """

    values: list[Any]
    shape: tuple[int, ...]
    kinds: set[type]


def media_type(content_type: str) -> tuple[str, str]:
    """Media type, lower case, and the boundary of a form ("" where there is none) of a Content-Type header.

    As for mail programs, what is no type at all counts as text. What HTTP does not know, such as the ``boundary*`` of
    RFC 2231, brings no boundary.

    >>> media_type('Multipart/Form-Data; boundary="x y"')
    ('multipart/form-data', 'x y')
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind.count("/") != 1:
        kind = "text/plain"
    for name, quoted, plain in _PARAMETER.findall(content_type):
        if name.lower() == "boundary":
            return kind, re.sub(r"\\(.)", r"\1", quoted) or plain.strip()
    return kind, ""


def parse_json(body: bytes, limits: Limits) -> Any:
    """A JSON document as Python values. Refuses what is long, deep or broken, a key twice, NaN, infinity."""
    if len(body) > limits.json_bytes:
        raise Refusal(413, f"expected JSON of {limits.json_bytes:,} bytes at most; send plain pixels instead")
    if _depth(body) > limits.json_depth:
        raise Refusal(400, f"expected JSON of {limits.json_depth} levels at most", "bad_json")
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Refusal(400, "expected JSON in UTF-8", "bad_json") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refusal(400, f"expected JSON, found something else at {where}", "bad_json") from error
    except (ValueError, RecursionError) as error:  # thousands of digits in one number
        raise Refusal(400, "expected JSON with numbers of ordinary size", "bad_json") from error


def images_of_json(value: Any, limits: Limits) -> Images:
    """The images in ``{"images": [[[0, 255, ...], ...], ...]}``: uint8 (N, 28, 28)."""
    if not isinstance(value, dict) or set(value) != {"images"} or not isinstance(value["images"], list):
        raise Refusal(422, f'expected {{"images": N x {SIDE} x {SIDE} numbers from 0 to 255}}', "bad_input")
    if len(value["images"]) > limits.images:
        raise _too_many(len(value["images"]), limits)
    return pixels(value["images"], "images").reshape(-1, SIDE, SIDE) if value["images"] else _none()


def pixels(nested: list[Any], name: str) -> npt.NDArray[np.uint8]:
    """N images of whole numbers from 0 to 255, nested N x 28 x 28: uint8 (N, 28, 28). Refuses anything else."""
    leaves = leaves_of(nested)
    if leaves is None:
        raise Refusal(422, f"{name}: expected rows of equal length", "bad_input")
    plain = plain_bytes(leaves)
    if plain is None:
        raise Refusal(422, f"{name}: {_why_not_plain(leaves)}", "bad_input")
    if len(leaves.shape) != 3 or leaves.shape[1:] != (SIDE, SIDE):
        found = _shape(leaves.shape)
        raise Refusal(422, f"{name}: expected N x {SIDE} x {SIDE} numbers, found {found}", "bad_input")
    return np.frombuffer(plain, np.uint8).reshape(leaves.shape)


def leaves_of(nested: list[Any]) -> Leaves | None:
    """What stands in nested lists; None where lists side by side differ in length, or stand beside something else.

    No array is made of it: NumPy would give each of a thousand texts as much room as the longest takes.

    >>> leaves_of([[1, 2], [3, 4]]).shape, leaves_of([[1, 2], [3]])
    ((2, 2), None)
    """
    values = nested
    shape: tuple[int, ...] = (len(nested),)
    while list in (kinds := set(map(type, values))):
        lengths = set(map(len, values)) if len(kinds) == 1 else set()
        if len(lengths) != 1:
            return None
        shape += tuple(lengths)
        values = list(chain.from_iterable(values))
    return Leaves(values, shape, kinds)


def plain_bytes(leaves: Leaves) -> bytes | None:
    """Whole numbers from 0 to 255 as one byte each; None where a value is none of them, as true and 1.0 are not.

    >>> plain_bytes(leaves_of([7, 255])), plain_bytes(leaves_of([7, 256])), plain_bytes(leaves_of([7, True]))
    (b'\\x07\\xff', None, None)
    """
    if leaves.kinds - {int}:
        return None
    try:
        return bytes(leaves.values)
    except ValueError:
        return None


def images_of_bytes(body: bytes, limits: Limits) -> Images:
    """The images in N x 784 plain bytes, row by row: uint8 (N, 28, 28)."""
    size = SIDE * SIDE
    if len(body) % size:
        raise Refusal(422, f"expected {size} bytes an image, found {len(body):,} bytes in all", "bad_input")
    if len(body) // size > limits.images:
        raise _too_many(len(body) // size, limits)
    return np.frombuffer(body, np.uint8).reshape(-1, SIDE, SIDE)


def parts_of_form(body: bytes, boundary: str, limits: Limits) -> list[tuple[str, bytes]]:
    """The files in a multipart body: (name, content) of each, in order. Names are the client's words, never paths."""
    if not boundary or not boundary.isascii():
        raise Refusal(400, "expected a multipart body with its boundary in Content-Type", "bad_form")
    form = _Form(limits.parts)
    broken = Refusal(400, "expected a whole multipart body, found one that is cut off or broken", "bad_form")
    try:
        parser = MultipartParser(
            boundary, form.callbacks(), max_header_count=_PART_HEADERS, max_header_size=_PART_HEADER_BYTES
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise broken from error
    if not form.ended:
        raise broken
    if not form.files:
        raise Refusal(422, "expected one file or more in the form, found none", "bad_input")
    return form.files


class _Form:
    """Gathers the parts of a form as the parser meets them."""

    def __init__(self, most: int) -> None:
        self.files: list[tuple[str, bytes]] = []
        self.ended = False
        self._most = most
        self._parts = 0
        self._headers: dict[str, str] = {}
        self._field = self._value = b""
        self._content: list[bytes] = []

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self._content.append(data[start:end]),
            "on_part_end": self._end_part,
            "on_header_field": self._add_field,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > self._most:
            raise Refusal(413, f"expected {self._most} files in a form at most", "too_many_parts")
        self._headers, self._content = {}, []

    def _add_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._field = self._value = b""

    def _end_part(self) -> None:
        name = _file_name(self._headers.get("content-disposition", ""))
        if name is None:
            raise Refusal(422, "expected files alone in the form; options belong into the address", "bad_input")
        self.files.append((name or f"picture {self._parts}", b"".join(self._content)))

    def _end(self) -> None:
        self.ended = True


def _file_name(disposition: str) -> str | None:
    """The file's name that a part brings, cut and printable; None where the part is no file."""
    found = re.search(r'filename="((?:[^"\\]|\\.)*)"', disposition) or re.search(r"filename=([^;\s]+)", disposition)
    if found is None:
        return None
    name = re.split(r"[\\/]", re.sub(r'\\(["\\])', r"\1", found[1]).replace("%22", '"'))[-1]
    return "".join(c if c.isprintable() else "�" for c in name)[:200]


def _depth(body: bytes) -> int:
    """How deep brackets and braces nest, those in strings left out."""
    text = body.decode("latin-1")  # a character a byte; to join as many pieces of bytes, Python takes 80 bytes for each
    found = np.frombuffer(_STRINGS.sub("", text).encode("latin-1"), np.uint8)
    opening = (found == ord("[")) | (found == ord("{"))
    closing = (found == ord("]")) | (found == ord("}"))
    if not opening.any():
        return 0
    return int(np.cumsum(opening.view(np.int8) - closing.view(np.int8), dtype=np.int32).max())


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Refusal(400, "expected JSON without a key that stands twice in one object", "bad_json")
    return result


def _no_constant(name: str) -> Any:
    raise Refusal(400, "expected JSON, which knows neither NaN nor infinity", "bad_json")


def _why_not_plain(leaves: Leaves) -> str:
    """What is told of leaves of which plain_bytes makes nothing."""
    if leaves.kinds == {int}:
        low, high = min(leaves.values), max(leaves.values)
        odd = low if low < 0 else high
        if abs(odd) < 2**63:  # longer ones would make a long sentence
            return f"expected numbers from 0 to 255, found {odd}"
    return "expected whole numbers from 0 to 255 alone"


def _too_many(count: int, limits: Limits) -> Refusal:
    return Refusal(413, f"expected {limits.images:,} images in a request at most, found {count:,}", "too_many_images")


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape[:6])) or "a single number"


def _none() -> Images:
    return np.zeros((0, SIDE, SIDE), np.uint8)


__all__ = [
    "BYTES_TYPE",
    "FORM_TYPE",
    "JSON_TYPE",
    "Leaves",
    "images_of_bytes",
    "images_of_json",
    "leaves_of",
    "media_type",
    "parse_json",
    "parts_of_form",
    "pixels",
    "plain_bytes",
]
