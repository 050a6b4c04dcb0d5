"""Where a request ends must be beyond doubt: what two readers could take for different requests is refused unread.

h11 takes lines that end in a bare LF, lines that are continued, and a Content-Length beside a Transfer-Encoding; behind
a proxy that reads them otherwise, the rest of one request would be answered as another (RFC 9112, 2.2, 5.2, 6.1, 11.2).
"""

from __future__ import annotations

import re
from typing import Any

import h11

from digit_recognizer.apps.server.refusals import Refusal

HEADER_BYTES = 2**14  # of a request line and its headers, with the empty line that ends them

_LF = 10
_LENGTH, _CODING = b"\ncontent-length:", b"\ntransfer-encoding:"
_LENGTHS = re.compile(_LENGTH + rb"[^\r]*,")


def fault_of(received: bytes, known: int = 0) -> Refusal | None:
    """Why a request that begins with these bytes is refused; None where nothing speaks against it so far.

    received: all that came of it, and what may have come after its head. known: how many bytes of it were looked at
    before, and passed. However a head is cut into pieces, it is refused for the same reason.

    >>> fault_of(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n") is None
    True
    >>> fault_of(b"GET / HTTP/1.1\\nHost: a").status
    400
    """
    end = received.find(b"\r\n\r\n", max(known - 3, 0)) + 4
    is_whole = end >= 4
    size = end if is_whole else len(received)
    start = max(known - 2, 0)
    start -= start > 0 and received[start] == _LF  # its CR stands before it
    if _has_odd_lines(received[start : min(size, HEADER_BYTES)]):
        return _unreadable("lines that end in CR and LF, none of them continued")
    if size > HEADER_BYTES:
        return Refusal(431, f"expected a request line and headers of {HEADER_BYTES:,} bytes at most", close=True)
    if is_whole:
        head = received[:end].lower()
        lengths = head.count(_LENGTH)
        if lengths and (lengths > 1 or _CODING in head or _LENGTHS.search(head)):
            return _unreadable("one Content-Length, or a Transfer-Encoding instead")
    return None


class Requests(h11.Connection):
    """What a client sends, as the events of h11, which refuses what is in doubt as it refuses what is no HTTP.

    fault: why it was refused, where h11 would not have done so; nothing that comes after it is read.
    """

    def __init__(self, most_bytes: int = HEADER_BYTES) -> None:
        super().__init__(h11.SERVER, most_bytes)
        self.fault: Refusal | None = None
        self._known = 0  # bytes of a head that is not whole yet
        self._is_chunked = False
        self._half_line_end = b""  # a CR between pieces of a body, whose LF has not come

    def next_event(self) -> Any:
        """As h11's. Raises h11.RemoteProtocolError."""
        self._refuse(self.fault)
        state = self.their_state
        if state is h11.IDLE:
            return self._next_of_head()
        if state is h11.SEND_BODY and self._is_chunked:
            return self._next_of_pieces()
        return super().next_event()

    def _next_of_head(self) -> Any:
        received = self.trailing_data[0]
        self._refuse(fault_of(received, self._known))
        self._known = len(received)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._known = 0
            self._is_chunked = _CODING in received[: received.find(b"\r\n\r\n")].lower()
        return event

    def _next_of_pieces(self) -> Any:
        before = self.trailing_data[0]
        event = super().next_event()
        read = len(before) - len(self.trailing_data[0])
        if isinstance(event, h11.Data):
            read -= len(event.data)  # it comes last
        lines = self._half_line_end + before[:read]
        self._half_line_end = b"\r" if lines.endswith(b"\r") else b""
        if _has_odd_lines(lines):
            self._refuse(_unreadable("pieces of a body between lines that end in CR and LF"))
        return event

    def _refuse(self, fault: Refusal | None) -> None:
        if fault is not None:
            self.fault = fault
            raise h11.RemoteProtocolError(fault.message, error_status_hint=fault.status)


def _has_odd_lines(lines: bytes) -> bool:
    """Whether there is a bare LF, a bare CR, or a line that goes on with the one before."""
    lines = lines.removesuffix(b"\r")  # its LF may be on its way
    ends = lines.count(b"\r\n")
    return lines.count(b"\n") != ends or lines.count(b"\r") != ends or b"\n " in lines or b"\n\t" in lines


def _unreadable(expected: str) -> Refusal:
    return Refusal(400, f"expected {expected}", close=True)


__all__ = ["HEADER_BYTES", "Requests", "fault_of"]
