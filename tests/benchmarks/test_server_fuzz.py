"""Damaged pictures and requests, fewer of them than the benchmark sends: a service lives through them all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from digit_recognizer.pictures.load import load_grey
from server_client import Served, connected, service
from server_fuzz import pictures, raw_requests
from server_mutants import damaged_picture, damaged_request, sound_pictures, sound_requests


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with service("--keep-corrections", str(tmp_path_factory.mktemp("corrections"))) as served:
        yield served
        assert served.process.poll() is None
        assert served.complaints() == []


def test_damaged_pictures_are_read_or_refused_and_never_a_mistake(served: Served) -> None:
    statuses, _, odd = asyncio.run(pictures(served.port, 300, seed=7))
    assert odd == []
    assert statuses.total() == 300
    assert statuses[200] > 20
    assert statuses[422] > 50


def test_damaged_requests_harm_nobody(served: Served) -> None:
    first, odd = asyncio.run(raw_requests(served.port, 80, seed=7))
    assert odd == []
    assert first["200"] > 0
    assert first["400"] > 5


def test_sound_pictures_and_requests_are_sound_and_damage_is_the_same_for_a_seed() -> None:
    sound = sound_pictures()
    assert {load_grey(content, name="it").shape for content in sound} == {(70, 90)}
    both = [damaged_picture(sound, np.random.default_rng([1, 2])) for _ in range(2)]
    assert both[0] == both[1]
    assert both[0] not in sound
    requests = sound_requests(sound[0])
    assert damaged_request(requests, np.random.default_rng(3)) not in requests
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head or not body


def test_every_sound_request_is_answered_as_sound(served: Served) -> None:
    async def ask() -> list[int]:
        statuses = []
        for request in sound_requests(sound_pictures()[0]):
            connection = await connected(served.port)
            statuses.append((await connection.ask(request)).status)
            connection.close()
        return statuses

    assert set(asyncio.run(ask())) <= {200, 201}
