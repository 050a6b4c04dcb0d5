"""The Open Inference Protocol, version 2: what its clients send and expect."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from digit_recognizer.apps.server.inference_protocol import parse_infer
from digit_recognizer.apps.server.limits import Limits
from digit_recognizer.apps.server.refusals import Refusal
from digit_recognizer.recognizer import Recognizer
from tests.conftest import draw_digits

INFER = "/v2/models/digits/infer"


def tensor(images: np.ndarray, **changes: Any) -> dict[str, Any]:
    data = images.reshape(-1).tolist()
    return {"name": "images", "shape": list(images.shape), "datatype": "UINT8", "data": data, **changes}


def test_health_and_metadata_are_where_clients_look_for_them(client: TestClient) -> None:
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/digits/ready",
        "/v2/models/digits/versions/1/ready",
    ):
        assert client.get(path).status_code == 200
    assert set(client.get("/v2").json()) == {"name", "version", "extensions"}
    metadata = client.get("/v2/models/digits").json()
    assert metadata["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28]}]
    assert metadata["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}]


def test_probabilities_are_those_of_python_flat_nested_or_binary(client: TestClient, recognizer: Recognizer) -> None:
    images = draw_digits(3).images
    expected = recognizer.probabilities(images)
    flat = client.post(INFER, json={"id": "seven", "inputs": [tensor(images)]})
    nested = client.post(INFER, json={"id": "seven", "inputs": [tensor(images, data=images.tolist())]})
    head = tensor(images, parameters={"binary_data_size": images.size})
    del head["data"]
    head_bytes = json.dumps({"id": "seven", "inputs": [head], "outputs": [{"name": "probabilities"}]}).encode()
    binary = client.post(
        INFER,
        content=head_bytes + images.tobytes(),
        headers={
            "Inference-Header-Content-Length": str(len(head_bytes)),
            "Content-Type": "application/octet-stream",
        },
    )
    for response in (flat, nested, binary):
        answer = response.json()
        assert (answer["model_name"], answer["id"]) == ("digits", "seven")
        (output,) = answer["outputs"]
        assert (output["name"], output["datatype"], output["shape"]) == ("probabilities", "FP32", [3, 10])
        np.testing.assert_allclose(np.reshape(output["data"], (3, 10)), expected, atol=1e-6)


def binary_answer(response: Any) -> tuple[dict[str, Any], np.ndarray]:
    """The output of an answer in plain bytes, and its numbers, as Triton's clients find them."""
    length = int(response.headers["Inference-Header-Content-Length"])
    assert response.headers["content-type"] == "application/octet-stream"
    (output,) = json.loads(response.content[:length])["outputs"]
    rest = response.content[length:]
    assert output.pop("parameters") == {"binary_data_size": len(rest)}
    return output, np.frombuffer(rest, "<f4").reshape(output["shape"])


NAMED = {"name": "probabilities"}


@pytest.mark.parametrize("count", [3, 0])
@pytest.mark.parametrize(
    ("wishes", "binary"),
    [
        ({}, False),
        ({"outputs": []}, False),
        ({"outputs": [{**NAMED, "parameters": {"binary_data": True}}]}, True),
        ({"outputs": [{**NAMED, "parameters": {"binary_data": False}}]}, False),
        ({"parameters": {"binary_data_output": True}}, True),
        ({"parameters": {"binary_data_output": True}, "outputs": []}, True),
        ({"parameters": {"binary_data_output": True}, "outputs": [NAMED]}, True),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{**NAMED, "parameters": {"binary_data": False}}],
            },
            False,
        ),
    ],
)
def test_probabilities_come_as_plain_bytes_where_they_are_asked_for(
    client: TestClient, recognizer: Recognizer, wishes: dict[str, Any], binary: bool, count: int
) -> None:
    images = draw_digits(3).images[:count]
    response = client.post(INFER, json={"inputs": [tensor(images)], "id": "seven", **wishes})
    assert response.status_code == 200
    if not binary:
        assert len(response.json()["outputs"][0]["data"]) == 10 * count
        assert "Inference-Header-Content-Length" not in response.headers
        return
    output, rows = binary_answer(response)
    assert output == {"name": "probabilities", "datatype": "FP32", "shape": [count, 10]}
    in_json = client.post(INFER, json={"inputs": [tensor(images)]}).json()["outputs"][0]["data"]
    assert rows.reshape(-1).tolist() == in_json


