"""The page in a browser: drawing, photos, corrections, a service that goes away and comes back.

Needs Playwright and a Chromium of the system (Debian: apt install chromium); skipped, loudly, where either is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digit_recognizer import load
from digit_recognizer.recognizer import Recognizer
from tests.apps.command import child
from tests.apps.server.conftest import png
from tests.apps.server.test_app import drawing
from tests.apps.server.test_process import port_of

playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="browser tests need Chromium: apt install chromium")

PATIENCE_MS = 10_000
SEVEN = ((0.4, 0.3), (0.6, 0.32), (0.48, 0.7))  # shares of the pad


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections")


@pytest.fixture(scope="module")
def address(corrections: Path) -> Iterator[str]:
    process = child("serve", "--port", "0", "--keep-corrections", corrections)
    try:
        yield f"http://127.0.0.1:{port_of(process)}/"
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    phone = request.param == "phone"
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
    context = browser.new_context(viewport=size, has_touch=phone, color_scheme="dark" if phone else "light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    yield page
    context.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []  # refusals are told so


def stroke(page: Any, *points: tuple[float, float]) -> None:
    """A stroke through points given as shares of the pad."""
    box = page.locator("#pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def draw_seven(page: Any) -> str:
    """Draw a digit; returns what the service reads there."""
    with page.expect_response("**/v1/read*") as answer:
        stroke(page, *SEVEN)
    (read,) = answer.value.json()
    page.wait_for_selector("#bars tr.best")
    return "\n".join(line["text"] for line in read["lines"])


def test_a_drawn_digit_is_shown_as_the_service_reads_it_and_goes_when_undone(page: Any) -> None:
    assert page.inner_text("#verdict") == "Nothing written yet"
    text = draw_seven(page)
    assert len(text) == 1
    assert page.inner_text("#number") == text
    assert page.locator("#bars tr.best th").inner_text() == text
    playwright.expect(page.locator("#status")).to_contain_text(f"Reads {text}.")
    seen = page.evaluate("[...document.querySelector('#frame').getContext('2d').getImageData(0, 0, 28, 28).data]")
    assert max(seen[0::4]) > 100
    page.keyboard.press("z")
    page.wait_for_selector("#bars tr.best", state="detached")
    assert page.locator("#undo").is_disabled()


def test_the_page_does_not_scroll_sideways_or_while_drawing(page: Any) -> None:
    draw_seven(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('#pad')).touchAction") == "none"


def test_photos_are_read_as_python_reads_them(page: Any) -> None:
    good, bad = png(drawing()), png(drawing())[:100]
    files = [
        {"name": "good.png", "mimeType": "image/png", "buffer": good},
        {"name": "<b>bad</b>.png", "mimeType": "image/png", "buffer": bad},
    ]
    page.set_input_files("#files", files)
    playwright.expect(page.locator("#list")).to_contain_text("truncated or damaged")
    expected = Recognizer(threads=1).read(good)
    assert page.inner_text("#number").split() == expected.text.split()
    count = len(expected.digits)
    assert page.locator("#digits button").count() == (count if count > 1 else 0)
    assert page.locator("#list .name").nth(1).inner_text() == "<b>bad</b>.png"
    with page.expect_download() as saved:
        page.click("#csv")
    rows = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert rows[0] == "file,line,text,confidence"
    assert [row.split(",")[2] for row in rows[1:]] == [line.text for line in expected.lines]


def test_a_correction_is_kept_where_training_finds_it(page: Any, corrections: Path) -> None:
    text = draw_seven(page)
    right = (int(text) + 1) % 10
    page.click("#wrong")
    page.click(f"#right button:text-is('{right}')")
    playwright.expect(page.locator("#number")).to_have_text(str(right))
    kept = list((corrections / str(right)).glob("*.png"))
    assert len(kept) >= 1
    assert right in load(str(corrections)).labelled().known_labels().tolist()


def test_a_service_that_is_away_is_told_and_asked_again(page: Any) -> None:
    page.route("**/v1/read*", lambda route: route.abort())
    stroke(page, *SEVEN)
    page.wait_for_selector("#trouble:not([hidden])")
    assert "does not answer" in page.inner_text("#trouble")
    page.unroute("**/v1/read*")
    page.wait_for_selector("#bars tr.best")
    assert page.locator("#trouble").is_hidden()


def test_a_blank_photo_is_no_digit(page: Any) -> None:
    blank = png(np.full((200, 200), 255, np.uint8))
    page.set_input_files("#files", {"name": "blank.png", "mimeType": "image/png", "buffer": blank})
    playwright.expect(page.locator("#number")).to_have_text("Not a digit")
    assert page.locator("#copy").is_disabled()
