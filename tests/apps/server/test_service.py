"""The service behind HTTP: what of one request goes to the network at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from digit_recognizer.apps.server import service as service_module
from digit_recognizer.apps.server.limits import ServerSettings
from digit_recognizer.apps.server.metrics import Metrics
from digit_recognizer.apps.server.service import AT_ONCE, Service
from digit_recognizer.errors import UsageError
from digit_recognizer.model_probe import run_session
from digit_recognizer.recognizer import Recognizer
from tests.conftest import draw_digits
from tests.plain_models import CARD, unfamiliar_bytes


def test_no_run_of_the_network_is_larger_than_allowed_whatever_one_request_brings(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    def counting(session: Any, images: npt.NDArray[np.uint8]) -> Any:
        runs.append(len(images))
        return run_session(session, images)

    monkeypatch.setattr("digit_recognizer.recognizer.run_session", counting)
    images = draw_digits(2 * AT_ONCE + 3).images

    async def ask() -> None:
        service = Service(recognizer, ServerSettings(), Metrics())
        try:
            readings = await service.read_images(images)
            rows = await service.probabilities(images)
        finally:
            service.close()
        assert [reading.name for reading in readings] == [str(number + 1) for number in range(len(images))]
        assert np.abs(rows - recognizer.probabilities(images)).max() < 1e-5

    asyncio.run(ask())
    assert runs[:6] == [AT_ONCE, AT_ONCE, 3] * 2


def test_a_wish_that_makes_no_sense_is_told_before_any_picture_is_opened(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bytes] = []
    monkeypatch.setattr(service_module, "load_grey", lambda content, **_: opened.append(content))

    async def ask() -> None:
        service = Service(recognizer, ServerSettings(), Metrics())
        try:
            await service.read_pages([("1", b"damaged")], {"expect": "many", "check": None, "numbers": "digits"}, str)
        finally:
            service.close()

    with pytest.raises(UsageError, match="many"):
        asyncio.run(ask())
    assert opened == []


def test_a_threshold_that_somebody_chose_stands_in_the_card_and_promises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(unfamiliar_bytes(replace(CARD, min_confidence=0.97, max_error=0.001)))
    told = []
    for asked in (None, 0.5):
        service = Service(Recognizer(path, threads=1, min_confidence=asked), ServerSettings(), Metrics())
        try:
            told.append(service.card())
        finally:
            service.close()
    assert [card["min_confidence"] for card in told] == [0.97, 0.5]
    assert told[0]["accepted_means"].endswith("so that at most 0.1 % of the accepted are wrong")
    assert told[1]["accepted_means"] == "accepted: confidence of at least 0.5"
