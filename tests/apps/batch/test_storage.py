"""URLs by fsspec give what local paths give: against S3 itself, as moto plays it on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.batch import storage
from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.errors import FileError
from tests.apps.batch import sources
from tests.apps.batch.engines import EngineHere
from tests.apps.batch.sources import errors, frames, png, rows


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """An empty bucket of an S3 server on a free port."""
    pytest.importorskip("s3fs", reason="needs s3fs: pip install -c constraints.txt -e '.[dev]'")
    server_module = pytest.importorskip("moto.server", reason="needs moto[server]")
    import boto3

    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        boto3.client("s3").create_bucket(Bucket="digits")
        yield "s3://digits"
    server.stop()


def upload(path: Path, url: str) -> None:
    import boto3

    key = url.removeprefix("s3://digits/")
    for file in [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file()):
        name = key if file == path else f"{key}/{file.relative_to(path).as_posix()}"
        boto3.client("s3").upload_file(str(file), "digits", name)


def test_a_bucket_gives_the_rows_that_the_same_files_give_from_the_disk(bucket: str, tmp_path: Path) -> None:
    images = frames(20)
    pictures = sources.write_pictures(tmp_path / "pictures", images)
    (pictures / "bad.png").write_bytes(b"GIF89a")
    cells = [{"bytes": png(image), "path": None} for image in images]
    for number, (path, url) in enumerate(
        (
            (pictures, f"{bucket}/pictures"),
            (sources.write_table(tmp_path / "a.parquet", {"image": cells}), f"{bucket}/a.parquet"),
            (sources.write_tar(tmp_path / "a.tar", images), f"{bucket}/a.tar"),
            (sources.write_csv(tmp_path / "a.csv", images), f"{bucket}/a.csv"),
            (sources.packed(sources.write_idx(tmp_path / "x-ubyte", images)), f"{bucket}/x-ubyte.gz"),
        )
    ):
        upload(path, url)
        here, there = tmp_path / f"here{number}", tmp_path / f"there{number}"
        run_batch(Request(str(path), here, part_size=6), EngineHere())
        run_batch(Request(url, there, part_size=6), EngineHere())
        assert len(rows(there)) == 20
        assert rows(there) == rows(here)
        assert errors(there) == errors(here)


def test_a_list_of_urls_and_a_pattern_name_pictures_in_a_bucket(bucket: str, tmp_path: Path) -> None:
    pictures = sources.write_pictures(tmp_path / "pictures", frames(6))
    upload(pictures, f"{bucket}/scans")
    (tmp_path / "list.txt").write_text(f"{bucket}/scans/0000.png\n{bucket}/scans/nowhere.png\n")

    run_batch(Request(str(tmp_path / "list.txt"), tmp_path / "listed"), EngineHere())
    run_batch(Request(f"{bucket}/scans/*.png", tmp_path / "matched"), EngineHere())

    assert [row["id"] for row in rows(tmp_path / "listed")] == [f"{bucket}/scans/0000.png"]
    assert [row["code"] for row in errors(tmp_path / "listed")] == ["io_error"]
    assert [row["id"] for row in rows(tmp_path / "matched")] == [f"{bucket}/scans/000{n}.png" for n in range(3)]


def test_what_is_not_in_a_bucket_is_told_in_a_sentence(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="s3://digits/nowhere: cannot be read"):
        run_batch(Request(f"{bucket}/nowhere", tmp_path / "out"), EngineHere())
    with pytest.raises(FileError, match="cannot be read"):
        storage.read("s3://no-such-bucket/x.png")


def test_a_store_that_is_away_stops_the_work_where_single_objects_that_are_missing_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Store:
        def __init__(self, contents: list[bytes | Exception]) -> None:
            self.contents = contents

        def _strip_protocol(self, path: str) -> str:
            return path

        def cat_ranges(self, paths: list[str], *rest: object, **options: object) -> list[bytes | Exception]:
            return self.contents[: len(paths)]

    def fetched(contents: list[bytes | Exception]) -> list[bytes | FileError]:
        monkeypatch.setattr(storage, "_system", lambda url: (Store(contents), url))
        return list(storage.read_all([(f"s3://b/{n}", 0, -1) for n in range(len(contents))], limit=1000))

    missing = fetched([FileNotFoundError(2, "No such key")] * 10)
    assert all(isinstance(error, FileError) for error in missing)
    assert fetched([*[TimeoutError("slow")] * 9, b"x"])[-1] == b"x"
    with pytest.raises(FileError, match=r"s3://b/0: cannot be read \(slow\)"):
        fetched([TimeoutError("slow")] * 10)


def test_a_folder_is_walked_files_first_by_name_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.png", "a/.x.png", ".git/c.png", "a10.png", "a2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    assert [found.name for found in storage.walk(str(tmp_path))] == ["a10.png", "a2.png", "b.png", "a/z.png"]


def test_a_change_at_either_end_or_in_length_changes_the_mark(tmp_path: Path) -> None:
    content = bytes(200_000)
    marks = set()
    for changed in (content, b"x" + content[1:], content[:-1] + b"x", content + b"\0"):
        (tmp_path / "file").write_bytes(changed)
        marks.add(storage.ends_mark(str(tmp_path / "file")))

    assert len(marks) == 4
