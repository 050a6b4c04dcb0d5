"""An address, or none, becomes a Ray cluster that this process is part of. Knows nothing of tasks or pictures.

Ray's own errors end here: whoever calls sees a sentence.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import secrets
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from digit_recognizer.apps.scale.scratch import scratch_folder
from digit_recognizer.errors import DigitsError, FileError, MissingExtra, UsageError

OBJECT_STORE_BYTES = 128 * 2**20  # for tasks alone: pictures and results go through files, never through Ray
ANSWER_LIMIT_S = 10.0  # for a cluster's first machine to take a connection
# What every HTTP/2 client says first, gRPC's too (RFC 9113, 3.4): a preface, and settings, here none. A server answers
# with its own settings, whose frame has this type.
_HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_HTTP2_SETTINGS = b"\x04"
_SHORT_PATH = 24  # a socket's path holds 107 bytes; Ray adds up to 75 to its folder's


@contextmanager
def ray_session(address: str | None, workers: int) -> Iterator[None]:
    """Be part of a Ray cluster while the block runs: the one at ``address``, or a new one on this machine.

    address: HOST:PORT of a cluster's first machine; "auto" for the one of this machine or of RAY_ADDRESS; None starts
    one here, for this process alone: on loopback, with ``workers`` CPUs, without dashboard, with a token of its own,
    its files in a temporary folder that goes with it, or, where this process is killed, with the next start. Usage
    statistics are not sent. Ray reads some settings from the environment, at its import and in its child processes, so
    they stay set in this process.

    Raises MissingExtra; UsageError where the address is none, or this process is in a cluster already; FileError where
    nobody answers there, the versions of Ray or Python differ, the cluster wants a token, or Ray does not start.

    >>> with ray_session(None, workers=2):      # doctest: +SKIP
    ...     ray.cluster_resources()["CPU"]
    2.0
    """
    ensure_possible(address)
    _set_environment(starting=address is None)
    import ray

    if ray.is_initialized():
        raise UsageError("this process is part of a Ray cluster already; call ray.shutdown() first")
    with scratch_folder("digits-ray-", _short_place()) if address is None else nullcontext() as folder:
        try:
            with _own_signal_handlers():
                if folder is not None:
                    _start(workers, folder)
                else:
                    _join(str(address))
            with _own_stdout():
                yield
        finally:
            ray.shutdown()


@contextmanager
def _own_stdout() -> Iterator[None]:
    """Keep Ray from telling of lost machines on stdout while the block runs: results go there, and nothing else.

    Ray 2.60 has no setting for that, but one function by which it prints; where another version has none of that name,
    nothing is changed.
    """
    from ray._private import worker

    name = "print_to_stdstream"
    before = getattr(worker, name, None)
    if before is None:
        yield
        return
    setattr(worker, name, lambda *told, **how: None)
    try:
        yield
    finally:
        setattr(worker, name, before)


def ensure_possible(address: str | None) -> None:
    """Refuse in seconds what Ray would try for minutes, and then end the process for. Does not load Ray.

    Raises UsageError where the address is none, FileError where nobody answers there, MissingExtra without Ray.
    """
    if address is not None and address != "auto":
        _ensure_answer(address, *_host_and_port(address))
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra("scale", "the Ray engine")


def cluster_cpus() -> int:
    """CPUs of all living machines of the cluster that this process is part of, busy ones too."""
    import ray

    return int(ray.cluster_resources().get("CPU", 0))


def _start(workers: int, folder: Path) -> None:
    import ray

    try:
        ray.init(
            address="local",
            num_cpus=workers,
            num_gpus=0,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(folder),
        )
    except Exception as error:  # Ray raises plain Exception where its processes do not come up
        raise FileError(
            f"Ray did not start on this machine: {_first_sentence(error)}; try again, or use --engine local",
            code="no_cluster",
        ) from error


def _join(address: str) -> None:
    import ray

    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # RuntimeError, ConnectionError, ValueError and plain Exception, as the case may be
        raise _why_not_joined(address, error) from error


def _why_not_joined(address: str, error: Exception) -> DigitsError:
    """What Ray said of a cluster that it could not join, as one sentence."""
    said = "\n".join(_chain(error))
    if "AuthenticationError" in said or "InvalidAuthToken" in said:
        return FileError(
            f"the Ray cluster at {address} wants its token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH=FILE",
            code="no_cluster",
        )
    versions = re.findall(r"(?:Ray|Python): (\S+)", said)
    if "Version mismatch" in said and len(versions) >= 4:
        theirs, ours = (f"Ray {ray} and Python {python}" for ray, python in (versions[:2], versions[2:4]))
        return FileError(
            f"the cluster at {address} runs {theirs}, this process {ours}; use the same versions on every machine",
            code="version_mismatch",
        )
    if re.search("No node info found|find a local [Rr]aylet|find a raylet", said):  # in the words of several versions
        return FileError(
            f"this machine is no node of the Ray cluster at {address}; run this on one of its nodes, or make this one "
            f"a node that takes no work: ray start --address={address} --num-cpus=0",
            code="no_cluster",
        )
    return FileError(
        f"no Ray cluster could be joined at {address}: {_first_sentence(error)}; start one with: ray start --head",
        code="no_cluster",
    )


def _chain(error: BaseException | None) -> Iterator[str]:
    """What an error says, and what those say that it came of."""
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__ or error.__context__


def _host_and_port(address: str) -> tuple[str, int]:
    if "://" in address:
        raise UsageError(
            f"--address {address}: expected HOST:PORT or auto; Ray's client protocol is not used: run this on a node "
            "of the cluster, or with: ray job submit -- digits batch ... --engine ray --address auto"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"--address {address}: expected HOST:PORT, as ray start --head printed it, or auto")
    return host.strip("[]"), int(port)


def _ensure_answer(address: str, host: str, port: int) -> None:
    """Refuse an address where nobody listens, or what listens is no gRPC server: Ray would try for a long time."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_LIMIT_S) as connection:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return
            connection.sendall(_HTTP2_GREETING)
            answer = connection.recv(9)
    except TimeoutError as error:
        reason: str | None = f"no answer in {ANSWER_LIMIT_S:.0f} s"
        cause: OSError | None = error
    except OSError as error:
        reason, cause = error.strerror or str(error), error
    else:
        reason, cause = (None, None) if answer[3:4] == _HTTP2_SETTINGS else ("something else listens there", None)
    if reason is not None:
        raise FileError(
            f"no Ray cluster answers at {address} ({reason}); start one with: ray start --head, or leave out --address "
            "for one on this machine",
            code="no_cluster",
        ) from cause


def _set_environment(*, starting: bool) -> None:
    """Settings that Ray has no arguments for. What the person set stays."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else: a warning about GPUs in each process
    if not starting:
        os.environ.setdefault(
            "RAY_NUM_REDIS_GET_RETRIES", "3"
        )  # tries to join, up to 41 s each; Ray's own number is 20
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # The name is of other platforms; off means everywhere: loopback alone, servers and workers too.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    # Ray asks for a token where it finds one; this one is known to this process and its children alone.
    if not {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _short_place() -> str:
    """Where a folder of Ray's own has a path short enough for its sockets."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= _SHORT_PATH else "/tmp"


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Keep the handlers of SIGINT and SIGTERM: ray.init puts its own in their place, which end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _first_sentence(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words.partition(". ")[0].rstrip(".") or type(error).__name__


__all__ = ["ANSWER_LIMIT_S", "OBJECT_STORE_BYTES", "cluster_cpus", "ensure_possible", "ray_session"]
