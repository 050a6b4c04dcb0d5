"""The Open Inference Protocol, version 2 (KServe), for one model called "digits": its requests become tensors.

Errors are ``{"error": "..."}``, as the protocol asks. Of its extensions, tensors are taken and given as binary data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from digit_recognizer._version import __version__
from digit_recognizer.apps.server import schema
from digit_recognizer.apps.server.answers import json_bytes, json_response
from digit_recognizer.apps.server.bodies import BYTES_TYPE, JSON_TYPE, leaves_of, parse_json, plain_bytes
from digit_recognizer.apps.server.gate import NOTES, State
from digit_recognizer.apps.server.limits import Limits
from digit_recognizer.apps.server.refusals import Refusal, busy
from digit_recognizer.apps.server.service import Row, Service
from digit_recognizer.digits import CLASSES, SIDE, Images
from digit_recognizer.model_file import INPUT, PROBABILITIES

MODEL = "digits"
VERSION = "1"

_JSON_LENGTH = "inference-header-content-length"
_LENGTH_DIGITS = 12  # of that header; Python reads no number of thousands of digits
_LARGE = 2**16  # bytes of JSON from which on parsing goes to a thread
_ELSEWHERE = ("classification", "shared_memory_region")  # ways to be answered, of extensions that are not taken


class Inference(NamedTuple):
    """What a request asks for. images: uint8 (N, 28, 28). name: its id. binary: whether to answer in plain bytes."""

    images: Images
    name: str | None
    binary: bool


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
        description="`data` may follow the JSON as plain bytes: in a request where the tensor has the parameter "
        "`binary_data_size`, in an answer where it was asked for by `binary_data` or `binary_data_output`. The header "
        "`Inference-Header-Content-Length` then tells how many bytes are JSON.",
        responses=schema.INFER_ANSWERS,
        openapi_extra=schema.body({JSON_TYPE: schema.INFER_REQUEST, BYTES_TYPE: schema.JSON_AND_BYTES}),
    )
    async def infer(request: Request) -> Response:
        body = await request.body()
        limits = service.settings.limits
        arguments = (body, request.headers.get(_JSON_LENGTH), limits)
        try:
            if len(body) > _LARGE:
                asked = await service.aside(parse_infer, *arguments)
            else:
                asked = parse_infer(*arguments)
        except Refusal as refusal:
            if refusal.status == 422:  # the protocol knows but one kind of bad request
                raise Refusal(400, refusal.message, refusal.code) from refusal
            raise
        request.scope[NOTES]["images"] = len(asked.images)
        return _answer(await service.probabilities(asked.images), asked)

    return router


def parse_infer(body: bytes, json_length: str | None, limits: Limits) -> Inference:
    """What an inference request asks for.

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
    binary = _wants_bytes(value.get("outputs"), _parameters(value, "the request"))
    inputs = value.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Refusal(400, f"inputs: expected one tensor, {INPUT}")
    return Inference(_tensor(inputs[0], body[cut:], limits), name, binary)


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
    binary = _parameters(given, INPUT).get("binary_data_size")
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


def _wants_bytes(outputs: Any, parameters: Mapping[str, Any]) -> bool:
    """Whether what is answered is to be plain bytes: as the output says, or else the request. Refuses other outputs."""
    everywhere = _flag(parameters, "binary_data_output")
    if outputs is None:
        return bool(everywhere)
    known = isinstance(outputs, list) and all(
        isinstance(output, dict) and output.get("name") == PROBABILITIES for output in outputs
    )
    if not known or len(outputs) > 1:
        raise Refusal(400, f"outputs: expected {PROBABILITIES} alone")
    wishes = _parameters(outputs[0], PROBABILITIES) if outputs else {}
    for word in _ELSEWHERE:
        if word in wishes:
            raise Refusal(400, f"{PROBABILITIES}: this service knows no {word}; it gives the numbers themselves")
    here = _flag(wishes, "binary_data")
    return bool(everywhere if here is None else here)


def _parameters(given: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    parameters = given.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise Refusal(400, f"parameters of {where}: expected a JSON object")
    return parameters


def _flag(parameters: Mapping[str, Any], name: str) -> bool | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refusal(400, f"{name}: expected true or false")
    return value


def _answer(rows: Row, asked: Inference) -> Response:
    """Probabilities float32 (N, 10) as the protocol tells them: in JSON, or as little-endian bytes after it."""
    output: dict[str, Any] = {"name": PROBABILITIES, "shape": list(rows.shape), "datatype": "FP32"}
    answer = {"model_name": MODEL, "model_version": VERSION, "outputs": [output]}
    if asked.name is not None:
        answer["id"] = asked.name
    if not asked.binary:
        output["data"] = rows.reshape(-1).tolist()
        return json_response(answer)
    plain = rows.astype("<f4").tobytes()
    output["parameters"] = {"binary_data_size": len(plain)}
    head = json_bytes(answer)
    return Response(head + plain, media_type=BYTES_TYPE, headers={_JSON_LENGTH: str(len(head))})


def _metadata() -> dict[str, Any]:
    return {
        "name": MODEL,
        "versions": [VERSION],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, SIDE, SIDE]}],
        "outputs": [{"name": PROBABILITIES, "datatype": "FP32", "shape": [-1, CLASSES]}],
    }


__all__ = ["MODEL", "VERSION", "Inference", "parse_infer", "protocol_router"]
