"""``digits batch``: words become a batch; its end becomes lines, JSON and an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from digit_recognizer.apps.batch.command import make_engine
from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.errors import UsageError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import frames, rows
from tests.apps.command import Ended

Command = Callable[..., Ended]


def test_a_batch_tells_how_it_went_and_one_bad_picture_is_exit_code_1(digits_command: Command, tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "scans", frames(3))

    good = digits_command("batch", folder, "-o", "good", "--workers", 1, "--json")
    (folder / "bad.png").write_bytes(b"")
    bad = digits_command("batch", folder, "-o", "bad", "--workers", 1)
    again = digits_command("batch", folder, "-o", "bad", "--workers", 1)

    document = json.loads(good.out)
    assert good.code == 0
    assert document["ignored"] == {}
    assert "passed over" not in good.err
    assert {name: document[name] for name in ("pictures", "read", "failed", "parts")} == {
        "pictures": 3,
        "read": 3,
        "failed": 0,
        "parts": 1,
    }
    assert bad.code == again.code == 1
    assert "4 pictures: 3 read" in bad.out
    assert "1 failed" in bad.out
    assert "finished before; nothing was read" in again.err
    assert "pictures a second" not in again.out
    assert len(rows(tmp_path / "bad")) == 3


def test_where_no_picture_can_be_read_the_exit_code_is_3(digits_command: Command, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("nowhere.png\nneither.png\n")

    end = digits_command("batch", "list.txt", "-o", "out", "--workers", 1)

    assert end.code == 3
    assert "2 pictures: 0 read; 2 failed" in end.out


def test_a_share_without_a_part_says_so_and_not_that_there_are_no_pictures(
    digits_command: Command, tmp_path: Path
) -> None:
    sources.write_pictures(tmp_path / "scans", frames(3))
    words = ("batch", "scans", "-o", "out", "--part-size", 2, "--shard", "3/8", "--workers", 1)

    for end in (digits_command(*words), digits_command(*words)):
        assert end.code == 0
        assert "share 3/8 holds none of the parts: 3 pictures in 2 parts; a smaller --part-size makes more" in end.err
        assert "no pictures were found" not in end.err


def test_words_that_make_no_sense_are_refused_before_anything_is_written(
    digits_command: Command, tmp_path: Path
) -> None:
    for words, told in (
        (("--shard", "half"), "expected --shard k/n"),
        (("--shard", "3/2"), "k from 1 to n"),
        (("--task", "sing"), "expected the task to be one of predict, read"),
        (("--engine", "steam"), "expected the engine to be local or ray"),
        (("--address", "auto"), "--address is for --engine ray"),
        (("--expect", "5"), "are for --task read"),
        (("more",), "expected one source, found 2; a pattern is quoted, as 'scans/*.png', so that the shell leaves it"),
    ):
        end = digits_command("batch", "scans", "-o", "out", *words)
        assert (end.code, told in end.sentence) == (2, True), end.sentence
    assert not (tmp_path / "out").exists()


def test_a_source_that_is_not_there_is_exit_code_5(digits_command: Command) -> None:
    end = digits_command("batch", "nowhere", "-o", "out", "--workers", 1)

    assert end.code == 5
    assert "nowhere: cannot be read" in end.sentence


def test_without_its_extra_the_command_says_what_to_install(
    digits_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("digit_recognizer.apps.batch.")]:
        if not name.endswith(".command"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    end = digits_command("batch", "scans", "-o", "out")

    assert end.code == 2
    assert end.sentence == 'batch reading needs an extra: pip install "digit-recognizer[batch]"'


def test_the_summary_says_what_was_read_escaped(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "<b>scans", frames(12))
    run_batch(Request(str(folder), tmp_path / "out", part_size=5), EngineHere())

    page = (tmp_path / "out" / "summary.html").read_text()

    assert "<b>scans" not in page
    assert "&lt;b&gt;scans" in page
    assert "12 pictures: 12 read, 0 failed" in page
    assert page.count("<tr><th>3</th>") == 2  # the digit, and the third stretch of three parts
    assert "http" not in page.replace("http-equiv", "")


def test_engines_are_made_by_name() -> None:
    assert make_engine("local", 3, None).workers == 3
    with pytest.raises(UsageError):
        make_engine("local", 0, None)
