"""The service behind HTTP: what of one request goes to the network at once."""

from __future__ import annotations

import asyncio
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
