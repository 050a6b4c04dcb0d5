"""What the tests on Ray share. Where Ray is not installed they are skipped, and say so."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.scale.ray_engine import RayEngine
from tests.apps.scale.works import act


@pytest.fixture(scope="session")
def ray_installed() -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip('Ray is not installed: pip install "digit-recognizer[scale]" to run this test')


@pytest.fixture(scope="module")
def engine(ray_installed: None) -> Iterator[RayEngine]:
    """A Ray of this process's own, with two workers; started once for the tests of a file, as it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # workers import tests.apps.scale.works
        with RayEngine(2, work=act) as opened:
            yield opened
