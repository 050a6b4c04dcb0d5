"""Any grey crop of a digit becomes MNIST's frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from digit_recognizer.errors import InputError
from digit_recognizer.pictures.ground import ink_on_black
from digit_recognizer.pictures.ink import to_frame, to_frames
from digit_recognizer.sources.idx import read_idx
from tests.conftest import draw_digits


def extent(frame: np.ndarray) -> tuple[int, int]:
    rows, columns = np.flatnonzero(frame.max(axis=1)), np.flatnonzero(frame.max(axis=0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def off_centre(frame: np.ndarray) -> float:
    grid = np.arange(28)
    mass = frame.sum(dtype=float)
    return float(max(abs(frame.sum(axis=1) @ grid / mass - 14), abs(frame.sum(axis=0) @ grid / mass - 14)))


def enlarged(image: np.ndarray, times: int) -> np.ndarray:
    return cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)


def test_mnist_training_images_come_out_unchanged(real_data: Path) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[:3000]
    np.testing.assert_array_equal(to_frames(images), images)
    np.testing.assert_array_equal(to_frames(255 - images), images)


def test_mnist_images_moved_in_a_larger_picture_come_back(real_data: Path) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[:1000]
    np.testing.assert_array_equal(to_frames(np.pad(images, ((0, 0), (7, 0), (0, 9)))), images)


def test_mnist_images_enlarged_and_inverted_come_back_nearly(real_data: Path) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[:300]
    frames = to_frames([255 - enlarged(image, 5) for image in images])
    correlations = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(frames, images, strict=True)]
    assert np.mean(correlations) > 0.93
    assert np.abs(frames.astype(float) - images).mean() < 9


def test_every_frame_keeps_mnists_rule() -> None:
    for image in draw_digits(40).images:
        for picture in (image, 255 - image, enlarged(image, 3), enlarged(255 - image, 30)):
            frame = to_frame(picture)
            assert frame.shape == (28, 28)
            assert frame.dtype == np.uint8
            assert max(extent(frame)) == 20
            assert off_centre(frame) <= 0.55
            assert frame.max() >= 254


def test_framing_twice_changes_nothing() -> None:
    frames = to_frames(draw_digits(40).images)
    np.testing.assert_array_equal(to_frames(frames), frames)


def test_dark_on_light_and_light_on_dark_agree() -> None:
    for image in draw_digits(20).images:
        large = enlarged(image, 4)
        np.testing.assert_array_equal(to_frame(large), to_frame(255 - large))


def test_the_aspect_is_kept() -> None:
    picture = np.full((300, 300), 255, np.uint8)
    picture[100:200, 140:165] = 0
    assert extent(to_frame(picture)) == (20, 5)
    assert extent(to_frame(picture.T)) == (5, 20)


def test_where_in_the_picture_the_digit_lies_does_not_matter() -> None:
    digit = enlarged(draw_digits(4).images[3], 4)
    corner, middle = np.zeros((400, 500), np.uint8), np.zeros((400, 500), np.uint8)
    corner[3:115, 2:114] = digit
    middle[200:312, 250:362] = digit
    np.testing.assert_array_equal(to_frame(corner), to_frame(middle))


def test_faint_ink_comes_out_strong() -> None:
    image = draw_digits(6).images[5]
    faint = (210 - image.astype(int) // 6).astype(np.uint8)
    frame = to_frame(faint)
    assert frame.max() >= 254
    assert np.corrcoef(frame.ravel(), to_frame(image).ravel())[0, 1] > 0.95


def test_slanting_light_and_noise_are_taken_away() -> None:
    image = draw_digits(8).images[2]
    rows, columns = np.mgrid[:224, :224]
    paper = 210 - 0.3 * columns + 0.15 * rows + np.random.default_rng(0).normal(0, 4, rows.shape)
    photo = np.clip(paper - enlarged(image, 8) * 0.35, 0, 255).astype(np.uint8)
    assert np.corrcoef(to_frame(photo).ravel(), to_frame(image).ravel())[0, 1] > 0.93


def test_a_speck_does_not_move_the_digit() -> None:
    picture = enlarged(draw_digits(1).images[0], 10)
    speckled = picture.copy()
    speckled[2:6, 2:6] = 255
    np.testing.assert_array_equal(to_frame(speckled), to_frame(picture))


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (8, 8), (28, 28), (400, 90)])
@pytest.mark.parametrize("level", [0, 130, 255])
def test_a_blank_picture_gives_an_empty_frame(shape: tuple[int, int], level: int) -> None:
    assert not to_frame(np.full(shape, level, np.uint8)).any()


def test_noise_alone_gives_an_empty_frame() -> None:
    noise = np.random.default_rng(1).normal(200, 5, (300, 200)).clip(0, 255).astype(np.uint8)
    assert not to_frame(noise).any()


@pytest.mark.parametrize("side", [30, 60, 120, 400])
@pytest.mark.parametrize("paper", [60, 140, 220])
def test_bare_paper_in_slanting_light_gives_an_empty_frame(side: int, paper: int) -> None:
    rng = np.random.default_rng(side)
    picture = paper * light((side, side), "slanting") + rng.normal(0, 2, (side, side))
    assert not to_frame(np.clip(picture, 0, 255).astype(np.uint8)).any()


@pytest.mark.parametrize("side", [8, 9, 16, 20, 28, 57, 333, 4000])
def test_any_size_is_framed(side: int) -> None:
    picture = np.zeros((side, side), np.uint8)
    picture[side // 8 : side - side // 8, side // 2 - side // 8 : side // 2 + side // 8] = 255
    frame = to_frame(picture)
    assert extent(frame)[0] == 20
    assert off_centre(frame) <= 0.55


def test_pictures_that_are_not_grey_bytes_are_refused() -> None:
    for wrong in (np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4)), np.zeros((0, 4), np.uint8)):
        with pytest.raises(InputError, match=r"uint8 \(H, W\)"):
            to_frame(wrong)


def test_frames_of_nothing_are_an_empty_batch() -> None:
    assert to_frames([]).shape == (0, 28, 28)


def photo(image: np.ndarray, times: int = 4, paper: float = 210, dark: float = 60, grain: float = 2.0) -> np.ndarray:
    """The digit drawn dark on grainy paper, uint8 (28 * times, 28 * times)."""
    ink = enlarged(image, times).astype(float) / 255
    grains = np.random.default_rng(7).normal(0, grain, ink.shape)
    return np.clip(paper - ink * (paper - dark) + grains, 0, 255).astype(np.uint8)


def likeness(frame: np.ndarray, other: np.ndarray) -> float:
    """Correlation, the best of nine shifts by a pixel: the centre of mass may round to either side."""
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(float(np.corrcoef(np.roll(frame, shift, (0, 1)).ravel(), other.ravel())[0, 1]) for shift in shifts)


def nearest(frame: np.ndarray, templates: np.ndarray) -> int:
    return int(np.argmax([likeness(frame, template) for template in templates]))


def cropped(image: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(image.max(axis=1)), np.flatnonzero(image.max(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def leaning(image: np.ndarray) -> np.ndarray:
    """Sheared and turned: no side of the digit fills a side of its box, as with hand-drawn ones."""
    turn = np.array([[0.95, -0.25, 4], [0.12, 0.95, -1]])
    return cv2.warpAffine(np.pad(image, 4), turn, (36, 36), flags=cv2.INTER_CUBIC)


def shrunk(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def light(shape: tuple[int, ...], kind: str) -> np.ndarray:
    rows, columns = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    if kind == "slanting":
        return 0.75 + 0.2 * rows - 0.15 * columns
    return 1 - 0.45 / (1 + np.exp(-(columns + 0.4 * rows - 0.1) / 0.03))


def ruled(image: np.ndarray, gap: int, level: int, upright: bool) -> np.ndarray:
    ink = enlarged(image, 4)
    for at in range(gap // 2, len(ink), gap):
        np.maximum(ink[at : at + 2], level, out=ink[at : at + 2])
        if upright:
            np.maximum(ink[:, at + 5 : at + 7], level, out=ink[:, at + 5 : at + 7])
    return photo(ink, 1)


def boxed(image: np.ndarray, sides: int) -> np.ndarray:
    ink = np.pad(enlarged(image, 4), 8)
    for side in range(sides):
        turned = np.rot90(ink, side)
        turned[2 + side : 5 + side] = 220
    return photo(ink, 1)


def strewn(image: np.ndarray) -> np.ndarray:
    chance = np.random.default_rng(3).random(image.shape)
    picture = image.copy()
    picture[chance < 0.02], picture[chance > 0.98] = 0, 255
    return picture


def banded(image: np.ndarray) -> np.ndarray:
    picture = image.copy()
    picture[:, :7], picture[:, 21:] = 255 - picture[:, :7], 255 - picture[:, 21:]
    return picture


def textured(image: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(11)
    picture = photo(image, 4, 170, 70, 5).astype(float)
    for coarse, strength in ((4, 12), (20, 4)):
        picture += strength * cv2.resize(
            rng.normal(size=(coarse, coarse)), picture.shape, interpolation=cv2.INTER_CUBIC
        )
    return cv2.GaussianBlur(np.clip(picture, 0, 255).astype(np.uint8), (0, 0), 1)


def jpeg(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", photo(image, 3), [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_GRAYSCALE)


VIEWS = {
    "inverted": lambda image: 255 - image,
    "on grey": lambda image: (image * 0.5 + 60).astype(np.uint8),
    "tinted": lambda image: photo(image, 3, 150, 105),
    "light on dark": lambda image: photo(image, 3, 60, 190),
    "in a corner": lambda image: np.pad(photo(image, 3, grain=0), ((0, 90), (120, 4)), constant_values=210),
    "small in a large picture": lambda image: np.pad(255 - image, ((300, 500), (200, 400)), constant_values=255),
    "thick": lambda image: 255 - cv2.dilate(enlarged(image, 5), np.ones((7, 7), np.uint8)),
    "thin": lambda image: 255 - cv2.erode(enlarged(image, 5), np.ones((4, 4), np.uint8)),
    "slanting light": lambda image: (photo(image) * light((112, 112), "slanting")).astype(np.uint8),
    "shadow's edge": lambda image: (photo(image) * light((112, 112), "shadow")).astype(np.uint8),
    "a rule": lambda image: ruled(image, 100, 150, False),
    "rules": lambda image: ruled(image, 37, 120, False),
    "squared paper": lambda image: ruled(image, 41, 110, True),
    "framed": lambda image: boxed(image, 4),
    "half a frame": lambda image: boxed(image, 2),
    "specks": lambda image: strewn(photo(image)),
    "salt and pepper": strewn,
    "inverted sides": banded,
    "inverted rows": lambda image: banded(image.T).T,
    "paper with texture": textured,
    "jpeg": jpeg,
    "14x14": lambda image: shrunk(image, 14, 14),
    "14x14 dark on light": lambda image: 255 - shrunk(image, 14, 14),
}


# Other strokes, or strokes that a shadow crosses or noise eats, cannot agree as closely.
LEAST = {"thick": 0.7, "thin": 0.7, "shadow's edge": 0.55, "salt and pepper": 0.5, "14x14": 0.7}
LEAST["14x14 dark on light"] = LEAST["14x14"]


@pytest.mark.parametrize("view", VIEWS)
def test_the_same_digit_sent_otherwise_gives_the_same_frame(view: str) -> None:
    images = draw_digits(20).images
    templates = to_frames(draw_digits(10, seed=5).images)
    frames = [to_frame(VIEWS[view](image)) for image in images]
    assert [nearest(frame, templates) for frame in frames] == [label % 10 for label in range(20)]
    least = LEAST.get(view, 0.8)
    alike = [likeness(frame, to_frame(image)) for frame, image in zip(frames, images, strict=True)]
    assert min(alike) > least, alike


@pytest.mark.parametrize("view", VIEWS)
def test_the_inverse_of_any_view_gives_the_same_frame(view: str) -> None:
    for image in draw_digits(10, seed=1).images:
        picture = VIEWS[view](image)
        assert likeness(to_frame(255 - picture), to_frame(picture)) > 0.97


@pytest.mark.parametrize(("height", "width"), [(16, 11), (16, 16), (60, 42), (150, 105)])
@pytest.mark.parametrize("black_white", [False, True])
def test_a_digit_that_fills_its_crop_comes_out_as_with_room_around(height: int, width: int, black_white: bool) -> None:
    for label, image in enumerate(draw_digits(20).images):
        if height == width and label % 10 == 1:
            continue  # a bar stretched to a square
        picture = cv2.resize(cropped(leaning(image)), (width, height), interpolation=cv2.INTER_AREA)
        if black_white:
            picture = np.where(picture > 90, 255, 0).astype(np.uint8)
        frame = to_frame(picture)
        assert likeness(frame, to_frame(np.pad(picture, height // 4))) > 0.85
        assert likeness(to_frame(255 - picture), frame) > 0.99


@pytest.mark.parametrize("stretched", [False, True])
def test_ink_is_told_from_ground_where_the_digit_fills_a_small_crop(real_data: Path, stretched: bool) -> None:
    images = read_idx(real_data / "mnist" / "train-images-idx3-ubyte.gz")[2000:3000]
    wrong = 0
    for image in images:
        digit = cropped(np.where(image < 64, 0, image).astype(np.uint8))
        if stretched and min(digit.shape) <= 6:
            continue  # a bar that fills the square: nobody can tell
        width = 16 if stretched else max(3, round(16 * digit.shape[1] / digit.shape[0]))
        small = shrunk(digit, 16, min(width, 24))
        if stretched:
            small = np.where(small > 110, 255, 0).astype(np.uint8)
        ink = ink_on_black(small)
        assert ink is not None
        wrong += np.corrcoef(ink.ravel(), small.ravel())[0, 1] < 0
        np.testing.assert_array_equal(ink_on_black(255 - small), ink)
    assert wrong <= 5


@pytest.mark.parametrize("side", range(4))
def test_a_neighbours_fragment_at_the_edge_is_dropped(side: int) -> None:
    for image in draw_digits(10).images:
        picture = np.rot90(np.pad(enlarged(cropped(image), 3), 15), side).copy()
        alone = to_frame(picture)
        picture[20:45, :5] = 255
        assert likeness(to_frame(picture), alone) > 0.97


def test_loose_parts_of_the_digit_are_kept() -> None:
    five = np.zeros((100, 90), np.uint8)
    five[40:48, 25:60] = five[70:78, 25:60] = five[40:78, 54:60] = 255  # its bowl
    five[15:42, 25:32] = 255
    five[15:23, 40:70] = 255  # its flag, eight pixels from the rest
    rows = np.flatnonzero(to_frame(255 - five).max(axis=1))
    assert rows[-1] - rows[0] + 1 == 20
    whole = cropped(five)
    assert likeness(to_frame(five), to_frame(np.pad(whole, 4))) > 0.95
    assert to_frame(five)[rows[0] + 1].max() > 200


def test_dots_and_gaps_are_no_neighbours() -> None:
    for image in draw_digits(10).images:
        large = enlarged(image, 4)
        dotted = large * ((np.add.outer(np.arange(112), np.arange(112)) % 8) < 5).astype(np.uint8)
        assert likeness(to_frame(255 - dotted), to_frame(large)) > 0.75


def test_a_digit_that_touches_every_edge_is_whole() -> None:
    for image in draw_digits(10).images:
        digit = enlarged(cropped(leaning(image)), 3)
        assert likeness(to_frame(digit), to_frame(np.pad(digit, 9))) > 0.95


def test_any_picture_at_all_gives_a_frame() -> None:
    rng = np.random.default_rng(0)
    for number in range(300):
        shape = tuple(rng.integers(1, 70, 2))
        coarse = rng.integers(0, 256, tuple(rng.integers(1, 9, 2))).astype(np.uint8)
        method = cv2.INTER_NEAREST if number % 2 else cv2.INTER_CUBIC
        picture = cv2.resize(coarse, (int(shape[1]), int(shape[0])), interpolation=method)
        if number % 3 == 0:
            picture = strewn(picture)
        frame = to_frame(picture)
        assert frame.shape == (28, 28)
        assert frame.max() == 0 or frame.max() >= 254


@pytest.mark.parametrize("pen", [14, 26])
@pytest.mark.parametrize("height", [200, 350, 500])
def test_the_level_bar_of_a_seven_is_no_rule_however_tight_the_crop(pen: int, height: int) -> None:
    corners = np.array([[100, 100], [round(100 + 0.6 * height), 100], [round(100 + 0.25 * height), 100 + height]])
    picture = np.full((720, 720), 255, np.uint8)
    cv2.polylines(picture, [corners], False, 0, pen, cv2.LINE_AA)
    rows, columns = (np.flatnonzero((picture < 128).any(axis)) for axis in (1, 0))
    tight = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    frame = to_frame(tight)
    top = int(np.flatnonzero((frame > 128).any(1))[0])
    assert (frame[top : top + 2].max(0) > 128).sum() >= 8  # the bar is there
    assert np.corrcoef(frame.ravel(), to_frame(picture).ravel())[0, 1] > 0.7  # thin strokes may lie a pixel off
