"""The API's page: all of the OpenAPI document, nothing of it taken for markup, nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from digit_recognizer.apps.server.app import PAGE_FILES
from digit_recognizer.apps.server.reference import reference_page
from tests.apps.server.conftest import Connect


class Outline(HTMLParser):
    """The tags that are open, those that were met, and the texts between them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.met: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.met.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(page: str) -> Outline:
    result = Outline()
    result.feed(page)
    assert result.open == []
    return result


def test_the_page_tells_of_every_operation_and_shows_how_to_call_it(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    page = client.get("/docs")
    text = outline(page.text).text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path, operations in document["paths"].items():
        assert f"http://127.0.0.1:8000{path}" in text
        for operation in operations.values():
            assert operation["summary"] in text
            for parameter in operation.get("parameters", []):
                assert parameter["name"] in text


def test_it_needs_no_script_and_no_other_host_and_lives_under_the_strict_policy(client: TestClient) -> None:
    page = client.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    found = outline(page.text).met
    assert not {"script", "style", "iframe", "form"} & {tag for tag, _ in found}
    assert not [name for _, attributes in found for name in attributes if name == "style" or name.startswith("on")]
    links = {str(attributes[key]) for _, attributes in found for key in ("src", "href") if key in attributes}
    known = {*PAGE_FILES, "/openapi.json"}
    assert {link for link in links if not link.startswith("#")} <= known
    names = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert {link[1:] for link in links if link.startswith("#")} == set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("evil", ["<script>x</script>", '"><b onclick=x>', "</pre><img src=x>"])
def test_words_of_the_document_are_never_taken_for_markup(evil: str) -> None:
    parameter = {"name": evil, "description": evil, "schema": {"default": evil}}
    body = {"content": {f"image/{evil}": {"examples": {"one": {"summary": evil, "value": [evil]}}}}}
    answers = {"200": {"description": evil, "content": {"x/y": {"example": evil}}}, "400": {"description": evil}}
    operation = {
        "tags": [evil],
        "summary": evil,
        "description": evil,
        "parameters": [parameter],
        "requestBody": body,
        "responses": answers,
    }
    info = {"title": evil, "version": evil, "summary": evil}
    plain = {"title": "a", "version": "b", "summary": "c"}
    harmless = reference_page({"info": plain, "paths": {"/x": {"post": {**operation, "tags": ["t"]}}}}, "http://h")
    found = outline(reference_page({"info": info, "paths": {f"/{evil}": {"post": operation}}}, f"http://{evil}"))
    assert [tag for tag, _ in found.met] == [tag for tag, _ in outline(harmless).met]
    assert evil in found.text


def test_backticks_in_descriptions_become_code_and_what_is_between_them_stays_text(client: TestClient) -> None:
    operation = {
        "description": "As `digits read '<img src=x>'` has it; a lone ` stays.",
        "parameters": [{"name": "n", "description": "`5` or `3-7`"}],
        "responses": {"400": {"description": "Not `JSON`"}},
    }
    info = {"title": "`a`", "version": "b"}
    page = reference_page({"info": info, "paths": {"/x": {"get": operation}}}, "http://h")
    assert "As <code>digits read &#x27;&lt;img src=x&gt;&#x27;</code> has it; a lone ` stays." in page
    assert "<code>5</code> or <code>3-7</code>" in page
    assert "Not <code>JSON</code>" in page
    assert "`a`: the API</h1>" in page
    assert "`" not in outline(client.get("/docs").text).text


def test_a_form_is_called_a_form_and_calls_name_what_is_required(client: TestClient) -> None:
    text = outline(client.get("/docs").text).text
    assert "a form with file" in text
    assert "a JSON object with images" in text
    assert "0 to 9. Required." in text
    assert '--data-binary @picture.png "http://127.0.0.1:8000/v1/corrections?digit=0"' in text


def test_the_page_is_open_where_a_token_is_asked_for_but_the_document_is_not(connect: Connect) -> None:
    client = connect(token="a-long-enough-token")
    assert client.get("/docs").status_code == 200
    assert client.get("/openapi.json").status_code == 401


def test_examples_of_refusals_have_the_shape_and_codes_of_real_ones(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    responses = document["paths"]["/v1/read"]["post"]["responses"]
    real = client.post("/v1/read", content=b"x", headers={"Content-Type": "text/plain"})
    example = responses["415"]["content"]["application/json"]["example"]
    assert example["error"].keys() == real.json()["error"].keys()
    assert example["error"]["code"] == real.json()["error"]["code"]
    infer = document["paths"]["/v2/models/digits/infer"]["post"]["responses"]["400"]["content"]["application/json"]
    assert isinstance(infer["example"]["error"], str)
    assert all(re.fullmatch("[a-z_]+", each["content"]["application/json"]["example"]["error"]["code"])
               for status, each in responses.items() if status != "200")  # fmt: skip