def test_the_document_tells_of_both_ways_to_answer(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"][INFER]["post"]
    both = {"application/json", "application/octet-stream"}
    assert set(operation["requestBody"]["content"]) == set(operation["responses"]["200"]["content"]) == both
    assert set(operation["responses"]["200"]["headers"]) == {"Inference-Header-Content-Length"}


def test_answers_of_other_extensions_are_refused_by_their_name(client: TestClient) -> None:
    for word in ("classification", "shared_memory_region"):
        wishes = {"outputs": [{**NAMED, "parameters": {word: 3}}]}
        response = client.post(INFER, json={"inputs": [tensor(ONE)], **wishes})
        assert response.status_code == 400
        assert word in response.json()["error"]


ONE = np.zeros((1, 28, 28), np.uint8)


@pytest.mark.parametrize(
    "request_",
    [
        [],
        {},
        {"inputs": []},
        {"inputs": [tensor(ONE), tensor(ONE)]},
        {"inputs": [tensor(ONE, name="pictures")]},
        {"inputs": [tensor(ONE, datatype="FP32")]},
        {"inputs": [tensor(ONE, shape=[1, 784])]},
        {"inputs": [tensor(ONE, shape=[2, 28, 28])]},
        {"inputs": [tensor(ONE, shape=[-1, 28, 28])]},
        {"inputs": [tensor(ONE, shape=[1.0, 28, 28])]},
        {"inputs": [tensor(ONE, shape=[True, 28, 28])]},
        {"inputs": [tensor(ONE, data="zero")]},
        {"inputs": [tensor(ONE, data=[[1], [2, 3]])]},
        {"inputs": [tensor(ONE, data=[0.5] * 784)]},
        {"inputs": [tensor(ONE, data=[0.0] * 784)]},
        {"inputs": [tensor(ONE, data=[True] + [0] * 783)]},
        {"inputs": [tensor(ONE, data=["0"] + [0] * 783)]},
        {"inputs": [tensor(ONE, data=[[0]] + [0] * 783)]},
        {"inputs": [tensor(ONE, data=[[[0] * 28] * 28, [[0] * 28] * 27])]},
        {"inputs": [tensor(ONE, data=[[[True] + [0] * 27] * 28])]},
        {"inputs": [tensor(ONE, data=[0] * 785)]},
        {"inputs": [tensor(ONE, data=[256] * 784)]},
        {"inputs": [tensor(ONE, data=[-1] * 784)]},
        {"inputs": [tensor(ONE, data=[10**30] * 784)]},
        {"inputs": [tensor(ONE, parameters={"binary_data_size": 784})]},
        {"inputs": [tensor(ONE)], "outputs": [{"name": "logits"}]},
        {"inputs": [tensor(ONE)], "outputs": 7},
        {"inputs": [tensor(ONE)], "outputs": [{"name": "probabilities", "parameters": {"binary_data": 1}}]},
        {"inputs": [tensor(ONE)], "outputs": [{"name": "probabilities", "parameters": 1}]},
        {"inputs": [tensor(ONE)], "parameters": {"binary_data_output": "true"}},
        {"inputs": [tensor(ONE)], "parameters": 5},
        {"inputs": [tensor(ONE, parameters=[])]},
        {"inputs": [tensor(ONE)], "id": 7},
        {"inputs": [tensor(ONE)], "id": "\ud800"},
    ],
)
def test_other_requests_are_refused_with_one_sentence(client: TestClient, request_: Any) -> None:
    response = client.post(INFER, content=json.dumps(request_), headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert set(response.json()) == {"error"}
    assert isinstance(response.json()["error"], str)


@pytest.mark.parametrize("length", ["-1", "many", "99999999", "9" * 400, "9" * 5000, "0" * 5000])
def test_a_lying_length_of_the_json_is_refused(client: TestClient, length: str) -> None:
    response = client.post(INFER, content=b"{}", headers={"Inference-Header-Content-Length": length})
    assert response.status_code == 400


@pytest.mark.parametrize("shape", [[1, 28, 28], [7, 28, 28]])
def test_a_long_text_among_the_numbers_costs_no_memory(shape: list[int]) -> None:
    data = ["a" * 4_000] + ["b"] * (7 * 784 - 1)  # as many as the second shape says
    body = json.dumps({"inputs": [tensor(ONE, shape=shape, data=data)]}).encode()
    tracemalloc.start()
    with pytest.raises(Refusal, match="images: expected") as caught:
        parse_infer(body, None, Limits())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.status == 400
    assert most < 2**22


def test_unknown_models_are_not_found(client: TestClient) -> None:
    for path in ("/v2/models/letters", "/v2/models/digits/versions/2", "/v2/repository/index"):
        response = client.get(path)
        assert response.status_code == 404
        assert isinstance(response.json()["error"], str)
