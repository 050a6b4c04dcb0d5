"""MNIST by name: found, cached or downloaded from a local server; damage and dead mirrors are survived."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.errors import FileError, MissingExtra
from digit_recognizer.sources.mnist import HASHES, MIRRORS, load_mnist
from tests.conftest import draw_digits

TRAIN, TEST = draw_digits(30), draw_digits(20, seed=1)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and writes down what was asked for."""

    def __init__(self, *args: object, asked: list[str], **options: object) -> None:
        self.asked = asked
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Mirror:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        handler = functools.partial(Handler, directory=str(root), asked=self.asked)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def url(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{folder}/"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def publish(folder: Path) -> dict[str, str]:
    """Write four small files as MNIST's are, and give their hashes."""
    folder.mkdir(parents=True)
    hashes = {}
    for part, digits in (("train", TRAIN), ("t10k", TEST)):
        for kind, array in (("images-idx3", digits.images), ("labels-idx1", digits.known_labels().astype(np.uint8))):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            content = gzip.compress(header + array.tobytes())
            name = f"{part}-{kind}-ubyte.gz"
            (folder / name).write_bytes(content)
            hashes[name] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return hashes


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    for name in ("DIGITS_DATA", "DIGITS_CACHE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened = Mirror(tmp_path / "web")
    yield opened
    opened.close()


def dead_mirror() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def test_it_is_downloaded_once_and_then_taken_from_the_cache(mirror: Mirror, tmp_path: Path) -> None:
    hashes = publish(mirror.root / "mnist")
    for _ in range(2):
        found = load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("mnist")], hashes=hashes)
        assert found.name == "mnist"
        assert found.labelled().fingerprint() == TRAIN.fingerprint()
        assert found.test is not None
        assert found.test.fingerprint() == TEST.fingerprint()
    assert sorted(mirror.asked) == sorted(f"/mnist/{name}" for name in HASHES)
    assert {path.name for path in (tmp_path / "cache" / "mnist").iterdir()} == set(HASHES)


def test_a_dead_mirror_is_passed_over(mirror: Mirror, tmp_path: Path) -> None:
    hashes = publish(mirror.root / "mnist")
    found = load_mnist(cache=tmp_path / "cache", mirrors=[dead_mirror(), mirror.url("mnist")], hashes=hashes)
    assert found.labelled().fingerprint() == TRAIN.fingerprint()


def test_a_corrupt_file_is_taken_from_the_next_mirror(mirror: Mirror, tmp_path: Path) -> None:
    hashes = publish(mirror.root / "good")
    publish(mirror.root / "bad")
    damaged = mirror.root / "bad" / "train-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"corrupted")
    found = load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("bad"), mirror.url("good")], hashes=hashes)
    assert found.labelled().fingerprint() == TRAIN.fingerprint()
    assert "/good/train-images-idx3-ubyte.gz" in mirror.asked
    assert "/good/train-labels-idx1-ubyte.gz" not in mirror.asked


def test_a_corrupt_file_in_the_cache_is_downloaded_again(mirror: Mirror, tmp_path: Path) -> None:
    hashes = publish(mirror.root / "mnist")
    load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("mnist")], hashes=hashes)
    (tmp_path / "cache" / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"torn")
    mirror.asked.clear()
    found = load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("mnist")], hashes=hashes)
    assert found.test is not None
    assert found.test.fingerprint() == TEST.fingerprint()
    assert mirror.asked == ["/mnist/t10k-labels-idx1-ubyte.gz"]


def test_when_every_mirror_fails_each_reason_and_a_way_out_are_named(mirror: Mirror, tmp_path: Path) -> None:
    hashes = publish(mirror.root / "bad")
    for path in (mirror.root / "bad").iterdir():
        path.write_bytes(b"corrupt")
    mirrors = [dead_mirror(), mirror.url("bad"), mirror.url("missing")]
    with pytest.raises(FileError) as caught:
        load_mnist(cache=tmp_path / "cache", mirrors=mirrors, hashes=hashes)
    message = str(caught.value)
    for part in ("no connection", "wrong hash", "answered 404", "DIGITS_DATA", "`sample`"):
        assert part in message
    assert "\n" not in message
    assert caught.value.code == "download_failed"
    assert not list((tmp_path / "cache").rglob("*.*"))


@pytest.mark.parametrize("inside", ["", "mnist"])
def test_digits_data_is_looked_at_first(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    hashes = publish(tmp_path / "data" / inside)
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path / "data"))
    found = load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("mnist")], hashes=hashes)
    assert found.labelled().fingerprint() == TRAIN.fingerprint()
    assert mirror.asked == []


def test_digits_cache_names_the_cache(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = publish(mirror.root / "mnist")
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "elsewhere"))
    load_mnist(mirrors=[mirror.url("mnist")], hashes=hashes)
    assert (tmp_path / "elsewhere" / "mnist" / "train-images-idx3-ubyte.gz").is_file()


def test_a_cache_that_cannot_be_written_is_named(mirror: Mirror, tmp_path: Path) -> None:
    hashes = publish(mirror.root / "mnist")
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(FileError, match=r"cache.*cannot be written"):
        load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("mnist")], hashes=hashes)


def test_nothing_is_printed_to_standard_output(
    mirror: Mirror, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hashes = publish(mirror.root / "mnist")
    load_mnist(cache=tmp_path / "cache", mirrors=[mirror.url("mnist")], hashes=hashes)
    assert capfd.readouterr().out == ""


def test_without_pooch_the_install_command_is_given(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtra, match=r"digit-recognizer\[data\]"):
        load_mnist(mirrors=[mirror.url("mnist")])


def test_every_mirror_is_reached_over_tls() -> None:
    assert len(MIRRORS) >= 2
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in MIRRORS)
