"""What the service's benchmarks share: a service as a child process, HTTP over plain sockets, answers known beforehand,
and a ledger in which every request must be accounted for.

Knows nothing of what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common import DIGITS
from digit_recognizer.digits import Digits
from digit_recognizer.recognizer import Recognizer

BYTES, JSON, PNG = "application/octet-stream", "application/json", "image/png"
DATA = "mnist" if os.environ.get("DIGITS_DATA") else "sample"
PATIENCE_S = 30.0  # an answer that takes longer is lost

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)


# ---------------------------------------------------------------- the service as a child


@dataclass
class Served:
    """A service that runs. log: the file with what it writes to stderr."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def memory(self) -> float:
        """Resident memory, in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def cpu(self) -> float:
        """Seconds of a core that it has used so far: what a busy machine does not distort."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def complaints(self) -> list[str]:
        """The lines of its log that tell of a mistake of its own."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return [line for line in lines if '"level": "error"' in line or line.startswith("Traceback")]

    def stop(self, patience_s: float = 15.0) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def service(*words: str, command: Sequence[str] = (*DIGITS, "serve"), core: int | None = None) -> Iterator[Served]:
    """``digits serve`` with these options on a port of its own, stopped at the end. core: what it is bound to."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with log.open("w") as errors:
            process = subprocess.Popen(
                [*command, "--port", "0", *words], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
            )
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {core})  # at once: threads begun later stay there, too
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        if found is None:
            process.kill()
            raise SystemExit(f"error: the service does not start: {line}{log.read_text()[-500:]}")
        served = Served(process, int(found[1]), log)
        try:
            yield served
        finally:
            served.stop()
            process.stdout.close()


def two_cores() -> tuple[int | None, int | None]:
    """A core for the service and one for its clients, or (None, None) where there is but one."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def stay_on(core: int | None) -> None:
    """Bind this process, which plays the clients, to a core."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


# ---------------------------------------------------------------- HTTP


@dataclass(frozen=True)
class Answer:
    """status: of HTTP. close: whether the connection ends with it."""

    status: int
    body: bytes
    close: bool = False


class Lost(Exception):
    """A connection that ended, or an answer that did not come, where one was due."""


class Client(asyncio.Protocol):
    """One connection, one request at a time. heard: called with each answer; left out, ``ask`` returns it."""

    def __init__(self, heard: Callable[[Client, Answer], None] | None = None) -> None:
        self._heard = heard
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._early: Answer | None = None  # came before anybody waited for it
        self.transport: asyncio.Transport | None = None
        self.open = False

    def connection_made(self, transport: Any) -> None:
        self.transport, self.open = transport, True

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Lost(f"the connection ended ({error or 'closed'})"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        found = _LENGTH.search(self._buffer, 0, end) if end >= 0 else None
        if found is None or len(self._buffer) < end + 4 + int(found[1]):
            return
        head = bytes(self._buffer[:end]).lower()
        body = bytes(self._buffer[end + 4 : end + 4 + int(found[1])])
        del self._buffer[: end + 4 + int(found[1])]
        answer = Answer(int(head[9:12]), body, b"connection: close" in head)
        if self._heard is not None:
            self._heard(self, answer)
        elif self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)
        else:
            self._early = answer

    def send(self, request: bytes) -> None:
        assert self.transport is not None
        self.transport.write(request)

    async def ask(self, request: bytes, patience_s: float = PATIENCE_S) -> Answer:
        """The answer to a request. Raises Lost where none comes."""
        self.send(request)
        return await self.answer(patience_s)

    async def answer(self, patience_s: float = PATIENCE_S) -> Answer:
        if self._early is not None:
            early, self._early = self._early, None
            return early
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            if not self.open:
                raise Lost("the connection ended before the request was sent")
            return await asyncio.wait_for(self._waiting, patience_s)
        except TimeoutError as error:
            raise Lost(f"no answer within {patience_s:g} s") from error

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


async def connected(port: int, heard: Callable[[Client, Answer], None] | None = None) -> Client:
    """A connection to a service on this machine. Raises OSError."""
    _, client = await asyncio.get_running_loop().create_connection(lambda: Client(heard), "127.0.0.1", port)
    return client


def request(
    path: str, body: bytes = b"", kind: str = BYTES, *, method: str = "POST", headers: Mapping[str, str] | None = None
) -> bytes:
    """A request as it goes over the wire."""
    fields = {"Host": "127.0.0.1", "Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
    if method == "GET":
        fields.pop("Content-Length"), fields.pop("Content-Type")
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + body


# ---------------------------------------------------------------- what is asked, and what must be answered


@dataclass(frozen=True)
class Case:
    """A request and the answer that it must get. told: the JSON of a 200, as Python reads it offline."""

    name: str
    sent: bytes
    status: int = 200
    told: Any = None

    def is_met(self, answer: Answer) -> bool:
        """Whether this is the answer: the status and, of a 200, the JSON, its numbers within 1e-5."""
        if answer.status != self.status:
            return False
        return self.status != 200 or same(json.loads(answer.body), self.told)


def same(found: Any, expected: Any) -> bool:
    """Whether two JSON values agree; floats within 1e-5: who shares a run of the network changes their rounding."""
    if isinstance(expected, float) and isinstance(found, int | float):
        return abs(found - expected) <= 1e-5
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[key], expected[key]) for key in expected)
        )
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


