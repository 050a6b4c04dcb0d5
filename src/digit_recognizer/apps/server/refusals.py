"""What went wrong becomes a status and a JSON body. Knows the statuses; holds no path, no version and no stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from digit_recognizer.apps.server.answers import json_response
from digit_recognizer.errors import DigitsError, InputError, UsageError

RETRY_AFTER_S = 1
PROTOCOL_PATH = "/v2"

# The codes of pictures that cannot be read (pictures/load.py); every other fault of the input is 422.
_STATUS_OF_CODE = {"too_many_pixels": 413, "too_large": 413, "unsupported_image": 415}
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_type",
    422: "bad_input",
    429: "busy",
    431: "headers_too_large",
    500: "internal_error",
    503: "unavailable",
}


@dataclass
class Refusal(Exception):
    """A request that is answered with an error.

    status: of HTTP. message: one sentence for a person. code: a stable word for programs. headers: to send with it.
    close: whether the connection is of no use any more, as where a body was not read to its end.
    """

    status: int
    message: str
    code: str = ""
    headers: Mapping[str, str] | None = None
    close: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.message)
        self.code = self.code or CODES.get(self.status, "error")


def busy(message: str, status: int = 503, code: str = "", close: bool = False) -> Refusal:
    """The refusal of a service that has too much to do at the moment: come again."""
    return Refusal(status, message, code, {"Retry-After": str(RETRY_AFTER_S)}, close)


def refusal_of(error: DigitsError) -> Refusal:
    """An error of this package as HTTP tells it. What is not the client's fault is told without its message.

    >>> refusal_of(InputError("picture: 90,000 × 90,000 pixels, more than", code="too_many_pixels")).status
    413
    """
    if isinstance(error, InputError):
        return Refusal(_STATUS_OF_CODE.get(error.code, 422), str(error), error.code)
    if isinstance(error, UsageError):
        return Refusal(422, str(error), "bad_request")
    return Refusal(500, "the service could not answer; its log says why", error.code)


def error_response(refusal: Refusal, path: str, request_id: str) -> Response:
    """The answer: ``{"error": {"code", "message", "request_id"}}``; below /v2 as its protocol asks, one text."""
    content: dict[str, Any]
    if is_protocol(path):
        content = {"error": refusal.message}
    else:
        content = {"error": {"code": refusal.code, "message": refusal.message, "request_id": request_id}}
    response = json_response(content, refusal.status)
    for name, value in (refusal.headers or {}).items():
        response.headers[name] = value
    if refusal.close:
        response.headers["Connection"] = "close"
    return response


def is_protocol(path: str) -> bool:
    """Whether a path belongs to the Open Inference Protocol."""
    return path == PROTOCOL_PATH or path.startswith(PROTOCOL_PATH + "/")


__all__ = ["CODES", "PROTOCOL_PATH", "RETRY_AFTER_S", "Refusal", "busy", "error_response", "is_protocol", "refusal_of"]
