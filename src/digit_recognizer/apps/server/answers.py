"""Readings become the JSON that HTTP answers with: that of ``digits predict --json``, and details where asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.responses import Response

from digit_recognizer.reading import Page, Reading

_LEVELS = 4  # from a page to a digit: the page, its lines, one of them, its digits


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON document, written as the command line writes it: byte for byte the same."""
    return Response(json_bytes(value) + b"\n", status, media_type="application/json")


def json_list(entries: Iterable[bytes]) -> Response:
    """The list of what json_bytes made of each entry: what json_response makes of the list of all.

    So a long answer can be made piece by piece, and on a thread, without ever lying in memory as Python's numbers.

    >>> json_list([json_bytes(7), json_bytes({})]).body
    b'[7, {}]\\n'
    """
    return Response(b"[" + b", ".join(entries) + b"]\n", media_type="application/json")


def json_bytes(value: Any) -> bytes:
    """A value as JSON in UTF-8, without a newline.

    >>> json_bytes(["é"])
    b'["\\xc3\\xa9"]'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


def page_bytes(page: Page, details: bool = False) -> bytes:
    """What json_bytes makes of page_answer, digit by digit.

    Python's encoder lets no other thread run until it is done: for a page of a thousand digits at once, a tenth of a
    second.

    >>> page_bytes(Page(name="blank.png"))
    b'{"file": "blank.png", "lines": [], "rejected": []}'
    """
    return b"".join(_pieces(page_answer(page, details), _LEVELS))


def reading_answer(reading: Reading, details: bool = False) -> dict[str, Any]:
    """A reading as ``digits predict`` prints it, with ``reason``: why it was not accepted, or null.

    details: add ``probabilities`` (10 numbers, 0-1), ``unfamiliarity`` (0-1) and ``frame`` (28 x 28 pixels, 0-255).
    """
    return {**reading.to_dict(), **(reading_details(reading) if details else {"reason": reading.reason})}


def page_answer(page: Page, details: bool = False) -> dict[str, Any]:
    """A page as ``digits read`` prints it; details: those of each digit added to it."""
    answer = page.to_dict()
    if details:
        for line, told in zip(page.lines, answer["lines"], strict=True):
            told["digits"] = [{**digit.to_dict(), **reading_details(digit)} for digit in line.digits]
    return answer


def reading_details(reading: Reading) -> dict[str, Any]:
    """What the network saw and said in full: ``reason``, ``probabilities``, ``unfamiliarity``, ``frame``."""
    return {
        "reason": reading.reason,
        "probabilities": [round(float(p), 6) for p in reading.probabilities],
        "unfamiliarity": round(float(reading.unfamiliarity), 6),
        "frame": reading.frame.tolist(),
    }


def _pieces(value: Any, levels: int) -> Iterator[bytes]:
    """A value as JSON: what its lists and objects hold piece by piece, down to so many levels."""
    if not levels or not isinstance(value, dict | list):
        yield json_bytes(value)
        return
    if isinstance(value, dict):
        heads, held, ends = [json_bytes(name) + b": " for name in value], list(value.values()), b"{}"
    else:
        heads, held, ends = [b""] * len(value), value, b"[]"
    yield ends[:1]
    for place, (head, each) in enumerate(zip(heads, held, strict=True)):
        yield (b", " if place else b"") + head
        yield from _pieces(each, levels - 1)
    yield ends[1:]


__all__ = ["json_bytes", "json_list", "json_response", "page_answer", "page_bytes", "reading_answer", "reading_details"]
