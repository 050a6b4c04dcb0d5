"""A store that is away for a time costs time and no picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from digit_recognizer.apps.batch import fetch
from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.errors import FileError
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import errors, frames, png, rows


class Flaky(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store in memory; reads beyond ``left`` fail, as if the network were gone, until that is raised."""

    protocol = "flaky"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    left = 10**9
    fails_for = 10**9  # reads in a row; then it is there again

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("flaky://").strip("/") if path.strip("/") else ""

    def cat_file(self, path: str, start: Any = None, end: Any = None, **options: Any) -> bytes:
        Flaky.left -= 1
        if Flaky.left < 0 and Flaky.left >= -Flaky.fails_for:
            raise ConnectionResetError("connection lost")
        content: bytes = super().cat_file(path, start=start, end=end, **options)
        return content


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store of 40 pictures, one of them damaged, and a list that names one more."""
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    monkeypatch.setattr(Flaky, "left", 10**9)
    monkeypatch.setattr(Flaky, "fails_for", 10**9)
    monkeypatch.setattr(fetch, "_WAITS_S", (0.0, 0.0, 0.0))
    system = fsspec.filesystem("flaky")
    for number, image in enumerate(frames(40)):
        system.pipe(f"/scans/{number:04d}.png", b"GIF89a" if number == 7 else png(image))
    listed = [f"flaky://scans/{number:04d}.png" for number in range(41)]
    system.pipe("/list.txt", "\n".join(listed).encode())
    yield "flaky://scans"
    system.rm("/", recursive=True)


@pytest.mark.parametrize("source", ["flaky://scans", "flaky://list.txt"])
def test_pictures_of_an_outage_are_read_by_the_same_command_later(store: str, tmp_path: Path, source: str) -> None:
    run_batch(Request(source, tmp_path / "undisturbed", part_size=8), EngineHere())
    for left in (0, 3, 9, 20, 31, 39):
        request = Request(source, tmp_path / f"{left}", part_size=8)
        Flaky.left = left + 2 * ("list" in source)  # its head and the list itself are read before
        with pytest.raises(FileError, match=r"connection lost.*the same command goes on") as away:
            run_batch(request, EngineHere())
        done = len(list((request.output / "parts").glob("part-*.parquet")))
        assert away.value.exit_code == 5
        assert not (request.output / "manifest.json").exists()
        Flaky.left = 10**9
        engine = EngineHere()
        run_batch(request, engine)
        assert len(engine.done) == len(list((request.output / "parts").iterdir())) - done
        assert rows(request.output) == rows(tmp_path / "undisturbed")
        assert errors(request.output) == errors(tmp_path / "undisturbed")
    assert [row["id"] for row in errors(tmp_path / "undisturbed")][:1] == (
        ["0007.png"] if source == store else ["flaky://scans/0007.png"]
    )


def test_a_short_outage_is_waited_for(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_batch(Request(store, tmp_path / "undisturbed", part_size=8), EngineHere())
    monkeypatch.setattr(Flaky, "fails_for", 6)
    Flaky.left = 12

    run_batch(Request(store, tmp_path / "out", part_size=8), EngineHere())

    assert Flaky.left < 0
    assert rows(tmp_path / "out") == rows(tmp_path / "undisturbed")
    assert errors(tmp_path / "out") == errors(tmp_path / "undisturbed")
