"""Addresses of clusters: what cannot be joined is refused in a sentence, before Ray tries for minutes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from digit_recognizer.apps.scale import cluster
from digit_recognizer.apps.scale.cluster import ray_session
from digit_recognizer.apps.scale.ray_engine import RayEngine
from digit_recognizer.errors import DigitsError, FileError, MissingExtra, UsageError
from tests.apps.scale.works import act, order


def refusal(address: str | None) -> DigitsError:
    """What is said of an address that cannot be joined."""
    with pytest.raises(DigitsError) as error, ray_session(address, workers=1):
        pytest.fail("joined")
    return error.value


@pytest.mark.parametrize("address", ["", "10.0.0.1", "10.0.0.1:", ":6379", "10.0.0.1:port", "10.0.0.1:0", "a:70000"])
def test_what_is_no_address_is_refused_as_such(address: str) -> None:
    error = refusal(address)
    assert isinstance(error, UsageError)
    assert "expected HOST:PORT" in str(error)


def test_rays_client_protocol_is_refused_and_the_other_way_is_named() -> None:
    error = refusal("ray://10.0.0.1:10001")
    assert isinstance(error, UsageError)
    assert "ray job submit" in str(error)


def test_an_address_where_nobody_listens_is_refused_before_ray_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # importing it fails
    with socket.socket() as taken:  # bound, but it does not listen: nobody else gets this port meanwhile
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        error = refusal(address)
    assert isinstance(error, FileError)
    assert str(error).startswith(f"no Ray cluster answers at {address} (")
    assert "ray start --head" in str(error)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "something else listens there"),
        (b"HTTP/1.1 400 Bad\r\n", "something else listens there"),
        (None, "no answer"),
    ],
)
def test_what_listens_but_is_no_ray_is_refused(
    answer: bytes | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ANSWER_LIMIT_S", 0.5)
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            if answer is None:
                ended.wait(30)  # says nothing, and keeps the connection
            else:
                connection.recv(100)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        error = refusal(f"127.0.0.1:{listener.getsockname()[1]}")
        ended.set()
        thread.join()
    assert isinstance(error, FileError)
    assert f"({reason}" in str(error)


def test_without_ray_the_install_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    error = refusal(None)
    assert isinstance(error, MissingExtra)
    assert 'pip install "digit-recognizer[scale]"' in str(error)


def test_the_engine_is_loaded_without_ray_and_without_the_reader() -> None:
    program = (
        "import sys, digit_recognizer.apps.scale.ray_engine\n"
        "print([name for name in ('ray', 'pyarrow', 'onnxruntime', 'torch') if name in sys.modules])"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert child.stdout.strip() == "[]", child.stderr


def test_no_workers_are_refused() -> None:
    with pytest.raises(UsageError, match="1 or more workers, found 0"):
        RayEngine(0, work=act)


def test_other_versions_are_named_on_both_sides(ray_installed: None) -> None:
    from ray._private.utils import check_version_info

    with pytest.raises(RuntimeError) as error:
        check_version_info({"ray_version": "2.1.0", "python_version": "3.9.18"}, "node 10.0.0.1")
    said = cluster._why_not_joined("10.0.0.1:6379", error.value)
    ours = ".".join(map(str, sys.version_info[:3]))
    assert said.code == "version_mismatch"
    assert "the cluster at 10.0.0.1:6379 runs Ray 2.1.0 and Python 3.9.18, this process Ray" in str(said)
    assert f"and Python {ours}; use the same versions on every machine" in str(said)


def test_a_machine_that_is_no_node_of_the_cluster_is_told_to_become_one(ray_installed: None) -> None:
    from ray._private.services import get_node_to_connect_for_driver

    with pytest.raises(RuntimeError) as error:
        get_node_to_connect_for_driver(None, timeout_seconds=0)
    wrapped = ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")
    wrapped.__cause__ = error.value
    said = str(cluster._why_not_joined("10.0.0.1:6379", wrapped))
    assert said.startswith("this machine is no node of the Ray cluster at 10.0.0.1:6379")
    assert "ray start --address=10.0.0.1:6379 --num-cpus=0" in said


def test_how_a_worker_ended_is_told_in_the_words_of_every_engine(ray_installed: None) -> None:
    from ray import exceptions

    from digit_recognizer.apps.scale.ray_engine import _death

    assert _death(exceptions.OutOfMemoryError("")).reason == "out of memory"
    assert _death(exceptions.WorkerCrashedError()).reason == "its process ended"
    assert _death(exceptions.NodeDiedError("")).reason == "its machine is lost"
    with pytest.raises(FileError, match="the same command goes on"):
        _death(exceptions.LocalRayletDiedError())


def test_a_machine_that_does_not_see_the_output_or_the_input_is_refused(tmp_path: Path) -> None:
    from digit_recognizer.apps.scale import ray_engine

    shown = tmp_path / "parts"
    task = replace(order(0), part=str(shown / "1.parquet"))
    with ray_engine._home(task, shared=True) as home:
        assert home is not None
        (seen,) = home.seen
        assert Path(seen).parent == shown
        ray_engine._ensure_same_home(home)  # this machine does
    assert os.listdir(shown) == []
    ray_engine._ensure_same_home.cache_clear()
    with pytest.raises(FileError, match="does not see what is there"):
        ray_engine._ensure_same_home(home)
