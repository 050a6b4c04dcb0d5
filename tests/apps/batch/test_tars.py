"""A tar archive is taken whole or not at all, and what in it is no picture is counted."""

from __future__ import annotations

import io
import random
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.tars import index_tar
from digit_recognizer.errors import InputError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, png


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Twelve members, six of them pictures."""
    return sources.write_tar(tmp_path / "a.tar", frames(6))


def header_at(path: Path, number: int) -> int:
    with tarfile.open(path) as opened:
        return opened.getmembers()[number].offset


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as refused:
        list(index_tar(str(path), ""))
    assert refused.value.code == "damaged"
    return str(refused.value)


def test_a_header_that_is_damaged_is_not_the_end_of_the_archive(archive: Path) -> None:
    at = header_at(archive, 6)
    whole = archive.read_bytes()
    for change, told in (
        (lambda header: header[:150] + bytes([header[150] ^ 0xFF]) + header[151:], "no member's header"),
        (lambda header: bytes(512), "zeros are followed by other data"),
        (lambda header: b"x" * 512, "no member's header"),
    ):
        archive.write_bytes(whole[:at] + change(whole[at : at + 512]) + whole[at + 512 :])
        assert f"after 6 members, at byte {at:,}" in refusal(archive)
        assert told in refusal(archive)


def test_an_archive_that_is_cut_anywhere_is_refused(archive: Path) -> None:
    whole = archive.read_bytes()
    with tarfile.open(archive) as opened:
        opened.getmembers()
        end = opened.offset
    starts = [header_at(archive, number) for number in range(1, 12)]
    for length in (*starts, *(start + 100 for start in starts), *range(700, end, 777), end, end + 512, end + 1023):
        archive.write_bytes(whole[:length])
        refusal(archive)
    archive.write_bytes(whole[: end + 1024])

    assert len(list(index_tar(str(archive), ""))) == 6


def test_an_archive_without_an_end_is_refused_with_what_makes_it_whole(archive: Path) -> None:
    at = header_at(archive, 8)
    archive.write_bytes(archive.read_bytes()[:at])

    sentence = refusal(archive)
    assert f"after 8 members, at byte {at:,}, the file ends without the two blocks of zeros" in sentence
    assert "head -c 1024 /dev/zero >> FILE" in sentence
    archive.write_bytes(archive.read_bytes() + bytes(1024))
    assert len(list(index_tar(str(archive), ""))) == 4


def test_archives_joined_end_to_end_are_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() * 2)

    assert "several archives in one file" in refusal(archive)


def test_whatever_is_damaged_is_refused_or_changes_no_place(archive: Path) -> None:
    whole = archive.read_bytes()
    places = [(entry.start, entry.stop) for entry in index_tar(str(archive), "", mark="")]
    chance = random.Random(3)
    for _ in range(300):
        content = bytearray(whole)
        at = chance.choice([header_at(archive, number) for number in range(12)]) + chance.randrange(512)
        content[at] ^= 1 << chance.randrange(8)
        changed = archive.with_name("b.tar")
        changed.write_bytes(content)
        try:
            found = [(entry.start, entry.stop) for entry in index_tar(str(changed), "", mark="")]
        except InputError:
            continue
        assert found == places


def test_links_and_other_members_are_counted(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (
            ("0.png", tarfile.REGTYPE),
            ("folder", tarfile.DIRTYPE),
            ("1.png", tarfile.SYMTYPE),
            ("2.png", tarfile.LNKTYPE),
            ("3.png", tarfile.LNKTYPE),
            ("4.png", tarfile.FIFOTYPE),
            ("0.json", tarfile.REGTYPE),
            (".5.png", tarfile.REGTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "0.png" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            content = png(frames(1)[0]) if kind == tarfile.REGTYPE else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    counts: Counter[str] = Counter()

    assert [entry.id for entry in index_tar(str(tmp_path / "a.tar"), "", counts)] == ["0.png"]
    assert counts == {
        "symbolic link": 1,
        "hard link": 2,
        "special file": 1,
        "file that is no picture": 1,
        "hidden file": 1,
    }
    result = run_batch(Request(str(tmp_path / "a.tar"), tmp_path / "out"), EngineHere())
    assert result.manifest["ignored"] == counts
    assert "2 hard links" in (tmp_path / "out" / "summary.html").read_text()


def test_members_of_one_name_are_refused_and_the_first_five_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in [f"{number}.png" for number in range(7)] * 2:
            archive.addfile(tarfile.TarInfo(name))

    with pytest.raises(InputError, match=r"more than once: '0\.png', .*, '4\.png' and 2 more$"):
        run_batch(Request(str(tmp_path / "a.tar"), tmp_path / "out"), EngineHere())
