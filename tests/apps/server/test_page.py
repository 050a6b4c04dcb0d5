"""The page: whole, from this host alone, and served under a policy that it can live with."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib import resources

import pytest
from fastapi.testclient import TestClient

from digit_recognizer.apps.server.app import PAGE_FILES

FOLDER = resources.files("digit_recognizer") / "apps" / "server" / "page"
TEXTS = {name: (FOLDER / name).read_text("utf-8") for name, _ in PAGE_FILES.values()}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def tags() -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(TEXTS["index.html"])
    return parser.found


def test_its_files_are_served_as_what_they_are_under_a_strict_policy(client: TestClient) -> None:
    for path, (name, kind) in PAGE_FILES.items():
        response = client.get(path)
        assert (response.text, response.headers["content-type"]) == (TEXTS[name], kind)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_it_asks_no_other_host_for_anything(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    links = [attributes.get(key) for _, attributes in tags for key in ("src", "href") if key in attributes]
    assert set(links) <= {*PAGE_FILES, "/docs"}
    for name, text in TEXTS.items():
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
        assert "@import" not in text


def test_it_has_neither_inline_scripts_nor_inline_styles(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    for tag, attributes in tags:
        assert not {name for name in attributes if name == "style" or name.startswith("on")}
        assert tag != "style"
        assert tag != "script" or attributes.get("src")


def test_texts_of_others_are_never_taken_for_markup() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", TEXTS["script.js"])


def test_everything_that_the_script_looks_for_is_on_the_page(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    known = {attributes["id"] for _, attributes in tags if "id" in attributes}
    wanted = set(re.findall(r'\$\("([a-z-]+)"\)', TEXTS["script.js"]))
    assert len(wanted) > 15
    assert wanted <= known


def test_every_control_has_a_name_for_a_screen_reader(tags: list[tuple[str, dict[str, str | None]]]) -> None:
    labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
    for tag, attributes in tags:
        if tag == "canvas":
            assert "aria-label" in attributes or attributes.get("aria-hidden") == "true"
        if tag == "img":
            assert "alt" in attributes
        if tag == "input" and attributes.get("type") != "radio":  # those stand inside their labels
            assert attributes["id"] in labelled


def test_its_script_sends_parameters_that_the_service_knows(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    asked = re.findall(r"(/v1/\w+)\?([^`\"]+)", TEXTS["script.js"])
    assert [path for path, _ in asked] == ["/v1/read", "/v1/corrections"]
    for path, query in asked:
        known = {parameter["name"] for parameter in paths[path]["post"]["parameters"]}
        assert {pair.partition("=")[0] for pair in query.split("&")} <= known