def single_digits(recognizer: Recognizer, digits: Digits, kinds: Sequence[str] = (BYTES, JSON, PNG)) -> list[Case]:
    """One image a request, as plain bytes, as JSON and as a picture, in turns."""
    cases = []
    for number, image in enumerate(digits.images):
        kind = kinds[number % len(kinds)]
        if kind == PNG:
            body = png(255 - np.kron(image, np.ones((4, 4), np.uint8)))
            reading = recognizer.predict(body)
        else:
            body = image.tobytes() if kind == BYTES else json.dumps({"images": [image.tolist()]}).encode()
            reading = recognizer.predict(image[None])[0]
        told = [{**reading.to_dict(), "name": "1", "reason": reading.reason}]
        cases.append(Case(f"a digit, {kind}", request("/v1/predict", body, kind), told=told))
    return cases


def pages(recognizer: Recognizer, digits: Digits, count: int, seed: int) -> list[Case]:
    """Pictures with two to six digits beside each other."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        chosen = digits.images[rng.integers(0, len(digits), rng.integers(2, 7))]
        paper = np.full((100, 40 + 70 * len(chosen)), 255, np.uint8)
        for place, image in enumerate(chosen):
            paper[20:76, 30 + 70 * place : 86 + 70 * place] = 255 - np.kron(image, np.ones((2, 2), np.uint8))
        body = png(paper)
        told = [{**recognizer.read(body).to_dict(), "file": "1"}]
        cases.append(Case("a page", request("/v1/read", body, PNG), told=told))
    return cases


def bad_requests(digits: Digits) -> list[Case]:
    """Requests that must be refused, each with its status."""
    whole = png(255 - np.kron(digits.images[0], np.ones((4, 4), np.uint8)))
    return [
        Case("half a picture", request("/v1/read", whole[: len(whole) // 2], PNG), 422),
        Case("no picture", request("/v1/predict", b"%PDF-1.7", PNG), 415),
        Case("a text", request("/v1/read", b"seven", "text/plain"), 415),
        Case("broken JSON", request("/v1/predict", b'{"images": [[', JSON), 400),
        Case("JSON of another shape", request("/v1/predict", b'{"images": [[1, 2]]}', JSON), 422),
        Case("too few bytes", request("/v1/predict", bytes(783), BYTES), 422),
        Case("nothing there", request("/v1/none", b"", BYTES), 404),
        Case("another method", request("/v1/predict", method="GET"), 405),
        Case("compressed", request("/v1/predict", b"x", BYTES, headers={"Content-Encoding": "gzip"}), 415),
        Case("another host", request("/v1/predict", b"", BYTES, headers={"Host": "evil.example"}), 400),
        Case("another site", request("/v1/predict", b"", BYTES, headers={"Origin": "https://evil.example"}), 403),
    ]


def png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


# ---------------------------------------------------------------- the ledger


@dataclass
class Ledger:
    """What became of every request. seconds: how long answers took, by name. odd: the first few that went wrong."""

    sent: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)

    def book(self, case: Case, answer: Answer, seconds: float) -> str:
        """Enter an answer; returns what became of the request."""
        if case.is_met(answer):
            fate = "right" if case.status == 200 else "refused as it must be"
            self.seconds.setdefault("digit" if case.name.startswith("a digit") else case.name, []).append(seconds)
        elif answer.status in (429, 503):
            fate = "told to come again"
        else:
            fate = "wrong" if answer.status == case.status else "another status"
            self.note(f"{case.name}: {answer.status} {answer.body[:160]!r}")
        self.fates[fate] += 1
        return fate

    def lose(self, case: Case, error: Exception) -> None:
        self.fates["lost"] += 1
        self.note(f"{case.name}: {error}")

    def note(self, line: str) -> None:
        if len(self.odd) < 10:
            self.odd.append(line)

    @property
    def is_sound(self) -> bool:
        """Whether all requests are accounted for, and none was lost, wrong or answered as nobody expected."""
        bad = self.fates["wrong"] + self.fates["lost"] + self.fates["another status"]
        return bad == 0 and self.sent == self.fates.total()


def quantile_ms(seconds: Sequence[float], share: float) -> float:
    """In milliseconds; nan where there is nothing."""
    return float(np.quantile(seconds, share) * 1000) if len(seconds) else float("nan")


def now() -> float:
    return time.perf_counter()


__all__ = [
    "BYTES",
    "DATA",
    "JSON",
    "PATIENCE_S",
    "PNG",
    "Answer",
    "Case",
    "Client",
    "Ledger",
    "Lost",
    "Served",
    "bad_requests",
    "connected",
    "now",
    "pages",
    "png",
    "quantile_ms",
    "request",
    "same",
    "service",
    "single_digits",
    "stay_on",
    "two_cores",
]
