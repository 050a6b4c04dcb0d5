"""Every kind of DATA finds its reader, by content before name, and every damaged or foreign one ends in a sentence."""

from __future__ import annotations

import gzip
import io
import random
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import DigitsError, FileError, InputError
from digit_recognizer.sources import catalog, pixel_csv
from digit_recognizer.sources.catalog import is_data_set, load
from tests.conftest import draw_digits

TRAIN = draw_digits(60, seed=1)
TEST = draw_digits(20, seed=2, labelled=False)


def csv_bytes(digits: Digits) -> bytes:
    """As pandas writes Kaggle's files."""
    frame = pd.DataFrame(digits.images.reshape(len(digits), -1), columns=[f"pixel{i}" for i in range(784)])
    if digits.labels is not None:
        frame.insert(0, "label", digits.labels)
    return frame.to_csv(index=False).encode()


TRAIN_CSV, TEST_CSV = csv_bytes(TRAIN), csv_bytes(TEST)
SUBMISSION = b"ImageId,Label\n1,0\n2,0\n"


def idx_bytes(array: np.ndarray) -> bytes:
    """As LeCun's page describes the format: two zeros, type 8, dimensions, sizes big-endian, data."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.astype(np.uint8).tobytes()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def holds(dataset: Dataset, train: Digits | None, test: Digits | None) -> bool:
    found = {name: part.fingerprint() for name, part in dataset.parts().items()}
    return found == {name: part.fingerprint() for name, part in Dataset("", train, test).parts().items()}


def refusal(data: str | Path, kind: type[DigitsError] = InputError) -> DigitsError:
    with pytest.raises(kind) as caught:
        load(data)
    assert "\n" not in str(caught.value)
    return caught.value


# Zips


@pytest.mark.parametrize(
    "members",
    [
        {"sample_submission.csv": SUBMISSION, "test.csv": TEST_CSV, "train.csv": TRAIN_CSV},
        {"digit-recognizer/data/train.csv": TRAIN_CSV, "digit-recognizer/data/test.csv": TEST_CSV},
        {"train.csv.zip": zip_bytes({"train.csv": TRAIN_CSV}), "test.csv.zip": zip_bytes({"x.csv": TEST_CSV})},
        {"train.csv.gz": gzip.compress(TRAIN_CSV), "test.csv.gz": gzip.compress(TEST_CSV)},
        {"TRAIN.CSV": TRAIN_CSV, "Test.csv": gzip.compress(TEST_CSV)},
        {"../../etc/train.csv": TRAIN_CSV, "/tmp/test.csv": TEST_CSV},
        {"mnist_train.csv": TRAIN_CSV, "mnist_test.csv": TEST_CSV},
        {"__MACOSX/._train.csv": b"\0\5", "train.csv": TRAIN_CSV, ".test.csv": b"", "test.csv": TEST_CSV},
        {"train.csv": TRAIN_CSV, "old/train.csv": b"", "train.csv.gz": b"", "test.csv": TEST_CSV, "latest.csv": b""},
    ],
    ids=["as sent", "in a folder", "zipped twice", "gzip inside", "capitals", "paths that climb", "longer names",
         "from a Mac", "the nearest and plainest wins"],
)  # fmt: skip
def test_a_kaggle_zip_gives_train_and_test(members: dict[str, bytes], tmp_path: Path) -> None:
    path = put(tmp_path / "digit-recognizer.zip", zip_bytes(members))
    dataset = load(path)
    assert dataset.name == "digit-recognizer.zip"
    assert holds(dataset, TRAIN, TEST)
    assert list(tmp_path.iterdir()) == [path]


def test_a_zip_of_one_csv_is_told_by_its_labels(tmp_path: Path) -> None:
    assert holds(load(put(tmp_path / "a.zip", zip_bytes({"digits.csv": TRAIN_CSV}))), TRAIN, None)
    assert holds(load(put(tmp_path / "b.zip", zip_bytes({"digits.csv": TEST_CSV}))), None, TEST)


def test_a_zip_is_known_without_its_name(tmp_path: Path) -> None:
    assert holds(load(put(tmp_path / "download", zip_bytes({"train.csv": TRAIN_CSV}))), TRAIN, None)


def test_a_wrong_cell_in_a_zip_is_named_with_member_and_line(tmp_path: Path) -> None:
    wrong = TRAIN_CSV.replace(b"\n3,", b"\n33,", 1)
    error = refusal(put(tmp_path / "kaggle.zip", zip_bytes({"data/train.csv": wrong})))
    assert str(error).startswith("kaggle.zip/data/train.csv, line 5, column label: expected")


def test_a_train_csv_without_labels_beside_a_test_csv_is_refused(tmp_path: Path) -> None:
    error = refusal(put(tmp_path / "kaggle.zip", zip_bytes({"train.csv": TEST_CSV, "test.csv": TEST_CSV})))
    assert str(error) == "kaggle.zip/train.csv: expected a column label, found pixels only"


def test_a_zip_with_nothing_to_read_names_what_it_found(tmp_path: Path) -> None:
    assert "found a.txt, b.py" in str(refusal(put(tmp_path / "a.zip", zip_bytes({"a.txt": b"", "b.py": b""}))))
    assert "the archive is empty" in str(refusal(put(tmp_path / "b.zip", zip_bytes({}))))
    assert "both a/train.csv and b/train.csv" in str(
        refusal(put(tmp_path / "c.zip", zip_bytes({"b/train.csv": TRAIN_CSV, "a/train.csv": TRAIN_CSV})))
    )


def test_a_name_with_line_breaks_or_terminal_codes_is_shown_escaped(tmp_path: Path) -> None:
    for name in ("a\nb/train.csv", "\x1b[31m/train.csv"):
        error = refusal(put(tmp_path / "a.zip", zip_bytes({name: b"x"})))
        assert str(error).startswith(f"a.zip/{name!r}, line 1: ")


def test_a_member_without_a_name_is_passed_over(tmp_path: Path) -> None:
    content = zip_bytes({"train.csv": TRAIN_CSV, "notes.txt": b""}).replace(b"notes.txt", b"\0otes.txt")
    assert holds(load(put(tmp_path / "a.zip", content)), TRAIN, None)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_bytes({"train.csv": TRAIN_CSV}))
    content[6] |= 1  # the flag in the local header
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # and in the directory
    error = refusal(put(tmp_path / "a.zip", bytes(content)))
    assert str(error) == "a.zip/train.csv: is encrypted; unpack it with its password first"
    assert error.code == "encrypted"


def test_zip_bombs_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_csv, "SMALL", 2**20)
    header = TEST_CSV[: TEST_CSV.index(b"\n") + 1]
    blank = header + (b"0," * 783 + b"0\n") * 2000
    bomb = put(tmp_path / "a.zip", zip_bytes({"train.csv": blank}))
    nested = put(tmp_path / "b.zip", zip_bytes({"train.csv.zip": zip_bytes({"train.csv": blank})}))
    assert refusal(bomb).code == refusal(nested).code == "too_large"
    deep = zip_bytes({"train.csv.zip": zip_bytes({"train.csv.zip": zip_bytes({"train.csv": TRAIN_CSV})})})
    assert "unpack it" in str(refusal(put(tmp_path / "c.zip", deep)))


def test_a_member_that_is_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_bytes({"train.csv": TRAIN_CSV}))
    for field in (22, content.rindex(b"PK\x01\x02") + 24):  # the unpacked size, in both headers
        content[field : field + 4] = (5000).to_bytes(4, "little")
    assert refusal(put(tmp_path / "a.zip", bytes(content))).exit_code == 3


def test_a_damaged_zip_is_refused_or_read_right_but_never_anything_else(tmp_path: Path) -> None:
    true = {"train": TRAIN.take(range(5)), "test": TEST.take(range(3))}
    whole = zip_bytes(
        {
            "a/train.csv": csv_bytes(true["train"]),
            "täst.csv": SUBMISSION,
            "test.csv.zip": zip_bytes({"t.csv": csv_bytes(true["test"])}),
        }
    )
    assert holds(load(put(tmp_path / "whole.zip", whole)), true["train"], true["test"])
    for size in range(0, len(whole), len(whole) // 24):
        assert refusal(put(tmp_path / "cut.zip", whole[:size])).exit_code == 3
    rng = random.Random(7)
    directory = len(whole) - 250
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        at = rng.choice([rng.randrange(60), rng.randrange(directory, len(whole)), rng.randrange(len(whole))])
        content[at] = rng.choice([0, 1, 255, rng.randrange(256)])
        try:
            dataset = load(put(tmp_path / "flip.zip", bytes(content)))
        except InputError:
            refused += 1
        else:
            for name, part in dataset.parts().items():
                assert part.fingerprint() == true[name].fingerprint()
    assert 100 < refused < 400


# Tables


@pytest.mark.parametrize("name", ["train.csv", "digits.txt", "anything"])
def test_one_csv_is_train_or_test_by_its_labels(name: str, tmp_path: Path) -> None:
    assert holds(load(put(tmp_path / "a" / name, TRAIN_CSV)), TRAIN, None)
    assert holds(load(str(put(tmp_path / "b" / name, gzip.compress(TEST_CSV)))), None, TEST)


@pytest.mark.parametrize("ending", ["", ".gz", ".zip"])
def test_a_folder_of_tables_gives_train_and_test(ending: str, tmp_path: Path) -> None:
    pack = {"": bytes, ".gz": gzip.compress, ".zip": lambda content: zip_bytes({"x.csv": content})}[ending]
    put(tmp_path / "kaggle" / f"train.csv{ending}", pack(TRAIN_CSV))
    assert holds(load(tmp_path / "kaggle"), TRAIN, None)
    put(tmp_path / "kaggle" / f"test.csv{ending}", pack(TEST_CSV))
    put(tmp_path / "kaggle" / "sample_submission.csv", SUBMISSION)
    put(tmp_path / "kaggle" / ".DS_Store", b"\0")
    dataset = load(tmp_path / "kaggle")
    assert dataset.name == "kaggle"
    assert holds(dataset, TRAIN, TEST)


@pytest.mark.parametrize("name", ["val.csv", "validation.csv.gz", "my_valid.csv"])
def test_a_table_for_validation_counts_beside_one_to_learn_from(name: str, tmp_path: Path) -> None:
    put(tmp_path / "k" / name, gzip.compress(TRAIN_CSV) if name.endswith(".gz") else TRAIN_CSV)
    if name == "val.csv":
        assert holds(load(tmp_path / "k"), TRAIN, None)  # alone, it is the one table there
    put(tmp_path / "k" / "train.csv", TRAIN_CSV)
    put(tmp_path / "k" / "sample_submission.csv", SUBMISSION)
    put(tmp_path / "k" / "old.csv", b"anything")
    dataset = load(tmp_path / "k")
    assert dataset.validation is not None
    assert (dataset.validation.fingerprint(), dataset.test) == (TRAIN.fingerprint(), None)
    assert dataset.unread == ("old.csv",)
    packed = zip_bytes({f"k/{path.name}": path.read_bytes() for path in (tmp_path / "k").iterdir()})
    from_zip = load(put(tmp_path / "k.zip", packed))
    assert (repr(from_zip), from_zip.unread) == (repr(dataset).replace("'k'", "'k.zip'"), ("k/old.csv",))
    put(tmp_path / "k" / name, gzip.compress(TEST_CSV) if name.endswith(".gz") else TEST_CSV)
    assert f"{name}: expected a column label" in str(refusal(tmp_path / "k"))


def test_a_folder_with_the_zip_and_its_files_reads_the_files(tmp_path: Path) -> None:
    put(tmp_path / "train.csv.zip", b"half a download")
    put(tmp_path / "train.csv", TRAIN_CSV)
    assert holds(load(tmp_path), TRAIN, None)


def test_a_wrong_cell_in_a_folder_is_named_with_its_path(tmp_path: Path) -> None:
    path = put(tmp_path / "train.csv", TRAIN_CSV.replace(b"\n3,", b"\nthree,", 1))
    for data in (tmp_path, path):
        assert str(refusal(data)).startswith(f"{path}, line 5, column label: ")


# Other kinds


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("inside", [".", "raw", "MNIST/raw"])
def test_an_idx_folder_gives_train_and_a_labelled_test(pack: type[bytes], inside: str, tmp_path: Path) -> None:
    test = draw_digits(20, seed=3)
    ending = "" if pack is bytes else ".gz"
    for part, digits in (("train", TRAIN), ("t10k", test)):
        put(tmp_path / inside / f"{part}-images-idx3-ubyte{ending}", pack(idx_bytes(digits.images)))
        put(tmp_path / inside / f"{part}-labels-idx1-ubyte{ending}", pack(idx_bytes(digits.known_labels())))
    assert holds(load(tmp_path), TRAIN, test)
    train = load(tmp_path / inside / f"train-images-idx3-ubyte{ending}").labelled()
    assert train.fingerprint() == TRAIN.fingerprint()


def test_an_npz_is_not_taken_for_a_kaggle_zip(tmp_path: Path) -> None:
    test = draw_digits(20, seed=3)
    path = tmp_path / "mnist"
    with path.open("wb") as stream:
        np.savez_compressed(stream, x_train=TRAIN.images, y_train=TRAIN.labels, x_test=test.images, y_test=test.labels)
    assert holds(load(path), TRAIN, test)
    assert holds(load(path.rename(tmp_path / "mnist.npz")), TRAIN, test)


def parquet_bytes(digits: Digits) -> bytes:
    """As Hugging Face keeps MNIST: a struct of PNG bytes and path, and a label."""
    rows = []
    for image in digits.images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "png")
        rows.append({"bytes": buffer.getvalue(), "path": None})
    return pd.DataFrame({"image": rows, "label": digits.known_labels()}).to_parquet()


def test_parquet_is_read_as_a_file_and_as_a_folder(tmp_path: Path) -> None:
    test = draw_digits(20, seed=3)
    path = put(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", parquet_bytes(TRAIN))
    assert holds(load(path), TRAIN, None)
    put(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet", parquet_bytes(test))
    assert holds(load(tmp_path / "hub"), TRAIN, test)
    assert holds(load(tmp_path / "hub" / "data"), TRAIN, test)


def test_content_decides_against_the_name(tmp_path: Path) -> None:
    assert holds(load(put(tmp_path / "a.csv", parquet_bytes(TRAIN))), TRAIN, None)
    assert holds(load(put(tmp_path / "b.npz", TRAIN_CSV[:0] + zip_bytes({"train.csv": TRAIN_CSV}))), TRAIN, None)
    assert holds(load(put(tmp_path / "c.csv", zip_bytes({"train.csv": TRAIN_CSV}))), TRAIN, None)


@pytest.mark.parametrize("inside", ["", "train/"])
def test_a_folder_of_images_goes_to_the_image_reader(inside: str, tmp_path: Path) -> None:
    for i in range(20):
        digit = tmp_path / "scans" / f"{inside}{TRAIN.known_labels()[i]}"
        digit.mkdir(parents=True, exist_ok=True)
        Image.fromarray(TRAIN.images[i]).save(digit / f"{i}.png")
    put(tmp_path / "scans" / "notes.csv", b"who,when\n")
    dataset = load(tmp_path / "scans")
    assert sorted(dataset.labelled().known_labels()) == sorted(TRAIN.known_labels()[:20])
    assert dataset.test is None


@pytest.mark.parametrize("word", [".", "./", "inner/..", ".."])
def test_a_folder_called_by_dots_has_its_own_name(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scans" / "inner").mkdir(parents=True)
    Image.fromarray(TRAIN.images[0]).save(tmp_path / "scans" / "a.png")
    put(tmp_path / "scans" / "notes.parquet", b"PAR1")
    monkeypatch.chdir(tmp_path / "scans" / ("inner" if word == ".." else ""))
    assert str(refusal(word)).startswith("scans: expected train-*.parquet")
    (tmp_path / "scans" / "notes.parquet").unlink()
    assert load(word).name == "scans"


def test_the_sample_comes_by_name_and_offline() -> None:
    sample = load("sample")
    assert sample.train is not None
    assert sample.test is not None
    assert len(sample.train) + len(sample.test) == 1797


def test_mnist_comes_by_name_and_a_folder_of_that_name_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mnist" / "train.csv", TRAIN_CSV)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("digit_recognizer.sources.mnist.load_mnist", lambda: Dataset("by name", None, TEST))
    assert load("mnist").name == "by name"
    assert holds(load("./mnist"), TRAIN, None)
    assert holds(load(Path("mnist")), TRAIN, None)


# What is refused


@pytest.mark.parametrize("word", ["mnits", "MNIST", "kaggle data", " "])
def test_a_word_that_is_no_file_and_no_name_lists_the_names(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = "cannot be read (No such file or directory), and is no name that is known (mnist, sample)"
    assert str(refusal(word, FileError)) == f"{word if word.strip() else repr(word)}: {told}"


@pytest.mark.parametrize("name", ["train.csv", "data/train", "x\0.csv", "y" * 5000 + ".zip", "../nowhere/at/all"])
def test_of_a_missing_path_it_is_said_that_it_is_missing_and_no_more(name: str, tmp_path: Path) -> None:
    for data in (f"{tmp_path}/{name}", Path(f"{tmp_path}/{name}")):
        error = refusal(data, FileError)
        assert re.search(r": cannot be read \([^();,]+\)$", str(error))
        assert error.exit_code == 5


def test_addresses_are_not_fetched() -> None:
    for word in ("http://a.example/train.csv", "s3://bucket/data"):
        assert str(refusal(word, FileError)) == f"{word}: addresses are not fetched; give the file itself"


def test_a_dangling_or_circular_link_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert refusal(tmp_path / "gone.csv", FileError).exit_code == refusal(tmp_path / "loop.csv", FileError).exit_code


@pytest.mark.parametrize(
    ("name", "content"),
    [("digit.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("model.onnx", b"\x08\x0a\x12\0\x1a\0"), ("x", bytes(100))],
)
def test_a_file_of_another_kind_lists_what_is_accepted(name: str, content: bytes, tmp_path: Path) -> None:
    error = refusal(put(tmp_path / name, content))
    assert "not a kind of file that is known; expected a Kaggle zip, " in str(error)
    assert error.code == "unknown_data"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("train.csv", b"", "empty_file"),
        ("train.csv", TRAIN_CSV.decode().encode("utf-16"), "not_utf8"),
        ("train.csv", bytes(5000), "not_utf8"),
        ("train.csv", b"7" * 200_000, "line_too_long"),
        ("train.csv", TEST_CSV[: TEST_CSV.index(b"\n")], "no_rows"),
        ("train.csv.gz", gzip.compress(TRAIN_CSV)[:-20], "bad_gzip"),
        ("train.zip", b"PK\x03\x04 and then nothing", "bad_zip"),
        ("train.zip", b"not found", "bad_zip"),
    ],
)
def test_a_damaged_file_is_told_by_its_own_reader(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    assert refusal(put(tmp_path / name, content)).code == code


@pytest.mark.parametrize("name", ["x.npz", "x.parquet", "train-images-idx3-ubyte"])
def test_a_damaged_array_file_is_an_input_error(name: str, tmp_path: Path) -> None:
    assert refusal(put(tmp_path / name, b"\0\1\2 damaged")).exit_code == 3


def test_an_empty_folder_and_one_of_strangers_say_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    put(tmp_path / "empty" / ".DS_Store", b"\0")
    put(tmp_path / "other" / "notes.txt", b"hello")
    assert "the folder is empty; expected a Kaggle zip, " in str(refusal(tmp_path / "empty"))
    assert "found notes.txt; expected a Kaggle zip, " in str(refusal(tmp_path / "other"))


def test_reading_a_csv_loads_no_other_reader(tmp_path: Path) -> None:
    path = put(tmp_path / "train.csv", TRAIN_CSV)
    code = (
        "import sys; from digit_recognizer.sources import load; load(sys.argv[1]); "
        "print([m for m in ('pyarrow', 'pooch', 'torch', 'cv2', 'PIL', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_names_on_offer_are_the_names_in_the_message() -> None:
    for name in catalog.NAMES:
        assert name in str(refusal("no-such-thing", FileError))


def test_the_real_kaggle_zip_holds_42000_and_28000(real_data: Path) -> None:
    dataset = load(real_data / "digit-recognizer.zip")
    assert {name: len(part) for name, part in dataset.parts().items()} == {"train": 42_000, "test": 28_000}
    assert dataset.labelled().counts().tolist() == [4132, 4684, 4177, 4351, 4072, 3795, 4137, 4401, 4063, 4188]
    assert dataset.test is not None
    assert dataset.test.labels is None


def test_pictures_without_labels_are_no_data_set_and_all_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("flat/a.png", "mixed/a.png", "classes/7/a.png", "parts/train/7/a.png", "deep/x/a.png", "listed/a.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_digits(1).images[0]).save(name)
    Path("mixed/train.csv").write_text("label\n")
    Path("listed/notes.csv").write_text("a list beside the pictures\n")
    Path("empty").mkdir()
    Path("table.csv").write_text("label\n")
    Path("a.txt").write_bytes(Path("flat/a.png").read_bytes())  # content decides
    sets = ("sample", "mnist", "mixed", "classes", "parts", "empty", "table.csv", "no-such-thing", "none.zip")
    assert [name for name in sets if not is_data_set(name)] == []
    pictures = ("-", "flat", "deep", "listed", "flat/a.png", "a.txt", "none.png", "*.png", "flat/?.csv", "a.svg")
    assert [name for name in pictures if is_data_set(name)] == []
