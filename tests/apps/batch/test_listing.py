"""A listing on disk gives back what was written, tells what changed, and finds names that are there twice."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.batch import listing as module
from digit_recognizer.apps.batch.engine import Entry
from digit_recognizer.apps.batch.listing import (
    Listing,
    first_difference,
    piece_digest,
    refuse_duplicates,
    write_listing,
)
from digit_recognizer.errors import FileError, InputError


def pictures(count: int) -> list[Entry]:
    return [Entry(f"{number}.png", f"/scans/{number}.png", mark=str(number)) for number in range(count)]


def test_entries_come_back_as_they_were_also_from_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TOGETHER", 10)
    entries = [*pictures(37), Entry("odd", "/scans/\udcff.png", 5, 9, 4, 2, "m")]

    listing = write_listing(tmp_path / "list", "pictures", entries, size=6)

    assert list(listing) == entries
    assert listing.between(8, 23) == tuple(entries[8:23])
    assert (listing.entries, listing.pictures, listing.kind) == (38, 41, "pictures")
    pieces = listing.pieces()
    assert sum(piece.pictures for piece in pieces) == 41
    assert max(piece.pictures for piece in pieces) <= 6
    assert [entry for piece in pieces for entry in listing.between(*piece.entries)] == entries


def test_a_limit_cuts_the_last_run(tmp_path: Path) -> None:
    runs = [Entry("", "/a.csv", 0, 100, 5), Entry("", "/a.csv", 100, 200, 5, 6), Entry("", "/a.csv", 200, 300, 5, 11)]

    listing = write_listing(tmp_path / "list", "csv", runs, limit=7)

    assert [(entry.rows, entry.stop) for entry in listing] == [(5, 100), (2, 200)]
    assert listing.pictures == 7


def test_an_error_of_the_source_is_not_told_as_one_of_the_listing(tmp_path: Path) -> None:
    def entries() -> Iterator[Entry]:
        yield from pictures(2)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/scans/deep")

    with pytest.raises(FileError, match=r"^/scans/deep: cannot be read \(Permission denied\)$"):
        write_listing(tmp_path / "list", "pictures", entries())
    assert list(tmp_path.iterdir()) == []


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    before = write_listing(tmp_path / "before", "pictures", pictures(5))
    entries = pictures(5)
    changed = Entry("3.png", "/scans/3.png", mark="other")
    for number, (now, sentence) in enumerate(
        (
            (entries, ""),
            ([Entry(entry.id, "/elsewhere", mark=entry.mark) for entry in entries], ""),
            (entries[:4], "picture 5 was 4.png and is not there"),
            ([*entries, Entry("5.png", "/5.png")], "picture 6 was not there and is 5.png"),
            ([*entries[:3], changed, entries[4]], "picture 4, 3.png, is not the same file as it was"),
            ([entries[0], entries[2]], "picture 2 was 1.png and is 2.png"),
        )
    ):
        assert first_difference(before, write_listing(tmp_path / str(number), "pictures", now)) == sentence


def test_names_that_are_there_twice_are_found_in_several_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 10)
    names = [f"{number}.png" for number in range(95)]

    refuse_duplicates("list", lambda: iter([names[:50], names[50:]]), 95)
    with pytest.raises(InputError, match=r"list: .* more than once: '7\.png', '93\.png'"):
        refuse_duplicates("list", lambda: iter([names, ["93.png", "7.png"]]), 97)


def test_of_names_only_as_many_as_are_read_are_taken_and_compared() -> None:
    taken = 0

    def ids() -> Iterator[list[str]]:
        nonlocal taken
        for start in range(0, 1_000_000, 10):
            taken += 10
            yield [f"{number % 24}.png" for number in range(start, start + 10)]

    refuse_duplicates("table", ids, 24)
    assert taken == 30
    with pytest.raises(InputError, match=r"more than once: '0\.png'$"):
        refuse_duplicates("table", ids, 25)
    assert taken <= 100


def test_a_part_is_named_by_what_is_asked_of_which_pictures() -> None:
    digest = piece_digest(pictures(3), "predict")

    assert digest == piece_digest([Entry(e.id, "/moved/" + e.id, mark=e.mark) for e in pictures(3)], "predict")
    assert digest != piece_digest(pictures(3), "read")
    assert digest != piece_digest(pictures(4), "predict")
    assert digest != piece_digest([*pictures(2), Entry("2.png", "/scans/2.png", mark="larger")], "predict")


def test_a_damaged_listing_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"PAR1 and no more")

    with pytest.raises(FileError, match="expected the list of a batch's inputs"):
        Listing(tmp_path / "list")
