"""Folders of pictures become Digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_recognizer.digits import Digits
from digit_recognizer.errors import FileError, InputError
from digit_recognizer.pictures.ink import to_frames
from digit_recognizer.sources.image_files import holds_labels, list_pictures, read_image_folder
from tests.conftest import draw_digits

FRAMED = Digits(to_frames(draw_digits(20).images), draw_digits(20).labels)


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def by_class(root: Path, digits: Digits = FRAMED) -> None:
    for number, (image, label) in enumerate(zip(digits.images, digits.known_labels(), strict=True)):
        save(root / str(label) / f"{number}.png", image)


def test_class_folders_become_the_training_part(tmp_path: Path) -> None:
    by_class(tmp_path)
    found = read_image_folder(tmp_path)
    order = np.argsort(FRAMED.known_labels(), kind="stable")
    assert found.labelled().fingerprint() == FRAMED.take(order).fingerprint()
    assert found.labelled().name(0) == "0/0.png"
    assert found.labelled().name(1) == "0/10.png"
    assert found.test is None


def test_train_and_test_folders_become_both_parts(tmp_path: Path) -> None:
    by_class(tmp_path / "train")
    by_class(tmp_path / "test", FRAMED.take(np.arange(10)))
    found = read_image_folder(tmp_path)
    assert len(found.labelled()) == 20
    assert found.test is not None
    assert found.test.fingerprint() == FRAMED.take(np.arange(10)).fingerprint()
    assert found.test.name(3) == "test/3/3.png"


def test_a_flat_test_folder_is_unlabelled(tmp_path: Path) -> None:
    by_class(tmp_path / "training")
    save(tmp_path / "testing" / "a.png", FRAMED.images[4])
    found = read_image_folder(tmp_path)
    assert found.test is not None
    assert found.test.labels is None
    assert found.test.names == ("testing/a.png",)


def test_a_flat_folder_is_unlabelled_and_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100):
        save(tmp_path / f"scan{number}.png", FRAMED.images[number % 20])
    save(tmp_path / "more" / "2.png", FRAMED.images[2])
    found = read_image_folder(tmp_path)
    assert found.train is None
    assert found.test is not None
    assert found.test.names == ("more/2.png", "scan1.png", "scan9.png", "scan10.png", "scan100.png")
    np.testing.assert_array_equal(found.test.images, FRAMED.images[[2, 1, 9, 10, 0]])


def test_dark_ink_on_light_paper_of_any_size_is_framed(tmp_path: Path) -> None:
    large = np.kron(255 - FRAMED.images[3], np.ones((8, 8), np.uint8))
    save(tmp_path / "3" / "a.bmp", np.pad(large, 40, constant_values=255))
    found = read_image_folder(tmp_path).labelled()
    assert np.abs(found.images[0].astype(int) - FRAMED.images[3]).mean() < 3  # large pictures are shrunk twice


def test_stray_files_are_ignored_and_listed(tmp_path: Path) -> None:
    by_class(tmp_path)
    for stray in (".DS_Store", "notes.txt", "4/.DS_Store", "4/Thumbs.db", "4/._4.png"):
        (tmp_path / stray).write_bytes(b"stray")
    found = list_pictures(tmp_path)
    assert len(found.train) == 20
    assert set(found.ignored) == {".DS_Store", "notes.txt", "4/.DS_Store", "4/Thumbs.db", "4/._4.png"}


def test_a_picture_without_a_suffix_is_known_by_its_content(tmp_path: Path) -> None:
    by_class(tmp_path)
    (tmp_path / "3" / "3.png").rename(tmp_path / "3" / "three")
    (tmp_path / "3" / "Makefile").write_text("all:")
    assert len(read_image_folder(tmp_path).labelled()) == 20


def test_a_class_that_is_no_digit_is_named(tmp_path: Path) -> None:
    by_class(tmp_path)
    save(tmp_path / "ten" / "a.png", FRAMED.images[0])
    with pytest.raises(InputError, match="named 0 to 9, found 'ten'") as caught:
        read_image_folder(tmp_path)
    assert caught.value.code == "unknown_class"


def test_folders_of_which_none_is_a_digit_are_named(tmp_path: Path) -> None:
    save(tmp_path / "train" / "sept" / "a.png", FRAMED.images[0])
    with pytest.raises(InputError, match="train: expected class folders named 0 to 9, found 'sept'"):
        read_image_folder(tmp_path)


def test_a_picture_beside_the_class_folders_is_not_dropped(tmp_path: Path) -> None:
    by_class(tmp_path)
    save(tmp_path / "lost.png", FRAMED.images[0])
    with pytest.raises(InputError, match=r"lost\.png: this picture lies beside"):
        read_image_folder(tmp_path)


def test_a_loop_of_links_is_not_followed(tmp_path: Path) -> None:
    by_class(tmp_path)
    (tmp_path / "5" / "again").symlink_to(tmp_path, target_is_directory=True)
    found = list_pictures(tmp_path)
    assert len(found.train) == 20
    assert found.ignored == ("5/again/",)


def test_a_linked_class_folder_is_named_and_not_dropped(tmp_path: Path) -> None:
    by_class(tmp_path / "real")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "7").symlink_to(tmp_path / "real" / "7", target_is_directory=True)
    with pytest.raises(InputError, match="7: this class folder is a link"):
        read_image_folder(tmp_path / "data")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").touch()
    with pytest.raises(InputError, match=r"expected pictures .* found none") as caught:
        read_image_folder(tmp_path)
    assert caught.value.code == "no_pictures"


def test_a_folder_that_is_missing_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere: cannot be read"):
        read_image_folder(tmp_path / "nowhere")


def test_one_bad_file_is_named_with_its_reason(tmp_path: Path) -> None:
    by_class(tmp_path)
    (tmp_path / "6" / "6.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"^6/6\.png: expected a picture, found an empty file$") as caught:
        read_image_folder(tmp_path)
    assert caught.value.code == "empty_file"


def test_many_bad_files_are_counted_and_the_first_five_named(tmp_path: Path) -> None:
    by_class(tmp_path)
    for number in range(7):
        path = tmp_path / str(number) / f"{number}.png"
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match=r"^7 of 20 pictures cannot be read: 0/0\.png: .*4/4\.png.*; and 2 more$"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize("name", ["digit_{}", "Digit-{}", "digit{}", "{word}", "{word_}"])
def test_class_folders_may_be_words(tmp_path: Path, name: str) -> None:
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    for number, (image, label) in enumerate(zip(FRAMED.images, FRAMED.known_labels(), strict=True)):
        word = words[label]
        save(tmp_path / name.format(label, word=word, word_=word.title()) / f"{number}.png", image)
    found = read_image_folder(tmp_path).labelled()
    for image, label, path in zip(found.images, found.known_labels(), found.names or (), strict=True):
        number = int(Path(path).stem)
        assert label == FRAMED.known_labels()[number]
        np.testing.assert_array_equal(image, FRAMED.images[number])


def test_words_are_classes_only_all_together(tmp_path: Path) -> None:
    for folder in ("one", "two", "holiday"):
        save(tmp_path / folder / "1.png", FRAMED.images[0])
    assert not holds_labels(tmp_path)
    (tmp_path / "holiday" / "1.png").unlink()
    (tmp_path / "holiday").rmdir()
    assert holds_labels(tmp_path)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("trainingSet", "valid", "testSet"), ("training_set", "Validation", "test_set")],
)
def test_parts_are_folders_and_what_is_none_of_them_is_named(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    for number in range(20):
        part = train if number < 12 else validation if number < 16 else f"{test}"
        digit = FRAMED.known_labels()[number]
        folder = tmp_path / part / (str(digit) if number < 16 else "")
        save(folder / f"{number}.png", FRAMED.images[number])
    save(tmp_path / "extra" / "1.png", FRAMED.images[0])
    save(tmp_path / "extra" / "more" / "2.png", FRAMED.images[0])
    for stray in ("readme.txt", ".DS_Store", "Thumbs.db"):
        (tmp_path / stray).write_text("stray")
    found = read_image_folder(tmp_path)
    assert {name: len(part) for name, part in found.parts().items()} == {"train": 12, "validation": 4, "test": 4}
    assert found.validation is not None
    assert sorted(found.validation.known_labels()) == sorted(FRAMED.known_labels()[12:16])
    assert found.unread == ("extra/ (2 pictures)", "readme.txt")
    assert holds_labels(tmp_path)
