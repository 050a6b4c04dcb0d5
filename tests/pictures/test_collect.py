"""Paths, folders, patterns and values become single pictures with names, one by one, in an order that people expect."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digit_recognizer.errors import FileError, InputError
from digit_recognizer.pictures.collect import Picture, collect, is_one
from digit_recognizer.pictures.ink import to_frame
from tests.conftest import draw_digits

GREY = np.pad(draw_digits(8).images[7], 10)


def save(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(GREY).save(path, "PNG")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """scans/ with two pictures, one more below, one without a suffix, and what is none."""
    monkeypatch.chdir(tmp_path)
    for name in ("10.png", "2.PNG", "deep/er/1.png", "plain", ".hidden.png", ".cache/a.png"):
        save(tmp_path / "scans" / name)
    (tmp_path / "scans" / "notes.txt").write_text("not a picture")
    return tmp_path / "scans"


def names(source: object) -> list[str]:
    return [picture.name for picture in collect(source)]


def test_a_folder_gives_all_its_pictures_by_number_and_then_those_below(folder: Path) -> None:
    assert names("scans") == ["scans/2.PNG", "scans/10.png", "scans/plain", "scans/deep/er/1.png"]
    assert names(folder) == [str(folder / name) for name in ("2.PNG", "10.png", "plain", "deep/er/1.png")]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("scans/*.png", ["scans/10.png"]),
        ("scans/*", ["scans/2.PNG", "scans/10.png", "scans/deep/er/1.png", "scans/plain"]),
        ("scans/**/*.png", ["scans/10.png", "scans/deep/er/1.png"]),
        ("scans/[0-9]*", ["scans/2.PNG", "scans/10.png"]),
    ],
)
def test_a_pattern_gives_the_pictures_that_it_matches(folder: Path, pattern: str, found: list[str]) -> None:
    assert names(pattern) == found


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    save(folder / "a[1].png")
    assert names("scans/a[1].png") == ["scans/a[1].png"]
    assert is_one("scans/a[1].png")


def test_linked_folders_are_not_followed(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    assert len(names(folder)) == 4


def test_what_cannot_be_found_is_an_error_in_its_place(folder: Path) -> None:
    (folder.parent / "empty").mkdir()
    sources = ["scans/2.PNG", "empty", "none/*.png", "missing.png", "nul\0.png", "scans/10.png"]
    outcomes = []
    for picture in collect(sources):
        try:
            outcomes.append(str(picture.frame().shape))
        except (InputError, FileError) as error:
            outcomes.append(f"{type(error).__name__} {error.code}")
    shape = "(28, 28)"
    lost = ["InputError no_pictures", "InputError no_pictures", "FileError io_error", "FileError io_error"]
    assert outcomes == [shape, *lost, shape]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / "deep").chmod(0)
    try:
        *_, last = collect("scans")
        with pytest.raises(FileError, match="scans/deep"):
            last.frame()
    finally:
        (folder / "deep").chmod(0o755)


def refuse(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let nobody read folders and files of these names, the super-user included."""
    scan, open_file = os.scandir, Path.open

    def checked(path: Any) -> None:
        if os.path.basename(os.fspath(path)) in names:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))

    def scandir(path: Any = ".") -> Any:
        checked(path)
        return scan(path)

    def opened(path: Path, *rest: Any, **options: Any) -> Any:
        checked(path)
        return open_file(path, *rest, **options)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "open", opened)


def told(source: object) -> list[str]:
    """The name of each picture; where it cannot be opened, the sentence."""
    found = []
    for picture in collect(source):
        try:
            picture.grey()
            found.append(picture.name)
        except FileError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize(
    ("source", "refused", "expected"),
    [
        (
            "scans",
            ("plain", "er"),
            ["2.PNG", "10.png", "plain: X", "apart/3.png", "deep/1.png", "deep/er: X", "zone/4.png"],
        ),
        ("scans/*", ("plain", "deep"), ["2.PNG", "10.png", "apart/3.png", "deep: X", "plain: X", "zone/4.png"]),
    ],
)
def test_what_may_not_be_read_is_an_error_and_the_others_follow(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, refused: tuple[str, str], expected: list[str]
) -> None:
    for name in ("apart/3.png", "deep/1.png", "zone/4.png"):
        save(folder / name)
    refuse(monkeypatch, *refused)
    assert told(source) == [f"scans/{name.replace('X', 'cannot be read (Permission denied)')}" for name in expected]


def test_a_link_that_leads_to_itself_is_one_error_and_the_walk_goes_on(folder: Path) -> None:
    (folder / "3.png").symlink_to("3.png")

    first, loop, *others = told("scans")

    assert (first, others) == ("scans/2.PNG", ["scans/10.png", "scans/plain", "scans/deep/er/1.png"])
    assert loop.startswith("scans/3.png: cannot be read (")


def test_pictures_without_a_path_are_numbered_by_their_place(folder: Path) -> None:
    stack = np.stack([draw_digits(1).images[0]] * 2)
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, "PNG")
    sources = [GREY, "scans/2.PNG", stack, file.getvalue(), bytearray(file.getvalue()), Image.fromarray(GREY)]
    assert names(sources) == ["1", "scans/2.PNG", "3", "4", "5", "6", "7"]
    assert names([Picture("mine", GREY)]) == ["mine"]
    with pytest.raises(InputError, match="picture 3: "):
        list(collect([GREY, GREY, b"nothing"]))[2].frame()


def test_every_kind_of_one_picture_gives_one_frame(folder: Path) -> None:
    content = (folder / "2.PNG").read_bytes()
    for source in ("scans/2.PNG", content, memoryview(content), Image.open(io.BytesIO(content)), GREY, GREY / 255):
        assert is_one(source)
        (picture,) = collect(source)
        assert np.array_equal(picture.frame(), to_frame(GREY))


def test_folders_patterns_lists_and_stacks_are_many(folder: Path) -> None:
    for source in ("scans", folder, "scans/*.png", [GREY], (GREY,), iter([GREY]), np.zeros((1, 28, 28), np.uint8)):
        assert not is_one(source)


def test_an_iterator_is_advanced_only_as_far_as_needed() -> None:
    taken = []

    def drawings() -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        for number in range(5):
            taken.append(number)
            yield GREY

    found = collect(drawings())
    next(found)
    assert taken == [0]


def test_a_name_that_is_not_utf8_can_be_written(folder: Path) -> None:
    try:
        path = save(folder / os.fsdecode(b"\xff.png"))
    except OSError:
        pytest.skip("this file system holds UTF-8 names alone")
    (picture,) = collect(path)
    assert picture.name.encode("utf-8").endswith(b"\\udcff.png")
    assert picture.frame().any()


def test_an_axis_for_a_single_channel_is_left_out_alone_and_among_others() -> None:
    stack = draw_digits(3).images
    for one in (GREY[..., None], GREY[..., None] / np.float32(255)):
        assert is_one(one)
        assert [picture.grey().tolist() for source in (one, [one]) for picture in collect(source)] == [
            GREY.tolist()
        ] * 2
    for many in (stack[:, None], stack[..., None]):
        assert not is_one(many)
        for source in (many, [many]):
            assert [picture.grey().tolist() for picture in collect(source)] == stack.tolist()


@pytest.mark.parametrize("documents", [False, True])
def test_an_empty_path_is_no_folder(folder: Path, documents: bool) -> None:
    assert is_one("", documents=documents)
    empty, *others = collect(["", "scans/2.PNG"], documents=documents)
    assert [picture.name for picture in others] == ["scans/2.PNG"]
    with pytest.raises(FileError, match="expected a path, found an empty one"):
        empty.grey()
