"""Connections: who is turned away unread when the service is full, what is no HTTP, and how they end."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from digit_recognizer.apps.server.connections import HEADER_BYTES, is_whole, protocol_with
from digit_recognizer.apps.server.gate import Gate, State
from digit_recognizer.apps.server.limits import Limits, ServerSettings
from digit_recognizer.apps.server.metrics import Metrics

WHOLE = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\nab"


class Wire(asyncio.Transport):
    """The other end of a connection: keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.ended = False  # no more will be written

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    abort = close

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def setsockopt(self, *_: int) -> None:
        """As of a socket."""

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 8000

    getpeername = getsockname

    def pause_reading(self) -> None:
        """Nothing comes unasked."""

    resume_reading = pause_reading


class Scene:
    """A gate before an application that answers everything, and connections to it."""

    def __init__(self, limits: Limits, token: str | None = None) -> None:
        self.state = State()
        self.metrics = Metrics()
        self.asked = 0
        self.received: list[bytes] = []  # bodies
        settings = ServerSettings(limits=limits, token=token)
        self._config = uvicorn.Config(
            Gate(self._answer, settings=settings, state=self.state, metrics=self.metrics),
            http=protocol_with(limits, self.state),
            log_config=None,
            lifespan="off",
        )
        self._shared = ServerState()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.received.append(body)
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    def new(self) -> Any:
        self._config.load() if not self._config.loaded else None
        return self._config.http_protocol_class(  # type: ignore[call-arg]
            config=self._config, server_state=self._shared, app_state={}, _loop=asyncio.get_running_loop()
        )

    def connect(self) -> tuple[Any, Wire]:
        connection = self.new()
        wire = Wire()
        connection.connection_made(wire)
        return connection, wire

    @asynccontextmanager
    async def port(self) -> AsyncIterator[int]:
        """A port to call it at, until the block ends."""
        server = await asyncio.get_running_loop().create_server(lambda: self.new(), "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await self.done()
            async with asyncio.timeout(20):
                while self._shared.connections:  # each must come to its end
                    await asyncio.sleep(0.001)
            await server.wait_closed()

    async def done(self) -> None:
        while self._shared.tasks:
            await asyncio.gather(*self._shared.tasks)
            await asyncio.sleep(0)


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


async def ended(writer: asyncio.StreamWriter) -> None:
    """Close a client's side of a connection, which may be cut off already."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def status(wire: Wire) -> int:
    return int(wire.written.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("path", "shape"), [(b"/v1/predict", {"code", "message", "request_id"}), (b"/v2/models/digits/infer", None)]
)
def test_a_full_service_turns_requests_away_unread_and_keeps_their_connection(
    path: bytes, shape: set[str] | None
) -> None:
    async def full() -> None:
        scene = Scene(Limits(in_flight=3))
        connection, wire = scene.connect()
        scene.state.in_flight = 3
        connection.data_received(WHOLE.replace(b"/v1/predict", path))
        head, _, body = wire.written.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert status(wire) == 503
        assert (fields[b"retry-after"], int(fields[b"content-length"])) == (b"1", len(body))
        error = json.loads(body)["error"]
        if shape:
            assert set(error) == shape
            assert (error["code"], error["request_id"]) == ("busy", fields[b"x-request-id"].decode())
        else:
            assert isinstance(error, str)
        assert (scene.asked, scene.state.turned_away, wire.closed) == (0, 1, False)
        scene.state.in_flight, wire.written = 0, b""
        connection.data_received(WHOLE)
        await scene.done()
        assert (status(wire), scene.asked) == (200, 1)
        connection.connection_lost(None)

    play(full())


def test_who_was_turned_away_a_moment_ago_is_not_idle() -> None:
    async def patient() -> None:
        scene = Scene(Limits(in_flight=1))
        connection, wire = scene.connect()
        connection.data_received(WHOLE)
        await scene.done()
        scene.state.in_flight = 1
        connection.data_received(WHOLE)
        connection.timeout_keep_alive_handler()  # of the answer before
        assert (wire.written.count(b" 503 "), wire.closed) == (1, False)
        connection.timeout_keep_alive = 0
        connection.timeout_keep_alive_handler()
        assert wire.closed
        connection.connection_lost(None)

    play(patient())


def test_requests_that_come_at_the_same_moment_are_counted_before_they_begin() -> None:
    async def rush() -> None:
        scene = Scene(Limits(in_flight=2))
        all_of_them = [scene.connect() for _ in range(5)]
        for connection, _ in all_of_them:
            connection.data_received(WHOLE)
        await scene.done()
        assert [status(wire) for _, wire in all_of_them] == [200, 200, 503, 503, 503]
        assert (scene.state.arriving, scene.state.in_flight, scene.state.turned_away) == (0, 0, 3)
        for connection, _ in all_of_them:
            connection.connection_lost(None)

    play(rush())


def test_a_full_service_still_tells_that_it_lives() -> None:
    async def full() -> None:
        scene = Scene(Limits(in_flight=1))
        connection, wire = scene.connect()
        scene.state.in_flight = 1
        connection.data_received(b"GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await scene.done()
        assert status(wire) == 200
        connection.connection_lost(None)

    play(full())


@pytest.mark.parametrize(
    "doubtful",
    [
        WHOLE[:-1],
        WHOLE + b"c",
        WHOLE + WHOLE,
        WHOLE.replace(b"POST", b"GET"),
        WHOLE.replace(b"/v1/", b"/v3/"),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        WHOLE.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        WHOLE.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
        WHOLE.replace(b"Content-Length: 2", b"Content-Length: 2\r\nTransfer-Encoding: chunked"),
        WHOLE.replace(b"Content-Length: 2", b"Content-Length: +2"),
        WHOLE.replace(b"Content-Length: 2", b"Content-Length: 2, 2"),
        WHOLE.replace(b"Content-Length: 2", b"Content-Length:\r\n 2"),
        WHOLE.replace(b"\r\nContent", b"\nContent"),
        WHOLE.replace(b"\r\nContent", b"\r\n continued\r\nContent"),
        WHOLE.replace(b"\r\nContent", b"\rX: y\r\nContent"),
        WHOLE.replace(b"Host", b"Connection: close\r\nHost"),
        WHOLE.replace(b"Host", b"Expect: 100-continue\r\nHost"),
        WHOLE.replace(b"Host", b"X-Long: " + b"a" * 2048 + b"\r\nHost"),
        b"",
        b"\r\n\r\n",
    ],
)
def test_what_is_not_one_whole_request_beyond_doubt_is_read_with_care(doubtful: bytes) -> None:
    assert is_whole(WHOLE)
    assert not is_whole(doubtful)


def test_what_is_no_http_is_told_so_and_ends_the_connection() -> None:
    async def garbage() -> None:
        scene = Scene(Limits())
        connection, wire = scene.connect()
        connection.data_received(b"\x16\x03\x01 not a request\r\n\r\n")
        assert status(wire) == 400
        error = json.loads(wire.written.partition(b"\r\n\r\n")[2])["error"]
        assert (error["code"], wire.ended) == ("bad_request", True)
        connection.connection_lost(None)

    play(garbage())


def test_garbage_in_a_body_ends_the_request_that_it_belongs_to() -> None:
    async def broken() -> None:
        scene = Scene(Limits())
        connection, wire = scene.connect()
        head = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
        connection.data_received(head)
        await asyncio.sleep(0)
        connection.data_received(b"no length\r\n")
        await scene.done()
        assert (status(wire), wire.ended, scene.asked) == (400, True, 0)
        assert wire.written.count(b"HTTP/1.1 ") == 1
        connection.connection_lost(None)

    play(broken())


def test_connections_share_the_memory_that_they_receive_into_and_nothing_else() -> None:
    bodies = [bytes([number]) * 300_000 for number in range(3)]

    async def together() -> None:
        scene = Scene(Limits())
        async with scene.port() as port:
            ends = [await asyncio.open_connection("127.0.0.1", port) for _ in bodies]
            for (_, writer), body in zip(ends, bodies, strict=True):
                writer.write(b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body))
            for start in range(0, len(bodies[0]), 50_000):  # in turns
                for (_, writer), body in zip(ends, bodies, strict=True):
                    writer.write(body[start : start + 50_000])
                    await writer.drain()
            for reader, writer in ends:
                assert (await reader.read(12)) == b"HTTP/1.1 200"
                await ended(writer)
            assert sorted(scene.received) == bodies

    play(together())


def test_a_connection_tells_where_to_put_what_comes_and_all_tell_the_same_place() -> None:
    async def two() -> None:
        scene = Scene(Limits())
        one, other = scene.new(), scene.new()
        assert isinstance(one, asyncio.BufferedProtocol)
        assert one.get_buffer(-1) is other.get_buffer(-1)

    play(two())


TOKEN = "a-long-enough-token"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
MUCH = 8_000_000  # bytes: more than a system holds for who has not read them


def pieces() -> Iterable[bytes]:
    return (bytes(100_000) for _ in range(MUCH // 100_000))


@pytest.mark.parametrize(
    ("expected", "headers", "chunked"),
    [
        (401, {"Authorization": "Bearer another"}, False),
        (415, {**KNOWN, "Content-Encoding": "gzip"}, False),
        (413, KNOWN, False),
        (413, KNOWN, True),
    ],
)
def test_who_sends_on_after_a_refusal_finds_it_all_the_same(
    expected: int, headers: dict[str, str], chunked: bool
) -> None:
    def ask(port: int) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            body = pieces() if chunked else bytes(MUCH)
            connection.request("POST", "/v1/read", body, headers, encode_chunked=chunked)
            return connection.getresponse().status

    async def heard_out() -> None:
        scene = Scene(Limits(body_bytes=MUCH // 2), token=TOKEN)
        async with scene.port() as port:
            for _ in range(3):
                assert await asyncio.to_thread(ask, port) == expected
        assert (scene.asked, scene.state.held_bytes) == (0, 0)

    play(heard_out())


def test_headers_that_are_too_long_are_told_so_to_who_sends_on() -> None:
    async def long() -> None:
        scene = Scene(Limits())
        async with scene.port() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + bytes(MUCH) + b"\r\n\r\n")
            assert (await reader.read(12)) == b"HTTP/1.1 431"
            await writer.drain()
            await ended(writer)

    play(long())


UNREAD = b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"


def test_who_sends_without_end_is_cut_off_after_so_many_bytes_and_none_are_kept() -> None:
    async def endless() -> None:
        scene = Scene(Limits(body_bytes=100))
        connection, wire = scene.connect()
        connection.data_received(UNREAD)
        await scene.done()
        assert (status(wire), wire.ended, wire.closed) == (413, True, False)
        connection.buffer_updated(400)
        assert not wire.closed
        connection.buffer_updated(1)
        assert wire.closed
        assert (connection.cycle.body, connection.conn.trailing_data[0]) == (b"", b"")
        connection.connection_lost(None)

    play(endless())


def test_who_never_ends_is_cut_off_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digit_recognizer.apps.server.parting.PARTING_S", 0.2)

    async def trickling() -> None:
        scene = Scene(Limits(body_bytes=90_000))
        async with scene.port() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(UNREAD)
            with suppress(ConnectionError):
                answer = await reader.read()  # until the end of the service's side
                assert answer.startswith(b"HTTP/1.1 413")
                while True:
                    writer.write(b"more")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            await ended(writer)

    play(asyncio.wait_for(trickling(), 10))


def test_a_connection_whose_request_was_read_to_its_end_is_closed_at_once() -> None:
    async def whole() -> None:
        scene = Scene(Limits())
        connection, wire = scene.connect()
        connection.data_received(WHOLE.replace(b"Host", b"Connection: close\r\nHost"))
        await scene.done()
        assert (status(wire), wire.ended, wire.closed) == (200, False, True)
        connection.connection_lost(None)

    play(whole())


@pytest.mark.parametrize(
    ("sent", "expected", "code"),
    [
        (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * HEADER_BYTES, 431, "headers_too_large"),
        (b"GET /" + b"a" * HEADER_BYTES, 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * HEADER_BYTES + b"\r\nno header\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 1000 + b"\r\nno header\r\n\r\n", 400, "bad_request"),
        (UNREAD.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked") + b"1" * 20_000, 400, "bad_request"),
    ],
)
def test_a_head_that_is_too_long_is_told_apart_from_what_is_no_http(sent: bytes, expected: int, code: str) -> None:
    async def long() -> None:
        scene = Scene(Limits())
        connection, wire = scene.connect()
        connection.data_received(sent)
        await scene.done()
        assert (status(wire), wire.ended) == (expected, True)
        assert json.loads(wire.written.partition(b"\r\n\r\n")[2])["error"]["code"] == code
        connection.connection_lost(None)

    play(long())


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /v2/health/live HTTP/1.0", 200),
        (b"HEAD /v2/health/ready HTTP/1.0", 200),
        (b"GET /v2/health/live HTTP/1.0\r\nHost: evil.example", 400),
        (b"GET /v2/health/live HTTP/1.0\r\nHost:", 400),
        (b"GET /v2/health/live HTTP/1.1", 400),
        (b"GET /v1/model HTTP/1.0", 400),
        (b"GET /v1/model HTTP/1.0\r\nHost: 127.0.0.1", 200),
    ],
)
def test_who_asks_by_http_1_0_for_signs_of_life_need_name_no_host(head: bytes, expected: int) -> None:
    async def old() -> None:
        scene = Scene(Limits())
        connection, wire = scene.connect()
        connection.data_received(head + b"\r\n\r\n")
        await scene.done()
        assert status(wire) == expected
        connection.connection_lost(None)

    play(old())


HOST = b" /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = b"POST" + HOST + b"Transfer-Encoding: chunked\r\n"
LONG = b"GET" + HOST + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n"
IN_DOUBT = {
    "both lengths": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": WHOLE.replace(b"Host", b"Content-Length: 2\r\nHost"),
    "a list of lengths": WHOLE.replace(b": 2", b": 2, 2"),
    "bare LF": WHOLE.replace(b"\r\nContent", b"\nContent"),
    "bare LF throughout": WHOLE.replace(b"\r\n", b"\n"),
    "bare LF at the end": WHOLE.replace(b"\r\n\r\n", b"\r\n\n"),
    "bare CR": WHOLE.replace(b"\r\nContent", b"\rContent"),
    "a continued line": WHOLE.replace(b"\r\nContent", b"\r\n\tContent"),
    "a continued value": WHOLE.replace(b": 2", b":\r\n 2"),
    "a piece that is longer": CHUNKED + b"\r\n2\r\nabc\r\n0\r\n\r\n",
    "bare LF after the length of a piece": CHUNKED + b"\r\n2\nab\r\n0\r\n\r\n",
    "bare CR in the length of a piece": CHUNKED + b"\r\n2;\ra\r\nab\r\n0\r\n\r\n",
    "bare LF after a piece": CHUNKED + b"\r\n2\r\nab\n0\r\n\r\n",
    "bare LF after the last piece": CHUNKED + b"\r\n2\r\nab\r\n0\r\n\n",
    "bare LF in what trails": CHUNKED + b"\r\n0\r\nX: y\n\r\n",
    "a continued line in what trails": CHUNKED + b"\r\n0\r\nX: y\r\n z\r\n\r\n",
}


async def answers(port: int, *pieces: bytes) -> list[int]:
    """The statuses that are answered until the service ends the connection, to what is sent piece by piece."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.002)  # so that most of them come apart; nothing hangs on it
    told = await asyncio.wait_for(reader.read(), 20)
    await ended(writer)
    return [int(rest[:3]) for rest in told.split(b"HTTP/1.1 ")[1:]]


def sum_of(counted: str, label: str) -> float:
    """How many requests with this label were counted."""
    lines = [line for line in counted.splitlines() if line.startswith("digits_requests_total{") and label in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.parametrize("doubtful", IN_DOUBT.values(), ids=IN_DOUBT)
def test_what_is_in_doubt_is_refused_wherever_it_is_cut_and_what_follows_is_never_answered(doubtful: bytes) -> None:
    async def cut() -> None:
        scene = Scene(Limits(in_flight=1000))
        sent = doubtful + WHOLE
        async with scene.port() as port:
            ways = [(WHOLE, sent[:at], sent[at:]) for at in range(1, len(doubtful) + 1)]
            ways += [(WHOLE + sent,), (WHOLE, *(sent[at : at + 1] for at in range(len(sent))))]
            told = await asyncio.gather(*(answers(port, *way) for way in ways))
        assert told == [[200, 400]] * len(ways)
        assert scene.received == [b"ab"] * len(ways)
        scene.metrics.observe_misread(scene.state.misread)
        counted = scene.metrics.text().decode()
        assert f'digits_refused_total{{code="bad_request"}} {len(ways)}.0' in counted
        assert sum_of(counted, 'status="400"') == len(ways)
        assert "digits_disconnected_total 0.0" in counted

    play(cut())


def test_headers_are_too_long_whatever_the_pieces_that_they_come_in() -> None:
    async def cut() -> None:
        scene = Scene(Limits(in_flight=1000))
        async with scene.port() as port:
            ways = [(WHOLE, LONG[:at], LONG[at:] + WHOLE) for at in range(1, len(LONG), 997)]
            ways += [(WHOLE + LONG + WHOLE,), (WHOLE, LONG + WHOLE)]
            told = await asyncio.gather(*(answers(port, *way) for way in ways))
        assert told == [[200, 431]] * len(ways)
        assert scene.received == [b"ab"] * len(ways)
        assert scene.state.misread == {(431, "headers_too_large"): len(ways)}

    play(cut())


def test_a_sound_body_in_pieces_is_read_wherever_it_is_cut() -> None:
    sound = CHUNKED + b"Connection: close\r\n\r\n4\r\n \r\r\n\r\n1;x=y\r\n\n\r\n2\r\n\r\t\r\n0\r\nX: y\r\n\r\n"

    async def cut() -> None:
        scene = Scene(Limits(in_flight=1000))
        async with scene.port() as port:
            ways = [(WHOLE, sound[:at], sound[at:]) for at in range(1, len(sound))]
            ways += [(WHOLE + sound,), (WHOLE, *(sound[at : at + 1] for at in range(len(sound))))]
            told = await asyncio.gather(*(answers(port, *way) for way in ways))
        assert told == [[200, 200]] * len(ways)
        assert sorted(scene.received) == sorted([b"ab", b" \r\r\n\n\r\t"] * len(ways))

    play(cut())


def test_a_full_service_turns_nothing_away_that_is_in_doubt() -> None:
    async def full() -> None:
        scene = Scene(Limits(in_flight=1))
        connection, wire = scene.connect()
        scene.state.in_flight = 1
        connection.data_received(WHOLE.replace(b"\r\nContent", b"\r\n continued\r\nContent"))
        assert (status(wire), wire.ended, scene.state.turned_away) == (400, True, 0)
        connection.connection_lost(None)

    play(full())
