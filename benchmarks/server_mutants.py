"""Sound pictures and requests become damaged ones, by a seed: what a service must live through.

Knows neither the service nor what it answers. Imports nothing of the package: the tests use it, too.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

Rng = np.random.Generator

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MOST_BYTES = 200_000


def sound_pictures() -> list[bytes]:
    """Small pictures of a 4 in every format, and in the variants that take other paths through the decoders."""
    rgb = Image.new("RGB", (90, 70), "white")
    ImageDraw.Draw(rgb).line([(40, 10), (25, 40), (60, 40), (60, 40), (55, 20), (55, 60)], fill=(20, 20, 90), width=6)
    grey = rgb.convert("L")
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    ways: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (grey, "PNG", {}),
        (rgb, "PNG", {}),
        (rgb.convert("RGBA"), "PNG", {}),
        (rgb.convert("P"), "PNG", {}),
        (grey.convert("1"), "PNG", {}),
        (deep, "PNG", {}),
        (rgb, "JPEG", {"quality": 80}),
        (grey, "JPEG", {"quality": 40}),
        (rgb, "JPEG", {"progressive": True}),
        (rgb, "WEBP", {"quality": 80}),
        (rgb, "WEBP", {"lossless": True}),
        (rgb, "BMP", {}),
        (grey, "BMP", {}),
        (grey, "TIFF", {}),
        (rgb, "TIFF", {"compression": "tiff_lzw"}),
        (rgb, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (grey, "GIF", {}),
        (grey, "GIF", {"save_all": True, "append_images": [grey.rotate(9), grey.rotate(18)]}),
    ]
    result = []
    for image, kind, options in ways:
        file = BytesIO()
        image.save(file, kind, **options)
        result.append(file.getvalue())
    return result


def damaged_picture(sound: Sequence[bytes], rng: Rng) -> bytes:
    """One of the pictures with one to four damages; a quarter of the PNGs get other measures, and a CRC to match."""
    content = sound[rng.integers(len(sound))]
    if content.startswith(b"\x89PNG") and rng.random() < 0.25:
        content = _other_measures(content, rng)
    return damaged(content, sound, rng, at_most=4)


def damaged(content: bytes, others: Sequence[bytes], rng: Rng, at_most: int) -> bytes:
    """``content`` with one to ``at_most`` damages; pieces of ``others`` may be put into it."""
    for _ in range(rng.integers(1, at_most + 1)):
        kind = _DAMAGES[rng.integers(len(_DAMAGES))]
        content = kind(content, others, rng)[:_MOST_BYTES]
    return content


def sound_requests(picture: bytes) -> list[bytes]:
    """Requests to every part of the service, as bytes on the wire."""
    part = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png'
    form = b"--frontier\r\n%b\r\n\r\n%b\r\n--frontier--\r\n" % (part, picture)
    row = b"[" + b",".join([b"0"] * 28) + b"]"
    pixels = b'{"images": [[' + b",".join([row] * 28) + b"]]}"
    tensor = (
        b'{"id": "7", "inputs": [{"name": "images", "datatype": "UINT8", "shape": [1, 28, 28], "data": ['
        + b",".join([b"9"] * 784)
        + b"]}]}"
    )
    posts = [
        (b"/v1/predict", b"image/png", picture),
        (b"/v1/predict?details=true", b"application/octet-stream", bytes(784)),
        (b"/v1/predict", b"application/json", pixels),
        (b"/v1/predict", b"multipart/form-data; boundary=frontier", form),
        (b"/v1/read?expect=3-7&numbers=decimal", b"image/png", picture),
        (b"/v1/read?check=luhn", b"multipart/form-data; boundary=frontier", form),
        (b"/v1/corrections?digit=4", b"image/png", picture),
        (b"/v2/models/digits/infer", b"application/json", tensor),
    ]
    gets = [b"/", b"/docs", b"/script.js", b"/openapi.json", b"/metrics", b"/v1/model", b"/v2", b"/v2/health/ready"]
    requests = [
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
        % (path, kind, len(body), body)
        for path, kind, body in posts
    ]
    return requests + [b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n" % path for path in gets]


def damaged_request(sound: Sequence[bytes], rng: Rng) -> bytes:
    """One of the requests, damaged on the wire: in its line, its headers, its framing, or anywhere."""
    request = sound[rng.integers(len(sound))]
    head, _, body = request.partition(b"\r\n\r\n")
    way = rng.integers(5)
    if way == 0:
        return damaged(head, sound, rng, at_most=2) + b"\r\n\r\n" + body
    if way == 1:
        return head + b"\r\n\r\n" + damaged(body or b"x", sound, rng, at_most=3)
    if way == 2:
        extra = _HEADERS[rng.integers(len(_HEADERS))]
        return head + b"\r\n" + extra + b"\r\n\r\n" + body
    if way == 3:
        _, _, rest = head.partition(b"\r\n")
        return _LINES[rng.integers(len(_LINES))] + b"\r\n" + rest + b"\r\n\r\n" + body
    return damaged(request, sound, rng, at_most=4)


_HEADERS = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: 5",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Encoding: gzip",
    b"Content-Type: multipart/form-data; boundary=" + b"b" * 300,
    b'Content-Type: multipart/form-data; boundary="\xc3\xa9"',
    b"Content-Type: application/json; charset=utf-16",
    b"Expect: 100-continue",
    b"Expect: the impossible",
    b"Host: evil.example",
    b"Host:",
    b"Origin: null",
    b"Origin: http://[",
    b"Authorization: Basic " + b"A" * 2000,
    b"Connection: close, upgrade\r\nUpgrade: websocket",
    b"Connection: Content-Length",
    b"Range: bytes=" + b",".join(b"0-" for _ in range(500)),
    b"X-Request-ID: \x7f\x01",
    b"X-Long: " + b"a" * 40_000,
    b"Inference-Header-Content-Length: 999999",
    b"Inference-Header-Content-Length: \xb2",
    b" folded: line",
    b"Bad Header: 1",
    b": no name",
    b"Cookie: " + b"; ".join(b"a%d=b" % number for number in range(300)),
)
_LINES = (
    b"POST /v1/predict HTTP/1.0",
    b"POST /v1/predict HTTP/2.0",
    b"POST /v1/predict HTTP/1.1 extra",
    b"POST  /v1/predict HTTP/1.1",
    b"BREW /v1/read HTTP/1.1",
    b"POST http://evil.example/v1/read HTTP/1.1",
    b"POST /v1/read?expect=" + b"9" * 5000 + b" HTTP/1.1",
    b"POST /v1/read?numbers=%ff%00&details=%F0%9F%92%A9 HTTP/1.1",
    b"GET /..%2f..%2fetc%2fpasswd HTTP/1.1",
    b"GET /%00 HTTP/1.1",
    b"GET /\xff\xfe HTTP/1.1",
    b"GET /" + b"a/" * 3000 + b" HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT 127.0.0.1:22 HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"",
)


def _other_measures(content: bytes, rng: Rng) -> bytes:
    """A PNG whose header claims another width and height, with a CRC that fits: bytes 16 to 24 and 29 to 33."""
    sides = [int(rng.choice([0, 1, 7, 90, 4000, 30_000, 2**31 - 1])) for _ in range(2)]
    header = content[12:16] + struct.pack(">II", *sides) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def _place(content: bytes, rng: Rng) -> int:
    """Half of the time near the beginning, where headers are."""
    most = len(content) + 1
    return int(rng.integers(min(most, 64) if rng.random() < 0.5 else most))


def _flip(content: bytes, _: Sequence[bytes], rng: Rng) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9)) if changed else 0):
        changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _number(content: bytes, _: Sequence[bytes], rng: Rng) -> bytes:
    value = _NUMBERS[rng.integers(len(_NUMBERS))]
    form = (">I", "<I", ">H", "<H", ">B")[rng.integers(5)]
    packed = struct.pack(form, value % 256 ** struct.calcsize(form))
    at = _place(content, rng)
    return content[:at] + packed + content[at + len(packed) :]


def _cut(content: bytes, _: Sequence[bytes], rng: Rng) -> bytes:
    return content[: _place(content, rng)]


def _leave_out(content: bytes, _: Sequence[bytes], rng: Rng) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + int(rng.integers(1, 200)) :]


def _repeat(content: bytes, _: Sequence[bytes], rng: Rng) -> bytes:
    at = _place(content, rng)
    piece = content[at : at + int(rng.integers(1, 200))]
    return content[:at] + piece * int(rng.integers(2, 30)) + content[at:]


def _put_in(content: bytes, others: Sequence[bytes], rng: Rng) -> bytes:
    at = _place(content, rng)
    if rng.random() < 0.5:
        return content[:at] + rng.bytes(int(rng.integers(1, 100))) + content[at:]
    other = others[rng.integers(len(others))]
    start = _place(other, rng)
    return content[:at] + other[start : start + int(rng.integers(1, 2000))] + content[at:]


_DAMAGES: tuple[Callable[[bytes, Sequence[bytes], Rng], bytes], ...] = (
    _flip,
    _number,
    _cut,
    _leave_out,
    _repeat,
    _put_in,
)

__all__ = ["damaged", "damaged_picture", "damaged_request", "sound_pictures", "sound_requests"]
