"""The service as a process: it says where it listens, ends as it should, and lets nobody hold it up."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from digit_recognizer.apps.server.limits import Limits, ServerSettings, read_token
from digit_recognizer.apps.server.process import announcement, serve
from digit_recognizer.errors import DigitsError, FileError, InputError, UsageError
from digit_recognizer.recognizer import Recognizer
from tests.apps.command import call, child
from tests.apps.server.conftest import png

FAST_DEADLINES = """
import sys
from digit_recognizer.apps.server.limits import Limits, ServerSettings
from digit_recognizer.apps.server.process import serve
from digit_recognizer.recognizer import Recognizer
limits = Limits(header_s=0.5, body_s=0.5, write_s=1.0)
sys.exit(serve(Recognizer(sys.argv[1], threads=1), ServerSettings(port=0, limits=limits)))
"""


FIRST_REQUEST = """
import gc, sys
from pathlib import Path
from digit_recognizer.apps.server import process
from digit_recognizer.apps.server.limits import ServerSettings
from digit_recognizer.recognizer import Recognizer

recognizer = Recognizer(sys.argv[1], threads=1)

async def serve(server, sockets):
    loaded = set(sys.modules)
    recognizer.read(Path(sys.argv[2]).read_bytes())
    recognizer.predict(Path(sys.argv[2]).read_bytes())
    print(sorted(set(sys.modules) - loaded))
    print(len(gc.get_objects()) < gc.get_freeze_count() / 10)

process._Server.serve = serve
process.serve(recognizer, ServerSettings(port=0), say=len)
print(gc.get_freeze_count())
"""


ANSWER = b"HTTP/1.1 200 OK"


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("reading digits at http://127.0.0.1:"), line
    return int(line.split("127.0.0.1:")[1].split("/")[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_with_the_first_line_ends_it_as_any_other(model_path: Path, number: int) -> None:
    for _ in range(3):
        process = child("serve", "--port", "0", "-m", model_path)
        try:
            port_of(process)
            process.send_signal(number)
            assert process.wait(timeout=60) == (0 if number == signal.SIGTERM else 130)
        finally:
            process.kill()
            process.communicate()


def test_sigterm_lets_accepted_requests_finish_and_exits_with_0(model_path: Path) -> None:
    process = child("serve", "--port", "0", "-m", model_path)
    statuses: list[int] = []
    try:
        port = port_of(process)
        content = png(np.full((800, 1000), 255, np.uint8))

        def ask() -> None:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("POST", "/v1/read", content, {"Content-Type": "image/png"})
                statuses.append(connection.getresponse().status)

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:  # until all of them were accepted
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            done = sum(
                float(line.split()[-1])
                for line in text.splitlines()
                if line.startswith('digits_requests_total{method="POST"')
            )
            flying = next(float(line.split()[-1]) for line in text.splitlines() if line.startswith("digits_in_flight "))
            if done + flying - 1 >= 4:
                break
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        for client in clients:
            client.join(60)
        connection.close()
    finally:
        process.kill()
    assert statuses == [200] * 4
    assert process.returncode == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["status"] for line in lines if line["path"] == "/v1/read"] == [200] * 4


def test_the_first_request_finds_all_loaded_and_none_of_it_searched_for_garbage(
    model_path: Path, tmp_path: Path
) -> None:
    pixels = np.full((60, 200), 255, np.uint8)
    pixels[15:45, 40:48] = pixels[15:45, 140:148] = 0
    picture = tmp_path / "two.png"
    picture.write_bytes(png(pixels))
    command = [sys.executable, "-W", "error", "-c", FIRST_REQUEST, str(model_path), str(picture)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["[]", "True", "0"]


def test_slow_senders_are_cut_off_and_others_are_served(model_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FAST_DEADLINES, str(model_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = port_of(process)
        silent, half, slow = (socket.create_connection(("127.0.0.1", port), 30) for _ in range(3))
        half.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ")
        slow.sendall(
            b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: 999\r\n\r\nab"
        )
        honest = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        honest.request("GET", "/v2/health/live")
        assert honest.getresponse().status == 200
        assert b" 408 " in slow.recv(10_000)
        for connection in (silent, half):
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""
        for connection in (silent, half, slow):
            connection.close()
        honest.close()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130


def test_who_takes_no_answers_is_cut_off_and_who_takes_them_gets_all(model_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FAST_DEADLINES, str(model_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    asked = 500
    # One after the other on the same connection: far more answers than a system's buffers hold.
    questions = b"GET /script.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * asked
    try:
        port = port_of(process)
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(questions)  # and takes no answer
            taken = answers(port, questions)
            until_nothing_is_in_flight(port)
            deaf = received(connection, asked)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    finally:
        process.kill()
    assert deaf < taken == asked
    assert process.returncode == 0


def answers(port: int, questions: bytes) -> int:
    """How many answers come to one who takes them at once."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        sender = threading.Thread(target=send_all, args=(connection, questions))
        sender.start()
        count = received(connection, questions.count(b"GET "))
        connection.shutdown(socket.SHUT_RDWR)
        sender.join()
    return count


def received(connection: socket.socket, most: int) -> int:
    """How many answers a connection brings until it ends, or until there are as many as that."""
    count, tail = 0, b""
    with contextlib.suppress(ConnectionError):
        while count < most and (piece := connection.recv(1 << 16)):
            count += (tail + piece).count(ANSWER) - tail.count(ANSWER)
            tail = piece[-len(ANSWER) + 1 :]
    return count


