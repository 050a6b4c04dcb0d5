"""Pages that the tests compose from their own digits, read by comparing each candidate with those digits."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.pictures import page as page_module
from digit_recognizer.pictures.expectation import parse_expectation
from digit_recognizer.pictures.ink import to_frames
from digit_recognizer.pictures.page import read_page
from digit_recognizer.reading import NOT_A_DIGIT
from digit_recognizer.recognizer import Recognizer
from tests.conftest import draw_digits

Grey = npt.NDArray[np.uint8]

_TEMPLATES = draw_digits(200, seed=3)
_FRAMES = to_frames(_TEMPLATES.images).reshape(200, -1).astype(np.float32) / 255
_LABELS = _TEMPLATES.known_labels()


def answer(frames: Grey) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Nearest neighbours among drawn digits: no network has a say in these tests."""
    given = frames.reshape(len(frames), -1).astype(np.float32) / 255
    norms = np.linalg.norm(given, axis=1)[:, None] * np.linalg.norm(_FRAMES, axis=1)
    alike = (given @ _FRAMES.T) / np.maximum(norms, 1e-6)
    best = np.stack([alike[:, digit == _LABELS].max(axis=1) for digit in range(10)], axis=1)
    powers = np.exp(40 * best)
    strange = (1 / (1 + np.exp(40 * (best.max(axis=1) - 0.8)))).astype(np.float32)
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32) * (1 - strange)[:, None], strange


