"""Strips that are kept in a run folder: taken from there only where they are those that would be composed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from digit_recognizer.digits import Dataset
from digit_recognizer.training.lines.compose import Strips
from digit_recognizer.training.lines.job import MADE_OF, TRAINING, VALIDATION, LineSettings, compose_lines
from tests.conftest import draw_digits

Compose = Callable[..., Strips]


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    """Composes strips in a folder, without fonts; tell: as of ``compose_lines``."""
    (tmp_path / "fonts").mkdir()
    dataset = Dataset("drawn", draw_digits(40, seed=3), None)

    def composed(tell: Callable[[str], None] = lambda note: None, **settings: int | str) -> Strips:
        made = LineSettings(**{"rows": 2, "val_rows": 1, "fonts": f"{tmp_path / 'fonts'}", **settings})  # type: ignore[arg-type]
        return compose_lines(dataset, tmp_path / "run", made, workers=1, tell=tell)[0]

    return composed


def test_strips_are_composed_once(compose: Compose) -> None:
    first = compose()
    said: list[str] = []
    assert compose(said.append).columns.tobytes() == first.columns.tobytes()
    assert [note for note in said if "writing" in note] == []


@pytest.mark.parametrize("stopped_at", [1, 2])
def test_strips_of_another_training_that_was_stopped_are_not_taken_for_these(compose: Compose, stopped_at: int) -> None:
    first = compose()
    begun: list[str] = []

    def stop(note: str) -> None:
        begun.append(note)
        if len(begun) == stopped_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose(stop, rows=1, seed=5)
    assert compose().columns.tobytes() == first.columns.tobytes()


@pytest.mark.parametrize("name", [TRAINING, VALIDATION])
def test_strips_that_another_hand_wrote_are_composed_anew(compose: Compose, tmp_path: Path, name: str) -> None:
    first = compose()
    Strips.of([], [], []).save(tmp_path / "run" / name)
    assert compose().columns.tobytes() == first.columns.tobytes()
    assert len(Strips.load(tmp_path / "run" / name)) > 0


@pytest.mark.parametrize("content", ["{", "[]", None])
def test_strips_whose_note_is_damaged_are_composed_anew(compose: Compose, tmp_path: Path, content: str | None) -> None:
    first = compose()
    if content is None:
        (tmp_path / "run" / TRAINING).unlink()
    else:
        (tmp_path / "run" / MADE_OF).write_text(content)
    assert compose().columns.tobytes() == first.columns.tobytes()


def test_other_drawings_in_a_file_of_the_same_name_make_other_strips(compose: Compose, tmp_path: Path) -> None:
    strokes = tmp_path / "pen.json.gz"
    found = []
    for x in (40, 10):
        seven = {"label": 7, "strokes": [[[0, 80], [x, 80], [15, 0]]]}
        strokes.write_bytes(gzip.compress(json.dumps([seven] * 12).encode()))
        found.append(compose(strokes=f"{strokes}").columns.tobytes())
    assert found[0] != found[1]