def until_nothing_is_in_flight(port: int) -> None:
    """Ask for the counters until they tell of no request but this one: whoever took no answer was cut off."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(600):
            connection.request("GET", "/metrics")
            if b"\ndigits_in_flight 1.0\n" in connection.getresponse().read():
                return
            time.sleep(0.1)
    raise AssertionError("somebody who took no answer was not cut off")


def send_all(connection: socket.socket, content: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(content)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_cuts_off_what_is_under_way_and_is_no_mistake(model_path: Path, number: int) -> None:
    process = child("serve", "--port", "0", "-m", model_path)
    try:
        port = port_of(process)
        with socket.create_connection(("127.0.0.1", port), 30) as half:
            half.sendall(b"POST /v1/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nab")
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", "/v2/health/live")  # so that what came before was begun
                assert connection.getresponse().read()
            process.send_signal(number)
            time.sleep(0.6)  # it takes its leave by now, and waits
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (0 if number == signal.SIGTERM else 130)
    lines = [json.loads(line) for line in err.splitlines()]
    assert [(line["level"], line["message"], line["path"]) for line in lines] == [
        ("info", "request", "/v2/health/live"),
        ("info", "request", "/v1/read"),
    ]


@pytest.mark.parametrize("words", ["file", "file/deeper"])
def test_a_folder_that_cannot_keep_corrections_is_told_at_the_start(
    words: str, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    folder = tmp_path / words
    with socket.create_server(("127.0.0.1", 0)) as taken:  # lest it serve
        port = str(taken.getsockname()[1])
        end = call(capsys, monkeypatch, "serve", "--port", port, "-m", model_path, "--keep-corrections", folder)
    assert end.code == 5
    assert end.sentence.startswith(f"{folder}: cannot keep corrections there (")


def test_a_folder_for_corrections_is_made_and_left_empty(recognizer: Recognizer, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(FileError, match="cannot listen"):
        serve(recognizer, ServerSettings(port=taken.getsockname()[1], corrections=folder))
    assert list(folder.iterdir()) == []


def test_a_port_that_is_taken_is_told_in_one_sentence(recognizer: Recognizer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FileError, match=f"127.0.0.1:{port}: cannot listen there"):
            serve(recognizer, ServerSettings(port=port))


def test_listening_for_others_is_told_with_what_it_means() -> None:
    assert len(announcement(ServerSettings(), 8000, "m.onnx")) == 1
    _, open_door = announcement(ServerSettings(host="0.0.0.0"), 8000, "m.onnx")
    assert "without asking for a token" in open_door
    _, guarded = announcement(ServerSettings(host="::", token="x" * 20), 8000, "m.onnx")
    assert "who knows the token" in guarded
    assert "x" * 20 not in guarded + repr(ServerSettings(token="x" * 20))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7"])
def test_other_machines_are_let_in_only_with_a_token_or_by_a_word(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[ServerSettings] = []

    def note(recognizer: Recognizer, settings: ServerSettings) -> int:
        served.append(settings)
        return 0

    monkeypatch.setattr("digit_recognizer.apps.server.process.serve", note)
    end = call(capsys, monkeypatch, "serve", "--host", host)
    assert (end.code, served) == (2, [])
    assert f"--host {host} lets every machine" in end.sentence
    token = tmp_path / "token"
    token.write_text("a-long-enough-token")
    assert call(capsys, monkeypatch, "serve", "--host", host, "--token-file", token).code == 0
    assert call(capsys, monkeypatch, "serve", "--host", host, "--allow-remote", "--max-pixels", 1000).code == 0
    assert [settings.token for settings in served] == ["a-long-enough-token", None]
    assert served[1].limits.pixels == 1000
    assert call(capsys, monkeypatch, "serve", "--max-pixels", 10**12).code == 2


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="threads are counted where Linux counts them")
def test_cores_are_not_fought_over(model_path: Path) -> None:
    process = child("serve", "--port", "0", "-m", model_path)
    try:
        port = port_of(process)
        picture = png(np.full((40, 40), 255, np.uint8))
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for path in ("/v1/predict", "/v1/read"):
                connection.request("POST", path, picture, {"Content-Type": "image/png"})
                assert connection.getresponse().read()
        status = Path(f"/proc/{process.pid}/status").read_text()
        threads = int(status.split("Threads:")[1].split()[0])
        assert 1 <= threads <= 2 * len(os.sched_getaffinity(0)) + 8
    finally:
        process.kill()
        process.communicate()


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"port": 70_000}, {"host": ""}, {"host": "http://x"}, {"gather_s": 3.0}):
        with pytest.raises(UsageError):
            ServerSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="limit parts"):
        Limits(parts=0)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 30, b"two words are not a token", b"x" * 5000])
def test_a_token_file_holds_one_long_word(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"0123456789abcdef\n")
    assert read_token(path) == "0123456789abcdef"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_token(path)
    with pytest.raises(DigitsError):
        read_token(tmp_path / "missing")


def test_the_service_loads_nothing_of_training_and_the_command_line_nothing_of_the_service() -> None:
    program = (
        "import sys, digit_recognizer.apps.cli\n"
        "assert not {'fastapi', 'starlette', 'uvicorn', 'pydantic'} & set(sys.modules)\n"
        "import digit_recognizer.apps.server.process\n"
        "print(sorted({'torch', 'onnx', 'matplotlib', 'pandas', 'sklearn', 'ray'} & set(sys.modules)))\n"
    )
    ended = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_a_missing_extra_is_told_with_its_install_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "digit_recognizer.apps.server.process", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    end = call(capsys, monkeypatch, "serve", "--port", "0")
    assert end.code == 2
    assert 'pip install "digit-recognizer[serve]"' in end.sentence
