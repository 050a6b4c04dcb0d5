"""What stands before the service: who may enter, how much may be brought, how long it may take; and the log of it.

An ASGI middleware. A body is read here, to its end or to its limits, before a request takes one of the places of
those that are worked on: so slow senders hold up nobody. Knows nothing of digits.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
import re
import time
import uuid
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digit_recognizer.apps.server.limits import ServerSettings, is_loopback
from digit_recognizer.apps.server.metrics import Metrics
from digit_recognizer.apps.server.refusals import Refusal, busy, error_response

LOG = logging.getLogger("digit_recognizer.server")
NOTES = "digits.notes"  # where in the scope of a request what is to be logged of it is gathered

# What tells of life must answer when the service is full, and to those who ask for it without a token.
ALWAYS_OPEN = frozenset({"/v2/health/live", "/v2/health/ready"})
# Whoever watches the service must see most when it is full.
NEVER_FULL = ALWAYS_OPEN | {"/metrics"}
# Pages hold no secret; the one to draw on asks for the token and sends it along.
OPEN_PAGES = frozenset({"/", "/style.css", "/script.js", "/icon.svg", "/docs", "/docs.css"})
# How the service does and all that it can: where others reach it and no token is asked for, this machine alone sees it.
FOR_THIS_MACHINE = frozenset({"/metrics", "/docs", "/docs.css", "/openapi.json"})

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
NOTHING_ALLOWED = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass
class State:
    """What the requests share.

    draining: the service was asked to stop. in_flight, held_bytes: counted now. arriving: whole requests that this gate
    will see in a moment. turned_away: those that it never saw, since it was full; told_at: when the log heard of them.
    misread: answers to what could not be read as a request, by status and code.
    """

    draining: bool = False
    in_flight: int = 0
    held_bytes: int = 0
    arriving: int = 0
    turned_away: int = 0
    told_at: float = -math.inf
    misread: Counter[tuple[int, str]] = field(default_factory=Counter)


@dataclass
class _Visit:
    """One request on its way through. status: 0 until an answer began. notes: for the log, filled by who answers."""

    path: str
    method: str
    request_id: str
    headers: dict[str, str]
    state: State
    started: float
    status: int = 0
    body_bytes: int = 0
    notes: dict[str, Any] = field(default_factory=dict)


class Gone(Exception):
    """The client went away before its request was whole, or before its answer was."""


class Gate:
    """Refuses what must not reach the service, numbers every request, times it, counts it and logs one line of it."""

    def __init__(self, app: ASGIApp, *, settings: ServerSettings, state: State, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._limits = settings.limits
        self._state = state
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        visit = _Visit(scope["path"], scope["method"], request_id, headers, self._state, time.perf_counter())
        scope[NOTES] = visit.notes = scope.get(NOTES, visit.notes)
        if visit.method == "HEAD":  # what GET would be told, without its body
            scope = {**scope, "method": "GET"}
        try:
            await self._visit(visit, scope, receive, self._sender(visit, send))
        except Gone:
            if "code" in visit.notes:  # its body could not be read, and the connection has told so
                visit.status = 400
            else:
                visit.status = 499  # never sent; what others write into their logs for it
                self._metrics.disconnected.inc()
        finally:
            self._state.held_bytes -= visit.body_bytes
            self._tell(visit, scope)

    async def _visit(self, visit: _Visit, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check_caller(visit, scope)
            if visit.method not in _BODILESS:
                receive = await self._with_body(visit, receive)
            if visit.path not in NEVER_FULL and self._state.in_flight >= self._limits.in_flight:
                raise busy("the service has as many requests as it can work on; come again in a moment", code="busy")
            self._state.in_flight += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._state.in_flight -= 1
        except Gone:
            raise
        except Refusal as refusal:
            visit.notes["code"] = refusal.code
            await error_response(refusal, visit.path, visit.request_id)(scope, receive, send)
        except Exception as error:  # a mistake of ours; the client learns its number, the log the rest
            LOG.exception("unexpected %s", type(error).__name__, extra={"fields": {"request_id": visit.request_id}})
            if visit.status:
                raise
            visit.notes["code"] = "internal_error"
            mistake = Refusal(500, "the service could not answer; its log says why")
            await error_response(mistake, visit.path, visit.request_id)(scope, receive, send)

    def _check_caller(self, visit: _Visit, scope: Scope) -> None:
        headers = visit.headers
        host = _host_name(headers.get("host", ""))
        # HTTP/1.0 knows no Host, and what watches over services may speak it; browsers, which may be led astray, do not
        nameless = "host" not in headers and scope["http_version"] == "1.0" and visit.path in ALWAYS_OPEN
        if not nameless and not self._settings.knows_host(host):
            raise Refusal(400, "the Host header names no host that this service goes by", "unknown_host", close=True)
        origin = headers.get("origin")
        if origin is not None and not _is_ours(origin, headers.get("host", "")):
            raise Refusal(403, "pages of other sites may not call this service", "foreign_origin", close=True)
        token = self._settings.token
        if token is None and visit.path in FOR_THIS_MACHINE and not self._settings.is_local:
            caller = scope.get("client") or ("", 0)
            if not is_loopback(caller[0]):
                raise Refusal(
                    403, "without a token, this is for the machine alone that the service runs on", close=True
                )
        if token is not None and visit.path not in ALWAYS_OPEN | OPEN_PAGES:
            expected = f"Bearer {token}".encode()
            if not hmac.compare_digest(headers.get("authorization", "").encode("latin-1", "replace"), expected):
                challenge = {"WWW-Authenticate": "Bearer"}
                raise Refusal(401, "expected the header Authorization: Bearer TOKEN", headers=challenge, close=True)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Refusal(415, "expected a body without Content-Encoding", "unsupported_encoding", close=True)

    async def _with_body(self, visit: _Visit, receive: Receive) -> Receive:
        """Read the whole body within its limits; returns a ``receive`` that brings it once more, in one piece."""
        limit = self._limits.body_bytes
        announced = visit.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(self._limits.body_s):
                body = await self._read(visit, receive, limit)
        except TimeoutError as error:
            seconds = f"{self._limits.body_s:g} s"
            raise Refusal(408, f"expected the whole request within {seconds}", close=True) from error
        brought = False

        async def replay() -> Message:
            nonlocal brought
            if brought:
                return await receive()
            brought = True
            return {"type": "http.request", "body": body, "more_body": False}

        return replay

    async def _read(self, visit: _Visit, receive: Receive, limit: int) -> bytes:
        chunks = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunk = message.get("body", b"")
            visit.body_bytes += len(chunk)
            self._state.held_bytes += len(chunk)
            if visit.body_bytes > limit:
                raise _too_large(limit)
            if self._state.held_bytes > self._limits.held_bytes:
                full = "the service holds as many pictures as it can; come again in a moment"
                raise busy(full, code="busy", close=True)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _sender(self, visit: _Visit, send: Send) -> Send:
        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                self._complete(message, visit)
            elif visit.method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        return completed

    def _complete(self, message: MutableMapping[str, Any], visit: _Visit) -> None:
        """Add to the headers of an answer what every answer has."""
        headers = list(message.get("headers", []))
        present = {name.lower() for name, _ in headers}
        headers += [(name, value) for name, value in SAFE_HEADERS if name not in present]
        if b"content-security-policy" not in present:
            headers.append(NOTHING_ALLOWED)
        headers.append((b"x-request-id", visit.request_id.encode("ascii")))
        if self._state.draining and b"connection" not in present:
            headers.append((b"connection", b"close"))
        message["headers"] = headers

    def _tell(self, visit: _Visit, scope: Scope) -> None:
        seconds = time.perf_counter() - visit.started
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.observe_request(route, visit.method, visit.status, seconds, str(visit.notes.get("code", "")))
        fields = {
            "request_id": visit.request_id,
            "method": visit.method[:16],
            "path": visit.path[:200],
            "status": visit.status,
            "ms": round(1000 * seconds, 2),
            "bytes": visit.body_bytes,
            **visit.notes,
        }
        LOG.log(logging.ERROR if visit.status == 500 else logging.INFO, "request", extra={"fields": fields})


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"expected a body of {limit:,} bytes at most", close=True)


def _host_name(host: str) -> str:
    """The name in a Host header, its port taken off; "" where it is none.

    >>> _host_name("127.0.0.1:8000"), _host_name("[::1]:8000"), _host_name("a@b")
    ('127.0.0.1', '::1', '')
    """
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?", host)
    return (found[1] or found[2]) if found else ""


def _is_ours(origin: str, host: str) -> bool:
    """Whether the page that calls was served under the very host that is called."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


__all__ = ["ALWAYS_OPEN", "LOG", "NOTES", "NOTHING_ALLOWED", "OPEN_PAGES", "SAFE_HEADERS", "Gate", "Gone", "State"]
