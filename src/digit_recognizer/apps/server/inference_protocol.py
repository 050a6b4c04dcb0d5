"""The Open Inference Protocol, version 2 (KServe), for one model called "digits": its requests become tensors.

Errors are ``{"error": "..."}``, as the protocol asks. Of its extensions, tensors sent as binary data are taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from digit_recognizer._version import __version__
from digit_recognizer.apps.server import schema
from digit_recognizer.apps.server.answers import json_response
from digit_recognizer.apps.server.bodies import leaves_of, parse_json, plain_bytes
from digit_recognizer.apps.server.gate import NOTES, State
from digit_recognizer.apps.server.limits import Limits
from digit_recognizer.apps.server.refusals import Refusal, busy
from digit_recognizer.apps.server.service import Service
from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.model_file import INPUT, PROBABILITIES

MODEL = "digits"
VERSION = "1"

_JSON_LENGTH = "inference-header-content-length"
_LENGTH_DIGITS = 12  # of that header; Python reads no number of thousands of digits
_LARGE = 2**16  # bytes of JSON from which on parsing goes to a thread


def protocol_router(service: Service, state: State) -> APIRouter:
    """The endpoints below /v2."""
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"], responses=schema.PROTOCOL_ERRORS)
    model, version = f"/models/{MODEL}", f"/models/{MODEL}/versions/{VERSION}"

    @router.get("", summary="What this server is", responses=schema.example({"name": "digit-recognizer"}))
    async def server() -> Response:
        return json_response({"name": "digit-recognizer", "version": __version__, "extensions": ["binary_tensor_data"]})

    @router.get("/health/live", summary="Whether the process answers", responses=schema.example({"live": True}))
    async def live() -> Response:
        return json_response({"live": True})

    @router.get("/health/ready", summary="Whether requests are welcome", responses=schema.example({"ready": True}))
    async def ready() -> Response:
        if state.draining:
            raise busy("the service is about to stop")
        return json_response({"ready": True})

    @router.get(version, include_in_schema=False)
    @router.get(model, summary="Inputs and outputs of the model", responses=schema.example(_metadata()))
    async def metadata() -> Response:
        return json_response(_metadata())

    @router.get(f"{version}/ready", include_in_schema=False)
    @router.get(f"{model}/ready", summary="Whether the model is ready", responses=schema.example({"ready": True}))
    async def model_ready() -> Response:
        if state.draining:
            raise busy("the service is about to stop")
        return json_response({"name": MODEL, "ready": True})

    @router.post(f"{version}/infer", include_in_schema=False)
    @router.post(
        f"{model}/infer",
        summary="Probabilities of images",
        responses=schema.example(schema.INFER_ANSWER),
        openapi_extra=schema.body({"application/json": schema.INFER_REQUEST}),
    )
    async def infer(request: Request) -> Response:
        body = await request.body()
        limits = service.settings.limits
        arguments = (body, request.headers.get(_JSON_LENGTH), limits)
        try:
            if len(body) > _LARGE:
                images, name = await service.aside(parse_infer, *arguments)
            else:
                images, name = parse_infer(*arguments)
        except Refusal as refusal:
            if refusal.status == 422:  # the protocol knows but one kind of bad request
                raise Refusal(400, refusal.message, refusal.code) from refusal
            raise
        request.scope[NOTES]["images"] = len(images)
        rows = await service.probabilities(images)
        output = {
            "name": PROBABILITIES,
            "shape": list(rows.shape),
            "datatype": "FP32",
            "data": rows.reshape(-1).tolist(),
        }
        answer = {"model_name": MODEL, "model_version": VERSION, "outputs": [output]}
        return json_response(answer if name is None else {**answer, "id": name})

    return router


def parse_infer(body: bytes, json_length: str | None, limits: Limits) -> tuple[Images, str | None]:
    """An inference request as images uint8 (N, 28, 28) and its id, or None.

    json_length: of the header ``Inference-Header-Content-Length``: how many bytes of the body are JSON, where the
    tensor follows it as plain bytes. Raises Refusal.
    """
    cut = len(body)
    if json_length is not None:
        known = json_length.isdecimal() and len(json_length) <= _LENGTH_DIGITS
        if not known or int(json_length) > len(body):
            raise Refusal(400, "expected Inference-Header-Content-Length within the body")
        cut = int(json_length)
    value = parse_json(body[:cut], limits)
    if not isinstance(value, dict):
        raise Refusal(400, "expected a JSON object with inputs")
    name = value.get("id")
    if name is not None and not (isinstance(name, str) and len(name) <= 200 and name.isprintable()):
        raise Refusal(400, "id: expected a printable text of 200 characters at most")
    _check_outputs(value.get("outputs"))
    inputs = value.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Refusal(400, f"inputs: expected one tensor, {INPUT}")
    return _tensor(inputs[0], body[cut:], limits), name


def _tensor(given: Mapping[str, Any], rest: bytes, limits: Limits) -> Images:
    if given.get("name") != INPUT:
        raise Refusal(400, f"inputs: expected a tensor named {INPUT}")
    if given.get("datatype") != "UINT8":
        raise Refusal(400, f"{INPUT}: expected the datatype UINT8")
    shape = given.get("shape")
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not isinstance(shape, list) or not whole or len(shape) != 3 or shape[1:] != [SIDE, SIDE]:
        raise Refusal(400, f"{INPUT}: expected the shape [N, {SIDE}, {SIDE}]")
    if shape[0] > limits.images:
        raise Refusal(413, f"{INPUT}: expected {limits.images:,} images in a request at most")
    parameters = given.get("parameters")
    binary = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if binary is not None:
        if binary != len(rest) or binary != math.prod(shape):
            raise Refusal(400, f"{INPUT}: expected {math.prod(shape):,} bytes after the JSON, found {len(rest):,}")
        return np.frombuffer(rest, np.uint8).reshape(shape)
    if not isinstance(given.get("data"), list):
        raise Refusal(400, f"{INPUT}: expected data, a list of numbers from 0 to 255")
    return _numbers(given["data"], shape)


def _numbers(data: list[Any], shape: list[int]) -> Images:
    leaves = leaves_of(data)
    if leaves is None:
        raise Refusal(400, f"{INPUT}: expected data of the shape that the request names")
    if len(leaves.values) != math.prod(shape) or len(leaves.shape) not in (1, 3):
        raise Refusal(400, f"{INPUT}: expected {math.prod(shape):,} numbers, flat or nested as the shape says")
    plain = plain_bytes(leaves)
    if plain is None:
        raise Refusal(400, f"{INPUT}: expected whole numbers from 0 to 255 alone")
    return np.frombuffer(plain, np.uint8).reshape(shape)


def _check_outputs(outputs: Any) -> None:
    if outputs is None:
        return
    known = isinstance(outputs, list) and all(
        isinstance(output, dict) and output.get("name") == PROBABILITIES for output in outputs
    )
    if not known or len(outputs) > 1:
        raise Refusal(400, f"outputs: expected {PROBABILITIES} alone")


def _metadata() -> dict[str, Any]:
    return {
        "name": MODEL,
        "versions": [VERSION],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, SIDE, SIDE]}],
        "outputs": [{"name": PROBABILITIES, "datatype": "FP32", "shape": [-1, CLASSES]}],
    }


__all__ = ["MODEL", "VERSION", "parse_infer", "protocol_router"]
