"""What /openapi.json says of bodies and answers, with examples. Plain dictionaries; checks nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from digit_recognizer.apps.server.refusals import CODES

# Not accepted, as FastAPI leaves what is null out of examples, and ``reason`` with it.
READING = {
    "name": "1",
    "digit": 7,
    "confidence": 0.913021,
    "accepted": False,
    "second": 1,
    "second_confidence": 0.061103,
    "reason": "unsure",
}
PAGE = {
    "file": "picture",
    "lines": [
        {
            "text": "7",
            "confidence": 0.913021,
            "accepted": False,
            "reason": "unsure",
            "box": [12, 30, 41, 66],
            "digits": [
                {
                    "digit": 7,
                    "confidence": 0.913021,
                    "accepted": False,
                    "box": [12, 30, 41, 66],
                    "second": 1,
                    "second_confidence": 0.061103,
                }
            ],
        }
    ],
    "rejected": [{"box": [80, 30, 35, 60], "reason": "not a digit"}],
}
INFER_ANSWER = {
    "model_name": "digits",
    "model_version": "1",
    "outputs": [
        {
            "name": "probabilities",
            "shape": [1, 10],
            "datatype": "FP32",
            "data": [0.0, 0.001, 0.0, 0.0, 0.0, 0.0, 0.0, 0.998, 0.0, 0.001],
        }
    ],
}

_PIXEL = {"type": "integer", "minimum": 0, "maximum": 255}
_ROW = {"type": "array", "items": _PIXEL, "minItems": 28, "maxItems": 28}
_IMAGE = {"type": "array", "items": _ROW, "minItems": 28, "maxItems": 28}
_ONE = [[[255 if 4 <= row < 24 and 13 <= column < 16 else 0 for column in range(28)] for row in range(28)]]

IMAGES_REQUEST = {
    "schema": {
        "type": "object",
        "required": ["images"],
        "additionalProperties": False,
        "properties": {"images": {"type": "array", "items": _IMAGE, "maxItems": 1024}},
    },
    "examples": {"one": {"summary": "A bar of ink in the middle", "value": {"images": _ONE}}},
}
INFER_REQUEST = {
    "schema": {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string", "maxLength": 200, "pattern": "^[ -~]*$"},
            "inputs": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "shape", "datatype", "data"],
                    "properties": {
                        "name": {"const": "images"},
                        "datatype": {"const": "UINT8"},
                        "shape": {
                            "type": "array",
                            "items": {"type": "integer", "minimum": 0},
                            "examples": [[1, 28, 28]],
                        },
                        "data": {"type": "array", "items": {}},
                    },
                },
            },
            "outputs": {
                "type": "array",
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"const": "probabilities"},
                        "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
                    },
                },
            },
            "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
        },
    },
    "examples": {
        "one": {
            "summary": "One image",
            "value": {"inputs": [{"name": "images", "shape": [1, 28, 28], "datatype": "UINT8", "data": _ONE}]},
        }
    },
}
JSON_AND_BYTES = {
    "schema": {"type": "string", "format": "binary", "description": "The JSON, and after it the tensor as plain bytes"}
}
BINARY = {"schema": {"type": "string", "format": "binary", "description": "784 bytes an image, row by row"}}
FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array",
                "items": {"type": "string", "format": "binary"},
                "minItems": 1,
                "maxItems": 16,
                "description": "Pictures, as files of whatever names",
            }
        },
    }
}
_PICTURE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff", "image/gif")

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "request_id": {"type": "string"},
            },
        }
    },
}
_PROTOCOL_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
_MEANINGS = {
    400: "Malformed, or called by an unknown host name",
    401: "The bearer token is missing or wrong",
    403: "Called by a page of another site",
    404: "Not there",
    405: "Not by this method",
    408: "The request came too slowly",
    413: "Too large",
    415: "Of a type that is not taken",
    422: "A picture or pixels that cannot be read",
    429: "Too much waits; come again after Retry-After seconds",
    431: "The address or the headers are too long",
    500: "A mistake of the service",
    503: "Busy, or about to stop; come again after Retry-After seconds",
}


def picture_types() -> tuple[str, ...]:
    """The media types of pictures that are taken; HEIC's where the extra ``heif`` is installed.

    >>> picture_types()[:2]
    ('image/png', 'image/jpeg')
    """
    return (*_PICTURE_TYPES, "image/heic") if find_spec("pi_heif") else _PICTURE_TYPES


def pictures() -> dict[str, Any]:
    """The ``content`` of a body that is one picture, by media type."""
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in picture_types()}


def example(value: Any, status: int = 200, description: str = "The answer") -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an endpoint that answers like ``value``."""
    return {status: {"description": description, "content": {"application/json": {"example": value}}}}


def body(content: dict[str, Any]) -> dict[str, Any]:
    """The ``requestBody`` of an endpoint that takes these media types."""
    return {"requestBody": {"required": True, "content": content}}


def _errors(schema: dict[str, Any], example_of: Callable[[int], Any]) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "description": meaning,
            "content": {"application/json": {"schema": schema, "example": example_of(status)}},
        }
        for status, meaning in _MEANINGS.items()
    }


def _error_example(status: int) -> dict[str, Any]:
    message = _MEANINGS[status].split(";")[0].lower()
    return {"error": {"code": CODES[status], "message": message, "request_id": "3f6c0a5d0c0e4a6b9d1c2e8f7a6b5c4d"}}


def _protocol_example(status: int) -> dict[str, Any]:
    return {"error": _error_example(status)["error"]["message"]}


INFER_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer",
        "content": {"application/json": {"example": INFER_ANSWER}, "application/octet-stream": JSON_AND_BYTES},
        "headers": {
            "Inference-Header-Content-Length": {
                "description": "How many bytes are JSON, where plain bytes follow it",
                "schema": {"type": "integer"},
            }
        },
    }
}
ERRORS = _errors(_ERROR, _error_example)
PROTOCOL_ERRORS = _errors(_PROTOCOL_ERROR, _protocol_example)

__all__ = [
    "BINARY",
    "ERRORS",
    "FORM",
    "IMAGES_REQUEST",
    "INFER_ANSWER",
    "INFER_ANSWERS",
    "INFER_REQUEST",
    "JSON_AND_BYTES",
    "PAGE",
    "PROTOCOL_ERRORS",
    "READING",
    "body",
    "example",
    "picture_types",
    "pictures",
]
