"""Heads of requests: those whose end is in doubt, and those that are too long, are told apart from sound ones."""

from __future__ import annotations

import h11
import pytest

from digit_recognizer.apps.server.heads import HEADER_BYTES, Requests, fault_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
LENGTH = b"Content-Length: 2\r\n"
FULL = GET + b"X: " + b"a" * (HEADER_BYTES - len(GET) - 7) + b"\r\n\r\n"

SOUND = [
    GET + b"\r\n",
    GET + LENGTH + b"\r\n",
    GET + b"Transfer-Encoding: chunked\r\n\r\n",
    GET + LENGTH + b"X-Content-Length: 2, 3\r\nX-Transfer-Encoding: a\r\n\r\n",
    GET + b"X: a  \tb \r\n\r\n",
    FULL,
]
FAULTY = [
    (GET + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n", 400),
    (GET + b"TRANSFER-ENCODING: chunked\r\nX: y\r\ncontent-length:2\r\n\r\n", 400),
    (GET + LENGTH + LENGTH + b"\r\n", 400),
    (GET + b"Content-Length: 2 ,2\r\n\r\n", 400),
    (GET.replace(b"\r", b"") + b"\r\n", 400),
    (GET.replace(b"\r", b"") + b"\n", 400),
    (GET + b"\n", 400),
    (GET + b"X: a\rb\r\n\r\n", 400),
    (GET + b"X: a\r\r\n\r\n", 400),
    (GET + b" X: y\r\n\r\n", 400),
    (GET + b"\tX: y\r\n\r\n", 400),
    (FULL.replace(b"X: ", b"X:  "), 431),
    (FULL[:-4] + b"aaaaa", 431),
    (GET + b"X: a\nb" + FULL, 400),  # what comes first is told
    (FULL.replace(b"X: ", b"X:     ").replace(b"\r\n\r\n", b"\n\r\n"), 431),
]


@pytest.mark.parametrize("head", SOUND)
def test_a_sound_head_has_no_fault_and_what_follows_it_is_not_looked_at(head: bytes) -> None:
    for follows in (b"", b" \r\n", b"\n\n", b"\r\r", b"a" * HEADER_BYTES):
        assert fault_of(head + follows) is None
    for known in range(0, len(head), max(len(head) // 200, 1)):
        assert fault_of(head[:known]) is None
        assert fault_of(head, known) is None


@pytest.mark.parametrize(("head", "status"), FAULTY)
def test_a_faulty_head_is_refused_for_the_same_reason_wherever_it_is_cut(head: bytes, status: int) -> None:
    whole = fault_of(head + b"what follows")
    assert whole is not None
    assert (whole.status, whole.close) == (status, True)
    for known in range(0, len(head), max(len(head) // 200, 1)):
        assert (fault_of(head[:known]) or fault_of(head, known)) == whole


def test_after_a_fault_no_more_is_read() -> None:
    requests = Requests()
    requests.receive_data(b"GET / HTTP/1.1\nHost: a\r\n\r\n")
    for _ in range(2):
        with pytest.raises(h11.RemoteProtocolError):
            requests.next_event()
        requests.receive_data(GET + b"\r\n")
