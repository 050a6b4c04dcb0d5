"""Connections that end by themselves (headers that do not come, answers that nobody takes), and a quick "not now".

Uvicorn waits for both without end, and parses what is refused as carefully as what is answered: at five times the load
that can be borne it would do little else. All connections receive into one block of memory. Bodies are timed in
gate.py. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import socket
import uuid
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from digit_recognizer.apps.server.gate import LOG, NOTES, NOTHING_ALLOWED, SAFE_HEADERS, State
from digit_recognizer.apps.server.heads import HEADER_BYTES, Requests, fault_of
from digit_recognizer.apps.server.limits import Limits
from digit_recognizer.apps.server.parting import Parting
from digit_recognizer.apps.server.refusals import Refusal, busy, error_response

_WORK = (b"post /v1/", b"post /v2/")  # what a full service turns away; it still tells that it lives
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?:\r|$)")
_NO_NUMBER = b"0" * 32  # stands in prepared answers for the number of the request
_TELL_EVERY_S = 1.0
_KNOWN_BYTES = 2**11  # of a request line and its headers; longer ones are read with care
_BODIES = 4  # of the largest size: so much is let go of what comes after an answer
_AT_ONCE = 2**16  # bytes received at a time, and from which on Uvicorn asks the sender to wait


def protocol_with(limits: Limits, state: State) -> type[H11Protocol]:
    """Uvicorn's HTTP/1.1 protocol, which closes connections after ``limits.header_s`` and ``limits.write_s``.

    While as many requests are worked on as ``limits.in_flight``, by the count of ``state``, further ones are turned
    away unread.
    """

    full = busy("the service has as many requests as it can work on; come again in a moment", code="busy")

    class Bounded(_Bounded):
        header_s, write_s, most = limits.header_s, limits.write_s, limits.in_flight
        let_go = _BODIES * limits.body_bytes
        shared = state
        not_now = {start: _as_bytes(full, start[5:].decode("ascii")) for start in _WORK}  # noqa: RUF012 - never changed
        block = memoryview(bytearray(_AT_ONCE))

    return Bounded


def is_whole(data: bytes) -> bool:
    """Whether these bytes are one whole request for work, beyond all doubt, after which the connection stays open.

    >>> is_whole(b"POST /v1/read HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\nab")
    True
    >>> is_whole(b"POST /v1/read HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\na")
    False
    """
    end = data.find(b"\r\n\r\n") + 4
    return 4 <= end <= _KNOWN_BYTES and len(data) - end == _body_bytes(data[:end])


@lru_cache(maxsize=256)  # clients say the same again and again, and to read it is half of what a refusal costs
def _body_bytes(head: bytes) -> int | None:
    """The length of the body that this head announces, or None where there is any doubt."""
    head = head.lower()
    if not head.startswith(_WORK) or not head.partition(b"\r\n")[0].endswith(b" http/1.1"):
        return None
    # Where two readers of these bytes could disagree about their end, the careful one decides.
    if b"transfer-encoding" in head or b"close" in head or b"\nexpect" in head or head.count(b"content-length") != 1:
        return None
    found = _LENGTH.search(head)
    return int(found[1]) if found is not None and fault_of(head) is None else None


class _Bounded(H11Protocol, asyncio.BufferedProtocol):
    """One connection.

    As a BufferedProtocol it is asked where to put what comes. Otherwise asyncio takes 256 KiB for each time something
    comes and gives back all but the few hundred bytes that did: those lie scattered, and memory fills with holes.
    """

    header_s: float
    write_s: float
    most: int
    let_go: int
    shared: State
    not_now: dict[bytes, bytes]
    block: memoryview

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.conn: Requests = Requests(self.config.h11_max_incomplete_event_size or HEADER_BYTES)
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._turned_away_at = -math.inf
        self._parting: Parting

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._parting = Parting(transport, self.loop, self._is_sent_to, self.let_go)
        super().connection_made(self._parting)
        # asyncio sets this only where the listening socket was made with its protocol named. Without it the body of
        # an answer waits for the client to acknowledge its headers: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._header_timer = self.loop.call_later(self.header_s, self._abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(self._header_timer)
        self._stop(self._write_timer)
        self._parting.forget()
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        # asyncio fills it and calls buffer_updated before it turns to another connection, so that one does for all.
        return self.block

    def buffer_updated(self, nbytes: int) -> None:
        if self._parting.begun:
            self._parting.let_go(nbytes)
        else:
            self.data_received(bytes(self.block[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0] and is_whole(data):
            if self.shared.in_flight + self.shared.arriving >= self.most:
                self._turn_away(data)
                return
            # Its task begins in the loop's next round; until then it must be counted, lest a round bring too many.
            self.shared.arriving += 1
            super().data_received(data)
            self.loop.call_soon(self._arrived)
        else:
            super().data_received(data)
        # Half a request line or header, or the rest of a body that was answered already: both must come to an end.
        if self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE:
            if self._header_timer is None and not self.transport.is_closing():
                self._header_timer = self.loop.call_later(self.header_s, self._abort)
        else:
            self._stop(self._header_timer)
            self._header_timer = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop(self._write_timer)
        self._write_timer = self.loop.call_later(self.write_s, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop(self._write_timer)
        self._write_timer = None

    def timeout_keep_alive_handler(self) -> None:
        idle_after = self._turned_away_at + self.timeout_keep_alive - self.loop.time()
        if idle_after > 0:
            self.timeout_keep_alive_task = self.loop.call_later(idle_after, self.timeout_keep_alive_handler)
            return
        super().timeout_keep_alive_handler()
        # Closing waits until all is sent; a client that reads nothing would keep the connection for good.
        self._stop(self._write_timer)
        self._write_timer = self.loop.call_later(self.write_s, self._abort)

    def send_400_response(self, msg: str) -> None:
        # Uvicorn's own is plain text, and fails where an answer has begun: to that, nothing can be added.
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            no_http = Refusal(400, "expected a request of HTTP/1.1, found something else", close=True)
            refusal = self.conn.fault or no_http
            self.transport.write(_as_bytes(refusal, "", uuid.uuid4().hex.encode("ascii")))
            if self.conn.our_state is h11.IDLE:
                self.shared.misread[refusal.status, refusal.code] += 1
            else:  # the gate knows of the request, and counts it
                scope: dict[str, Any] = self.cycle.scope  # type: ignore[assignment]
                scope.setdefault(NOTES, {})["code"] = refusal.code
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _turn_away(self, data: bytes) -> None:
        shared = self.shared
        number = b"%032x" % random.getrandbits(128)  # tells requests apart, hides nothing
        self.transport.write(self.not_now[data[:9].lower()].replace(_NO_NUMBER, number))
        self._turned_away_at = now = self.loop.time()
        if self._header_timer is not None:
            self._stop(self._header_timer)
            self._header_timer = None
        if self.timeout_keep_alive_task is None:  # else it finds out for itself that it is too early
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        shared.turned_away += 1
        if now - shared.told_at >= _TELL_EVERY_S:  # a line each would be the very work that is to be saved
            shared.told_at = now
            LOG.warning("turned away", extra={"fields": {"requests": shared.turned_away, "code": "busy"}})

    def _is_sent_to(self) -> bool:
        """Whether the client may be in the midst of a request."""
        return self.conn.fault is not None or self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _arrived(self) -> None:
        self.shared.arriving -= 1

    def _abort(self) -> None:
        self.transport.abort()

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


def _as_bytes(refusal: Refusal, path: str, number: bytes = _NO_NUMBER) -> bytes:
    """A refusal as it goes over the wire, where no application stands between. number: of the request."""
    response = error_response(refusal, path, number.decode("ascii"))
    headers = [*response.raw_headers, *SAFE_HEADERS, NOTHING_ALLOWED, (b"x-request-id", number)]
    first = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n".encode("ascii")
    return first + b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n" + response.body


__all__ = ["HEADER_BYTES", "is_whole", "protocol_with"]
