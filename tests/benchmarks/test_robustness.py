"""The whole table on a few drawn digits: every set is read, nothing but the held-out part is looked at."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import readers
from as_sent import AS_SENT, enlarged, grey_of, tight
from corruptions import CORRUPTIONS
from digit_recognizer.digits import Digits
from digit_recognizer.pictures.framed import frame_images
from foreign import Labelled, black_white_scans, envelope_scans, grey_scans, record_crops
from picture_sets import Sources, digit_sets, other_sets
from readers import plain_resize
from robustness import held_out_digits, main
from tests.conftest import draw_digits
from tests.plain_models import plain_bytes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """100 digits to learn from, 20 others as the test part, in an .npz."""
    train, test = draw_digits(100, seed=1), draw_digits(20, seed=2)
    path = tmp_path / "drawn.npz"
    framed = frame_images(train.images)  # as MNIST's are
    np.savez(path, x_train=framed, y_train=train.known_labels(), x_test=test.images, y_test=test.known_labels())
    return path


def test_the_whole_table_is_printed_and_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, output = tmp_path / "plain.onnx", tmp_path / "table.json"
    model.write_bytes(plain_bytes())
    absent, no_fonts = str(tmp_path / "absent"), tmp_path / "fonts"
    no_fonts.mkdir()
    for name, value in (("SPEED_IMAGES", 32), ("ROUNDS", 1), ("SINGLES", 5)):
        monkeypatch.setattr(readers, name, value)
    command = ["robustness.py", "--data", str(data), "--validation", "--model", str(model), "--baseline", str(model)]
    command += ["--strokes", absent, "--photos", absent, "--fonts", str(no_fonts), "--limit", "4"]
    command += ["--threads", "1", "-o", str(output)]
    monkeypatch.setattr(sys, "argv", command)
    main()
    printed, table = capsys.readouterr().out, json.loads(output.read_text("utf-8"))
    assert list(table["mnist_c"]["corruptions"]) == list(CORRUPTIONS)
    frames = {row["set"]: row for row in table["accuracy"] if row["framed"]}["frames"]
    assert frames["this model"]["n"] == 10
    assert frames["this model"] == frames["baseline"]  # the same file, and what is framed goes in as it is
    assert set(AS_SENT) <= {row["set"] for row in table["accuracy"]}
    for absent_set in ("pen drawings", "print", "letters"):  # what is not at hand is said
        assert any(absent_set in line for line in table["not_measured"])
    for name in ("zigzag", "as sent: ruled", "scribbles", "readings/s", "not measured: "):
        assert name in printed


def test_validation_takes_the_last_labelled_images_and_never_the_test_part(data: Path) -> None:
    train, test = draw_digits(100, seed=1), draw_digits(20, seed=2)
    assert (held_out_digits(str(data), validation=True)[0].images == frame_images(train.images[-10:])).all()
    assert (held_out_digits(str(data), validation=False)[0].images == test.images).all()


def test_a_set_does_not_depend_on_which_others_are_read() -> None:
    sources = Sources(draw_digits(30), limit=5)
    first, again = digit_sets(sources), digit_sets(sources)
    for each in again[:20]:
        list(each.read())
    for number in (3, 8, 35, 38):
        before, after = list(first[number].read()), list(again[number].read())
        assert len(before) == 5
        assert all((a.picture == b.picture).all() and a.label == b.label for a, b in zip(before, after, strict=True))


def test_pictures_without_digits_are_grey_and_of_the_number_asked_for() -> None:
    sources = Sources(draw_digits(30), limit=8)
    drawn = {each.name: each for each in other_sets(sources)}
    for name in ("scribbles", "noise", "blank", "two digits", "pieces", "photo crops"):
        pictures = list(drawn[name].read())
        assert len(pictures) == 4
        assert all(picture.dtype == np.uint8 and picture.ndim == 2 and picture.size > 0 for picture in pictures)


@pytest.mark.parametrize("name", AS_SENT)
def test_a_digit_as_sent_is_a_grey_picture_that_its_seed_decides(name: str) -> None:
    frame = draw_digits(1).images[0]
    pictures = [AS_SENT[name](frame, np.random.default_rng(5)) for _ in range(2)]
    assert pictures[0].dtype == np.uint8
    assert pictures[0].ndim == 2
    assert (pictures[0] == pictures[1]).all()
    assert float(pictures[0].std()) > 5


def test_off_centre_keeps_the_whole_digit_in_the_corner() -> None:
    frame = draw_digits(1).images[0]
    for seed in range(8):
        picture = AS_SENT["off-centre"](frame, np.random.default_rng(seed))
        ink = picture if np.median(picture) == 0 else 255 - picture
        assert ink.shape == (100, 100)
        assert ink.sum() == frame.sum()


def test_colours_are_weighed_by_bt601() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    assert grey_of(colours).tolist() == [[76, 150, 29]]


def test_an_enlarged_digit_covers_the_same_place() -> None:
    frame = draw_digits(1).images[0]
    large = enlarged(frame, 4)
    assert large.shape == (112, 112)
    assert 0 <= large.min() <= large.max() <= 1
    small = large.reshape(28, 4, 28, 4).mean(axis=(1, 3))
    assert np.corrcoef(small.ravel(), frame.ravel())[0, 1] > 0.95


def test_a_tight_crop_of_nothing_is_the_frame_itself() -> None:
    assert tight(np.zeros((28, 28), np.uint8)).shape == (28, 28)


def test_scans_are_sixteen_pixels_and_a_one_is_not_stretched_to_a_block() -> None:
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 13:15] = 255
    rng = np.random.default_rng(0)
    for scans in (grey_scans, black_white_scans):
        pictures = [each.picture for each in scans([Labelled(one, 1)] * 6, rng)]
        assert {picture.shape for picture in pictures} == {(16, 16)}
    assert all(set(np.unique(picture)) == {0, 255} for picture in pictures)
    assert {round(float((picture == picture[0, 8]).mean()), 1) for picture in pictures} <= {0.4, 0.5}


def test_scans_of_envelopes_are_read_from_both_parts_with_ink_bright(tmp_path: Path) -> None:
    patterns = np.full((256, 2), -1.0)
    patterns[16 * 3 + 5, 1] = 1.0  # row 3, column 5
    labels = np.full((10, 2), -1.0)
    labels[[7, 4], [0, 1]] = 1.0
    parts = {
        f"{part}_{what}": each
        for part in ("train", "test")
        for what, each in (("patterns", patterns), ("labels", labels))
    }
    savemat(tmp_path / "scans.mat", parts)
    found = list(envelope_scans(tmp_path / "scans.mat"))
    assert [each.label for each in found] == [7, 4, 7, 4]
    assert not found[0].picture.any()
    assert np.argwhere(found[3].picture == 255).tolist() == [[3, 5]]


def test_a_file_without_scans_of_envelopes_is_told(tmp_path: Path) -> None:
    savemat(tmp_path / "other.mat", {"data": np.zeros((2, 2))})
    with pytest.raises(LookupError, match=r"other\.mat: expected train_patterns and train_labels"):
        next(envelope_scans(tmp_path / "other.mat"))


def test_crops_of_records_differ_where_neighbours_and_paper_do() -> None:
    digits = Digits(np.repeat(draw_digits(1).images, 6, axis=0), np.zeros(6, np.int64))
    pictures = [each.picture for each in record_crops(digits, np.random.default_rng(0))]
    assert len({picture.shape for picture in pictures}) > 1
    assert all(float(picture.std()) > 5 for picture in pictures)


def test_plain_resizing_inverts_what_is_bright_and_heeds_no_shape() -> None:
    paper = np.full((100, 50), 255, np.uint8)
    paper[20:80, 20:30] = 0
    result = plain_resize(paper)
    assert result.shape == (28, 28)
    assert result[14, 14] == 255
    assert result[0].max() == 0
