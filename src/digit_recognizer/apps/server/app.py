"""A recognizer becomes an HTTP application: routes that parse, call the service and answer. Opens no port."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digit_recognizer._version import __version__
from digit_recognizer.apps.server import schema
from digit_recognizer.apps.server.answers import json_bytes, json_list, json_response, page_bytes, reading_answer
from digit_recognizer.apps.server.bodies import (
    BYTES_TYPE,
    FORM_TYPE,
    JSON_TYPE,
    images_of_bytes,
    images_of_json,
    media_type,
    parse_json,
    parts_of_form,
)
from digit_recognizer.apps.server.corrections import CorrectionFolder, CorrectionFull
from digit_recognizer.apps.server.gate import LOG, NOTES, Gate, Gone, State
from digit_recognizer.apps.server.inference_protocol import protocol_router
from digit_recognizer.apps.server.limits import Limits, ServerSettings
from digit_recognizer.apps.server.metrics import CONTENT_TYPE, Metrics
from digit_recognizer.apps.server.reference import reference_page
from digit_recognizer.apps.server.refusals import Refusal, refusal_of
from digit_recognizer.apps.server.service import AT_ONCE, NamedPictures, Service
from digit_recognizer.digits import Images
from digit_recognizer.errors import DigitsError
from digit_recognizer.reading import Reading
from digit_recognizer.recognizer import Recognizer

Result = TypeVar("Result")

PAGE_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/script.js": ("script.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/docs.css": ("docs.css", "text/css; charset=utf-8"),
}
_HTML = "text/html; charset=utf-8"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SHOWN = 40  # characters of an unknown parameter's name
_LARGE = 2**16  # bytes of a body from which on parsing goes to a thread

Expect = Annotated[str | None, Query(max_length=20, description="Digits in a number: 5, 3-7, or 9x9.", examples=["5"])]
Check = Annotated[str | None, Query(max_length=20, description="luhn: numbers end in a check digit.")]
Numbers = Annotated[str, Query(max_length=20, description="digits or decimal.")]
Details = Annotated[bool, Query(description="Add probabilities, unfamiliarity and the 28 x 28 frame of each digit.")]


def make_app(recognizer: Recognizer, settings: ServerSettings | None = None) -> FastAPI:
    """The service as an ASGI application around one recognizer, which all requests share.

    settings: left out, those of ``digits serve``. ``app.state.gate`` is what the requests share; set its ``draining``
    when the process was asked to stop.

    >>> app = make_app(Recognizer("runs/kaggle"))                         # doctest: +SKIP
    """
    settings = settings or ServerSettings()
    metrics, state = Metrics(), State()
    service = Service(recognizer, settings, metrics)
    metrics.gauge("digits_in_flight", "Requests worked on.", lambda: state.in_flight)
    metrics.gauge("digits_waiting_images", "Images that wait for the network.", lambda: service.waiting_images)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="digit-recognizer",
        summary="Reads handwritten digits.",
        version=__version__,
        docs_url=None,  # FastAPI's own page loads its scripts from another host; /docs is made in reference.py
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.gate = state
    app.add_middleware(Gate, settings=settings, state=state, metrics=metrics)
    app.add_exception_handler(HTTPException, _raise_refusal)
    app.add_exception_handler(RequestValidationError, _raise_refusal)
    app.add_exception_handler(DigitsError, _raise_refusal)
    router = APIRouter(dependencies=[Depends(_refuse_unknown)])
    _add_reading(router, service)
    _add_corrections(router, service, metrics)
    app.include_router(router)
    app.include_router(protocol_router(service, state))
    _add_page(app)

    @app.get("/metrics", tags=["Operation"], summary="Counters for Prometheus", response_class=Response)
    async def counters() -> Response:
        metrics.observe_turned_away(state.turned_away)
        metrics.observe_misread(state.misread)
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return app


def _add_reading(router: APIRouter, service: Service) -> None:
    limits = service.settings.limits

    @router.post(
        "/v1/predict",
        tags=["Reading"],
        summary="One digit per image",
        description="Takes JSON or N x 784 plain bytes (28 x 28 images), one picture as the body, or a form of "
        "pictures. Answers with a list, as `digits predict --json` prints it.",
        responses={**schema.ERRORS, **schema.example([schema.READING], description="One reading per image")},
        openapi_extra=schema.body(
            {
                JSON_TYPE: schema.IMAGES_REQUEST,
                BYTES_TYPE: schema.BINARY,
                **schema.pictures(),
                FORM_TYPE: schema.FORM,
            }
        ),
    )
    async def predict(request: Request, details: Details = False) -> Response:
        body = await request.body()
        kind, boundary = media_type(request.headers.get("content-type", ""))
        if kind in (JSON_TYPE, BYTES_TYPE):
            parse = _json_images if kind == JSON_TYPE else images_of_bytes
            large = len(body) > _LARGE
            images: Images = await service.aside(parse, body, limits) if large else parse(body, limits)
            request.scope[NOTES]["images"] = len(images)
            readings = await service.read_images(images)
            many = details and len(readings) > AT_ONCE  # to write down the frames of a thousand takes long, too
            return await service.aside(_listed, readings, details) if many else _listed(readings, details)
        pictures = await _pictures(service, body, kind, boundary, f"{JSON_TYPE}, {BYTES_TYPE}")
        request.scope[NOTES]["images"] = len(pictures)
        tell = partial(_reading_bytes, details)
        found = [one if isinstance(one, DigitsError) else tell(one) for one in await service.read_pictures(pictures)]
        return json_list(_entries("name", pictures, found))

    @router.post(
        "/v1/read",
        tags=["Reading"],
        summary="All numbers on a picture",
        description="Takes one picture as the body, or a form of pictures. Answers with a list of pages, as "
        "`digits read --json` prints it: lines top to bottom, digits left to right, boxes in pixels.",
        responses={**schema.ERRORS, **schema.example([schema.PAGE], description="One page per picture")},
        openapi_extra=schema.body({**schema.pictures(), FORM_TYPE: schema.FORM}),
    )
    async def read(
        request: Request,
        expect: Expect = None,
        check: Check = None,
        numbers: Numbers = "digits",
        details: Details = False,
    ) -> Response:
        body = await request.body()
        kind, boundary = media_type(request.headers.get("content-type", ""))
        pictures = await _pictures(service, body, kind, boundary, "")
        request.scope[NOTES]["images"] = len(pictures)
        wanted = {"expect": expect, "check": check, "numbers": numbers}
        pages = await _unless_gone(request, service.read_pages(pictures, wanted, partial(page_bytes, details=details)))
        return json_list(_entries("file", pictures, pages))

    @router.get(
        "/v1/model",
        tags=["Reading"],
        summary="What the model is, and what the service takes",
        responses={
            **schema.ERRORS,
            **schema.example({"name": "digits.onnx", "preset": "ship", "tells_non_digits": True}),
        },
    )
    async def model() -> Response:
        return json_response(service.card())


def _add_corrections(router: APIRouter, service: Service, metrics: Metrics) -> None:
    settings = service.settings
    folder = (
        None if settings.corrections is None else CorrectionFolder(settings.corrections, settings.limits.corrections)
    )

    @router.post(
        "/v1/corrections",
        tags=["Reading"],
        summary="Keep a picture that was misread, with what it shows",
        description="Only where the service was started with `--keep-corrections`; else 404.",
        status_code=201,
        responses={**schema.ERRORS, **schema.example({"kept": "7/1f0c...png"}, 201, "Kept")},
        openapi_extra=schema.body(schema.pictures()),
    )
    async def correct(
        request: Request, digit: Annotated[int, Query(ge=0, le=9, description="What the picture shows.")]
    ) -> Response:
        if folder is None:
            raise Refusal(404, "this service keeps no corrections", "corrections_off")
        body = await request.body()
        kind, _ = media_type(request.headers.get("content-type", ""))
        if not kind.startswith("image/"):
            raise _other_type("")
        grey = await service.aside(service.grey, "picture", body)
        try:
            kept = await service.aside(folder.keep, digit, grey)
        except CorrectionFull as error:
            raise Refusal(503, "the folder of corrections is full", error.code) from error
        metrics.corrections.inc()
        return json_response({"kept": kept}, 201)


def _add_page(app: FastAPI) -> None:
    folder = resources.files("digit_recognizer") / "apps" / "server" / "page"
    for path, (name, kind) in PAGE_FILES.items():
        content = (folder / name).read_bytes()
        app.add_api_route(path, _file(content, kind), include_in_schema=False, response_class=Response)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        page = reference_page(app.openapi(), str(request.base_url))
        return Response(page, media_type=_HTML, headers={"Content-Security-Policy": _PAGE_POLICY})


def _file(content: bytes, kind: str) -> Any:
    async def answer() -> Response:
        return Response(content, media_type=kind, headers={"Content-Security-Policy": _PAGE_POLICY})

    return answer


async def _refuse_unknown(request: Request) -> None:
    """Refuse parameters in the address that the endpoint does not know, or that stand there twice: a slip of the pen
    must not be answered as if nothing had been asked for."""
    known = [name for name in inspect.signature(request.scope["endpoint"]).parameters if name != "request"]
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            expected = f"expected {', '.join(known)} alone" if known else "expected none at all"
            raise Refusal(422, f"unknown parameter {name[:_SHOWN]!a}: {expected}", "unknown_parameter")
        if name in seen:
            raise Refusal(422, f"parameter {name!a}: expected once, found again", "repeated_parameter")
        seen.add(name)


def _json_images(body: bytes, limits: Limits) -> Images:
    return images_of_json(parse_json(body, limits), limits)


async def _pictures(service: Service, body: bytes, kind: str, boundary: str, besides: str) -> NamedPictures:
    """The pictures in a body: itself one, or the files of a form. besides: what else would have been taken."""
    if kind == FORM_TYPE:
        return await service.aside(parts_of_form, body, boundary, service.settings.limits)
    if not kind.startswith("image/"):
        raise _other_type(besides)
    return [("1", body)]


def _entries(key: str, pictures: NamedPictures, found: Sequence[bytes | DigitsError]) -> list[bytes]:
    """One entry per picture, as the command line prints them with --json; where all are bad, the request is."""
    bad = [one for one in found if isinstance(one, DigitsError)]
    if bad and len(bad) == len(found):
        raise refusal_of(bad[0])
    return [
        json_bytes({key: name, "error": {"code": one.code, "message": str(one)}})
        if isinstance(one, DigitsError)
        else one
        for (name, _), one in zip(pictures, found, strict=True)
    ]


def _listed(readings: Sequence[Reading], details: bool) -> Response:
    return json_list(_reading_bytes(details, reading) for reading in readings)


def _reading_bytes(details: bool, reading: Reading) -> bytes:
    return json_bytes(reading_answer(reading, details))


def _other_type(besides: str) -> Refusal:
    kinds = ", ".join(filter(None, [*schema.picture_types(), FORM_TYPE, besides]))
    return Refusal(415, f"expected a Content-Type of {kinds}")


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What the work brings. Where the client goes away first, what is not begun yet is dropped: a page takes long."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(request.receive())  # the body was read; what may still come is the end
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()


async def _raise_refusal(request: Request, error: Exception) -> Response:
    """What the framework or the package raised, as the gate answers it."""
    if isinstance(error, DigitsError):
        refusal = refusal_of(error)
        if refusal.status >= 500:
            LOG.error("failed", extra={"fields": {"code": error.code, "reason": str(error)}})
        raise refusal from error
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise Refusal(422, f"{where}: {first['msg']}") from error
    if isinstance(error, HTTPException):
        message = {404: "there is nothing here", 405: "not by this method"}.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        if "GET" in headers.get("Allow", ""):
            headers["Allow"] += ", HEAD"  # which the gate makes a GET of
        raise Refusal(error.status_code, message, headers=headers) from error
    raise error


__all__ = ["PAGE_FILES", "make_app"]
