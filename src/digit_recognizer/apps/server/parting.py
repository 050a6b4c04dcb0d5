"""Connections that end while the client still sends: what comes is let go, so that it finds its answer.

A socket that is closed with bytes unread resets the connection, and with it goes the answer. So the end of ours is
told, and theirs waited for: for so many bytes and seconds, and nothing of it is kept. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

PARTING_S = 5.0


class Parting(asyncio.Transport):
    """A transport of which ``close`` waits, where the client has more to send than was read.

    sends: whether it has. most: bytes that are let go before the connection is cut, as it is after PARTING_S.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, sends: Callable[[], bool], most: int
    ) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._sends = sends
        self._left = most
        self._timer: asyncio.TimerHandle | None = None

    @property
    def begun(self) -> bool:
        """Whether what comes is to be let go."""
        return self._timer is not None

    def close(self) -> None:
        if self.is_closing():
            return
        if not self._sends():
            self._transport.close()
            return
        self._timer = self._loop.call_later(PARTING_S, self._transport.abort)
        try:
            self._transport.write_eof()  # as soon as all is sent that was written
        except OSError:  # nobody is there any more
            self._transport.abort()
        else:
            self._transport.resume_reading()

    def let_go(self, count: int) -> None:
        """So many bytes came that nobody wants."""
        self._left -= count
        if self._left < 0:
            self._transport.abort()

    def forget(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def is_closing(self) -> bool:
        return self.begun or self._transport.is_closing()

    def write(self, data: Any) -> None:
        self._transport.write(data)

    def abort(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)


__all__ = ["PARTING_S", "Parting"]
