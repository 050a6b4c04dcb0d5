"""Readings become the JSON that HTTP answers with: that of ``digits predict --json``, and details where asked for."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from digit_recognizer.reading import Page, Reading


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON document, written as the command line writes it: byte for byte the same."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"
    return Response(text.encode("utf-8"), status, media_type="application/json")


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


__all__ = ["json_response", "page_answer", "reading_answer", "reading_details"]
