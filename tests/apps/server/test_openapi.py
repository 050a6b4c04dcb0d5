"""Schemathesis makes requests out of the OpenAPI document; none of them may be a mistake of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from digit_recognizer.apps.server.app import make_app
from digit_recognizer.apps.server.limits import ServerSettings
from digit_recognizer.recognizer import Recognizer

schemathesis = pytest.importorskip("schemathesis", reason="needs: pip install schemathesis")
conformance = pytest.importorskip("schemathesis.specs.openapi.checks")

OPERATIONS = (
    "GET /metrics",
    "GET /v1/model",
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /v2/models/digits",
    "GET /v2/models/digits/ready",
    "POST /v1/corrections",
    "POST /v1/predict",
    "POST /v1/read",
    "POST /v2/models/digits/infer",
)


@pytest.fixture(scope="module")
def schema(recognizer: Recognizer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("corrections")
    app = make_app(recognizer, ServerSettings(corrections=folder, allowed_hosts=("testserver",)))

    async def lasting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # which Schemathesis ends before it begins to ask
            raise RuntimeError("this application knows no lifespan")
        await app(scope, receive, send)

    return schemathesis.openapi.from_asgi("/openapi.json", lasting)


def test_the_list_above_is_whole(schema: Any) -> None:
    assert sorted(operation.ok().label for operation in schema.get_all_operations()) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_the_document_allows_is_answered_as_it_says(schema: Any, name: str) -> None:
    method, path = name.split()
    checks = [
        schemathesis.checks.not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_schema_conformance,
    ]

    @given(case=schema[path][method].as_strategy())
    @settings(
        max_examples=25 if method == "POST" else 3,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(checks=checks)

    ask()
