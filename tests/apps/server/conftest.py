"""A service around a small model, called in this process: no port is opened."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from digit_recognizer.apps.server.app import make_app
from digit_recognizer.apps.server.limits import ServerSettings
from digit_recognizer.recognizer import Recognizer
from tests.plain_models import unfamiliar_bytes

HOME = "http://127.0.0.1:8000"

Connect = Callable[..., TestClient]


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "own.onnx"
    path.write_bytes(unfamiliar_bytes())
    return path


@pytest.fixture(scope="session")
def recognizer(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Recognizer(model_path, threads=1)


@pytest.fixture
def connect(recognizer: Recognizer) -> Iterator[Connect]:
    """``connect(**settings)``: a client of a service set up like that; it lives until the test ends."""
    with ExitStack() as stack:

        def connect(**settings: Any) -> TestClient:
            app = make_app(recognizer, ServerSettings(**settings))
            return stack.enter_context(TestClient(app, base_url=HOME))

        yield connect


@pytest.fixture
def client(connect: Connect) -> TestClient:
    return connect()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def error_code(response: Any) -> str:
    """The code of an error, whose body must be in the documented shape and tell nothing more."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "request_id"}
    assert body["error"]["request_id"] == response.headers["x-request-id"]
    assert not re.search(r"(?<![a-z])/\w|site-packages|\.py|\.onnx", body["error"]["message"])
    assert "Traceback" not in response.text
    code = body["error"]["code"]
    assert isinstance(code, str)
    return code
