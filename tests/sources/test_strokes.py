"""Pen trajectories become drawings and pictures: placed, as thick and as smooth as was asked, and refused by entry."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digit_recognizer.errors import FileError, InputError, UsageError
from digit_recognizer.pictures.ink import to_frame
from digit_recognizer.sources import strokes
from digit_recognizer.sources.catalog import load
from digit_recognizer.sources.strokes import Drawing, draw, read, read_strokes

SEVEN = [[[10, 90], [60, 90], [30, 10]], [[20, 50], [55, 50]]]  # y grows upwards, as tablets measure
ONE = [[[40, 80], [40, 0]]]


def drawing(*paths: list[list[float]]) -> Drawing:
    return Drawing(None, tuple(np.array(path, np.float32) for path in paths))


LINE = drawing([[0, 0], [10, 0]])
HOOK = drawing([[0, 0], [40, 5], [35, 60]], [[70, 10], [70, 50]])


def put(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_strokes(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(path.name)
    return str(caught.value)


# Reading


def test_drawings_keep_order_labels_and_strokes_and_are_turned(tmp_path: Path) -> None:
    path = put(
        tmp_path / "pen.json", [{"label": 7, "strokes": SEVEN}, {"strokes": ONE}, {"label": None, "strokes": ONE}]
    )
    seven, *ones = read_strokes(path)
    assert (seven.label, seven.points, [one.label for one in ones]) == (7, 5, [None, None])
    assert [stroke.tolist() for stroke in seven.strokes] == [[[10, -90], [60, -90], [30, -10]], [[20, -50], [55, -50]]]
    picture = draw(seven, pen=10, side=100)
    assert picture[:30].sum() > picture[70:].sum(), "a seven has its bar at the top"


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    plain = put(tmp_path / "pen.json", [{"label": 7, "strokes": SEVEN}])
    packed = tmp_path / "packed.json"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert [d.strokes[0].tolist() for d in read_strokes(packed)] == [d.strokes[0].tolist() for d in read_strokes(plain)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[{", "line 1, column 3: not JSON"),
        ('{"label": 1}', "expected a list of drawings, found {'label': 1}"),
        ("[]", "expected at least one drawing, found none"),
        ("[" * 100_000, "lists in lists"),
        ("[" + "9" * 5000 + "]", "not JSON that can be read"),
        ([{"label": 1, "strokes": ONE}, 5], "entry 2: expected {"),
        ([{"label": 1}], "entry 1: expected {"),
        ([{"label": 1, "strokes": []}], "entry 1: expected at least one stroke"),
        ([{"label": 1, "strokes": [[]]}], "entry 1: stroke 1: expected at least one point"),
        ([{"label": 1, "strokes": [7]}], "entry 1, stroke 1: expected a list of points"),
        ([{"label": 1, "strokes": [[[1, 2], [3]]]}], "stroke 1, point 2: expected two numbers [x, y], found [3]"),
        ([{"label": 1, "strokes": [[["1", "2"]]]}], "stroke 1, point 1: expected two numbers"),
        ([{"label": 1, "strokes": [[[True, 2]]]}], "stroke 1, point 1: expected two numbers"),
        ('[{"label": 1, "strokes": [[[NaN, 2]]]}]', "stroke 1, point 1: expected finite coordinates"),
        ('[{"label": 1, "strokes": [[[1, -Infinity]]]}]', "stroke 1, point 1: expected finite coordinates"),
        ('[{"label": 1, "strokes": [[[1, 1' + "0" * 400 + "]]]}]", "stroke 1, point 1: expected finite coordinates"),
        ([{"label": 10, "strokes": ONE}], "entry 1: expected a label from 0 to 9, found 10"),
        ([{"label": True, "strokes": ONE}], "entry 1: expected a label from 0 to 9, found True"),
        ([{"label": "7", "strokes": ONE}], "entry 1: expected a label from 0 to 9, found '7'"),
        ([{"label": 7, "strokes": [[[1, 2]] * 10_001]}], "entry 1: 10,001 points, more than the limit"),
    ],
)  # fmt: skip
def test_what_is_no_drawing_is_named(content: Any, message: str, tmp_path: Path) -> None:
    assert message in refusal(put(tmp_path / "pen.json", content))


def test_other_bytes_and_damaged_gzip_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'["\xff\xfe"]')
    assert "UTF-8" in refusal(tmp_path / "latin.json")
    packed = gzip.compress(json.dumps([{"strokes": ONE}] * 50).encode())
    (tmp_path / "cut.json.gz").write_bytes(packed[: len(packed) // 2])
    assert "truncated or damaged gzip" in refusal(tmp_path / "cut.json.gz")
    with pytest.raises(FileError):
        read_strokes(tmp_path / "none.json")


def test_more_text_than_the_limit_is_refused_plain_or_packed(tmp_path: Path) -> None:
    text = json.dumps([{"strokes": ONE}] * 50)
    (tmp_path / "pen.json").write_text(text)
    (tmp_path / "pen.json.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("pen.json", "pen.json.gz"):
        assert len(read_strokes(tmp_path / name, max_bytes=len(text))) == 50
        with pytest.raises(InputError, match="more than the limit"):
            read_strokes(tmp_path / name, max_bytes=len(text) - 1)


def test_a_drawing_made_by_hand_is_checked_too() -> None:
    for label, paths in (
        (12, (np.zeros((1, 2), np.float32),)),
        (1, ()),
        (1, (np.zeros((2, 3), np.float32),)),
        (1, (np.zeros((2, 2), np.float64),)),
        (1, (np.full((1, 2), np.nan, np.float32),)),
    ):
        with pytest.raises(InputError):
            Drawing(label, paths)


# Drawing


@pytest.mark.parametrize("side", [64, 96, 280])
@pytest.mark.parametrize("pen", [1, 2, 2.7, 4, 6.5, 11, 20])
def test_a_stroke_is_as_wide_as_the_pen_and_as_long_as_asked(pen: float, side: int) -> None:
    across = draw(LINE, pen=pen, side=side) / 255
    assert across[:, side // 2].sum() == pytest.approx(pen, abs=0.05)
    length = min(0.7 * side, side - pen - 3)
    assert across.sum() == pytest.approx(length * pen + np.pi * (pen / 2) ** 2, rel=0.05, abs=2)
    slanted = draw(drawing([[0, 0], [10, 10]]), pen=pen, side=side) / 255
    middle = slice(side // 2 - 4, side // 2 + 4)
    assert slanted.sum(axis=0)[middle].mean() / np.sqrt(2) == pytest.approx(pen, rel=0.08, abs=0.3)


def test_a_drawing_lies_in_the_middle_and_fills_what_was_asked() -> None:
    for fill in (0.3, 0.5, 0.9):
        rows, columns = np.nonzero(draw(HOOK, pen=6, side=200, fill=fill) > 127)
        assert np.ptp(columns) + 1 == pytest.approx(fill * 200 + 6, abs=1.5)  # the longer side is across
        assert columns.min() + columns.max() == pytest.approx(199, abs=1)
        assert rows.min() + rows.max() == pytest.approx(199, abs=1)


@pytest.mark.parametrize("pen", [0.4, 3, 30, 93])
def test_nothing_leaves_the_picture(pen: float) -> None:
    picture = draw(HOOK, pen=pen, side=96, fill=1.0)
    assert picture.any()
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert not border.any()


def test_a_single_point_is_a_round_dot() -> None:
    for dot in (drawing([[5, 5]]), drawing([[5, 5], [5, 5]])):
        picture = draw(dot, pen=20, side=64) / 255
        assert picture.sum() == pytest.approx(np.pi * 100, rel=0.05)
        assert picture[32, 32] == 1
        rows, columns = np.nonzero(picture > 0.5)
        assert np.ptp(rows) == np.ptp(columns)


def test_where_and_how_large_the_pen_wrote_changes_nothing() -> None:
    moved = Drawing(None, tuple((stroke * 8 + np.float32(1000)).astype(np.float32) for stroke in HOOK.strokes))
    assert np.array_equal(draw(HOOK, pen=9), draw(moved, pen=9))


def test_edges_are_smooth_and_ink_is_full() -> None:
    picture = draw(HOOK, pen=8, side=96)
    assert picture.max() == 255
    assert len(np.unique(picture)) > 8


def test_another_library_draws_the_same_strokes() -> None:
    """Pillow, sixteen times as fine: lines and a disc at every point."""
    side, pen, times = 96, 7.0, 16
    points = np.concatenate(HOOK.strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.7 * side / (high - low).max()
    canvas = Image.new("L", (side * times, side * times))
    pencil = ImageDraw.Draw(canvas)
    for stroke in HOOK.strokes:
        path = ((stroke - (low + high) / 2) * scale + side / 2) * times
        pencil.line([tuple(point) for point in path.tolist()], 255, round(pen * times))
        for x, y in path.tolist():
            radius = pen * times / 2
            pencil.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    expected = np.asarray(canvas.resize((side, side), Image.Resampling.BOX), np.float32)
    ours = draw(HOOK, pen=pen, side=side).astype(np.float32)
    assert np.abs(ours - expected).mean() / expected.mean() < 0.03
    assert np.abs(ours - expected).max() < 128


@pytest.mark.parametrize(
    "wrong", [{"pen": 0}, {"pen": -1}, {"pen": 278}, {"side": 7}, {"side": 5000}, {"fill": 0}, {"fill": 1.1}]
)
def test_arguments_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        draw(LINE, **{"pen": 10, **wrong})


# As a data source


def test_pen_strokes_are_a_data_source_by_name(tmp_path: Path) -> None:
    path = put(tmp_path / "pen.json", [{"label": 7, "strokes": SEVEN}, {"label": 1, "strokes": ONE}, {"strokes": ONE}])
    packed = tmp_path / "pen.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for found in (load(path), load(packed)):
        assert found.labelled().known_labels().tolist() == [7, 1]
        assert found.labelled().names == ("1", "2")
        assert found.test is not None
        assert found.test.labels is None
        assert found.test.names == ("3",)
        assert found.labelled().fingerprint() == read(path).labelled().fingerprint()
    frames = load(path).labelled().images
    assert all(np.array_equal(to_frame(frame), frame) for frame in frames)


def test_the_published_strokes_are_as_thick_as_mnist(real_data: Path) -> None:
    path = real_data / "pen_strokes_train.json.gz"
    drawings = read_strokes(path)
    assert len(drawings) == 7494
    side = 112
    frames = [to_frame(draw(d, pen=strokes.FRAME_PEN * side, side=side)) for d in drawings[::25]]
    assert np.mean(frames) / 255 == pytest.approx(0.1307, abs=0.01)  # the mean that everyone who uses MNIST knows
