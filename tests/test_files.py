"""Files appear whole or not at all, where they were asked for, and nothing else is harmed."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from digit_recognizer.errors import FileError
from digit_recognizer.files import whole_file, write_json, write_text
from digit_recognizer.training.run_folder import _HALF_WRITTEN


def write_half(path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text("half of the n")
        raise KeyError


def test_where_writing_fails_the_old_file_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(KeyError):
        write_half(tmp_path / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_link_stays_a_link_and_what_it_points_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "shelf" / "new.txt")
    write_text(tmp_path / "link.txt", "all of it")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "shelf" / "new.txt").read_text() == "all of it"
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == ["new.txt"]


@pytest.mark.parametrize("through_a_link", [False, True])
def test_pipes_and_devices_are_refused_and_stay(tmp_path: Path, through_a_link: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(FileError, match="expected a file to write") as caught:
        write_text(tmp_path / ("link" if through_a_link else "pipe"), "x")
    assert caught.value.code == "not_a_regular_file"
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()


def test_a_socket_is_refused_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("here")
        with pytest.raises(FileError, match="expected a file to write"):
            write_text("here", "x")
        assert (tmp_path / "here").is_socket()


@pytest.mark.parametrize("name", ["a" * 251 + ".png", "日" * 84 + ".x", os.fsdecode(b"\xe9" * 255)])
def test_the_longest_names_that_a_disk_takes_are_written(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "all of it")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_temporary_name_is_one_that_a_run_folder_knows_as_left_behind(tmp_path: Path) -> None:
    with whole_file(tmp_path / ("日" * 84 + ".x")) as temporary:
        temporary.write_text("half of it")
        assert _HALF_WRITTEN.fullmatch(temporary.name)
        assert os.fsencode(temporary.name).decode("utf-8").startswith(".日日")


def test_names_that_are_not_utf8_are_written_as_text_and_come_back_from_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\\caf\xe9.png")
    write_text(tmp_path / "a.csv", f"{name},7\n")
    write_json(tmp_path / "a.json", {"source": name})
    assert (tmp_path / "a.csv").read_text("utf-8") == "a\\caf\\udce9.png,7\n"
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"source": name}


def test_a_folder_and_a_link_to_itself_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileError, match=r"loop/a\.txt: cannot be written"):
        write_text(tmp_path / "loop" / "a.txt", "x")
    with pytest.raises(FileError, match="cannot be written"):
        write_text(tmp_path, "x")
