"""The service as a process: a port, signals, logs. SIGTERM means: not ready, finish what was accepted, leave with 0."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import FrameType

import numpy as np
import uvicorn
from PIL import Image

from digit_recognizer.apps.server.app import make_app
from digit_recognizer.apps.server.connections import HEADER_BYTES, protocol_with
from digit_recognizer.apps.server.gate import LOG, State
from digit_recognizer.apps.server.limits import ServerSettings
from digit_recognizer.apps.server.service import AT_ONCE
from digit_recognizer.digits import SIDE
from digit_recognizer.errors import FileError
from digit_recognizer.recognizer import Recognizer

BACKLOG = 2048  # connections that the system holds until they are accepted
MOST_CONNECTIONS = 2048
# Between "not ready" and the end of listening: for requests that are on their way when the signal comes.
_LAST_CALL_S = 0.3

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(recognizer: Recognizer, settings: ServerSettings, say: Callable[[str], object] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code: 0, or 130 after Ctrl-C.

    say: is told where the service listens, and what it means that others can reach it; left out, stdout is. One JSON
    object per request goes to stderr. A second signal ends the process without waiting. Raises FileError where the port
    cannot be had, or the folder of corrections cannot be written.

    >>> serve(Recognizer(), ServerSettings(port=8000))                    # doctest: +SKIP
    """
    if settings.corrections is not None:
        _try_to_keep(settings.corrections)
    app = make_app(recognizer, settings)
    listener = _listen(settings.host, settings.port)
    with listener, _logs_as_json() as handler:
        config = uvicorn.Config(
            app,
            http=protocol_with(settings.limits, app.state.gate),
            ws="none",
            lifespan="on",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=HEADER_BYTES,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=max(1, int(settings.limits.drain_s)),
        )
        server = _Server(config, app.state.gate)
        handler.addFilter(server.is_worth_telling)
        _read_something(recognizer)
        with _garbage_is_new(), server.heeding_signals():  # from before anybody knows that it is there
            for line in announcement(settings, listener.getsockname()[1], recognizer.name):
                (say or _print)(line)
            asyncio.run(server.serve(sockets=[listener]))
    return 130 if server.stopped_by == signal.SIGINT else 0


def announcement(settings: ServerSettings, port: int, model: str) -> list[str]:
    """What a person is told at the start.

    >>> announcement(ServerSettings(), 8000, "digits.onnx")
    ['reading digits at http://127.0.0.1:8000/ with digits.onnx; Ctrl-C stops']
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [f"reading digits at http://{host}:{port}/ with {model}; Ctrl-C stops"]
    if not settings.is_local:
        who = "who knows the token" if settings.token else "without asking for a token (--token-file)"
        lines.append(
            f"warning: every machine that reaches {host}:{port} may use this service, {who}; what is sent is not "
            "encrypted. Put a proxy with TLS before it, or leave --host out to serve this machine alone"
        )
    return lines


class JsonLines(logging.Formatter):
    """A log record as one line of JSON: time, level, message, and the fields that came with it."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": when, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


class _Server(uvicorn.Server):
    """Uvicorn's server, which takes its leave in two steps."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self.stopped_by: int | None = None
        self._state = state
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C take their leave of the service while the block runs, be it listening already or not."""
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Uvicorn raises the signal once more at the end, which would make the exit code that of a killed process.
        self._loop = asyncio.get_running_loop()
        if self.stopped_by is not None:
            self._loop.call_soon(self._last_call)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.stopped_by is not None:
            self.should_exit = self.force_exit = True
            return
        self.stopped_by = sig
        self._state.draining = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._last_call)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):  # nobody waits for them any longer
            connection.transport.abort()
        await asyncio.sleep(0)  # in which they are told

    def is_worth_telling(self, record: logging.LogRecord) -> bool:
        """Whether the log is to hold this: what ends since it was told to is no mistake, as Uvicorn takes it for."""
        cut_off = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (cut_off or (self.force_exit and record.name == "uvicorn.error"))

    def _last_call(self) -> None:
        asyncio.get_running_loop().call_later(_LAST_CALL_S, self._leave)

    def _leave(self) -> None:
        self.should_exit = True


def _print(line: str) -> None:
    print(line, flush=True)  # whoever reads a pipe waits for it


def _read_something(recognizer: Recognizer) -> None:
    """Read what says nothing, so that what loads at first use, and the memory of a full run, are had from the start."""
    rng = np.random.default_rng(0)
    paper = rng.integers(200, 240, (60, 40), np.uint8)  # a photo, about which the ink finder is asked
    paper[15:45, 18:23] = 60
    file = BytesIO()
    Image.fromarray(paper).save(file, "PNG")
    recognizer.predict(file.getvalue())
    recognizer.read(file.getvalue())
    recognizer.probabilities(rng.integers(0, 256, (AT_ONCE, SIDE, SIDE), np.uint8))  # at each of which it looks twice


@contextmanager
def _garbage_is_new() -> Iterator[None]:
    """What lives by now lives on: Python looks for garbage in what comes after it alone.

    Else every full collection goes through all modules, 40 ms in which nobody is answered, a thousand requests apart;
    and since that is dear, it waits until much has gathered, which leaves memory full of holes.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # it also counts what is left, by which Python judges when the next full collection is due
    try:
        yield
    finally:
        gc.unfreeze()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            f"{host}:{port}: cannot listen there ({reason}); choose another --port or --host", code="cannot_listen"
        ) from error


def _try_to_keep(folder: Path) -> None:
    """Make the folder of corrections, and a file there gone at once: better now than when somebody sends one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            f"{folder}: cannot keep corrections there ({reason}); choose another folder for --keep-corrections"
        ) from error


@contextmanager
def _logs_as_json() -> Iterator[logging.Handler]:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    loggers = {
        LOG: logging.INFO,
        logging.getLogger("uvicorn.error"): logging.WARNING,
        logging.getLogger("python_multipart"): logging.CRITICAL,  # broken forms are told to who sent them
    }
    before = {logger: (logger.level, logger.propagate) for logger in loggers}
    for logger, level in loggers.items():
        logger.setLevel(level)
        logger.propagate = False
        logger.addHandler(handler)
    try:
        yield handler
    finally:
        for logger, (level, propagate) in before.items():
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


__all__ = ["JsonLines", "announcement", "serve"]
