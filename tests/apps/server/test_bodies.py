"""Bodies of clients, ordinary and malicious."""

from __future__ import annotations

import tracemalloc
from email.message import Message
from typing import Any

import numpy as np
import pytest

from digit_recognizer.apps.server.bodies import images_of_json, media_type, parse_json, parts_of_form
from digit_recognizer.apps.server.limits import Limits
from digit_recognizer.apps.server.refusals import Refusal

LIMITS = Limits()
IMAGE: list[Any] = np.zeros((28, 28), int).tolist()


def most_memory(function: Any, *arguments: Any) -> int:
    """Bytes that a call holds at most beyond what it was given, be it refused or not."""
    tracemalloc.start()
    try:
        function(*arguments)
    except Refusal:
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


def refused(function: Any, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        function(*arguments)
    return caught.value.status, caught.value.code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"images": [NaN]}',
        b'{"images": [Infinity]}',
        b'{"images": [], "images": []}',
        b'{"images": [' + b"9" * 5000 + b"]}",
        b"[1] [2]",
        b'"\\',
    ],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    assert refused(parse_json, body, LIMITS) == (400, "bad_json")


def test_brackets_in_texts_are_no_levels() -> None:
    assert parse_json(b'["' + b"[" * 100 + b'\\"]"]', LIMITS) == ["[" * 100 + '"]']


def test_texts_without_an_end_cost_no_more_than_others() -> None:
    # A search for brackets that began anew at each quote would take hours.
    assert refused(parse_json, b'"' + b'\\"' * 1_500_000, LIMITS) == (400, "bad_json")


