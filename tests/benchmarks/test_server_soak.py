"""The soak and the SIGTERMs, in small: the ledger balances, and what it is there to find is found."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

import server_drain
import server_soak
from digit_recognizer.recognizer import Recognizer
from server_client import Answer, Case, Ledger, connected, same, service, single_digits
from tests.conftest import draw_digits


def test_mixed_traffic_is_answered_as_python_reads_it_and_nothing_is_lost() -> None:
    traffic = server_soak.Traffic(Recognizer(threads=1), "sample", seed=1, count=6)
    with service() as served:
        memory = asyncio.run(server_soak.soak(served, traffic, seconds=3, clients=8))
        assert served.stop() == 0
        assert served.complaints() == []
    ledger = traffic.ledger
    assert ledger.odd == []
    assert ledger.is_sound
    assert ledger.fates["right"] > 8
    assert len(memory) >= 2


def test_the_check_of_memory_tells_a_leak_from_a_service_that_has_settled() -> None:
    settled = [(float(second), 100 + 40 * (1 - np.exp(-second / 10))) for second in range(300)]
    leaking = [(second, size + 0.1 * second) for second, size in settled]
    for memory, passes in ((settled, True), (leaking, False)):
        early, late = server_soak.growth(memory, 60)
        assert (late <= early * (1 + server_soak.MOST_GROWTH)) is passes


def test_the_planted_leak_leaks() -> None:
    leaking = (sys.executable, server_soak.__file__, "--leak-kib", "512")
    cases = single_digits(Recognizer(threads=1), draw_digits(10))

    async def ask(port: int, times: int) -> None:
        connection = await connected(port)
        for number in range(times):
            assert (await connection.ask(cases[number % len(cases)].sent)).status == 200
        connection.close()

    grown = []
    for how in ({"command": leaking}, {}):
        with service(**how) as served:  # type: ignore[arg-type]
            asyncio.run(ask(served.port, 20))
            before = served.memory()
            asyncio.run(ask(served.port, 100))
            grown.append(served.memory() - before)
    assert grown[0] > 45 > 15 > grown[1]


def test_requests_that_were_accepted_are_answered_though_sigterm_comes() -> None:
    recognizer = Recognizer(threads=1)
    cases = single_digits(recognizer, draw_digits(30))
    for number in range(2):
        with service() as served:
            life = asyncio.run(server_drain.live(served, cases, clients=6, after_s=0.4 + 0.3 * number))
            assert served.complaints() == []
        assert life.ledger.odd == []
        assert life.ledger.fates["lost"] == life.ledger.fates["wrong"] == 0
        assert life.ledger.fates["right"] > 5
        assert (life.code, life.unready) == (0, 503)
        late = life.ledger.fates["connected after the signal, closed unanswered"]
        assert life.turned_away + late == 6  # each client went on until it was turned away, one way or the other


def test_the_ledger_books_what_it_sees() -> None:
    case = Case("a digit", b"", told=[{"digit": 7, "confidence": 0.5}])
    refused = Case("half", b"", status=422)
    answers = [
        (case, Answer(200, b'[{"digit": 7, "confidence": 0.500004}]'), "right"),
        (case, Answer(200, b'[{"digit": 1, "confidence": 0.5}]'), "wrong"),
        (case, Answer(200, b'[{"digit": 7, "confidence": 0.51}]'), "wrong"),
        (case, Answer(503, b"{}"), "told to come again"),
        (case, Answer(500, b"{}"), "another status"),
        (refused, Answer(422, b"{}"), "refused as it must be"),
        (refused, Answer(200, b"[]"), "another status"),
    ]
    ledger = Ledger(sent=len(answers))
    assert [ledger.book(asked, answer, 0.1) for asked, answer, _ in answers] == [fate for _, _, fate in answers]
    assert not ledger.is_sound
    assert not Ledger(sent=1).is_sound
    assert Ledger().is_sound
    assert same([1.0, {"a": None}], [1.000001, {"a": None}])
    assert not same([True], [1.0, 2.0])
