"""The page in a browser: drawing, photos, corrections, tokens, a service that goes away and comes back.

Needs Playwright and a Chromium of the system (Debian: apt install chromium); skipped, loudly, where either is missing,
unless DIGITS_BROWSER=required says that it must be there.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from digit_recognizer import load
from digit_recognizer.recognizer import Recognizer
from tests.apps.command import child
from tests.apps.server.conftest import png
from tests.apps.server.test_app import drawing
from tests.apps.server.test_process import port_of

REQUIRED = os.environ.get("DIGITS_BROWSER") == "required"
if REQUIRED:
    import playwright.sync_api as playwright
else:
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not REQUIRED, reason="browser tests need Chromium: apt install chromium"
)

PATIENCE_MS = 30_000
SEVEN = ((0.4, 0.3), (0.6, 0.32), (0.48, 0.7))  # shares of the pad
EXPORTS = ("#copy", "#csv", "#json", "#annotated")


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections")


@pytest.fixture(scope="module")
def address(corrections: Path) -> Iterator[str]:
    process = child("serve", "--port", "0", "--keep-corrections", corrections)
    assert process.stderr is not None
    log = Thread(target=process.stderr.readlines)  # a pipe that nobody reads is full after some hundred requests
    log.start()
    with process:
        try:
            yield f"http://127.0.0.1:{port_of(process)}/"
        finally:
            process.terminate()
            log.join(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Any, address: str, phone: bool) -> Iterator[Any]:
    """The page as it opens on a phone in the dark, or on a desktop by day. Fails where it complained of anything."""
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
    context = browser.new_context(viewport=size, has_touch=phone, color_scheme="dark" if phone else "light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []  # refusals are told so


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, address, phone=request.param == "phone") as page:
        yield page


@pytest.fixture
def desktop(browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, address, phone=False) as page:
        yield page


def stroke(page: Any, *points: tuple[float, float]) -> None:
    """A stroke through points given as shares of the pad."""
    box = page.locator("#pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def small_seven(page: Any, x: float) -> None:
    """Draw a digit beside others, ``x`` from the left, and wait until it is read."""
    with page.expect_response("**/v1/read*"):
        stroke(page, (x, 0.35), (x + 0.12, 0.35), (x + 0.04, 0.65))


def picture(name: str, content: bytes, kind: str = "image/png") -> Any:
    return {"name": name, "mimeType": kind, "buffer": content}


def tiff() -> Any:
    """A photo in a format that Chromium does not draw."""
    file = io.BytesIO()
    Image.fromarray(drawing()).save(file, "TIFF")
    return picture("photo.tif", file.getvalue(), "image/tiff")


def put_right(page: Any, digit: int) -> None:
    """Correct the chosen digit of the page."""
    page.click("#wrong")
    with page.expect_response("**/v1/corrections*"):
        page.click(f"#right button:text-is('{digit}')")


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
    page.set_input_files("#files", [picture("good.png", good), picture("<b>bad</b>.png", bad)])
    playwright.expect(page.locator("#list")).to_contain_text("truncated or damaged")
    expected = Recognizer(threads=1).read(good)
    assert page.inner_text("#number").split() == expected.text.split()
    count = len(expected.digits)
    assert page.locator("#digits button").count() == (count if count > 1 else 0)
    assert page.locator("#list .name").nth(1).inner_text() == "<b>bad</b>.png"
    with page.expect_download() as saved:
        page.click("#csv")
    rows = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert rows[0] == "file,line,text,confidence,accepted"
    assert [row.split(",")[4] for row in rows[1:]] == [str(line.accepted).lower() for line in expected.lines]
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


def test_a_corrected_drawing_is_kept_with_room_around_it(desktop: Any, corrections: Path) -> None:
    known = set(corrections.glob("*/*.png"))
    put_right(desktop, (int(draw_seven(desktop)) + 3) % 10)
    playwright.expect(desktop.locator("#wrong")).to_have_text("Thank you, kept")
    (kept,) = set(corrections.glob("*/*.png")) - known
    with Image.open(kept) as example:
        assert_room_around(np.asarray(example.convert("L")), 8)


def assert_room_around(pixels: np.ndarray, more: int) -> None:
    """Fails where the white around dark ink is not a third of its longer side, and up to ``more`` pixels besides."""
    assert (pixels[0] == 255).all()
    rows, columns = np.nonzero(pixels < 128)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    height, width = pixels.shape
    room = [rows.min(), height - 1 - rows.max(), columns.min(), width - 1 - columns.max()]
    assert min(room) >= longer / 3 - 1
    assert max(room) <= longer / 3 + more


def test_a_photo_that_the_browser_cannot_draw_is_read_but_not_corrected(page: Any) -> None:
    page.set_input_files("#files", tiff())
    playwright.expect(page.locator("#csv")).to_be_enabled()
    assert page.inner_text("#number").split() == Recognizer(threads=1).read(png(drawing())).text.split()
    assert page.locator("#invitation").is_hidden()
    assert page.locator("#wrong").is_disabled()
    assert page.locator("#annotated").is_disabled()
    assert page.inner_text("#unshown") == "The numbers were read, but this browser cannot show the picture."
    assert not page.evaluate(
        "(({ width, height }) => boxes.getContext('2d').getImageData(0, 0, width, height).data.some(Boolean))(boxes)"
    )
    page.click("#clear")
    assert page.locator("#unshown").is_hidden()
    assert page.locator("#invitation").is_visible()


def test_a_click_on_the_pad_leaves_the_files_that_are_open_as_they_are(desktop: Any) -> None:
    page = desktop
    names = ("good.png", "photo.tif", "bad.png")
    page.set_input_files("#files", [picture(names[0], png(drawing())), tiff(), picture(names[2], b"\x89PNG\r\n\x1a\n")])
    playwright.expect(page.locator("#list")).not_to_contain_text("…")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for index in range(len(names)):
        page.locator("#list button").nth(index).click()
        said = page.inner_text("#number")
        page.evaluate("scrollTo(0, 0)")
        stroke(page, *SEVEN)
        assert page.inner_text("#number") == said
        assert page.locator("#undo").is_disabled()
    assert page.locator("#pictures").is_visible()
    assert page.locator("#list .name").all_inner_texts() == list(names)
    assert asked == []


def test_an_answer_from_before_the_service_went_away_is_marked_and_not_given_out(page: Any) -> None:
    draw_seven(page)
    page.route("**/v1/read*", lambda route: route.abort())
    stroke(page, *((x + 0.25, y) for x, y in SEVEN))
    page.wait_for_selector("#trouble:not([hidden])")
    told = page.locator("#trouble").bounding_box()
    assert page.evaluate("scrollY") == 0
    assert told["y"] + told["height"] <= page.viewport_size["height"]
    assert page.inner_text("#verdict").startswith("Out of date")
    assert float(page.locator("#number").evaluate("(number) => getComputedStyle(number).opacity")) < 0.6
    assert [page.locator(button).is_disabled() for button in (*EXPORTS, "#wrong")] == [True] * 5
    page.unroute("**/v1/read*")
    playwright.expect(page.locator("#digits button")).to_have_count(2)
    assert page.locator("#trouble").is_hidden()
    assert page.locator(".outdated").count() == 0
    assert [page.locator(button).is_enabled() for button in (*EXPORTS, "#wrong")] == [True] * 5


def test_a_correction_stays_while_its_ink_does(desktop: Any) -> None:
    page = desktop
    digits = page.locator("#digits button")

    def told() -> list[dict[str, Any]]:
        return [digit for line in json.loads(downloaded(page, "#json"))[0]["lines"] for digit in line["digits"]]

    small_seven(page, 0.1)
    small_seven(page, 0.4)
    playwright.expect(digits).to_have_count(2)
    read = told()
    right = (read[1]["digit"] + 5) % 10
    put_right(page, right)
    small_seven(page, 0.7)
    playwright.expect(digits).to_have_count(3)
    assert digits.nth(1).inner_text() == str(right)
    assert page.inner_text("#verdict").startswith("1 of 3 digits corrected")
    page.keyboard.press("z")
    playwright.expect(digits).to_have_count(2)
    assert digits.nth(1).inner_text() == str(right)
    with page.expect_response("**/v1/read*"):
        stroke(page, (0.36, 0.5), (0.56, 0.5), (0.36, 0.55), (0.56, 0.55))
    playwright.expect(page.locator("#verdict")).not_to_contain_text("corrected")
    page.keyboard.press("z")
    playwright.expect(page.locator("#verdict")).to_contain_text("corrected")
    with page.expect_response("**/v1/read*"):
        page.keyboard.press("z")
    small_seven(page, 0.4)
    playwright.expect(digits).to_have_count(2)
    assert [digit["digit"] for digit in told()] == [digit["digit"] for digit in read]
    assert not any("corrected" in digit for digit in told())


def test_no_confidence_is_claimed_for_a_corrected_digit(desktop: Any) -> None:
    page = desktop
    right = (int(draw_seven(page)) + 5) % 10
    put_right(page, right)
    playwright.expect(page.locator("#verdict")).to_have_text("Corrected")
    assert page.locator("#bars tr.best").inner_text().split() == [str(right), "corrected"]
    assert "%" not in page.inner_text("#answer")
    (line,) = json.loads(downloaded(page, "#json"))[0]["lines"]
    (digit,) = line["digits"]
    assert (line["text"], line["confidence"]) == (str(right), None)
    assert (digit["digit"], digit["corrected"], digit["confidence"]) == (right, True, None)
    assert (digit["second"], digit["second_confidence"]) == (None, None)
    assert downloaded(page, "#csv").splitlines()[1] == f"drawing,1,{right},,true"


def test_why_digits_are_unsure_is_told_though_each_is_read_surely(desktop: Any) -> None:
    page = np.full((120, 330), 250, np.uint8)
    for place, digit in enumerate("472"):
        cv2.putText(page, digit, (40 + 70 * place, 85), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 5, cv2.LINE_AA)
    found = Recognizer(threads=1).read(page)
    assert not any(line.accepted for line in found.lines)
    desktop.set_input_files("#files", [picture("page.png", cv2.imencode(".png", page)[1].tobytes())])
    playwright.expect(desktop.locator("#verdict")).to_contain_text("gaps in it that may be spaces")


def test_trouble_is_over_with_the_next_answer(desktop: Any) -> None:
    page = desktop
    right = (int(draw_seven(page)) + 5) % 10
    page.route("**/v1/corrections*", lambda route: route.abort())
    page.click("#wrong")
    page.click(f"#right button:text-is('{right}')")
    playwright.expect(page.locator("#trouble")).to_contain_text("The service does not answer.")
    page.unroute("**/v1/corrections*")
    page.click(f"#right button:text-is('{right}')")
    playwright.expect(page.locator("#wrong")).to_have_text("Thank you, kept")
    assert page.locator("#trouble").is_hidden()


def test_a_file_that_is_no_picture_is_told_in_words_and_an_empty_one_by_its_name(page: Any) -> None:
    page.set_input_files("#files", picture("empty.png", b""))
    playwright.expect(page.locator("#verdict")).to_have_text("empty.png: This file is empty.")
    files = [
        picture("paper.pdf", b"%PDF-1.7 and more", "application/pdf"),
        picture("note.txt", b"text", "text/plain"),
        picture("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        picture("empty.png", b""),
        picture("misnamed.txt", png(drawing()), "text/plain"),
    ]
    page.set_input_files("#files", files)
    playwright.expect(page.locator("#list")).not_to_contain_text("…")
    assert page.locator("#list .name").all_inner_texts() == [file["name"] for file in files]
    no_picture = "Not a picture that can be read. PNG, JPEG, WebP, BMP, TIFF, GIF and HEIC files can."
    read = Recognizer(threads=1).read(png(drawing())).text.replace("\n", " · ")
    told = page.locator("#list .text").all_inner_texts()
    assert told == [no_picture, no_picture, no_picture, "This file is empty.", read]
    assert page.inner_text("#verdict") == f"paper.pdf: {no_picture}"


def test_a_token_is_asked_for_until_it_is_right_or_the_person_gives_up(browser: Any, tmp_path: Path) -> None:
    token = "0123456789abcdef"
    (tmp_path / "token").write_text(token, "ascii")
    process = child("serve", "--port", "0", "--token-file", tmp_path / "token")
    try:
        with opened(browser, f"http://127.0.0.1:{port_of(process)}/", phone=False) as page:
            dialog, refused, trouble = page.locator("#ask"), page.locator("#refused"), page.locator("#trouble")
            playwright.expect(dialog).to_be_visible()
            assert refused.is_hidden()
            for wrong in ("no such token", "ungültig, 零"):
                page.fill("#token", wrong)
                page.keyboard.press("Enter")
                playwright.expect(refused).to_have_text("That token was not accepted.")
                playwright.expect(refused).to_be_visible()
            page.keyboard.press("Escape")
            playwright.expect(trouble).to_contain_text("Nothing is read here without a token.")
            stroke(page, *SEVEN)
            playwright.expect(page.locator("#number")).to_have_text("Not read")
            assert dialog.is_hidden()
            page.click("#enter")
            playwright.expect(dialog).to_be_visible()
            assert refused.is_hidden()
            page.fill("#token", f" {token} ")
            page.keyboard.press("Enter")
            page.wait_for_selector("#bars tr.best")
            playwright.expect(trouble).to_be_hidden()
            assert dialog.is_hidden()
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_a_digit_of_a_photo_is_kept_as_it_stands_there(desktop: Any, corrections: Path) -> None:
    page = desktop
    page.set_input_files("#files", picture("photo.png", png(drawing())))
    playwright.expect(page.locator("#digits button")).to_have_count(2)
    known = set(corrections.glob("*/*.png"))
    put_right(page, 5)
    playwright.expect(page.locator("#digits button").first).to_have_text("5")
    (kept,) = set(corrections.glob("*/*.png")) - known
    x, y, width, height = Recognizer(threads=1).read(png(drawing())).digits[0].box
    ink = drawing()[y : y + height, x : x + width]
    assert kept.parent.name == "5"
    with Image.open(kept) as example:
        middle = (np.array(example.size) - (width, height)) // 2
        assert (np.asarray(example)[middle[1] :, middle[0] :][:height, :width] == ink).all()


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
    page.set_input_files("#files", picture("blank.png", blank))
    playwright.expect(page.locator("#number")).to_have_text("Not a digit")
    assert page.locator("#copy").is_disabled()


def test_nothing_serious_is_in_the_way_of_people_who_cannot_see_or_point(page: Any, address: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs: pip install axe-playwright-python"
    )

    def faults() -> list[str]:
        found = axe.Axe().run(page).response["violations"]
        return [
            f"{each['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
            for each in found
            if each["impact"] in ("serious", "critical", "moderate")
            for node in each["nodes"]
        ]

    assert faults() == []
    draw_seven(page)
    assert faults() == []
    page.route("**/v1/read*", lambda route: route.abort())
    stroke(page, *SEVEN)
    page.wait_for_selector(".outdated #trouble:not([hidden])")
    assert faults() == []
    page.unroute("**/v1/read*")
    playwright.expect(page.locator("#wrong")).to_be_enabled()
    page.click("#wrong")
    page.set_input_files("#files", [picture(f"{name}.png", png(drawing())) for name in ("one", "two")])
    playwright.expect(page.locator("#list button")).to_have_count(2)
    playwright.expect(page.locator("#list")).not_to_contain_text("…")
    assert faults() == []
    page.set_input_files("#files", tiff())
    playwright.expect(page.locator("#unshown")).to_be_visible()
    assert faults() == []
    page.goto(f"{address}docs")
    assert faults() == []


def test_the_pad_is_told_in_its_own_units_wherever_on_it_one_writes(page: Any) -> None:
    expected = []
    for x, y in ((0.12, 0.15), (0.88, 0.15), (0.12, 0.85), (0.88, 0.85)):
        pad = page.locator("#pad").bounding_box()
        expected.append((720 * x, 720 * y * pad["height"] / pad["width"]))
        with page.expect_response("**/v1/read*"):
            stroke(page, (x - 0.05, y - 0.1), (x + 0.05, y - 0.1), (x - 0.02, y + 0.1))
    playwright.expect(page.locator("#digits button")).to_have_count(4)
    saved = json.loads(downloaded(page, "#json"))
    boxes = [digit["box"] for line in saved[0]["lines"] for digit in line["digits"]]
    assert [(x + width / 2, y + height / 2) for x, y, width, height in boxes] == [
        (pytest.approx(x, abs=20), pytest.approx(y, abs=20)) for x, y in expected
    ]


# Chromium does not tell what a blob held that was sent.
KEEP_SENT = """() => { const real = window.fetch;
  window.fetch = (path, options) => { window.sent = options.body; return real(path, options); };
}"""


@pytest.mark.parametrize(
    "points", [SEVEN, ((0.02, 0.5), (0.98, 0.52)), ((0.5, 0.02), (0.52, 0.98))], ids=["digit", "wide", "tall"]
)
def test_what_is_drawn_is_sent_with_room_around_it(desktop: Any, points: Any) -> None:
    desktop.evaluate(KEEP_SENT)
    with desktop.expect_response("**/v1/read*"):
        stroke(desktop, *points)
    content = bytes(desktop.evaluate("() => window.sent.arrayBuffer().then((bytes) => [...new Uint8Array(bytes)])"))
    with Image.open(io.BytesIO(content)) as sent:
        assert_room_around(np.asarray(sent.convert("L")), 26)


def test_who_draws_over_a_picture_is_told_how_to_write(desktop: Any) -> None:
    page = desktop
    page.set_input_files("#files", [picture(f"{number}.png", png(drawing())) for number in (1, 2)])
    playwright.expect(page.locator("#list")).not_to_contain_text("…")
    page.evaluate("scrollTo(0, 0)")
    stroke(page, SEVEN[0])
    assert page.locator("#trouble").is_hidden()  # a click chooses a digit
    stroke(page, *SEVEN)
    assert page.inner_text("#trouble-text") == "A picture is open. To write here, press Clear first."
    page.locator("#list button").nth(1).click()
    assert page.locator("#trouble").is_hidden()
    stroke(page, *SEVEN)
    page.click("#clear")
    assert page.locator("#trouble").is_hidden()
    draw_seven(page)
    assert page.locator("#pictures").is_hidden()


@pytest.mark.parametrize(
    ("second", "reason", "told"),
    [
        (0.006, "unsure", "Unsure: 98.9 %, or 4"),
        (0.002, "unsure", "Unsure: 98.9 %"),
        (0.002, "a part of a number, or all of it", "Unsure: a part of a number, or all of it"),
    ],
)
def test_a_doubt_is_not_rounded_away_and_names_what_is_worth_it(
    desktop: Any, second: float, reason: str, told: str
) -> None:
    def answered(route: Any) -> None:
        answer = route.fetch().json()
        (digit,) = answer[0]["lines"][0]["digits"]
        digit |= {"accepted": False, "confidence": 0.98996, "second": 4, "second_confidence": second, "reason": reason}
        route.fulfill(json=answer)

    desktop.route("**/v1/read*", answered)
    draw_seven(desktop)
    assert desktop.inner_text("#verdict") == told


def test_the_annotated_picture_is_as_large_as_the_photo_and_marks_what_was_read(desktop: Any) -> None:
    page = desktop
    plain = drawing()
    page.set_input_files("#files", picture("receipt.png", png(plain)))
    playwright.expect(page.locator("#annotated")).to_be_enabled()
    with page.expect_download() as saved:
        page.click("#annotated")
    assert saved.value.suggested_filename == "receipt-numbers.png"
    drawn = np.asarray(Image.open(io.BytesIO(Path(saved.value.path()).read_bytes())).convert("RGB"), np.int16)
    assert drawn.shape == (*plain.shape, 3)
    colourful = np.ptp(drawn, axis=2) > 60
    assert colourful.any()
    boxes = [digit.box for digit in Recognizer(threads=1).read(png(plain)).digits]
    for x, y, _, height in boxes:
        assert colourful[max(0, y - 3) : y + height + 3, max(0, x - 3) : x].any() or x == 0
    assert (drawn[~colourful] == np.repeat(plain[..., None], 3, 2)[~colourful]).mean() > 0.95


def test_texts_and_tables_hold_every_picture(desktop: Any) -> None:
    page = desktop
    page.set_input_files("#files", [picture(f"{name}.png", png(drawing())) for name in ("=one", "two")])
    playwright.expect(page.locator("#list button")).to_have_count(2)
    playwright.expect(page.locator("#list")).not_to_contain_text("…")
    expected = Recognizer(threads=1).read(png(drawing()))
    rows = downloaded(page, "#csv").splitlines()
    assert [row.split(",")[0] for row in rows] == [
        "file",
        *["'=one.png"] * len(expected.lines),
        *["two.png"] * len(expected.lines),
    ]
    told = json.loads(downloaded(page, "#json"))
    assert [page["file"] for page in told] == ["=one.png", "two.png"]
    assert told[0]["lines"] == expected.to_dict()["lines"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    playwright.expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{expected.text}\n{expected.text}"


def downloaded(page: Any, button: str) -> str:
    with page.expect_download() as saved:
        page.click(button)
    return Path(saved.value.path()).read_text("utf-8")


def test_pens_and_keys_do_what_they_say(desktop: Any) -> None:
    page = desktop

    def ink() -> int:
        script = "(pad) => pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data.filter((v) => v > 127)"
        return int(page.locator("#pad").evaluate(f"(pad) => ({script})(pad).length"))

    draw_seven(page)
    thick = ink()
    page.keyboard.press("Delete")
    assert ink() == 0
    page.keyboard.press("p")
    assert page.locator("input[value=thin]").is_checked()
    draw_seven(page)
    assert 0 < ink() < 0.7 * thick
    draw_seven(page)
    both = ink()
    page.keyboard.press("Control+z")
    assert ink() <= both
    assert page.locator("#clear").is_enabled()
    page.click("#clear")
    assert page.inner_text("#verdict") == "Nothing written yet"
    draw_seven(page)
    page.check("input[value=thick]", force=True)  # keys are for the drawing also where a pen was chosen last
    page.keyboard.press("Delete")
    assert ink() == 0


def test_a_service_that_ends_and_begins_again_goes_on_with_the_same_drawing(browser: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    first = child("serve", "--port", str(port))
    second = None
    context = browser.new_context()
    try:
        port_of(first)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://127.0.0.1:{port}/")
        draw_seven(page)
        first.terminate()
        first.communicate(timeout=60)
        stroke(page, *((x + 0.3, y) for x, y in SEVEN))
        page.wait_for_selector("#trouble:not([hidden])")
        second = child("serve", "--port", str(port))
        with page.expect_response("**/v1/read*") as answer:
            port_of(second)
        (read,) = answer.value.json()
        assert sum(len(line["digits"]) for line in read["lines"]) == 2
        page.wait_for_selector("#trouble", state="hidden")
        playwright.expect(page.locator("#digits button")).to_have_count(2)
    finally:
        context.close()
        for process in (first, second):
            if process is not None:
                process.terminate()
                process.communicate(timeout=60)


def test_the_camera_is_offered_where_fingers_point(browser: Any, address: str) -> None:
    for fingers in (True, False):
        context = browser.new_context(**(started_phone() if fingers else {}))
        page = context.new_page()
        page.goto(address)
        assert page.locator("label[for=camera]").is_visible() is fingers
        assert page.locator("#camera").get_attribute("capture") == "environment"
        context.close()


def started_phone() -> dict[str, Any]:
    return {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def test_strokes_of_many_writers_are_read_as_they_were_meant(desktop: Any, real_data: Path) -> None:
    drawings = json.loads(gzip.decompress((real_data / "pen_strokes_train.json.gz").read_bytes()))
    held_out = drawings[-len(drawings) // 6 :]  # the writers that training leaves out
    chosen = [held_out[index] for index in np.random.default_rng(0).permutation(len(held_out))[:12]]
    right = sum(written(desktop, each["strokes"]) == str(each["label"]) for each in chosen)
    assert right >= 11


# While the pen is down the page drops older answers: the next change of the number is the answer to all strokes.
NEXT_CHANGE = """() => { window.changed = new Promise((resolve) => {
  new MutationObserver(resolve).observe(document.querySelector('#number'), { childList: true });
}); }"""


def written(page: Any, strokes: Any) -> str:
    """Write a digit, stroke by stroke; what stands large when it was read."""
    page.keyboard.press("Delete")
    points = np.concatenate([np.array(stroke, float) for stroke in strokes])
    low, extent = points.min(0), max(1.0, float(np.ptp(points, axis=0).max()))
    box = page.locator("#pad").bounding_box()
    side = 0.6 * min(box["width"], box["height"])
    left, bottom = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] + side) / 2
    for each in strokes:
        path = (np.array(each, float) - low) / extent * side
        page.mouse.move(left + path[0, 0], bottom - path[0, 1])
        page.mouse.down()
        for x, y in path[1:]:
            page.mouse.move(left + x, bottom - y)
        page.evaluate(NEXT_CHANGE)
        page.mouse.up()
    page.evaluate("() => window.changed.then(() => null)")
    return str(page.inner_text("#number"))