def test_texts_in_json_cost_no_more_memory_than_other_values() -> None:
    body = b"[" + b'"",' * 2**18 + b"0]"
    assert most_memory(parse_json, body, LIMITS) < 12 * len(body)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"images": 7},
        {"image": [IMAGE]},
        {"images": [IMAGE], "more": 1},
        {"images": IMAGE},
        {"images": [IMAGE[:27]]},
        {"images": [IMAGE, IMAGE[:27]]},
        {"images": [[[0.0] * 28] * 28]},
        {"images": [[["0"] * 28] * 28]},
        {"images": [[[True] * 28] * 28]},
        {"images": [[[True] + [1] * 27] * 28]},
        {"images": [[[1.0] + [1] * 27] * 28]},
        {"images": [[["1"] + [1] * 27] * 28]},
        {"images": [[[None] + [1] * 27] * 28]},
        {"images": [[[[1]] + [1] * 27] * 28]},
        {"images": [[[[1]] * 28] * 28]},
        {"images": [[]]},
        {"images": [[[]]]},
        {"images": [[[None] * 28] * 28]},
        {"images": [[[{}] * 28] * 28]},
        {"images": [[[256] * 28] * 28]},
        {"images": [[[-1] * 28] * 28]},
        {"images": [[[2**70] * 28] * 28]},
        {"images": ["text"]},
        {"images": [7]},
    ],
)
def test_what_is_no_image_is_refused(value: Any) -> None:
    assert refused(images_of_json, value, LIMITS) == (422, "bad_input")


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (["text"], "images: expected whole numbers from 0 to 255 alone"),
        ([IMAGE, [["text"] * 28] * 28], "images: expected whole numbers from 0 to 255 alone"),
        ([[[2**70] * 28] * 28], "images: expected whole numbers from 0 to 255 alone"),
        ([IMAGE, IMAGE[:27]], "images: expected rows of equal length"),
        ([IMAGE, 7], "images: expected rows of equal length"),
        ([IMAGE[:27]], "images: expected N x 28 x 28 numbers, found 1 x 27 x 28"),
        ([IMAGE, [[256] * 28] * 28], "images: expected numbers from 0 to 255, found 256"),
        ([IMAGE, [[-7] * 28] * 28], "images: expected numbers from 0 to 255, found -7"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_images(images: Any, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        images_of_json({"images": images}, LIMITS)
    assert caught.value.message == words


@pytest.mark.parametrize("odd", [["a" * 40_000], ["a" * 40_000, 7], [["a" * 40_000]], [{"a" * 40_000: 1}]])
def test_a_long_text_among_images_costs_no_memory(odd: list[Any]) -> None:
    value = {"images": odd + ["b"] * (LIMITS.images - len(odd))}
    assert most_memory(images_of_json, value, LIMITS) < 2**20
    assert refused(images_of_json, value, LIMITS) == (422, "bad_input")


def test_images_in_json_are_those_that_numpy_makes_of_the_lists() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    np.testing.assert_array_equal(images_of_json({"images": images.tolist()}, LIMITS), images)


def form(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(b"--x\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in parts) + b"--x--\r\n"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('form-data; name="f"; filename="a.png"', "a.png"),
        ('form-data; name="f"; filename="C:\\\\x\\\\a.png"', "a.png"),
        ('form-data; name="f"; filename="../../etc/passwd"', "passwd"),
        ('form-data; name="f"; filename="a\x1b[2J.png"', "a�[2J.png"),
        ('form-data; name="f"; filename=""', "picture 1"),
        ("form-data; name=f; filename=a.png", "a.png"),
    ],
)
def test_names_of_files_are_no_paths(disposition: str, name: str) -> None:
    body = form((f"Content-Disposition: {disposition}", b"content"))
    assert parts_of_form(body, "x", LIMITS) == [(name, b"content")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--y\r\n\r\n--y--",
        form(("Content-Disposition: form-data; filename=a", b"content"))[:-8],
        b"--x\r\n" + b"A: b\r\n" * 50 + b"\r\n--x--\r\n",
        b"--x\r\nA: " + b"b" * 10_000 + b"\r\n\r\n--x--\r\n",
        b"--x\r\n bad header\r\n\r\n--x--\r\n",
    ],
)
def test_broken_forms_are_malformed(body: bytes) -> None:
    assert refused(parts_of_form, body, "x", LIMITS) == (400, "bad_form")


def test_forms_need_files_and_no_other_fields() -> None:
    assert refused(parts_of_form, b"--x--\r\n", "x", LIMITS) in ((422, "bad_input"), (400, "bad_form"))
    field = form(('Content-Disposition: form-data; name="a"', b"5 MB of text"))
    assert refused(parts_of_form, field, "x", LIMITS) == (422, "bad_input")
    assert refused(parts_of_form, field, "", LIMITS) == (400, "bad_form")
    assert refused(parts_of_form, field, "x" * 5000, LIMITS) == (400, "bad_form")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "a/b/c",
        "IMAGE/PNG; a=b",
        "multipart/form-data",
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk",
        'Multipart/Form-Data ;charset=utf-8;BOUNDARY="x \\"y\\\\;"; z',
        "multipart/form-data; boundary = x y ; z=1",
        'multipart/form-data; a="; boundary=no"; boundary=x',
        "multipart/form-data; boundary=x; boundary=y",
        "multipart/form-data; boundary=",
    ],
)
def test_content_types_are_read_as_mail_programs_do(header: str) -> None:
    mail = Message()
    mail["content-type"] = header
    expected = (mail.get_content_type(), mail.get_param("boundary", "")) if header else ("", "")
    assert media_type(header) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        "boundary*=a; boundary*0=b",
        "boundary*=a",
        "boundary*" + "9" * 5000 + "=b",
        "boundary*0*=''%ff",
        "boundary*0*=x'y",
        ";" * 60_000,
        ";a" * 30_000,
        ';a="' * 15_000,
        ';a=\\"' * 12_000,
        "=" * 60_000,
        '"' + "\\" * 60_000,
    ],
)
def test_odd_parameters_of_a_content_type_bring_no_boundary(parameters: str) -> None:
    assert media_type("multipart/form-data; " + parameters) == ("multipart/form-data", "")
