"""A stranger's ONNX file becomes a verdict: does it keep the contract when it runs, with little memory and time?

A model can crash or exhaust the process that opens it, so one not seen before runs first in a child process, which
says when the trial begins and prints the verdict as one line of JSON. What passed is remembered by its SHA-256. Knows
nothing of metadata and training.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer._version import __version__
from digit_recognizer.digits import CLASSES, SIDE
from digit_recognizer.errors import DigitsError, FileError, Interrupted, ModelError
from digit_recognizer.files import read_bytes, write_json
from digit_recognizer.model_file import INPUT, PROBABILITIES, UNFAMILIARITY, ModelFile

# float32 softmax of ten values is off by some 1e-7; int8 networks and other runtimes stay well inside this.
SUM_TOLERANCE = 1e-3

# Signals by which somebody asks a process to end, as no fault of its own does. (Windows has no SIGHUP.)
_REQUESTS_TO_END = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

# The child imports from where this process does, which may have found the package by a path that it added itself.
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from digit_recognizer.model_probe import main; main()"
)
_BEGUN = b"the trial begins"  # what comes before is no fault of the model

# "/onnxruntime_src/onnxruntime/core/graph/model.cc:179 onnxruntime::Model::Model(...) " inside its messages.
_SOURCE_PLACE = re.compile(r"/\S+\.(?:cc|h):\d+ .*\) ")


@dataclass(frozen=True)
class Limits:
    """What a child process may take: bytes of memory beyond its start, seconds of CPU, seconds of wall time."""

    memory_bytes: int = 2**30
    cpu_s: int = 20
    wall_s: float = 60.0


def ensure_safe(model: ModelFile, limits: Limits | None = None) -> None:
    """Return where ``model`` keeps the contract when it runs; raise ModelError where not, or where it cannot be told.

    Raises Interrupted where somebody stopped the trial: that says nothing of the model.

    A file that passed before, with the same versions of ONNX Runtime and of this package, is not tried again. A cache
    folder (DIGITS_CACHE, else the platform's) that is missing, full or read-only only costs the time of a trial, as
    having none does.

    >>> ensure_safe(read_model("runs/kaggle"))                          # doctest: +SKIP
    """
    from importlib import metadata  # 20 ms, and not for the model that ships: it needs no trial

    cache = _cache_folder()
    entry = None if cache is None else cache / "models" / f"{model.sha256}.json"
    passed = {"version": __version__, "onnxruntime": metadata.version("onnxruntime"), "passed": True}
    with suppress(DigitsError, ValueError, RecursionError):
        if entry is not None and json.loads(read_bytes(entry, limit=4096)) == passed:
            return
    if reason := try_in_child(model.content, limits or Limits()):
        raise ModelError(f"{model.name}: {reason}", code="unsafe_model")
    if entry is not None:
        with suppress(FileError):
            write_json(entry, passed)


def try_in_child(content: bytes, limits: Limits) -> str | None:
    """Try a model in a child process that may take no more than ``limits``; what was wrong, None where all was well.

    The bytes go through a pipe, so what was checked is what is tried and later used, whatever becomes of the file. The
    child has a session of its own, so that Ctrl-C at a terminal is for this process alone, which then ends the child.
    Raises Interrupted where a signal asked the child to end.
    """
    import subprocess

    if not sys.executable:
        return "the model cannot be tried in a child process (sys.executable does not name Python's program)"
    # -P and no "": a module of the same name in the working folder must not be picked up.
    paths = json.dumps([path for path in sys.path if path])
    numbers = map(str, (limits.memory_bytes, limits.cpu_s, os.getpid()))
    command = [sys.executable, "-P", "-c", _CHILD, paths, *numbers]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=limits.wall_s,
            env=environment,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return f"a trial run took more than {limits.wall_s:g} s and was stopped; the model is damaged or hostile"
    except OSError as error:
        return f"the model cannot be tried in a child process ({error.strerror or error})"
    if -child.returncode in _REQUESTS_TO_END:
        raise Interrupted("stopped while the model was tried", signal_number=-child.returncode)
    how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
    begun, _, verdict = child.stdout.partition(b"\n")
    if begun.rstrip() != _BEGUN:
        said = _plain((child.stderr.decode("utf-8", "replace").strip().splitlines() or [how])[-1])
        return f"the model cannot be tried in a child process ({sys.executable} began no trial: {said})"
    try:
        reason = json.loads(verdict)["reason"]
    except (ValueError, TypeError, KeyError):
        limit = f"{limits.memory_bytes / 2**20:,.0f} MiB and {limits.cpu_s} s of CPU"
        return f"a trial run with {limit} broke off ({how}); the model is damaged or hostile"
    return None if reason is None else str(reason)


def try_here(content: bytes) -> str | None:
    """Run the model on test frames in this process, and compare names, types, shapes and answers with the contract.

    Returns what was wrong, None where all was well.
    """
    try:
        _try_session(open_session(content, threads=1))
    except ModelError as error:
        return str(error)
    return None


def open_session(content: bytes, threads: int) -> Any:
    """An onnxruntime.InferenceSession on the CPU, with a fixed number of threads, silent. Raises ModelError."""
    import onnxruntime  # 0.2 s, so not before a model is opened

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # what goes wrong comes as an exception; the log would say it a second time
    # Spinning threads win microseconds and take whole cores from everything else on the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base class of their own
        raise ModelError(f"ONNX Runtime cannot open the model ({_printable(error)})", code="bad_model") from error


def run_session(
    session: Any, images: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """The session's probabilities and unfamiliarity of images uint8 (N, 28, 28), checked.

    Returns float32 (N, 10), 0-1, rows that sum to 1 whatever the unfamiliarity, and float32 (N,), 0-1, or None where
    the model cannot tell non-digits. Raises ModelError where the model fails or answers anything else.
    """
    wanted = [PROBABILITIES, UNFAMILIARITY] if has_unfamiliarity(session) else [PROBABILITIES]
    answers = dict(zip(wanted, _run(session, wanted, images), strict=True))
    return answers[PROBABILITIES], answers.get(UNFAMILIARITY)


def has_unfamiliarity(session: Any) -> bool:
    """Whether the model behind a session also says how likely an image is no digit."""
    return any(value.name == UNFAMILIARITY for value in session.get_outputs())


def _run(session: Any, outputs: Sequence[str], images: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
    try:
        answers: list[Any] = session.run(list(outputs), {INPUT: images})
    except Exception as error:  # as above
        raise ModelError(f"ONNX Runtime cannot run the model ({_printable(error)})") from error
    for name, answer in zip(outputs, answers, strict=True):
        shape = (len(images), CLASSES) if name == PROBABILITIES else (len(images),)
        if not isinstance(answer, np.ndarray) or answer.dtype != np.float32 or answer.shape != shape:
            found = f"{getattr(answer, 'dtype', type(answer).__name__)} {getattr(answer, 'shape', '')}"
            raise ModelError(f"expected the answer {name!r} as float32 {shape}, found {found}")
        if not np.isfinite(answer).all():
            raise ModelError(f"the answer {name!r} holds NaN or infinity; the model is damaged")
        if not len(images):
            continue
        if name == PROBABILITIES and (answer.min() < 0 or np.abs(answer.sum(1) - 1).max() > SUM_TOLERANCE):
            raise ModelError(f"expected {name!r} from 0 to 1 with a sum of 1, found other values; is softmax missing?")
        if name == UNFAMILIARITY and not 0 <= answer.min() <= answer.max() <= 1:
            raise ModelError(f"expected {name!r} from 0 to 1, found other values; is sigmoid missing?")
    return answers


def _try_session(session: Any) -> None:
    inputs = [(value.name, value.type, value.shape) for value in session.get_inputs()]
    found = ", ".join(f"{name[:40]!r} {kind[:40]} {shape[:8]}" for name, kind, shape in inputs[:4])
    expected = f"expected one input {INPUT!r} tensor(uint8) ['N', {SIDE}, {SIDE}]"
    if len(inputs) != 1 or inputs[0][:2] != (INPUT, "tensor(uint8)") or len(inputs[0][2]) != 3:
        raise ModelError(f"{expected}, found {found or 'none'}")
    batch, *size = inputs[0][2]
    if isinstance(batch, int) or any(isinstance(side, int) and side != SIDE for side in size):
        raise ModelError(f"{expected}, the first dimension free, found {found}")
    names = [value.name for value in session.get_outputs()]
    if PROBABILITIES not in names:
        raise ModelError(f"expected an output {PROBABILITIES!r}, found {', '.join(repr(n[:40]) for n in names[:4])}")
    wanted = [name for name in (PROBABILITIES, UNFAMILIARITY) if name in names]
    frames = _test_frames()
    together = _run(session, wanted, frames)
    for index in range(len(frames)):
        for whole, single in zip(together, _run(session, wanted, frames[index : index + 1]), strict=True):
            if not np.allclose(whole[index], single[0], rtol=1e-3, atol=1e-4):
                raise ModelError("an image gets another answer alone than in a batch; export the model in eval mode")


def _test_frames() -> npt.NDArray[np.uint8]:
    """Six frames, uint8 (6, 28, 28): blank, full, a ramp, noise, a ring like a 0, a bar like a 1."""
    row, column = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(row - 13.5, column - 13.5)
    frames = [
        np.zeros((SIDE, SIDE)),
        np.full((SIDE, SIDE), 255),
        row * 9,
        np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)),
        np.clip(255 - 80 * np.abs(distance - 8), 0, 255),
        np.where((np.abs(column - 13.5) < 2) & (np.abs(row - 13.5) < 10), 255, 0),
    ]
    return np.stack(frames).astype(np.uint8)


def _cache_folder() -> Path | None:
    """Where to remember what passed; None where nobody says so and the user has no home, as in many a container."""
    if chosen := os.environ.get("DIGITS_CACHE"):
        return Path(chosen)
    try:
        if sys.platform == "win32":
            root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            root = Path.home() / "Library" / "Caches"
        else:
            root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return root / "digit-recognizer"


def _limit_this_process(memory_bytes: int, cpu_s: int) -> None:
    """Limit memory, CPU time and written files for the rest of this process, as far as the platform can."""
    try:
        import resource
    except ImportError:  # Windows has none; there the parent's wall time is the limit
        return
    wanted = {resource.RLIMIT_CPU: cpu_s, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    with suppress(OSError, ValueError, IndexError):  # /proc is Linux's; elsewhere the size at the start is unknown
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        wanted[resource.RLIMIT_AS] = pages * resource.getpagesize() + memory_bytes
    for kind, limit in wanted.items():
        with suppress(OSError, ValueError):
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _end_with_parent(parent: int) -> None:
    """Have the kernel kill this process where ``parent`` is killed: no signal to its group comes here. Linux alone can;
    elsewhere the limit on CPU time ends the trial.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG, <linux/prctl.h>
    if os.getppid() != parent:  # it was killed before that
        os._exit(1)


def _printable(error: Exception) -> str:
    """The first line of a foreign message without source places; plain characters alone, as it may quote the file."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return _plain(_SOURCE_PLACE.sub("", first.removeprefix("[ONNXRuntimeError] : ")))


def _plain(words: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in words.strip())[:200]


def main() -> None:
    """Try the model on stdin in this process, which is the child of ``try_in_child``, under the limits in sys.argv."""
    memory_bytes, cpu_s, parent = map(int, sys.argv[2:])
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own exception can get lost in foreign code
    _end_with_parent(parent)
    content = sys.stdin.buffer.read()
    import onnxruntime  # noqa: F401  # where it cannot be imported, that is no fault of the model

    print(_BEGUN.decode(), flush=True)
    _limit_this_process(memory_bytes, cpu_s)
    print(json.dumps({"reason": try_here(content)}))


__all__ = ["Limits", "ensure_safe", "has_unfamiliarity", "open_session", "run_session", "try_here", "try_in_child"]
