"""Connections that end by themselves: headers that do not come, answers that nobody takes.

Uvicorn waits for both without end. Its bodies are timed in gate.py. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from digit_recognizer.apps.server.limits import Limits


def protocol_with(limits: Limits) -> type[H11Protocol]:
    """Uvicorn's HTTP/1.1 protocol, which closes connections after ``limits.header_s`` and ``limits.write_s``."""

    class Deadlines(_Deadlines):
        header_s, write_s = limits.header_s, limits.write_s

    return Deadlines


class _Deadlines(H11Protocol):
    """One connection."""

    header_s: float
    write_s: float

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio sets this only where the listening socket was made with its protocol named. Without it the body of
        # an answer waits for the client to acknowledge its headers: 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._header_timer = self.loop.call_later(self.header_s, self._abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(self._header_timer)
        self._stop(self._write_timer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
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
        super().timeout_keep_alive_handler()
        # Closing waits until all is sent; a client that reads nothing would keep the connection for good.
        self._stop(self._write_timer)
        self._write_timer = self.loop.call_later(self.write_s, self._abort)

    def _abort(self) -> None:
        self.transport.abort()

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


__all__ = ["protocol_with"]
