"""URLs by fsspec give what local paths give: against S3 itself, as moto plays it on the loopback."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from digit_recognizer.apps.batch import fetch, storage
from digit_recognizer.apps.batch.driver import Request, run_batch
from digit_recognizer.apps.batch.walk import walk
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

        def cat_file(self, path: str, **options: object) -> bytes:
            content = self.contents[int(path.rpartition("/")[2])]
            if isinstance(content, Exception):
                raise content
            return content

    monkeypatch.setattr(fetch, "_WAITS_S", (0.0, 0.0))

    def fetched(contents: list[bytes | Exception]) -> list[bytes | FileError]:
        monkeypatch.setattr(storage, "file_system", lambda url: (Store(contents), url))
        return list(fetch.read_all([(f"s3://b/{n}", 0, -1) for n in range(len(contents))], limit=1000))

    def of_s3(code: str) -> Exception:
        error = PermissionError("no")
        error.__cause__ = ValueError()
        error.__cause__.response = {"Error": {"Code": code}}  # type: ignore[attr-defined]  # as botocore's have
        return error

    class OfHttp(Exception):
        def __init__(self, status: int) -> None:
            self.status = status

    for of_one in (FileNotFoundError(2, "No such key"), PermissionError("no"), of_s3("AccessDenied"), OfHttp(403)):
        missing = fetched([of_one] * 10)
        assert all(isinstance(error, FileError) for error in missing)
    for of_all in (TimeoutError("slow"), OSError("reset"), of_s3("ExpiredToken"), OfHttp(500), OfHttp(429)):
        with pytest.raises(FileError, match=r"^s3://b/1: cannot be read .* tried 3 times.* s3://b can be read") as away:
            fetched([b"x", of_all, b"y"])  # of one object among others, which are there: still no picture's fault
        assert away.value.code == "storage_away"


def test_an_object_that_comes_at_a_later_try_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(ConnectionResetError("reset"), b=b"2")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            host.contents["a"] = b"1"

    monkeypatch.setattr(fetch.time, "sleep", wait)
    monkeypatch.setattr(storage, "file_system", lambda url: (host, url.rpartition("/")[2]))

    assert list(fetch.read_all([("s3://x/a", 0, -1), ("s3://x/b", 0, -1)], limit=9)) == [b"1", b"2"]
    assert waits == sorted(waits)
    assert len(waits) == 2


@pytest.mark.parametrize(("number", "of_one"), [(errno.EACCES, True), (errno.EIO, True), (errno.ESTALE, False)])
def test_a_network_file_system_that_is_away_stops_the_work_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, of_one: bool
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr(fetch, "_WAITS_S", (0.0,))
    monkeypatch.setattr(storage, "_small_file", lambda path: None)

    def fails(*_: object, **__: object) -> bytes:
        raise FileError("a.png: cannot be read") from OSError(number, "no")

    monkeypatch.setattr(storage, "read_bytes", fails)
    ranges = [(str(tmp_path / "a.png"), 0, -1)]
    if of_one:
        assert isinstance(next(fetch.read_all(ranges, limit=9)), FileError)
    else:
        with pytest.raises(FileError, match="the same command goes on, once it can be read"):
            list(fetch.read_all(ranges, limit=9))


class Host:
    """A store that has some objects; all others, or all of them, fail with ``error``."""

    def __init__(self, error: Exception, **contents: bytes) -> None:
        self.error = error
        self.contents = contents
        self.asked: list[list[str]] = []

    def cat_file(self, path: str, **_: object) -> bytes:
        if (content := self.contents.get(path)) is None:
            raise self.error
        return content

    def cat_ranges(
        self, paths: list[str], starts: list[int], stops: list[int | None], **_: object
    ) -> list[bytes | Exception]:
        self.asked.append(paths)
        found = [self.contents.get(path) for path in paths]
        return [
            self.error if content is None else content[start:stop]
            for content, start, stop in zip(found, starts, stops, strict=True)
        ]


def test_a_list_may_mix_local_files_and_stores(tmp_path: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").pipe({"/mixed/a": b"in memory", "/mixed/b": b"too"})
    (tmp_path / "a").write_bytes(b"on disk")
    (tmp_path / "z.zip").write_bytes(zipped("inside.png", b"packed"))
    paths = [
        "memory://mixed/a",
        str(tmp_path / "a"),
        f"file://{tmp_path}/a",
        str(tmp_path / "nowhere"),
        "memory://mixed/nowhere",
        "memory://mixed/b",
        f"zip://inside.png::file://{tmp_path}/z.zip",
    ]

    for order in (paths, paths[::-1]):
        contents = dict(zip(order, fetch.read_all([(path, 0, -1) for path in order], limit=100), strict=True))
        assert [contents[path] for path in (*paths[:3], *paths[5:])] == [
            b"in memory",
            b"on disk",
            b"on disk",
            b"too",
            b"packed",
        ]
        for path in paths[3:5]:
            assert isinstance(contents[path], FileError)
            assert path in str(contents[path])


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def test_every_host_is_asked_for_its_own_files_and_one_that_is_away_stops_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = {"one": Host(TimeoutError("slow"), x=b"1"), "two": Host(TimeoutError("slow"), x=b"2", y=b"two")}

    def system(url: str) -> tuple[Host, str]:
        host, _, name = url.removeprefix("ftp://").partition("/")
        if host not in hosts:
            raise FileError(f"{url}: cannot be read (refused)") from OSError("refused")
        return hosts[host], name

    monkeypatch.setattr(storage, "file_system", system)
    monkeypatch.setattr(fetch, "_WAITS_S", (0.0,))

    def read(*paths: str) -> list[bytes | FileError]:
        return list(fetch.read_all([(path, 0, -1) for path in paths], limit=1000))

    assert read("ftp://one/x", "ftp://two/x", "ftp://two/y", "ftp://one/x") == [b"1", b"2", b"two", b"1"]
    assert (hosts["one"].asked, hosts["two"].asked) == ([["x", "x"]], [["x", "y"]])
    for away in ("gone", "one"):
        with pytest.raises(FileError, match=f"ftp://{away}/0: cannot be read"):
            read("ftp://two/x", f"ftp://{away}/0", "ftp://two/y")


def test_a_server_that_refuses_the_connection_is_told_in_a_sentence() -> None:
    with pytest.raises(FileError, match=r"ftp://127\.0\.0\.1:1/x: cannot be read \("):
        storage.read("ftp://127.0.0.1:1/x")


def test_the_limit_holds_for_urls_and_no_more_than_it_is_asked_of_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(FileNotFoundError(2, "No such key"), short=b"x" * 100, long=b"x" * 101)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "file_system", lambda url: (host, url.rpartition("/")[2]))
        ranges = [("s3://b/short", 0, -1), ("s3://b/long", 0, -1), ("s3://b/long", 1, 101)]
        whole, over, inside = fetch.read_all(ranges, limit=100)
    assert (whole, inside) == (b"x" * 100, b"x" * 100)
    assert isinstance(over, FileError)
    assert (over.code, str(over)) == ("too_large", "s3://b/long: more than the limit of 100 bytes")
    (tmp_path / "long").write_bytes(b"x" * 101)
    for path in (f"file://{tmp_path}/long", str(tmp_path / "long")):
        assert len(storage.read(path, limit=101)) == 101
        with pytest.raises(FileError, match="more than the limit of 100") as refusal:
            storage.read(path, limit=100)
        assert refusal.value.code == "too_large"


def test_a_local_name_with_two_colons_is_no_url(tmp_path: Path) -> None:
    folder = sources.write_pictures(tmp_path / "scans::2024", frames(2))
    (folder / "a::b.png").write_bytes(png(frames(1)[0]))
    (tmp_path / "list.txt").write_text("scans::2024/a::b.png\n")

    run_batch(Request(str(folder), tmp_path / "out"), EngineHere())
    run_batch(Request(str(tmp_path / "list.txt"), tmp_path / "listed"), EngineHere())

    assert [row["id"] for row in rows(tmp_path / "out")] == ["0000.png", "a::b.png", "more/0001.png"]
    assert [row["id"] for row in rows(tmp_path / "listed")] == ["scans::2024/a::b.png"]


def test_a_folder_is_walked_files_first_by_name_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.png", "a/.x.png", ".git/c.png", "a10.png", "a2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    assert [found.name for found in walk(str(tmp_path))] == ["a10.png", "a2.png", "b.png", "a/z.png"]


def test_a_change_at_either_end_or_in_length_changes_the_mark(tmp_path: Path) -> None:
    content = bytes(200_000)
    marks = set()
    for changed in (content, b"x" + content[1:], content[:-1] + b"x", content + b"\0"):
        (tmp_path / "file").write_bytes(changed)
        os.utime(tmp_path / "file", ns=(1, 1))
        marks.add(storage.ends_mark(str(tmp_path / "file")))
    os.utime(tmp_path / "file", ns=(1, 2))
    marks.add(storage.ends_mark(str(tmp_path / "file")))

    assert len(marks) == 5


@pytest.mark.parametrize("source", ["scans", "scans/*.png", "scans/0000.png", "list.txt", "a.tar"])
def test_an_object_that_was_replaced_by_one_as_large_is_another_input(bucket: str, tmp_path: Path, source: str) -> None:
    images = frames(40)
    contents = {len(png(image)): png(image) for image in images}
    one = next(png(image) for image in images if contents[len(png(image))] != png(image))
    other = contents[len(one)]
    place = f"{bucket}/{source.replace('/', '-').replace('*', 'x').replace('.', '-')}"
    url = f"{place}/{source}"
    if source == "list.txt":
        (tmp_path / "list.txt").write_text(f"{place}/scans/0000.png\n")
        url = str(tmp_path / "list.txt")
    for number, content in enumerate((one, other)):
        (tmp_path / "0000.png").write_bytes(content)
        upload(tmp_path / "0000.png", f"{place}/scans/0000.png")
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            archive.addfile(tarfile.TarInfo("filler"), None)
            entry = tarfile.TarInfo("0000.png")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        upload(tmp_path / "a.tar", f"{place}/a.tar")
        if not number:
            run_batch(Request(url, tmp_path / "out"), EngineHere())
            assert run_batch(Request(url, tmp_path / "out"), EngineHere()).was_finished
    with pytest.raises(FileError, match=r"0000\.png, is not the same file as it was"):
        run_batch(Request(url, tmp_path / "out"), EngineHere())
