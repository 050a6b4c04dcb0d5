"""Reading over HTTP: the answers of Python and of the command line, and what is told when there is none."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from digit_recognizer.apps.server import answers, schema
from digit_recognizer.apps.server.app import PAGE_FILES
from digit_recognizer.apps.server.service import AT_ONCE
from digit_recognizer.reading import Line, Page, PlacedReading, Rejected
from digit_recognizer.recognizer import Recognizer
from tests.apps.command import call
from tests.apps.server.conftest import Connect, error_code, png
from tests.conftest import draw_digits

PNG = {"Content-Type": "image/png"}
BYTES = {"Content-Type": "application/octet-stream"}


def drawing() -> np.ndarray:
    """A 0 and a 7 side by side, dark on light: uint8 (80, 180)."""
    page = np.full((80, 180), 255, np.uint8)
    cv2.ellipse(page, (38, 40), (13, 22), 8, 0, 360, 0, 5, cv2.LINE_AA)
    seven = np.array([[122, 20], [150, 18], [132, 62]], np.int32)
    cv2.polylines(page, [seven], False, 0, 5, cv2.LINE_AA)
    return page


def test_images_are_answered_as_python_reads_them_by_json_and_by_bytes(
    client: TestClient, recognizer: Recognizer
) -> None:
    images = np.concatenate([draw_digits(5).images, 255 - draw_digits(2).images, np.zeros((1, 28, 28), np.uint8)])
    expected = [{**reading.to_dict(), "reason": reading.reason} for reading in recognizer.predict(images)]
    by_json = client.post("/v1/predict", json={"images": images.tolist()})
    by_bytes = client.post("/v1/predict", content=images.tobytes(), headers=BYTES)
    assert by_json.json() == expected
    assert by_json.content == by_bytes.content
    assert expected[-1]["reason"] == "blank"


def test_a_picture_is_answered_with_the_very_bytes_that_the_command_line_prints(
    client: TestClient,
    model_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    content = png(255 - draw_digits(4, seed=5).images[3])
    Path("one.png").write_bytes(content)
    Path("bad.png").write_bytes(content[:60])
    printed = call(capsys, monkeypatch, "predict", "one.png", "--json", "-m", model_path)
    answered = client.post("/v1/predict", files=[("file", ("one.png", content))])
    assert answered.text == printed.out
    printed = call(capsys, monkeypatch, "predict", "one.png", "bad.png", "--json", "-m", model_path)
    answered = client.post("/v1/predict", files=[("a", ("one.png", content)), ("b", ("bad.png", content[:60]))])
    assert (answered.status_code, answered.text) == (200, printed.out)


def test_a_page_is_answered_as_python_reads_it(client: TestClient, recognizer: Recognizer) -> None:
    content = png(drawing())
    answer = client.post("/v1/read", content=content, headers=PNG)
    assert answer.json() == [recognizer.read(content).to_dict()]
    decimal = client.post("/v1/read?numbers=decimal&expect=2", content=content, headers=PNG)
    assert decimal.json() == [recognizer.read(content, numbers="decimal", expect="2").to_dict()]


def test_details_are_what_the_network_saw_and_said(client: TestClient, recognizer: Recognizer) -> None:
    content = png(drawing())
    page = recognizer.read(content)
    answer = client.post("/v1/read?details=true", content=content, headers=PNG).json()[0]
    told = [digit for line in answer["lines"] for digit in line["digits"]]
    assert len(told) == len(page.digits)
    for digit, reading in zip(told, page.digits, strict=True):
        assert digit["frame"] == reading.frame.tolist()
        assert digit["probabilities"] == pytest.approx(reading.probabilities.tolist(), abs=1e-6)
    images = draw_digits(1).images
    one = client.post("/v1/predict?details=1", content=images.tobytes(), headers=BYTES).json()[0]
    assert one["frame"] == recognizer.predict(images)[0].frame.tolist()


@pytest.mark.parametrize(
    ("path", "content", "kind", "function"),
    [
        ("/v1/read?details=1", png(drawing()), PNG, "answers.page_answer"),
        ("/v1/predict?details=1", draw_digits(AT_ONCE + 1).images.tobytes(), BYTES, "app.reading_answer"),
    ],
)
def test_long_answers_are_written_down_while_the_service_turns_to_others(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    content: bytes,
    kind: dict[str, str],
    function: str,
) -> None:
    write = getattr(answers, function.partition(".")[2])
    written: list[tuple[str, dict[str, Any]]] = []

    def watched(*arguments: Any) -> dict[str, Any]:
        written.append((threading.current_thread().name, write(*arguments)))
        return written[-1][1]

    monkeypatch.setattr(f"digit_recognizer.apps.server.{function}", watched)
    answer = client.post(path, content=content, headers=kind)
    assert answer.content == answers.json_response([value for _, value in written]).body
    assert {name.partition("_")[0] for name, _ in written} == {"digits-pictures"}


def test_a_blank_picture_has_no_lines(client: TestClient) -> None:
    blank = np.full((90, 90), 255, np.uint8)
    answer = client.post("/v1/read", content=png(blank), headers=PNG)
    assert answer.json() == [{"file": "1", "lines": [], "rejected": []}]


@pytest.mark.parametrize("path", ["/v1/read", "/v1/predict"])
@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "image/png", 422, "empty_file"),
        (png(drawing())[:200], "image/png", 422, "truncated_image"),
        (b"%PDF-1.7 and so on", "image/png", 415, "unsupported_image"),
        (b"hello", "text/plain", 415, "unsupported_type"),
        (b"hello", "", 415, "unsupported_type"),
        (b"hello", "multipart/form-data", 400, "bad_form"),
        (b"--x\r\nhello", "multipart/form-data; boundary=x", 400, "bad_form"),
        (b"hello", "multipart/form-data; boundary*=a; boundary*0=b", 400, "bad_form"),
        (b"hello", "text/plain; boundary*=a; boundary*0=b", 415, "unsupported_type"),
    ],
)
def test_bodies_that_are_no_pictures_are_refused(
    client: TestClient, path: str, content: bytes, kind: str, status: int, code: str
) -> None:
    response = client.post(path, content=content, headers={"Content-Type": kind})
    assert (response.status_code, error_code(response)) == (status, code)


@pytest.mark.parametrize(
    "query", ["expect=many", "numbers=roman", "check=isbn", "details=perhaps", "expect=" + "9" * 21]
)
def test_a_wish_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    response = client.post(f"/v1/read?{query}", content=png(drawing()), headers=PNG)
    assert response.status_code == 422
    assert error_code(response)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/read?expcet=5", "unknown parameter 'expcet': expected expect, check, numbers, details alone"),
        ("/v1/predict?expect=5", "unknown parameter 'expect': expected details alone"),
        ("/v1/corrections?digit=1&of=2", "unknown parameter 'of': expected digit alone"),
        ("/v1/model?details=1", "unknown parameter 'details': expected none at all"),
        ("/v1/read?%C3%A9%0A" + "x" * 50, f"unknown parameter '\\xe9\\n{'x' * 38}': "),
        ("/v1/read?expect=5&expect=6", "parameter 'expect': expected once, found again"),
        ("/v1/read?details=1&details=1", "parameter 'details': expected once, found again"),
        ("/v1/predict?details=1&details=0", "parameter 'details': expected once, found again"),
    ],
)
def test_a_parameter_that_is_unknown_or_stands_twice_is_refused(client: TestClient, path: str, message: str) -> None:
    response = client.get(path) if "model" in path else client.post(path, content=png(drawing()), headers=PNG)
    assert response.status_code == 422
    assert error_code(response) == ("unknown_parameter" if message.startswith("unknown") else "repeated_parameter")
    assert response.json()["error"]["message"].startswith(message)


def test_addresses_of_pages_may_carry_what_they_like(client: TestClient) -> None:
    for path in ("/?from=mail", "/docs?a=1&a=2", "/openapi.json?x", "/v2/health/live?now"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("is_installed", [True, False])
def test_heic_is_told_of_where_it_can_be_read(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, is_installed: bool
) -> None:
    monkeypatch.setattr(schema, "find_spec", lambda name: object() if is_installed and name == "pi_heif" else None)
    client = connect()
    paths = client.get("/openapi.json").json()["paths"]
    refusal = client.post("/v1/read", content=b"hello", headers={"Content-Type": "text/plain"})
    assert refusal.status_code == 415
    told = [refusal.json()["error"]["message"]]
    told += [paths[path]["post"]["requestBody"]["content"] for path in ("/v1/read", "/v1/predict", "/v1/corrections")]
    assert all(("image/heic" in each) is is_installed and "image/gif" in each for each in told)


def test_the_card_tells_of_the_model_but_not_where_it_lies(client: TestClient, recognizer: Recognizer) -> None:
    card = client.get("/v1/model").json()
    assert (card["name"], card["sha256"]) == ("own.onnx", recognizer.sha256)
    assert card["tells_non_digits"] is True
    assert "command" not in card


def test_what_is_not_there_is_told_in_json(client: TestClient) -> None:
    for path in ("/nothing", "/..%2f..%2fetc/passwd", "/page/script.js", "/script.js/", "/%00", "/redoc"):
        response = client.get(path)
        assert (response.status_code, error_code(response)) == (404, "not_found")
    response = client.get("/v1/predict")
    assert (response.status_code, error_code(response), response.headers["allow"]) == (
        405,
        "method_not_allowed",
        "POST",
    )
    assert "access-control-allow-origin" not in client.options("/v1/predict").headers


def test_a_mistake_of_ours_is_told_without_its_cause(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret /etc/path")

    monkeypatch.setattr(Recognizer, "predict", fail)
    response = client.post("/v1/predict", content=bytes(784), headers=BYTES)
    assert (response.status_code, error_code(response)) == (500, "internal_error")
    assert "secret" not in response.text


def test_metrics_count_requests_images_and_runs(client: TestClient) -> None:
    client.post("/v1/predict", content=bytes(3 * 784), headers=BYTES)
    client.get("/nothing")
    text = client.get("/metrics").text
    assert "digits_images_total 3.0" in text
    assert "digits_runs_total 1.0" in text
    assert 'digits_requests_total{method="POST",route="/v1/predict",status="200"} 1.0' in text
    assert 'digits_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert "digits_in_flight 1.0" in text


def test_who_is_turned_away_unread_is_counted_as_all_who_are_answered(client: TestClient) -> None:
    client.app.state.gate.turned_away = 3  # type: ignore[attr-defined]
    client.get("/metrics")
    client.app.state.gate.turned_away = 5  # type: ignore[attr-defined]
    for _ in range(2):  # to look counts nothing
        text = client.get("/metrics").text
        assert "# TYPE digits_turned_away_total counter" in text
        assert "digits_turned_away_total 5.0" in text
        assert 'digits_requests_total{method="POST",route="unread",status="503"} 5.0' in text
        assert 'digits_refused_total{code="busy"} 5.0' in text


def test_what_could_not_be_read_as_a_request_is_counted_as_all_that_is_answered(client: TestClient) -> None:
    misread = client.app.state.gate.misread  # type: ignore[attr-defined]
    misread[400, "bad_request"] = 2
    client.get("/metrics")
    misread[400, "bad_request"] += 1
    misread[431, "headers_too_large"] += 1
    for _ in range(2):  # to look counts nothing
        text = client.get("/metrics").text
        assert 'digits_requests_total{method="other",route="unread",status="400"} 3.0' in text
        assert 'digits_refused_total{code="bad_request"} 3.0' in text
        assert 'digits_refused_total{code="headers_too_large"} 1.0' in text


def test_where_get_is_answered_head_is_without_the_body(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    paths = [path for path, operations in document["paths"].items() if "get" in operations and path != "/metrics"]
    for path in (*paths, *PAGE_FILES, "/docs", "/openapi.json", "/nothing"):
        got, told = client.get(path), client.head(path)
        assert (told.status_code, told.content) == (got.status_code, b"")
        for name in ("content-type", "content-length", "content-security-policy", "cache-control"):
            assert told.headers[name] == got.headers[name]
    assert client.head("/metrics").status_code == 200
    response = client.head("/v1/predict")
    assert (response.status_code, response.content, response.headers["allow"]) == (405, b"", "POST")
    assert client.post("/v1/model").headers["allow"] == "GET, HEAD"
    assert 'digits_requests_total{method="HEAD",route="/v1/model",status="200"} 1.0' in client.get("/metrics").text


def test_the_examples_of_answers_hold_all_that_answers_do(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    def example(path: str) -> Any:
        media = paths[path]["post"]["responses"]["200"]["content"]["application/json"]
        return media["example"][0]

    digit = PlacedReading(7, 0.9, False, 1, 0.1, np.zeros(10, np.float32), np.zeros((28, 28), np.uint8))
    page = Page((Line("7", (digit,)),), (Rejected((0, 0, 1, 1), "not a digit"),)).to_dict()
    (reading,) = client.post("/v1/predict", content=png(drawing()), headers=PNG).json()
    assert list(example("/v1/predict")) == list(reading)
    shown = example("/v1/read")
    assert list(shown) == list(page)
    for name in ("lines", "rejected"):
        assert list(shown[name][0]) == list(page[name][0])
    assert list(shown["lines"][0]["digits"][0]) == list(page["lines"][0]["digits"][0])


def test_the_openapi_document_describes_every_route_and_its_examples_are_answered(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert {"/v1/predict", "/v1/read", "/v1/model", "/v2/models/digits/infer", "/metrics"} <= set(document["paths"])
    for path in ("/v1/predict", "/v2/models/digits/infer"):
        examples = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"]
        assert examples
        for example in examples.values():
            assert client.post(path, json=example["value"]).status_code == 200
    assert "HTTPValidationError" not in json.dumps(document)