def sprite(digit: int, height: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """One drawn digit, 0-1, cut out, ``height`` pixels tall."""
    image = draw_digits(10, seed=seed).images[digit].astype(np.float32) / 255
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(2, round(cut.shape[1] * height / len(cut)))
    return np.clip(cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)


def page_of(lines: Sequence[str], height: int = 40, gap: float = 0.3, space: float = 1.6) -> npt.NDArray[np.float32]:
    """Ink, 0-1, of lines of digits; a blank in a line is a wide space."""
    page = np.zeros((len(lines) * 2 * height + height, 900), np.float32)
    for number, line in enumerate(lines):
        x, y = height, height // 2 + number * 2 * height
        for place, letter in enumerate(line):
            if letter == " ":
                x += round((space - gap) * height)
                continue
            ink = sprite(int(letter), height, seed=place)
            page[y : y + height, x : x + ink.shape[1]] = np.maximum(page[y : y + height, x : x + ink.shape[1]], ink)
            x += ink.shape[1] + round(gap * height)
    return page[:, : int(np.flatnonzero(page.any(0))[-1]) + height]


def on_paper(ink: npt.NDArray[np.float32], ground: float = 235, mark: float = 40) -> Grey:
    return np.rint(ground + (mark - ground) * ink).astype(np.uint8)


@pytest.mark.parametrize("lines", [["4"], ["2026"], ["314 159"], ["907", "12345678", "60 41 35"]])
def test_numbers_are_read_line_by_line_with_spaces_between(lines: list[str]) -> None:
    page = read_page(on_paper(page_of(lines)), answer)
    assert page.text == "\n".join(lines)
    assert page.rejected == ()


@pytest.mark.parametrize("height", [14, 25, 80, 200])
def test_the_size_of_digits_does_not_matter(height: int) -> None:
    assert read_page(on_paper(page_of(["592"], height)), answer).text == "592"


def test_dark_on_light_and_light_on_dark_say_the_same() -> None:
    grey = on_paper(page_of(["8051", "274"]))
    assert read_page(255 - grey, answer).text == read_page(grey, answer).text == "8051\n274"


def test_a_page_half_of_which_is_inverted_is_read_as_a_whole() -> None:
    grey = on_paper(page_of(["6083", "5192", "447", "20"]))
    middle = len(grey) // 2 - 20
    grey[middle:] = 255 - grey[middle:]
    assert read_page(grey, answer).text == "6083\n5192\n447\n20"


def test_light_that_falls_off_and_a_shadow_change_nothing() -> None:
    grey = on_paper(page_of(["6083", "5192"])).astype(np.float32)
    light = np.linspace(1, 0.45, grey.shape[1], dtype=np.float32)[None, :] * np.ones_like(grey)
    light[:, : grey.shape[1] // 3] *= 0.7
    noise = np.random.default_rng(0).normal(0, 2, grey.shape)
    assert read_page(np.clip(grey * light + noise, 0, 255).astype(np.uint8), answer).text == "6083\n5192"


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_blank_picture_has_no_lines(level: int) -> None:
    page = read_page(np.full((200, 300), level, np.uint8), answer)
    assert (page.lines, page.rejected, page.text) == ((), (), "")


def test_noise_alone_holds_no_accepted_digit() -> None:
    noise = np.random.default_rng(1).normal(128, 12, (200, 300)).clip(0, 255).astype(np.uint8)
    page = read_page(noise, answer, min_confidence=0.9)
    assert not any(digit.accepted for digit in page.digits)


def test_boxes_are_where_the_digits_were_drawn() -> None:
    ink = page_of(["58"], 40)
    (line,) = read_page(on_paper(ink), answer).lines
    columns = np.flatnonzero(np.diff((ink > 0.45).any(0).astype(int))) + 1
    for digit, (left, right) in zip(line.digits, columns.reshape(-1, 2), strict=True):
        x, y, width, height = digit.box
        assert abs(x - left) <= 1
        assert abs(x + width - right) <= 1
        assert abs(y - 20) <= 1
        assert abs(height - 40) <= 2
    assert line.box[0] == line.digits[0].box[0]
    assert line.box[0] + line.box[2] == line.digits[1].box[0] + line.digits[1].box[2]


def test_a_page_larger_than_the_limit_has_boxes_in_its_own_pixels() -> None:
    grey = on_paper(page_of(["709"], 40))
    large = cv2.resize(grey, None, fx=20, fy=20, interpolation=cv2.INTER_LINEAR)
    small_page, large_page = read_page(grey, answer), read_page(np.asarray(large, np.uint8), answer)
    assert max(large.shape) > 2400
    assert large_page.text == small_page.text == "709"
    for one, other in zip(small_page.digits, large_page.digits, strict=True):
        assert np.abs(np.array(one.box) * 20 - np.array(other.box)).max() <= 30


def test_digits_that_touch_are_cut_apart() -> None:
    ink = page_of(["5283"], 40, gap=0.1)
    left, right = np.flatnonzero(ink.any(0))[[0, -1]]
    ink[38:41, left : right + 1] = 1  # one stroke through all of them
    count, _ = cv2.connectedComponents((ink > 0.5).astype(np.uint8))
    assert count == 2
    assert read_page(on_paper(ink), answer).text == "5283"


def test_what_is_no_digit_is_rejected_with_its_box() -> None:
    ink = page_of(["36"], 40)
    ink = np.pad(ink, ((0, 0), (0, 160)))
    cv2.circle(ink, (ink.shape[1] - 60, 40), 19, 1, -1)
    page = read_page(on_paper(ink), answer)
    assert page.text == "36"
    assert [found.reason for found in page.rejected] == ["not a digit"]
    assert abs(page.rejected[0].box[0] - (ink.shape[1] - 79)) <= 2


def test_a_number_of_another_length_than_expected_is_not_accepted_and_says_so() -> None:
    grey = on_paper(page_of(["274"]))
    right = read_page(grey, answer, parse_expectation("3"))
    wrong = read_page(grey, answer, parse_expectation(12))
    assert right.lines[0].accepted
    assert right.rejected == ()
    assert not any(digit.accepted for digit in wrong.digits)
    assert [found.reason for found in wrong.rejected] == ["expected 12 digits, found 3"]


def test_a_page_as_json_holds_plain_values_in_reading_order() -> None:
    document = read_page(on_paper(page_of(["31", "7"])), answer, name="a.png").to_dict()
    assert list(document) == ["file", "lines", "rejected"]
    assert [line["text"] for line in document["lines"]] == ["31", "7"]
    assert list(document["lines"][0]) == ["text", "confidence", "accepted", "reason", "box", "digits"]
    (seven,) = document["lines"][1]["digits"]
    assert list(seven) == ["digit", "confidence", "accepted", "box", "second", "second_confidence"]
    assert all(type(side) is int for side in seven["box"])


def test_what_is_lower_than_any_digit_is_told_as_none_and_nobody_is_asked_about_it() -> None:
    asked: list[int] = []

    def counting(frames: Grey) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        asked.append(len(frames))
        return answer(frames)

    bars = np.full((70, 90), 255, np.uint8)
    bars[5:65:2, 10:80] = 0  # thirty, each a line of its own

    def read_strips(strips: Sequence[Grey]) -> list[npt.NDArray[np.float32]]:
        raise AssertionError(f"asked about {len(strips)} strips")

    page = read_page(bars, counting, read_strips=read_strips)
    assert page.lines == ()
    assert {found.reason for found in page.rejected} == {NOT_A_DIGIT}
    assert len(page.rejected) >= 20
    assert asked == []


@pytest.mark.parametrize(("sure", "accepted"), [(1, 0), (2, 2)])
def test_a_line_of_doubtful_digits_is_accepted_in_no_part(sure: int, accepted: int) -> None:
    """Letters out of focus: one of them happens to look like a 0."""

    def doubtful(frames: Grey) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        probabilities, unfamiliarity = answer(frames)
        probabilities = (0.7 * probabilities + 0.03).astype(np.float32)
        found = np.flatnonzero(unfamiliarity < 0.1)[:sure]
        probabilities[found] = np.eye(10, dtype=np.float32)[probabilities[found].argmax(axis=1)]
        return probabilities, unfamiliarity

    page = read_page(on_paper(page_of(["274135"])), doubtful, min_confidence=0.9)
    assert page.text == "274135"
    assert sum(digit.accepted for digit in page.digits) == accepted


@pytest.mark.parametrize(("ruled", "is_asked"), [(False, False), (True, True)])
def test_a_clean_page_is_shown_to_the_ink_finder_only_where_lines_are_printed_on_it(
    ruled: bool, is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def find_ink(grey: Grey) -> npt.NDArray[np.float32]:
        asked.append(len(grey))
        return (grey < 128).astype(np.float32)

    monkeypatch.setattr(page_module, "drawing_of", lambda grey: None)  # those never are
    grey = on_paper(page_of(["274135"]))
    if ruled:
        grey[[4, -5]] = np.minimum(grey[[4, -5]], 90)
    assert read_page(grey, answer, find_ink=find_ink).text == "274135"
    assert bool(asked) == is_asked


@pytest.mark.parametrize("thickness", [2, 7])
def test_a_ring_around_nothing_is_no_accepted_0(thickness: int) -> None:
    """In uneven light the network sees a thin one in part, and all of it is looked at as one digit."""
    page = np.tile(np.linspace(90, 240, 500, dtype=np.float32), (300, 1))
    cv2.ellipse(page, (250, 150), (150, 80), 4, 0, 360, 40.0, thickness, cv2.LINE_AA)
    found = Recognizer(threads=1).read(np.rint(page).astype(np.uint8))
    assert not any(digit.accepted for digit in found.digits)
