"""How long places were vacant: from made-up moments, and of files that real processes rename."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from digit_recognizer.files import write_text
from places import Launch, parts_appearing

PROGRAM = "import sys; from digit_recognizer.files import write_text; write_text(sys.argv[1], '')"


def test_places_are_vacant_until_the_first_part_has_begun() -> None:
    launch = Launch(begin=100, end=130, parts=[(106, 1), (108, 1), (109, 2), (110, 1)])
    assert launch.intervals() == [2, 2]
    assert launch.vacant(2, usual=2) == ([4, 7], [])


def test_a_place_whose_worker_died_is_vacant_until_another_is_at_work() -> None:
    parts = [(103.0, 1), (104.0, 2), (105.0, 1), (112.0, 3), (114.0, 3)]
    launch = Launch(begin=100, end=130, parts=parts, deaths=[(106, 1)])
    assert launch.vacant(2, usual=1) == ([2, 3], [5])


def test_a_worker_that_died_before_its_first_part_leaves_its_place_vacant_from_the_start() -> None:
    launch = Launch(begin=100, end=130, parts=[(103, 2), (109, 3)], deaths=[(102, 1)])
    assert launch.vacant(2, usual=1) == ([2, 8], [])


def test_a_place_that_nobody_took_was_vacant_to_the_end() -> None:
    launch = Launch(begin=100, end=130, parts=[(103, 1), (104, 2)], deaths=[(120, 2)])
    assert launch.vacant(2, usual=1) == ([2, 3], [10])
    assert Launch(begin=100, end=101).vacant(2, usual=1) == ([1, 1], [])


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_the_process_that_wrote_a_part_is_known(tmp_path: Path) -> None:
    with parts_appearing(tmp_path / "parts") as appeared:
        assert appeared() == []
        child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path / "parts" / "part-000001-ab.parquet")])
        assert child.wait(60) == 0
        write_text(tmp_path / "parts" / "other.txt", "")
        found: list[int] = []
        deadline = time.monotonic() + 10
        while not found and time.monotonic() < deadline:
            found = appeared()
        assert found == [child.pid]
