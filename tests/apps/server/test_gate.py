"""Who may enter, how much may be brought, how long it may take: each limit at its edge and one past it."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from digit_recognizer.apps.server.app import make_app
from digit_recognizer.apps.server.limits import Limits, ServerSettings
from digit_recognizer.apps.server.process import JsonLines
from digit_recognizer.reading import Page
from digit_recognizer.recognizer import Recognizer
from tests.apps.server.conftest import Connect, error_code, png

PNG = {"Content-Type": "image/png"}
BYTES = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(connect: Connect) -> None:
    client = connect(limits=Limits(body_bytes=2 * 784))
    assert client.post("/v1/predict", content=bytes(2 * 784), headers=BYTES).status_code == 200
    response = client.post("/v1/predict", content=bytes(2 * 784 + 1), headers=BYTES)
    assert (response.status_code, error_code(response)) == (413, "too_large")

    def pieces() -> Any:  # sent in chunks, without a Content-Length
        yield bytes(784)
        yield bytes(785)

    response = client.post("/v1/predict", content=pieces(), headers=BYTES)
    assert (response.status_code, error_code(response)) == (413, "too_large")


def test_a_length_that_is_announced_beyond_the_limit_is_refused_before_it_is_read(recognizer: Recognizer) -> None:
    app = make_app(recognizer, ServerSettings(limits=Limits(body_bytes=100)))

    async def never() -> dict[str, Any]:
        raise AssertionError("the body was read")

    assert asyncio.run(status_of(app, never, {"content-length": "101"})) == 413
    assert asyncio.run(status_of(app, never, {"content-length": "9" * 5000})) == 413


def test_json_at_its_limits_of_length_and_depth_is_parsed_and_one_more_is_not(connect: Connect) -> None:
    client = connect(limits=Limits(json_bytes=1000, json_depth=5))
    padded = b'{"images": []}'.ljust(1000)
    assert client.post("/v1/predict", content=padded, headers=JSON).json() == []
    response = client.post("/v1/predict", content=padded + b" ", headers=JSON)
    assert (response.status_code, error_code(response)) == (413, "too_large")
    response = client.post("/v1/predict", content=nested(5), headers=JSON)
    assert (response.status_code, error_code(response)) == (422, "bad_input")
    response = client.post("/v1/predict", content=nested(6), headers=JSON)
    assert (response.status_code, error_code(response)) == (400, "bad_json")


def test_json_of_absurd_depth_is_refused_without_a_recursion_error(client: TestClient) -> None:
    response = client.post("/v1/predict", content=nested(500_000), headers=JSON)
    assert (response.status_code, error_code(response)) == (400, "bad_json")


def test_as_many_images_as_the_limit_are_read_and_one_more_is_not(connect: Connect) -> None:
    client = connect(limits=Limits(images=3))
    for count, status in ((3, 200), (4, 413)):
        images = np.zeros((count, 28, 28), np.uint8)
        tensor = {"name": "images", "shape": [count, 28, 28], "datatype": "UINT8", "data": images.tolist()}
        assert client.post("/v1/predict", content=images.tobytes(), headers=BYTES).status_code == status
        assert client.post("/v1/predict", json={"images": images.tolist()}).status_code == status
        assert client.post("/v2/models/digits/infer", json={"inputs": [tensor]}).status_code == status


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/read"])
def test_pixels_and_parts_are_taken_up_to_their_limits(connect: Connect, path: str) -> None:
    client = connect(limits=Limits(pixels=40 * 50, parts=2))
    fits, too_many = (png(np.full((40, width), 255, np.uint8)) for width in (50, 51))
    assert client.post(path, content=fits, headers=PNG).status_code == 200
    response = client.post(path, content=too_many, headers=PNG)
    assert (response.status_code, error_code(response)) == (413, "too_many_pixels")
    files = [("file", (f"{number}.png", fits)) for number in range(3)]
    assert [len(client.post(path, files=files[:2]).json())] == [2]
    response = client.post(path, files=files)
    assert (response.status_code, error_code(response)) == (413, "too_many_parts")


def test_a_slow_sender_is_refused_and_one_in_time_is_not(recognizer: Recognizer) -> None:
    app = make_app(recognizer, ServerSettings(limits=Limits(body_s=0.2)))

    def drip(pause_s: float) -> Any:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause_s)
            receive.left -= 1  # type: ignore[attr-defined]
            return {"type": "http.request", "body": bytes(196), "more_body": receive.left > 0}  # type: ignore[attr-defined]

        receive.left = 4  # type: ignore[attr-defined]
        return receive

    kind = {"content-type": "application/octet-stream"}
    assert asyncio.run(status_of(app, drip(0), kind)) == 200
    assert asyncio.run(status_of(app, drip(0.1), kind)) == 408


def test_a_client_that_leaves_gets_no_answer_and_is_counted(recognizer: Recognizer) -> None:
    app = make_app(recognizer)

    async def leave() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert asyncio.run(status_of(app, leave, {})) == 0
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        assert "digits_disconnected_total 1.0" in client.get("/metrics").text
    assert app.state.gate.held_bytes == app.state.gate.in_flight == 0


def test_pages_of_clients_that_left_are_not_read(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    go_on = threading.Event()
    read: list[str] = []

    def slowly(self: Recognizer, picture: Any, **_: Any) -> Page:
        read.append(picture.name)
        begun.set()
        assert go_on.wait(20)
        return Page()

    monkeypatch.setattr(Recognizer, "read", slowly)
    monkeypatch.setattr("digit_recognizer.apps.server.service._MOST_HANDS", 1)
    app = make_app(recognizer)
    content = png(np.full((30, 30), 255, np.uint8))

    def body(leaves: bool) -> Any:
        messages = [{"type": "http.request", "body": content, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            while not (leaves and begun.is_set()):
                await asyncio.sleep(0.001)
            return {"type": "http.disconnect"}

        return receive

    async def scene() -> list[int]:
        kind = {"content-type": "image/png"}
        stays = asyncio.create_task(status_of(app, body(leaves=False), kind, "/v1/read"))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        leaves = asyncio.create_task(status_of(app, body(leaves=True), kind, "/v1/read"))
        gone = await leaves
        go_on.set()
        return [await stays, gone]

    assert asyncio.run(scene()) == [200, 0]
    assert len(read) == 1
    assert app.state.gate.in_flight == 0


def test_a_full_service_sends_clients_away_at_once_but_still_tells_that_it_lives(connect: Connect) -> None:
    client = connect(limits=Limits(in_flight=2))
    state = client.app.state.gate  # type: ignore[attr-defined]
    state.in_flight = 1
    assert client.post("/v1/predict", content=bytes(784), headers=BYTES).status_code == 200
    state.in_flight = 2
    response = client.post("/v1/predict", content=bytes(784), headers=BYTES)
    assert (response.status_code, error_code(response), response.headers["retry-after"]) == (503, "busy", "1")
    for path in ("/v2/health/live", "/v2/health/ready", "/metrics"):
        assert client.get(path).status_code == 200


def test_a_full_queue_and_full_memory_send_clients_away(connect: Connect) -> None:
    client = connect(limits=Limits(waiting_images=2, held_bytes=4 * 784))
    assert client.post("/v1/predict", content=bytes(2 * 784), headers=BYTES).status_code == 200
    response = client.post("/v1/predict", content=bytes(3 * 784), headers=BYTES)
    assert (response.status_code, error_code(response), response.headers["retry-after"]) == (429, "queue_full", "1")
    response = client.post("/v1/predict", content=bytes(5 * 784), headers=BYTES)
    assert (response.status_code, error_code(response)) == (503, "busy")
    assert client.app.state.gate.held_bytes == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8000", 200),
        ("digits.example", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("10.0.0.1", 400),
        ("127.0.0.1@evil.example", 400),
        ("", 400),
    ],
)
def test_the_service_answers_to_its_own_names_alone(connect: Connect, host: str, status: int) -> None:
    client = connect(allowed_hosts=("Digits.example",))
    assert client.get("/v1/model", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("listens", "host", "status"),
    [
        ("0.0.0.0", "192.168.1.7:8000", 200),
        ("0.0.0.0", "[fe80::1]:8000", 200),
        ("::", "10.1.2.3", 200),
        ("0.0.0.0", "digits.example:8000", 200),
        ("0.0.0.0", "evil.example", 400),
        ("0.0.0.0", "192.168.1.7.evil.example", 400),
        ("192.168.1.7", "192.168.1.7:8000", 200),
        ("192.168.1.7", "digits.example", 200),
        ("192.168.1.7", "192.168.1.8:8000", 400),
        ("192.168.1.7", "evil.example", 400),
    ],
)
def test_a_service_for_others_answers_to_its_addresses_and_names_but_not_to_foreign_ones(
    connect: Connect, listens: str, host: str, status: int
) -> None:
    client = connect(host=listens, allowed_hosts=("digits.example",))
    assert client.get("/v1/model", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://192.168.1.7:8000", 200),
        ("https://192.168.1.7:8000", 200),  # a proxy before it speaks TLS
        ("http://192.168.1.7", 403),
        ("http://192.168.1.8:8000", 403),
        ("https://evil.example", 403),
    ],
)
def test_pages_of_other_sites_may_not_call_a_service_for_others_either(
    connect: Connect, origin: str, status: int
) -> None:
    client = connect(host="0.0.0.0")
    headers = {**BYTES, "Host": "192.168.1.7:8000", "Origin": origin}
    assert client.post("/v1/predict", content=bytes(784), headers=headers).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("http://127.0.0.1:8001", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[bad", 403),
    ],
)
def test_pages_of_other_sites_may_not_call(client: TestClient, origin: str, status: int) -> None:
    response = client.post("/v1/predict", content=bytes(784), headers={**BYTES, "Origin": origin})
    assert response.status_code == status


def test_a_token_is_asked_for_everywhere_but_for_the_page_and_for_health(connect: Connect) -> None:
    client = connect(token="a-long-enough-token")
    for path in ("/v1/model", "/metrics", "/openapi.json", "/v2"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": "Bearer a-long-enough-tokeN"}).status_code == 401
        assert client.get(path, headers={"Authorization": "Bearer a-long-enough-token"}).status_code == 200
    assert error_code(client.get("/v1/model")) == "unauthorized"
    for path in ("/", "/script.js", "/v2/health/live", "/v2/health/ready"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("caller", "status"), [("192.168.1.9", 403), ("testclient", 403), ("127.0.0.1", 200), ("::ffff:127.0.0.1", 200)]
)
def test_where_others_reach_it_without_a_token_this_machine_alone_sees_counters_and_docs(
    recognizer: Recognizer, caller: str, status: int
) -> None:
    app = make_app(recognizer, ServerSettings(host="0.0.0.0"))
    with TestClient(app, base_url="http://192.168.1.7:8000", client=(caller, 50_000)) as client:
        for path in ("/metrics", "/docs", "/docs.css", "/openapi.json"):
            assert client.get(path).status_code == status
        assert client.get("/v1/model").status_code == 200
        assert client.get("/").status_code == 200
        assert client.get("/v2/health/ready").status_code == 200


def test_with_a_token_counters_are_for_all_who_know_it(recognizer: Recognizer) -> None:
    app = make_app(recognizer, ServerSettings(host="0.0.0.0", token="a-long-enough-token"))
    with TestClient(app, base_url="http://192.168.1.7:8000", client=("192.168.1.9", 50_000)) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer a-long-enough-token"}).status_code == 200


def test_compressed_bodies_are_refused(client: TestClient) -> None:
    response = client.post("/v1/predict", content=b"x", headers={**BYTES, "Content-Encoding": "gzip"})
    assert (response.status_code, error_code(response)) == (415, "unsupported_encoding")


def test_a_stopping_service_is_not_ready_and_closes_connections_but_still_answers(client: TestClient) -> None:
    client.app.state.gate.draining = True  # type: ignore[attr-defined]
    response = client.get("/v2/health/ready")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert client.get("/v2/health/live").status_code == 200
    response = client.post("/v1/predict", content=bytes(784), headers=BYTES)
    assert (response.status_code, response.headers["connection"]) == (200, "close")


def test_every_answer_carries_its_number_and_forbids_what_is_not_needed(client: TestClient) -> None:
    given = client.get("/v1/model", headers={"X-Request-ID": "order-66"})
    assert given.headers["x-request-id"] == "order-66"
    odd = client.get("/nothing", headers={"X-Request-ID": 'a"}\\n<script>'})
    assert odd.headers["x-request-id"].isalnum()
    for response in (given, odd, client.get("/")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert "'none'" in response.headers["content-security-policy"]


def test_the_log_has_one_line_of_json_a_request_and_nothing_of_the_picture(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "digit_recognizer.server"):
        response = client.post("/v1/predict?details=1", content=b"\x07" * 784, headers=BYTES)
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.message == "request"]
    assert len(lines) == 1
    assert lines[0]["request_id"] == response.headers["x-request-id"]
    known = {"time", "level", "message", "request_id", "method", "path", "status", "ms", "bytes", "images"}
    assert set(lines[0]) == known
    assert (lines[0]["path"], lines[0]["bytes"], lines[0]["images"]) == ("/v1/predict", 784, 1)


@pytest.mark.parametrize("path", ["/script.js", "/v1/model", "/nothing"])
def test_head_is_answered_with_headers_alone_whatever_server_stands_before(recognizer: Recognizer, path: str) -> None:
    app = make_app(recognizer)
    start, *rest = asyncio.run(sent_by(app, nothing, {"host": "127.0.0.1"}, path, "HEAD"))
    got, *content = asyncio.run(sent_by(app, nothing, {"host": "127.0.0.1"}, path, "GET"))
    length = dict(start["headers"])[b"content-length"]
    assert (start["status"], length) == (got["status"], dict(got["headers"])[b"content-length"])
    assert b"".join(message.get("body", b"") for message in rest) == b""
    assert len(b"".join(message.get("body", b"") for message in content)) == int(length) > 0


@pytest.mark.parametrize(("version", "status"), [("1.0", 200), ("1.1", 400)])
def test_what_names_no_host_must_speak_a_protocol_without_hosts(
    recognizer: Recognizer, version: str, status: int
) -> None:
    app = make_app(recognizer)
    start, *_ = asyncio.run(sent_by(app, nothing, {}, "/v2/health/live", "GET", version))
    assert start["status"] == status


async def nothing() -> dict[str, Any]:
    """The body of a request that has none."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def status_of(app: Any, receive: Any, headers: dict[str, str], path: str = "/v1/predict") -> int:
    """The status of a POST whose body comes from ``receive``; 0 where nothing was sent."""
    sent = await sent_by(app, receive, {"host": "127.0.0.1", **headers}, path, "POST")
    return int(sent[0]["status"]) if sent else 0


async def sent_by(
    app: Any, receive: Any, headers: dict[str, str], path: str, method: str, version: str = "1.1"
) -> list[Any]:
    """What the application sends to who asks like that."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": version,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 5000),
        "headers": pairs,
    }
    await app(scope, receive, send)
    return sent
